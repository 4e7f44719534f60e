"""How many values are behind each histogram of one tag, read without its buckets.

An Event that holds one histogram and nothing else looks like this; fields that are 0 are left out::

    09 <f64 wall time> 10 <varint step> 2a n 0a n 0a <len> <tag> 2a n  09 <f64 min> 11 <f64 max> 19 <f64 count> …
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import summary_pb2

_VARINT = rb"[\x80-\xff]{0,7}[\x00-\x7f]"


class Counts(NamedTuple):
    """Step (int64), wall time and count (float64) of each histogram, shape (n,)."""

    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    numbers: npt.NDArray[np.float64]


def read_counts(tag: str, block: bytes, payloads: Sequence[tuple[int, int]]) -> Counts:
    """The counts of the histograms in the payloads ``block[start:end]``, up to the first that is anything else."""
    match = _pattern(tag).match
    found: list[tuple[bytes, ...]] = []
    contents: list[int] = []
    for start, end in payloads:
        event = match(block, start, end)
        if event is None:
            break
        found.append(event.groups(b"\0"))
        contents.append(end - event.end(3))
    wall_times, steps, sizes, numbers = zip(*found, strict=True) if found else ((), (), (), ())
    alone = _varints(sizes) == contents
    whole = len(found) if alone.all() else int(alone.argmin())
    return Counts(
        _varints(steps[:whole]),
        np.frombuffer(b"".join(wall_times[:whole]), "<f8"),
        np.frombuffer(b"".join(numbers[:whole]), "<f8"),
    )


def _pattern(tag: str) -> re.Pattern[bytes]:
    named = re.escape(summary_pb2.Summary.Value(tag=tag).SerializeToString())
    outer = rb"\x09(.{8})(?:\x10(%b))?\x2a%b\x0a%b%b\x2a(%b)" % (_VARINT, _VARINT, _VARINT, named, _VARINT)
    return re.compile(outer + rb"(?:\x09.{8})?(?:\x11.{8})?\x19(.{8})", re.DOTALL)


def _varints(encoded: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """The numbers of varints of at most eight bytes."""
    packed = np.array([int.from_bytes(each, "little") for each in encoded], dtype=np.uint64)
    numbers = np.zeros(len(packed), np.uint64)
    for byte in range(8):
        numbers |= ((packed >> np.uint64(8 * byte)) & np.uint64(0x7F)) << np.uint64(7 * byte)
    return numbers.astype(np.int64)
