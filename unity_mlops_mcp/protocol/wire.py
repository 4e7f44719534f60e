"""The few pieces of the protobuf wire format that the codec writes and reads by hand.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, LENGTH, FIXED32 = 0, 2, 5
_MORE = 0x80
_LAST_SHIFT = 63
"""Of the tenth byte, the last that a varint may have."""


def varint(value: int) -> bytes:
    """A non-negative integer in base 128, least significant group first."""
    out = bytearray()
    while value >= _MORE:
        out.append(value & 0x7F | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire_type: int) -> bytes:
    """The key that stands before a field's value."""
    return varint(number << 3 | wire_type)


def block(number: int, content: bytes) -> bytes:
    """A length-delimited field: a string, bytes, packed numbers or a nested message."""
    return tag(number, LENGTH) + varint(len(content)) + content


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the position after it; ValueError where it has no end."""
    value = shift = 0
    while True:
        if shift > _LAST_SHIFT:
            raise ValueError(f"the number at byte {at - 10} has more than ten bytes")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, at
        shift += 7


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk a message's fields: the number, and the first and last position of its value (the last is excluded).

    Raises:
        ValueError: a wire type that the communicator never uses, or a number without an end: not its messages.
    """
    at = start
    while at < end:
        key, at = _read_varint(data, at)
        first, last = _value(data, key & 7, at)
        yield key >> 3, first, last
        at = last


def _value(data: bytes, wire_type: int, at: int) -> tuple[int, int]:
    if wire_type == LENGTH:
        size, at = _read_varint(data, at)
        return at, at + size
    if wire_type == VARINT:
        return at, _read_varint(data, at)[1]
    if wire_type == FIXED32:
        return at, at + 4
    raise ValueError(f"wire type {wire_type} at byte {at}")


def delimited(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Walk messages that stand after their lengths: first and last position of each; an incomplete one ends it.

    Raises:
        ValueError: a length without an end.
    """
    at = start
    while at < len(data):
        try:
            size, first = _read_varint(data, at)
        except IndexError:
            return
        if first + size > len(data):
            return
        yield first, first + size
        at = first + size
