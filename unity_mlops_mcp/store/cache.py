"""A disk cache for what can be worked out again: JSON values, never pickles."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import diskcache

_log = logging.getLogger(__name__)


class SafeJSONDisk(diskcache.JSONDisk):  # type: ignore[misc]
    """diskcache's JSON disk, made to refuse pickles: by itself it unpickles a tampered row (CVE-2025-69872)."""

    def get(self, key: Any, raw: bool) -> Any:
        """The key of a row."""
        if not raw:
            raise ValueError("A pickled key is refused.")
        return super().get(key, raw)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        """The value of a row."""
        if mode == diskcache.core.MODE_PICKLE:
            raise ValueError("A pickled value is refused.")
        if filename is not None and not self._holds(filename):
            raise ValueError("A value outside the cache's folder is refused.")
        return super().fetch(mode, filename, value, read)

    def remove(self, file_path: str) -> None:
        """Remove the file of a row, if it lies in the cache's folder."""
        if self._holds(file_path):
            super().remove(file_path)

    def _holds(self, file: str) -> bool:
        folder = Path(self._directory).resolve()
        return (folder / file).resolve().is_relative_to(folder)


class Cache:
    """Values by key, kept over restarts and shared by processes; whatever cannot be read or kept is a miss.

    Args:
        folder: where it lies; made when missing, for this user alone. A damaged one is made anew; where none can be
            (a full disk, a folder that cannot be written), nothing is kept.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._cache = _opened(folder)
        except (sqlite3.Error, OSError) as error:
            _log.warning("Nothing is kept in %s: %s", folder, error)
            self._cache = None

    def get(self, key: str) -> Any | None:
        """The JSON value kept under the key, or None."""
        if self._cache is None:
            return None
        try:
            return self._cache.get(key)
        except (ValueError, zlib.error, OSError):
            self._forget(key)
        except sqlite3.Error as error:
            _log.warning("The cache cannot be read: %s", error)
        return None

    def set(self, key: str, value: Any, *, expire_s: float | None = None) -> None:
        """Keep a JSON value, for so long where that is given."""
        if self._cache is None:
            return
        try:
            self._cache.set(key, value, expire=expire_s)
        except (sqlite3.Error, OSError) as error:
            _log.warning("The cache cannot be written: %s", error)

    def close(self) -> None:
        """Close its database."""
        if self._cache is not None:
            self._cache.close()

    def _forget(self, key: str) -> None:
        with suppress(sqlite3.Error, OSError):
            self._cache.delete(key)


def _opened(folder: Path) -> diskcache.Cache:
    try:
        return diskcache.Cache(str(folder), disk=SafeJSONDisk)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # no database any more; what was in it can be worked out again
        for file in folder.glob("cache.db*"):
            file.unlink(missing_ok=True)
        return diskcache.Cache(str(folder), disk=SafeJSONDisk)
