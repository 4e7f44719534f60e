"""Plain scalars that follow each other in every cycle, decoded as the rows of a NumPy matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.metrics.events import MORE, STEP_AT, VALUE_SIZE, Columns
from unity_mlops_mcp.metrics.framing import FOOTER, HEADER

_Bytes = npt.NDArray[np.uint8]


class Scalar(NamedTuple):
    """One plain scalar of a cycle: its record's size, where its key begins within it, and where its points go."""

    size: int
    key_at: int
    columns: Columns


class Run:
    """Scalars that follow each other without a histogram between; one row for each cycle."""

    def __init__(self, scalars: Sequence[Scalar]) -> None:
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
                ends &= rows[:, at + scalar.key_at - 1] < MORE
                ends &= (rows[:, step_at + 1 : at + scalar.key_at - 1] >= MORE).all(axis=1)
        sound = ends & ~((rows ^ rows[0]) & fixed).any(axis=1)
        return len(rows) if sound.all() else int(sound.argmin())

    def extend(self, rows: _Bytes) -> None:
        """Append the points of every row to their columns."""
        for at, scalar in self._placed():
            step_at, value_at = at + HEADER + STEP_AT, at + scalar.size - FOOTER - VALUE_SIZE
            steps = np.zeros(len(rows), np.int64)
            for shift, column in enumerate(range(step_at + 1, at + scalar.key_at)):
                steps |= (rows[:, column] & 0x7F).astype(np.int64) << (7 * shift)
            wall_times = np.ascontiguousarray(rows[:, at + HEADER + 1 : step_at]).view("<f8")
            values = np.ascontiguousarray(rows[:, value_at : value_at + VALUE_SIZE]).view("<f4")
            scalar.columns.extend(steps, wall_times, values.astype(np.float64))

    def _placed(self) -> list[tuple[int, Scalar]]:
        ends = np.cumsum([scalar.size for scalar in self.scalars])
        return [(int(end) - scalar.size, scalar) for end, scalar in zip(ends, self.scalars, strict=True)]
