"""Reads files while others write them: whole where that can be had, and what came of it by hash."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, NamedTuple

_TRIES = 5
_BLOCK = 1 << 20


class Stamp(NamedTuple):
    """What tells that a file has changed: its size in bytes and the time of its last change in ns."""

    size: int
    changed_ns: int


def stamp(path: Path) -> Stamp:
    """The stamp of a file now."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def copy_whole(path: Path, target: IO[bytes], *, tries: int = _TRIES) -> str:
    """Copy a file into an open one; again when it was written to meanwhile, the last copy counting.

    Logs and event files only grow, so that a copy cut at some point is as good as one made at that moment.

    Returns:
        The SHA-256 of what was copied (hex).

    Raises:
        FileNotFoundError: it is not there any more.
    """
    digest = ""
    for _ in range(tries):
        target.seek(0)
        target.truncate()
        before = stamp(path)
        digest = _copy(path, target)
        if stamp(path) == before:
            break
    return digest


def _copy(path: Path, target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file (hex)."""
    with Path(os.devnull).open("wb") as nothing:
        return _copy(path, nothing)
