"""One event file, read as it grows: each poll costs by what is new."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from google.protobuf.message import DecodeError

from unity_mlops_mcp.metrics.cycles import decode_cycles
from unity_mlops_mcp.metrics.events import STEP_AT, WALL_TIME, Decoder
from unity_mlops_mcp.metrics.framing import FOOTER, HEADER, Framer, payload_is_sound
from unity_mlops_mcp.metrics.records import ReadProblem

BLOCK = 1 << 20
"""Bytes read at once."""

_STRETCH = 1 << 14
_HEAD = 64
_MAX_PROBLEMS = 100
_DOUBLE = struct.Struct("<d").unpack_from


class EventFile:
    """The points of one event file, and what could not be read of it.

    A file that was replaced, truncated or written anew is read from its start. A record whose end is not there yet
    waits for the next poll.

    Args:
        path: the file.
        verify: check the CRC of every payload too. Without it a flipped bit within a value goes unseen; with it
            reading takes about twice as long.
    """

    def __init__(self, path: Path, *, verify: bool = False) -> None:
        self.path = path
        self._verify = verify
        self._begin(0, b"")

    def _begin(self, inode: int, head: bytes) -> None:
        self.decoder = Decoder()
        self.problems: list[ReadProblem] = []
        self.started_at: float | None = None
        self._framer = Framer()
        self._offset = 0
        self._lost = False
        self._inode, self._head = inode, head

    @property
    def first_step(self) -> int | None:
        """Agent steps at the first summary; None before there is one."""
        return min((columns.steps[0] for columns in self.decoder.scalars.values() if columns.steps), default=None)

    @property
    def last_step(self) -> int | None:
        """Agent steps at the last summary; None before there is one."""
        return max((columns.steps[-1] for columns in self.decoder.scalars.values() if columns.steps), default=None)

    def poll(self) -> int:
        """Read what was written since the last poll.

        Returns:
            Number of records taken in.

        Raises:
            OSError: the file cannot be opened or read.
        """
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            head = file.read(_HEAD)
            if status.st_ino != self._inode or status.st_size < self._offset or not head.startswith(self._head):
                self._begin(status.st_ino, head)
            elif len(self._head) < _HEAD:
                self._head = head
            return self._read(file)

    def _read(self, file: BinaryIO) -> int:
        """Take in block after block, up to the last whole record."""
        taken, want = 0, BLOCK
        while True:
            before, was_lost = self._offset, self._lost
            file.seek(before)
            block = file.read(want)
            taken += self._search(block) if was_lost else self._take(block)
            if len(block) < want and self._lost == was_lost:
                return taken
            stuck = self._offset == before and not self._lost
            want = max(BLOCK, self._framer.size_at(block, 0) or 0) if stuck else BLOCK

    def _search(self, block: bytes) -> int:
        """Move on to the next sound record; without one, to where one that is cut by the block's end could begin."""
        found = self._framer.next_record(block, 0)
        self._lost = found is None
        self._offset += max(0, len(block) - HEADER + 1) if found is None else found
        return 0

    def _take(self, block: bytes) -> int:
        """Decode the whole records at the start of the block and move behind them; gives how many were decoded."""
        if self.started_at is None and len(block) > HEADER + STEP_AT and block[HEADER] == WALL_TIME:
            self.started_at = _DOUBLE(block, HEADER + 1)[0]
        position, taken, stretch = 0, 0, _STRETCH
        while not self._lost:
            cycles = None if self._verify else decode_cycles(self.decoder, self._framer, block, position)
            if cycles:
                taken, position, stretch = taken + cycles[0], cycles[1], _STRETCH
                continue
            spans, self._lost = self._framer.split(block, position, position + stretch)
            if not spans:
                break
            taken += self._decode(block, spans)
            position, stretch = spans[-1][1], 2 * stretch
        self._offset += position
        if self._lost:
            self._report(self._offset, "The record's header is damaged; reading goes on at the next sound one.")
        return taken

    def _decode(self, block: bytes, spans: list[tuple[int, int]]) -> int:
        """Decode record by record; gives how many could be."""
        add, decoded = self.decoder.add, 0
        for start, end in spans:
            if self._verify and not payload_is_sound(block, start, end):
                self._report(self._offset + start, "The record's checksum does not match its content. It was left out.")
                continue
            try:
                add(block, start + HEADER, end - FOOTER)
                decoded += 1
            except (DecodeError, ValueError, TypeError, KeyError) as error:
                sound = "matches" if payload_is_sound(block, start, end) else "does not match"
                message = f"The record is not a readable event ({error}); its checksum {sound}. It was left out."
                self._report(self._offset + start, message)
        return decoded

    def _report(self, offset: int, message: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(ReadProblem(file=str(self.path), offset=offset, message=message))
