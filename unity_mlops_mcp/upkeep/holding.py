"""One worker at a time on the files of a home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.contents import LOCK


@contextmanager
def files_held(store: Store, what: str) -> Iterator[None]:
    """Keep backup, mirror and prune of a home from working on its files at the same time.

    Raises:
        ConflictError: another one is at it.
    """
    lock = FileLock(store.locks / LOCK)
    if not lock.acquire():
        raise ConflictError(
            f"Another backup, mirror or prune of {store.home} is at work.",
            fix=f"Wait until it has ended, then start the {what} again.",
            cause="upkeep_running",
        )
    try:
        yield
    finally:
        lock.release()
