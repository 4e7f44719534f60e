"""How the service is started: where it listens, whom it answers, and within which bounds."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.interfaces.access import Offer

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to know them, not to listen there


@dataclass(frozen=True)
class ServeOptions:
    """One start of the service.

    Attributes:
        host: the address to listen on.
        port: the port; 0 lets the system choose.
        offer: what it offers.
        hosts: further names that a request's Host header may carry, without a port; ``*`` allows any.
        origins: web pages of other addresses that may call it, such as ``https://ui.lab``.
        certificate: TLS certificate chain, PEM.
        key: its key, PEM.
        no_tls: allow another address than loopback without TLS: something before us ends it.
        max_body: bytes of a request's body at most.
        rate: requests a second and token, in bursts of twice as many, at least one; 0 for no bound.
        max_streams: live streams at once.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    offer: Offer = field(default_factory=Offer)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    no_tls: bool = False
    max_body: int = 4 * 1024 * 1024
    rate: float = 100.0
    max_streams: int = 200

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS itself."""
        return self.certificate is not None

    @property
    def address(self) -> str:
        """The address as a browser on this machine writes it."""
        host = "127.0.0.1" if self.host in _EVERYWHERE else f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    def check(self) -> None:
        """Refuse what would not be safe or cannot work.

        Raises:
            InvalidInputError: with what to change.
        """
        if (self.certificate is None) != (self.key is None):
            fix = "Give --tls-certificate and --tls-key together."
            raise InvalidInputError("TLS needs a certificate and its key.", fix=fix)
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise InvalidInputError(f"There is no file {file}.", fix="Give PEM files that exist.")
        if not (self.secure or self.no_tls or is_loopback(self.host)):
            raise InvalidInputError(
                f"{self.host} can be reached from other machines, and without TLS its tokens could be read on the way.",
                fix="Give --tls-certificate and --tls-key; or --no-tls where a proxy before it ends TLS.",
                cause="tls_needed",
            )
        for origin in self.origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:  # noqa: PLR2004
                fix = "An origin is a scheme and a host, such as https://ui.lab:8080."
                raise InvalidInputError(f"{origin!r} is no origin.", fix=fix)

    def allowed_hosts(self) -> frozenset[str]:
        """The names that a Host header may carry, lower case, without a port."""
        own = _machine_names() if self.host in _EVERYWHERE else (self.host,)
        return frozenset(_bracketed(name).lower() for name in (*_LOOPBACK, *own, *self.hosts))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _machine_names() -> Sequence[str]:
    return (socket.gethostname(), socket.getfqdn())


def _bracketed(name: str) -> str:
    """An IPv6 address as a Host header writes it."""
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
