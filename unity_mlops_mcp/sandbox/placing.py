"""Put the agent and the entities of new episodes in place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.state import FAR, State
from unity_mlops_mcp.spec.body import Spawn
from unity_mlops_mcp.spec.entities import Box, Entity
from unity_mlops_mcp.spec.environment import EnvironmentSpec

TRIES = 24
"""Random places tried for one body before the roomiest of them is taken."""

Rows = NDArray[np.intp]
Snap = Callable[[Floats, Rows], Floats]
"""Moves candidate places to where the motion model lets a body stand."""


class Placer:
    """Draws the places of everything in the areas whose episode begins, all areas at once, one body after another."""

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities, snap: Snap) -> None:
        self._spec, self._state, self._snap = spec, state, snap
        self._counts = {entity.name: quantities.of(entity.count) for entity in spec.entities}
        self._gaps = {entity.name: quantities.of(entity.spawn.min_distance) for entity in spec.entities}
        self._sizes = [_sizes(entity, quantities) for entity in spec.entities]
        self.draws = 1 + 2 * TRIES * (1 + state.slots.total)

    def place(self, rows: Rows, draws: Floats) -> None:
        """Begin an episode in these areas; ``draws`` is (len(rows), self.draws) uniform in [0, 1)."""
        state, spec = self._state, self._spec
        state.velocity[rows], state.step[rows] = 0, 0
        state.yaw[rows] = draws[:, 0] * np.float32(2 * np.pi) if spec.agent.random_heading else 0
        self._resize(rows)
        tries = draws[:, 1:].reshape(len(rows), -1, TRIES, 2)
        reach = np.full(len(rows), spec.agent.radius, np.float32)
        taken = _Taken(rows, 1 + state.slots.total)
        state.position[rows] = taken.put(self._places(spec.agent.spawn, 0, tries[:, 0], reach, rows), reach, 0.0)
        for entity in spec.entities:
            self._place_entity(entity, rows, tries, taken)

    def _resize(self, rows: Rows) -> None:
        for entity, (width, depth, radius) in zip(self._spec.entities, self._sizes, strict=True):
            where = self._state.slots.of[entity.name]
            self._state.half[rows, where, 0] = width[rows, None] / 2
            self._state.half[rows, where, 1] = depth[rows, None] / 2
            self._state.radius[rows, where] = radius[rows, None]
            self._state.count[entity.name][rows] = np.rint(self._counts[entity.name][rows])
            if entity.ordered:
                self._state.visits[entity.name][rows] = 0

    def _place_entity(self, entity: Entity, rows: Rows, tries: Floats, taken: _Taken) -> None:
        state, slots = self._state, self._state.slots.of[entity.name]
        for number, slot in enumerate(range(slots.start, slots.stop)):
            reach = state.radius[rows, slot] + np.hypot(*state.half[rows, slot].T)
            places = self._places(entity.spawn, number, tries[:, 1 + slot], reach, rows)
            exists = number < state.count[entity.name][rows]
            gap = self._gaps[entity.name][rows]
            state.centre[rows, slot] = taken.put(places, reach, gap, exists=exists, solid=entity.solid)

    def _places(self, spawn: Spawn, number: int, tries: Floats, reach: Floats, rows: Rows) -> Floats:
        """(len(rows), tries, 2) candidate centres: the one fixed position, or random ones in the region."""
        room = np.maximum(self._state.half_extent[rows] - reach, 0)[:, None, None]
        if spawn.positions is not None:
            return self._snap(room * np.array(spawn.positions[number], np.float32)[None, None], rows)
        low = np.array([spawn.region.x[0], spawn.region.z[0]], np.float32)
        high = np.array([spawn.region.x[1], spawn.region.z[1]], np.float32)
        return self._snap(room * (low + (high - low) * tries), rows)


class _Taken:
    """The bodies that were placed so far in each area, and the search for room beside them."""

    def __init__(self, rows: Rows, most: int) -> None:
        self._range = np.arange(len(rows))
        self._centre = np.full((len(rows), most, 2), FAR, np.float32)
        self._reach = np.zeros((len(rows), most), np.float32)
        self._used = 0

    def put(
        self,
        places: Floats,
        reach: Floats,
        gap: Floats | float,
        *,
        exists: NDArray[np.bool_] | bool = True,
        solid: bool = False,
    ) -> Floats:
        """The first place with enough room, else the roomiest; FAR where the body does not exist or cannot fit."""
        others = self._centre[:, None, : self._used]
        free = np.hypot(*np.moveaxis(places[:, :, None] - others, -1, 0)) - self._reach[:, None, : self._used]
        free = free.min(axis=2, initial=FAR) - reach[:, None]
        enough = free >= np.reshape(gap, (-1, 1))
        best = np.where(enough.any(axis=1), enough.argmax(axis=1), free.argmax(axis=1))
        kept = exists & ((free[self._range, best] >= 0) | (not solid))
        place: Floats = np.where(np.reshape(kept, (-1, 1)), places[self._range, best], FAR)
        self._centre[:, self._used], self._reach[:, self._used] = place, reach
        self._used += 1
        return place


def _sizes(entity: Entity, quantities: Quantities) -> tuple[Floats, Floats, Floats]:
    """(areas,) width, depth and radius of an entity; two of them or one are zero."""
    if isinstance(entity.shape, Box):
        return quantities.of(entity.shape.size[0]), quantities.of(entity.shape.size[1]), quantities.of(0.0)
    return quantities.of(0.0), quantities.of(0.0), quantities.of(entity.shape.radius)
