"""TFRecord framing: where each record of a block of bytes starts, and where the next readable one is after damage.

A record is ``u64 length | u32 crc(length) | payload | u32 crc(payload)``, little endian, with masked CRC-32C
(tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import re
import struct

import google_crc32c

HEADER = 12
FOOTER = 4
MAX_LENGTH = 1 << 30
"""A longer payload than 1 GiB is damage: no summary is near that size."""

_KNOWN_LIMIT = 1 << 16
_MASK = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_WORD = struct.Struct("<I")
_ZEROS = re.compile(rb"(?=\0{4})")


def masked_crc(data: bytes) -> int:
    """CRC-32C of the bytes, rotated and offset as TFRecord stores it."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


class Framer:
    """Splits bytes into records.

    Attributes:
        sizes: header that was found sound → bytes that its record takes, frame included; few lengths occur.
    """

    def __init__(self) -> None:
        self.sizes: dict[bytes, int] = {}

    def split(self, block: bytes, start: int = 0, stop: int | None = None) -> tuple[list[tuple[int, int]], bool]:
        """The whole records of a block that begin at ``start`` or later, before ``stop``.

        Returns:
            Where each record starts and ends, and whether the next one's header is damaged (false: there is none, or
            it is still being written, or it begins behind ``stop``).
        """
        spans: list[tuple[int, int]] = []
        position, size, end, known = start, len(block), len(block) if stop is None else stop, self.sizes
        while position < end and position + HEADER <= size:
            header = block[position : position + HEADER]
            taken = known.get(header) or self._check(header)
            if taken is None:
                return spans, True
            if position + taken > size:
                break
            spans.append((position, position + taken))
            position += taken
        return spans, False

    def size_at(self, block: bytes, position: int) -> int | None:
        """Bytes that the record at a position takes, frame included; None when its header is damaged or incomplete."""
        header = block[position : position + HEADER]
        return self.sizes.get(header) or (self._check(header) if len(header) == HEADER else None)

    def next_record(self, block: bytes, start: int) -> int | None:
        """Position of the first sound header at or after ``start``; None when the block has none.

        Any length up to 1 GiB has four zero bytes at its end, so only such places are looked at.
        """
        for zeros in _ZEROS.finditer(block, start + 4):
            position = zeros.start() - 4
            if self.size_at(block, position) is not None:
                return position
        return None

    def _check(self, header: bytes) -> int | None:
        length, crc = _HEADER.unpack(header)
        if length > MAX_LENGTH or crc != masked_crc(header[:8]):
            return None
        if len(self.sizes) >= _KNOWN_LIMIT:
            self.sizes.clear()
        self.sizes[header] = size = HEADER + length + FOOTER
        return int(size)


def payload_is_sound(block: bytes, position: int, end: int) -> bool:
    """Whether the payload of the record ``[position, end)`` has the CRC that was written with it."""
    payload = block[position + HEADER : end - FOOTER]
    return bool(_WORD.unpack_from(block, end - FOOTER)[0] == masked_crc(payload))
