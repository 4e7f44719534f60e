"""A disk cache for what can be worked out again: JSON values, never pickles."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import diskcache


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
    """Values by key, kept over restarts and shared by processes; whatever cannot be read is a miss.

    Args:
        folder: where it lies; made when missing, for this user alone.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._cache = diskcache.Cache(str(folder), disk=SafeJSONDisk)

    def get(self, key: str) -> Any | None:
        """The JSON value kept under the key, or None."""
        try:
            return self._cache.get(key)
        except (ValueError, zlib.error, OSError):
            self._cache.delete(key)
            return None

    def set(self, key: str, value: Any, *, expire_s: float | None = None) -> None:
        """Keep a JSON value, for so long where that is given."""
        self._cache.set(key, value, expire=expire_s)

    def close(self) -> None:
        """Close its database."""
        self._cache.close()
