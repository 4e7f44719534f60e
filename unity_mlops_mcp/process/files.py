"""Files that several processes write: replaced whole, locked by the operating system, never on a network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final

import psutil

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.process import system

_NETWORK_TYPES = frozenset(
    {"9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "glusterfs", "gpfs"}
)
_NETWORK_TYPES |= {"lustre", "ncpfs", "nfs", "nfs4", "panfs", "smb2", "smb3", "smbfs", "webdav"}
_NETWORK_TYPES |= {f"fuse.{name}" for name in ("ceph", "davfs2", "glusterfs", "juicefs", "rclone", "s3fs", "sshfs")}


def replace(source: Path, target: Path, *, timeout_s: float = 5.0) -> None:
    """`os.replace`, tried again while another process has the target open (Windows' sharing violations).

    Raises:
        PermissionError: it was still refused after ``timeout_s``.
    """
    end = time.monotonic() + timeout_s
    while not _replaced(source, target, last=not system.WINDOWS or time.monotonic() > end):
        time.sleep(0.02)


def _replaced(source: Path, target: Path, *, last: bool) -> bool:
    try:
        source.replace(target)
    except PermissionError:
        if last:
            raise
        return False
    return True


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write the file so that a reader sees the old content or the new, whatever is killed meanwhile."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@final
class FileLock:
    """A lock on a file, held until released or until the process ends, however it ends.

    Args:
        path: the lock file; made when missing, never removed.
        shared: whether others may hold it shared at the same time.
        mode: permissions of a new lock file.
    """

    def __init__(self, path: Path, *, shared: bool = False, mode: int = 0o600) -> None:
        self.path = path
        self._shared = shared
        self._mode = mode
        self._descriptor: int | None = None

    def acquire(self, *, timeout_s: float = 0.0) -> bool:
        """Take the lock, waiting at most ``timeout_s``; False when another one still holds it."""
        end = time.monotonic() + timeout_s
        descriptor = self._open()
        while not system.lock_file(descriptor, shared=self._shared):
            if time.monotonic() >= end:
                os.close(descriptor)
                return False
            time.sleep(0.01)
        self._descriptor = descriptor
        return True

    def _open(self) -> int:
        """The lock file, made when missing; links are not followed, for the folder may be everybody's."""
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
        while True:
            with suppress(FileNotFoundError):
                return os.open(self.path, flags)
            with suppress(FileExistsError):
                descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, self._mode)
                if hasattr(os, "fchmod"):
                    os.fchmod(descriptor, self._mode)  # whatever the umask
                return descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        """Take the lock, waiting for at most a minute.

        Raises:
            ConflictError: another process still holds it.
        """
        if not self.acquire(timeout_s=60.0):
            raise ConflictError(
                f"Another process has held {self.path} locked for 60 s.",
                fix="Look for a process of unity-mlops that hangs or is suspended, and end it.",
                cause="locked",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Mount(NamedTuple):
    """A mounted file system: where, and its type as the system names it."""

    point: str
    type: str


def mounts() -> Sequence[Mount]:
    """What is mounted on this machine."""
    return [Mount(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]


def network_mount(path: Path, *, mounted: Callable[[], Sequence[Mount]] = mounts) -> Mount | None:
    """The network file system that the path lies on, or None; SQLite's WAL and our locks need a local one."""
    resolved = path.resolve()
    if system.WINDOWS:  # where listing all drives may hang on one that is gone
        return Mount(resolved.anchor, "network drive") if system.is_remote_drive(resolved.anchor) else None
    holders = [mount for mount in mounted() if resolved.is_relative_to(mount.point)]
    best = max(reversed(holders), key=lambda mount: len(Path(mount.point).parts), default=None)
    return best if best and best.type.lower() in _NETWORK_TYPES else None
