"""Choose one instance of an entity in every area: the nearest, the current or the next one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.state import State
from unity_mlops_mcp.spec.observations import Pick

Rows = NDArray[np.intp] | slice


def choose(state: State, entity: str, pick: Pick, rows: Rows) -> Floats:
    """(rows, 2) centre of the chosen instance; far away where none exists."""
    where = state.slots.of[entity]
    if where.stop - where.start == 1:
        return state.centre[rows, where.start]
    centres = state.centre[rows, where]
    if pick == "nearest":
        offset = centres - state.position[rows][:, None]
        index = (offset * offset).sum(axis=2).argmin(axis=1)
    else:
        index = (state.visits[entity][rows] + (pick == "next")) % state.count[entity][rows]
    chosen: Floats = np.take_along_axis(centres, index[:, None, None], axis=1)[:, 0]
    return chosen
