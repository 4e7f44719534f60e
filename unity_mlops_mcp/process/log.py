"""Reading a log that another process is still writing."""

from __future__ import annotations

from pathlib import Path


class LogTail:
    """The lines that were added to a file since the last look; a line without its end waits for the next look.

    Args:
        path: the log; it may not exist yet.
        offset: where to begin, in bytes, such as the size the file had before an attempt.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def new_lines(self) -> list[str]:
        """Complete lines written since the last call, without their line ends."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        self.offset += len(complete)
        return complete.decode("utf-8", errors="replace").splitlines()


def last_lines(path: Path, count: int, *, most_bytes: int = 64 * 1024) -> list[str]:
    """The last ``count`` lines of a file, within its last ``most_bytes``; empty when it is absent."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most_bytes))
        text = file.read().decode("utf-8", errors="replace")
    return text.splitlines()[-count:]
