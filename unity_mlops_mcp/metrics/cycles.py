"""Many records at once: a trainer writes the same tags in the same order at every summary, so a cycle is learnt once.

A cycle is a fixed sequence of plain scalars of fixed size, with a histogram of any size here and there. The runs of
scalars between histograms become the rows of a NumPy matrix; rows that differ from the first in anything but checksum,
wall time, step and value end the stretch, and the record-by-record path goes on there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from unity_mlops_mcp.metrics.events import STEP_AT, VALUE_SIZE, Columns, Count, Decoder, histogram_count, key_position
from unity_mlops_mcp.metrics.framing import FOOTER, HEADER, Framer

MIN_BYTES = 1 << 17
"""A stretch shorter than this is read faster record by record."""

_SAMPLE = 1 << 14
_MIN_CYCLES = 64
_MORE = 0x80
_Bytes = npt.NDArray[np.uint8]


class _Scalar(NamedTuple):
    """One plain scalar of a cycle: its record's size, where its key begins within it, and where its points go."""

    size: int
    key_at: int
    columns: Columns


_Kind = _Scalar | str
"""A scalar, or the tag of a histogram."""


class _Run:
    """Scalars that follow each other without a histogram between; one row for each cycle."""

    def __init__(self, scalars: Sequence[_Scalar]) -> None:
        self.scalars = scalars
        self.size = sum(scalar.size for scalar in scalars)
        self.starts: list[int] = []

    def matrix(self, block: bytes, cycles: int) -> _Bytes:
        """Bytes of the run, one row per cycle."""
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(block, np.uint8), self.size)
        return np.asarray(windows[self.starts[:cycles]])

    def sound_rows(self, rows: _Bytes) -> int:
        """How many rows from the first on have the first row's layout and tags."""
        fixed = np.full(self.size, 0xFF, np.uint8)
        ends = np.ones(len(rows), np.bool_)
        for at, scalar in self._placed():
            step_at, end = at + HEADER + STEP_AT, at + scalar.size
            fixed[at + HEADER + 1 : step_at] = 0
            fixed[step_at + 1 : at + scalar.key_at] = 0
            fixed[end - FOOTER - VALUE_SIZE : end] = 0
            if at + scalar.key_at > step_at:
                ends &= rows[:, at + scalar.key_at - 1] < _MORE
                ends &= (rows[:, step_at + 1 : at + scalar.key_at - 1] >= _MORE).all(axis=1)
        sound = ends & ~((rows ^ rows[0]) & fixed).any(axis=1)
        return len(rows) if sound.all() else int(sound.argmin())

    def extend(self, rows: _Bytes) -> None:
        """Append the points of every row to their columns."""
        for at, scalar in self._placed():
            step_at, value_at = at + HEADER + STEP_AT, at + scalar.size - FOOTER - VALUE_SIZE
            steps = np.zeros(len(rows), np.int64)
            for shift, column in enumerate(range(step_at + 1, at + scalar.key_at)):
                steps |= (rows[:, column] & 0x7F).astype(np.int64) << (7 * shift)
            values = np.ascontiguousarray(rows[:, value_at : value_at + VALUE_SIZE]).view("<f4")
            scalar.columns.steps.frombytes(steps.tobytes())
            scalar.columns.wall_times.frombytes(rows[:, at + HEADER + 1 : step_at].tobytes())
            scalar.columns.values.frombytes(values.astype(np.float64).tobytes())

    def _placed(self) -> list[tuple[int, _Scalar]]:
        ends = np.cumsum([scalar.size for scalar in self.scalars])
        return [(int(end) - scalar.size, scalar) for end, scalar in zip(ends, self.scalars, strict=True)]


def decode_cycles(decoder: Decoder, framer: Framer, block: bytes, start: int) -> tuple[int, int] | None:
    """Decode whole cycles from ``start`` on.

    Returns:
        The number of records taken and the position behind them; None when no cycle, or too short a stretch, is there.
    """
    if len(block) - start < MIN_BYTES:
        return None
    cycle = _learn(decoder, framer, block, start)
    if not cycle:
        return None
    runs = _runs(cycle)
    ends, histograms = _walk(framer, block, start, runs)
    if len(ends) < _MIN_CYCLES:
        return None
    cycles = _take(decoder, block, runs, histograms, len(ends))
    return (cycles * len(cycle), ends[cycles - 1]) if cycles else None


def _learn(decoder: Decoder, framer: Framer, block: bytes, start: int) -> list[_Kind]:
    """The shortest sequence of kinds that repeats at ``start``; empty without one, or when a tag occurs in it twice."""
    kinds: list[_Kind] = []
    for first, end in framer.split(block, start, start + _SAMPLE)[0]:
        kind = _kind(decoder, block, first, end)
        if kind is None:
            break
        kinds.append(kind)
    for length in range(1, len(kinds) // 2 + 1):
        if kinds[:length] == kinds[length : 2 * length]:
            columns = [id(kind.columns) for kind in kinds[:length] if isinstance(kind, _Scalar)]
            return kinds[:length] if columns and len(set(columns)) == len(columns) else []
    return []


def _kind(decoder: Decoder, block: bytes, start: int, end: int) -> _Kind | None:
    first, last = start + HEADER, end - FOOTER
    key_at = key_position(block, first, last)
    try:
        columns = decoder.columns_like(block, first, last, key_at) if key_at else None
        if columns is not None:
            return _Scalar(end - start, key_at - start, columns)
        count = histogram_count(block[first:last])
    except DecodeError:
        return None
    return count[0] if count else None


def _runs(cycle: Sequence[_Kind]) -> list[_Run]:
    """The cycle cut at its histograms: one more run than there are histograms; a run may be empty."""
    runs: list[list[_Scalar]] = [[]]
    for kind in cycle:
        if isinstance(kind, _Scalar):
            runs[-1].append(kind)
        else:
            runs.append([])
    return [_Run(scalars) for scalars in runs]


def _walk(framer: Framer, block: bytes, start: int, runs: Sequence[_Run]) -> tuple[list[int], list[tuple[int, int]]]:
    """Note where each run starts, as far as the cycle goes on; gives the cycles' ends and the histograms' payloads."""
    ends: list[int] = []
    histograms: list[tuple[int, int]] = []
    position = start
    while True:
        for run in runs[:-1]:
            run.starts.append(position)
            position += run.size
            size = framer.size_at(block, position)
            if size is None:
                return ends, histograms
            histograms.append((position + HEADER, position + size - FOOTER))
            position += size
        runs[-1].starts.append(position)
        position += runs[-1].size
        if position > len(block):
            return ends, histograms
        ends.append(position)


def _take(
    decoder: Decoder, block: bytes, runs: Sequence[_Run], histograms: Sequence[tuple[int, int]], cycles: int
) -> int:
    """Add the points of the sound cycles; gives how many cycles those are."""
    matrices = [(run, run.matrix(block, cycles)) for run in runs if run.size]
    cycles = min(run.sound_rows(rows) for run, rows in matrices)
    each = len(runs) - 1
    counts = [_counts(block, histograms[index : cycles * each : each]) for index in range(each)]
    cycles = min([cycles, *map(len, counts)])
    for of_one_tag in counts:
        if cycles:
            decoder.add_counts(of_one_tag[:cycles])
    for run, rows in matrices:
        run.extend(rows[:cycles])
    return cycles


def _counts(block: bytes, histograms: Sequence[tuple[int, int]]) -> list[Count]:
    """The counts of histograms, up to the first record that is something else or has another tag."""
    counts: list[Count] = []
    for start, end in histograms:
        try:
            count = histogram_count(block[start:end])
        except DecodeError:
            break
        if count is None or count[0] != (counts or [count])[0][0]:
            break
        counts.append(count)
    return counts
