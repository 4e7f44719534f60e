"""One attempt to tell a webhook: signed, bounded in time, no redirects, and no private address unless it is allowed.

The address is judged when the connection is made, so that a name that resolves otherwise the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import typing
from urllib.parse import urlsplit

import httpcore

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.scheduling.notifying.deadline import Deadline
from unity_mlops_mcp.scheduling.notifying.records import Notice, Shape
from unity_mlops_mcp.scheduling.notifying.signing import signed

_GONE = 410
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a network of IPv6 alone reaches IPv4 (RFC 6052)."""
_AGENT = f"unity-mlops-mcp/{__version__}"


class GoneError(ExternalError):
    """The receiver said that it wants nothing any more (410)."""

    default_cause = "endpoint_gone"


def require_url(url: str, *, private: bool) -> str:
    """The URL, when a webhook may have it.

    Args:
        url: as given.
        private: whether its address may be a loopback or private one. Names are judged when they are looked up.

    Raises:
        InvalidInputError: it is not http or https, has no host that can be looked up, holds a password, is not
            written in ASCII, or names an address that is not allowed; its path is not repeated.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # as the look-up does: no part of a name is empty or over 63 letters
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or not all("!" <= sign <= "~" for sign in url):
        raise InvalidInputError(
            "The webhook's URL cannot be used.",
            fix="Give an http or https URL without user and password in it, in ASCII: a host such as "
            "xn--bcher-kva.example, a path such as /p%C3%A4th.",
        )
    address = _literal(parts.hostname or "")
    if address is not None and not (private or _is_public(address)):
        raise InvalidInputError(
            f"{masked(url)} is at the address {address}, which is not public.",
            fix="If it is meant, allow it: unity-mlops notify add URL --allow-private "
            "(UNITY_MLOPS_WEBHOOK_PRIVATE=true for the URL of the settings).",
            cause="private_address",
        )
    return url


def masked(target: str) -> str:
    """A URL without its path, which often is a secret; an e-mail address as it is."""
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc}/…" if parts.scheme in ("http", "https") else target


def body_of(notice: Notice, shape: Shape) -> bytes:
    """The exact bytes that are sent and signed."""
    if shape == "standard":
        return notice.model_dump_json().encode()
    mark = {"failed": "❌", "completed": "✅", "promoted": "🚀", "rolled_back": "⏪"}.get(
        notice.type.rpartition(".")[2], ""
    )
    fix = f"\n{notice.data.failure.fix}" if notice.data.failure else ""
    text = f"{mark} {notice.data.summary}{fix}".strip()[:1900]
    return json.dumps({"text" if shape == "slack" else "content": text}, ensure_ascii=False).encode()


def send(
    url: str, body: bytes, *, secret: str | None, message_id: str, timestamp: int, private: bool, timeout_s: float
) -> None:
    """Post it once.

    Args:
        url: the receiver's.
        body: JSON.
        secret: signs it; None: unsigned.
        message_id: the same over all attempts; receivers know repeats by it.
        timestamp: seconds since the epoch, of this attempt.
        private: whether the address may be a loopback or private one.
        timeout_s: for the whole of it. Only the look-up of the name, which is the system's, may take longer.

    Raises:
        GoneError: it answered 410.
        ExternalError: it could not be reached, or answered otherwise than with success; told without its path.
    """
    headers: dict[bytes | str, bytes | str] = {"content-type": "application/json", "user-agent": _AGENT}
    headers.update(signed(secret, message_id, timestamp, body) if secret else {"webhook-id": message_id})
    backend = _Guarded(Deadline(timeout_s), private=private)
    pool = httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend)
    try:
        with pool, pool.stream("POST", url, headers=headers, content=body) as answer:
            status = answer.status
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        told = str(error) or type(error).__name__
        raise ExternalError(
            f"{masked(url)} could not be told: {told}.",
            fix="Check that its receiver runs and that its host and port can be reached from this machine.",
        ) from None
    if status == _GONE:
        raise GoneError(
            f"{masked(url)} answered 410: it wants nothing any more.",
            fix="Once it does: unity-mlops notify replay ENDPOINT_ID.",
        )
    if not 200 <= status < 300:  # noqa: PLR2004 - success
        raise ExternalError(f"{masked(url)} answered with status {status}.", fix=_advice(status))


def _advice(status: int) -> str:
    if status < 400:  # noqa: PLR2004 - redirects
        return "Redirects are not followed: add the URL that it leads to."
    if status in (401, 403):
        return "Check the URL, and that the receiver verifies by this endpoint's secret."
    return {
        404: "Check the URL's path.",
        405: "Check that the receiver takes POST at this path.",
    }.get(status, "Look at the receiver's log: it got the request.")


class _Guarded(httpcore.SyncBackend):
    """Connects to addresses that were judged, and to nothing else, until a deadline."""

    def __init__(self, deadline: Deadline, *, private: bool) -> None:
        super().__init__()
        self._deadline = deadline
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: typing.Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve the name, refuse it when any of its addresses is not public, and connect to one that was seen."""
        del timeout, local_address
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        refused = [address for address in found if not (self._private or _is_public(address))]
        if refused or not found:
            raise httpcore.ConnectError(
                f"{host} has the address {', '.join(refused) or 'of nobody'}, which is not public; allow it for this "
                "endpoint if it is meant (--allow-private)"
            )
        first, *others = dict.fromkeys(found)
        try:
            return self._connect(first, port, self._deadline.left() / (2 if others else 1), socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            if not others:
                raise
        return self._connect(others[0], port, self._deadline.left(), socket_options)

    def _connect(
        self, address: str, port: int, timeout: float, options: typing.Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.NetworkStream:
        return _Bounded(super().connect_tcp(address, port, timeout, socket_options=options), self._deadline)

    def connect_unix_socket(self, *_: object, **__: object) -> httpcore.NetworkStream:
        """Nobody is told through a socket file."""
        raise httpcore.ConnectError("socket files are not used")


class _Bounded(httpcore.NetworkStream):
    """A stream whose every step may take what is left until a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What came."""
        del timeout
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send it."""
        del timeout
        self._stream.write(buffer, self._deadline.left())

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same, encrypted."""
        del timeout
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Bounded(stream, self._deadline)

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def get_extra_info(self, info: str) -> typing.Any:
        """What the stream knows of its socket."""
        return self._stream.get_extra_info(info)


def _literal(host: str) -> str | None:
    """The address that a host spells out, in whichever way the system reads it; None for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f.1 and 2130706433 too
    except OSError:
        return None


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    reached = _carried(ip) or ip
    return reached.is_global and not (reached.is_multicast or reached.is_reserved)


def _carried(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a mapped, translated (NAT64), 6to4 or Teredo address leads to; None for any other."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
