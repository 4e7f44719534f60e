"""Curves of runs, made small one by one, and joined into one line for runs that differ by the seed alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.metrics.thinning import finite, lttb
from unity_mlops_mcp.reports.records import Line

MOST_POINTS = 240
"""Points of one line; more than a chart has room for shows nothing more."""
_DIGITS = 5

Floats = npt.NDArray[np.float64]


class Curve(NamedTuple):
    """The points of one run, by ascending step; what is kept of it for a report."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]


def thinned(x: npt.NDArray[np.int64] | Floats, y: Floats, *, alone: bool, stepped: bool = False) -> Curve | None:
    """At most `MOST_POINTS` points of a curve; None when it has no finite one.

    Args:
        x: steps, ascending, shape (n,).
        y: values, shape (n,).
        alone: it is drawn by itself: its peaks are kept; else the means of equally many points, which cost less and
            are what a mean over runs is made from.
        stepped: values hold until the next one: only the changes are kept.
    """
    usable = finite(y)
    if not len(usable):
        return None
    if stepped:
        kept = _changes(y, usable)
    elif alone:
        kept = lttb(x.astype(np.float64), y, MOST_POINTS)
    else:
        return _means(x[usable].astype(np.float64), y[usable])
    return Curve(x[kept].astype(np.float32), y[kept].astype(np.float32))


def _changes(y: Floats, usable: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first and the last point, and each whose value is another than that before."""
    values = y[usable]
    changed = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    kept: npt.NDArray[np.int64] = usable[np.unique(np.append(changed, len(values) - 1))[-MOST_POINTS:]]
    return kept


def _means(x: Floats, y: Floats) -> Curve:
    if len(x) > MOST_POINTS:
        edges = np.linspace(0, len(x), MOST_POINTS + 1).astype(np.int64)[:-1]
        counts = np.diff(edges, append=len(x))
        x, y = np.add.reduceat(x, edges) / counts, np.add.reduceat(y, edges) / counts
    return Curve(x.astype(np.float32), y.astype(np.float32))


def line(curves: Sequence[Curve], *, label: str, color: int) -> Line:
    """One line for the curves of a group: its points where it is one run, else mean, lowest and highest at each step.

    Between its points a run is taken as straight; outside of them it does not count.
    """
    if len(curves) == 1:
        (one,) = curves
        return Line(label=label, color=color, runs=1, x=_short(one.x), y=_short(one.y))
    grid = np.unique(np.concatenate([curve.x for curve in curves]).astype(np.float64))
    if len(grid) > MOST_POINTS:
        grid = grid[np.linspace(0, len(grid) - 1, MOST_POINTS).astype(np.int64)]
    rows = np.stack([np.interp(grid, curve.x, curve.y, left=np.nan, right=np.nan) for curve in curves])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a step that no run covers has no mean
        mean, low, high = np.nanmean(rows, axis=0), np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    there = np.isfinite(mean)
    return Line(
        label=label,
        color=color,
        runs=len(curves),
        x=_short(grid[there]),
        y=_short(mean[there]),
        low=_short(low[there]),
        high=_short(high[there]),
    )


def _short(values: npt.NDArray[np.float32] | Floats) -> tuple[float, ...]:
    """The values with as many digits as a chart can show, which keeps a report small."""
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values.tolist())
