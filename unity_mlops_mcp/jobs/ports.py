"""Port blocks that two trainings on this machine never share."""

from __future__ import annotations

import errno
import socket
import sys
from types import TracebackType
from typing import final

from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.process.system import machine_wide_folder

_LAST_PORT = 65535


@final
class PortLease:
    """Neighbouring ports that nobody else takes while this process lives and the lease is open.

    Attributes:
        ports: the ports, from the lowest.
    """

    def __init__(self, locks: dict[int, FileLock]) -> None:
        self.ports = tuple(locks)
        self._locks = locks

    @property
    def first(self) -> int:
        """The lowest port."""
        return self.ports[0]

    def close(self) -> None:
        """Give the ports back."""
        for lock in self._locks.values():
            lock.release()

    def __enter__(self) -> PortLease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lease_ports(count: int, base: int) -> PortLease:
    """Take the first ``count`` neighbouring ports from ``base`` upwards that are free.

    Every home and user of this machine sees who holds a port by a lock, and a trial bind finds listeners of others.

    Raises:
        SetupError: there is no such block.
    """
    held: dict[int, FileLock] = {}
    for port in range(base, _LAST_PORT + 1):
        lock = _take(port)
        if lock is None:
            _release(held)
            continue
        held[port] = lock
        if len(held) == count:
            return PortLease(held)
    _release(held)
    raise SetupError(
        f"There are no {count} neighbouring free ports from {base} up.",
        fix="End what listens there, or set UNITY_MLOPS_BASE_PORT to a lower port.",
        cause="no_free_ports",
    )


def lease_port(port: int, *, fix: str) -> PortLease:
    """Take exactly this port.

    Args:
        port: the port.
        fix: what to do when somebody else has it.

    Raises:
        SetupError: it is in use.
    """
    lock = _take(port)
    if lock is None:
        raise SetupError(f"Port {port} is in use.", fix=fix, cause="port_in_use")
    return PortLease({port: lock})


def is_leased(port: int) -> bool:
    """Whether a process of ours, of any home on this machine, holds the port now."""
    lock = _lock_of(port)
    try:
        free = lock.acquire()
    except OSError:  # another user's file, which we may not open
        return True
    lock.release()
    return not free


def is_free(port: int) -> bool:
    """Whether ML-Agents could listen on the port now: on every address, IPv4 and IPv6."""
    return all(_can_bind(family, port) for family in (socket.AF_INET, socket.AF_INET6))


def _take(port: int) -> FileLock | None:
    lock = _lock_of(port)
    try:
        if not lock.acquire():
            return None
    except OSError:  # somebody else's file, which we may not open
        return None
    if is_free(port):
        return lock
    lock.release()
    return None


def _lock_of(port: int) -> FileLock:
    return FileLock(machine_wide_folder("unity-mlops-ports") / f"{port}.lock", mode=0o666)


def _release(held: dict[int, FileLock]) -> None:
    for lock in held.values():
        lock.release()
    held.clear()


def _can_bind(family: socket.AddressFamily, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if sys.platform == "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            probe.bind(("", port))
    except OSError as error:
        return error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)  # no IPv6 here
    return True
