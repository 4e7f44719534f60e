"""Fewer points that look the same: Largest-Triangle-Three-Buckets (Steinarsson 2013)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_FEWEST = 3


def finite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Indices of the values that are numbers: neither NaN nor infinite."""
    return np.flatnonzero(np.isfinite(values)).astype(np.int64)


def lttb(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], points: int) -> npt.NDArray[np.int64]:
    """Choose points that keep the shape of a curve.

    Args:
        x: places of the points, ascending, shape (n,).
        y: values, shape (n,); NaN and infinite ones are never chosen.
        points: how many to keep at most.

    Returns:
        Indices of the points kept, ascending; the first and the last finite point are always among them, unless
        fewer than two are asked for. Of each bucket in between, the point that spans the largest triangle with the
        one kept before and with the mean of the next bucket.
    """
    usable = finite(y)
    if len(usable) <= points:
        return usable
    if points < _FEWEST:
        return usable[[0, -1][: max(points, 0)]]
    return usable[_largest_triangles(x[usable].astype(np.float64), y[usable], points)]


def _largest_triangles(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], points: int) -> npt.NDArray[np.int64]:
    edges = np.linspace(1, len(x) - 1, points - 1).astype(np.int64)
    first, last = edges[:-1], edges[1:]
    next_x = np.append((np.add.reduceat(x, first) / _widths(first, len(x)))[1:], x[-1])
    next_y = np.append((np.add.reduceat(y, first) / _widths(first, len(x)))[1:], y[-1])
    kept = np.zeros(points, np.int64)
    kept[-1] = len(x) - 1
    for bucket, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        before = kept[bucket]
        area = (x[before] - next_x[bucket]) * (y[start:end] - y[before])
        area -= (x[before] - x[start:end]) * (next_y[bucket] - y[before])
        kept[bucket + 1] = start + int(np.abs(area).argmax())
    return kept


def _widths(first: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    return np.diff(first, append=size)
