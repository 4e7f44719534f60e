"""Who lives in a home: each process holds a shared lock on a file named after its pid namespace.

Within one namespace pids tell who lives. Of another one (a container that shares the folder) only the lock tells: while
it is held a process from elsewhere is refused, and once it is free all that was recorded from there is dead.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.process.identity import Identity, this_process


class Presence:
    """Our being alive in a home, shown for as long as the process lives.

    Args:
        folder: the home's folder of lock files.

    Raises:
        ConflictError: processes of another pid namespace live in the home.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(self._file(this_process()), shared=True)
        with FileLock(folder / "door.lock"):
            for other in set(folder.glob("present-*.lock")) - {self._lock.path}:
                self._enter_beside(other)
            self._lock.acquire()

    def _enter_beside(self, other: Path) -> None:
        if not _is_free(other):
            raise ConflictError(
                f"The home {self._folder.parent} is in use by processes of another container or pid namespace.",
                fix="End them first, or give this side a home of its own: set UNITY_MLOPS_HOME to another folder.",
                cause="home_in_use",
            )
        other.unlink(missing_ok=True)

    def is_gone(self, identity: Identity) -> bool:
        """Whether nobody lives any more in the namespace that this was recorded from, which must not be ours."""
        path = self._file(identity)
        return path != self._lock.path and (not path.exists() or _is_free(path))

    def close(self) -> None:
        """Live here no longer."""
        self._lock.release()

    def _file(self, identity: Identity) -> Path:
        name = hashlib.sha256(f"{identity.boot}/{identity.namespace}".encode()).hexdigest()[:12]
        return self._folder / f"present-{name}.lock"


def _is_free(path: Path) -> bool:
    lock = FileLock(path)
    taken = lock.acquire()
    lock.release()
    return taken
