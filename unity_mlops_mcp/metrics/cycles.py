"""Many records at once: a trainer writes the same tags in the same order at every summary, so a cycle is learnt once.

A cycle is a fixed sequence of plain scalars of fixed size, with a histogram of any size here and there. The runs of
scalars between histograms become the rows of a matrix; rows that differ from the first in anything but checksum, wall
time, step and value end the stretch, and the record-by-record path goes on there.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from unity_mlops_mcp.metrics.events import Decoder, histogram_tag, key_position
from unity_mlops_mcp.metrics.framing import FOOTER, HEADER, Framer
from unity_mlops_mcp.metrics.histograms import read_counts
from unity_mlops_mcp.metrics.rows import Run, Scalar

MIN_BYTES = 1 << 17
"""A stretch shorter than this is read faster record by record."""

_SAMPLE = 1 << 14
_MIN_CYCLES = 64

_Kind = Scalar | str
"""A scalar, or the tag of a histogram."""


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
    tags = [kind for kind in cycle if isinstance(kind, str)]
    cycles = _take(decoder, block, runs, len(ends), list(zip(tags, histograms, strict=True)))
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
            cycle = kinds[:length]
            places = [kind if isinstance(kind, str) else id(kind.columns) for kind in cycle]
            has_scalar = any(isinstance(kind, Scalar) for kind in cycle)
            return cycle if has_scalar and len(set(places)) == length else []
    return []


def _kind(decoder: Decoder, block: bytes, start: int, end: int) -> _Kind | None:
    first, last = start + HEADER, end - FOOTER
    key_at = key_position(block, first, last)
    try:
        columns = decoder.columns_like(block, first, last, key_at) if key_at else None
        if columns is not None:
            return Scalar(end - start, key_at - start, columns)
        return histogram_tag(block[first:last])
    except DecodeError:
        return None


def _runs(cycle: Sequence[_Kind]) -> list[Run]:
    """The cycle cut at its histograms: one more run than there are histograms; a run may be empty."""
    runs: list[list[Scalar]] = [[]]
    for kind in cycle:
        if isinstance(kind, Scalar):
            runs[-1].append(kind)
        else:
            runs.append([])
    return [Run(scalars) for scalars in runs]


def _walk(
    framer: Framer, block: bytes, start: int, runs: Sequence[Run]
) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """Note where each run starts, as far as the cycle goes on.

    Returns:
        Where each whole cycle ends; for each histogram of the cycle, where its payloads start and end.
    """
    ends: list[int] = []
    known = framer.sizes
    histograms: list[list[tuple[int, int]]] = [[] for _ in runs[1:]]
    before = [(run.starts, run.size, payloads) for run, payloads in zip(runs, histograms, strict=False)]
    last, size_of_last, position = runs[-1].starts, runs[-1].size, start
    while True:
        for starts, size_of_run, payloads in before:
            starts.append(position)
            position += size_of_run
            size = known.get(block[position : position + HEADER]) or framer.size_at(block, position)
            if size is None:
                return ends, histograms
            payloads.append((position + HEADER, position + size - FOOTER))
            position += size
        last.append(position)
        position += size_of_last
        if position > len(block):
            return ends, histograms
        ends.append(position)


def _take(
    decoder: Decoder,
    block: bytes,
    runs: Sequence[Run],
    cycles: int,
    histograms: Sequence[tuple[str, list[tuple[int, int]]]],
) -> int:
    """Add the points of the sound cycles, at most ``cycles``; gives how many cycles those are."""
    matrices = [(run, run.matrix(block, cycles)) for run in runs if run.size]
    cycles = min(run.sound_rows(rows) for run, rows in matrices)
    counts = [(tag, read_counts(tag, block, payloads[:cycles])) for tag, payloads in histograms]
    cycles = min([cycles, *(len(found.steps) for _, found in counts)])
    for tag, found in counts:
        decoder.counts[tag].extend(found.steps[:cycles], found.wall_times[:cycles], found.numbers[:cycles])
        decoder.skipped["histogram"] += cycles
    for run, rows in matrices:
        run.extend(rows[:cycles])
    return cycles
