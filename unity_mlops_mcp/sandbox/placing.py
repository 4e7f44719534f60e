"""Put the agents and the entities of new episodes in place."""

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
    """Draws the places of everything in the areas whose episode begins, all areas at once, one body after another.

    The agents are the first bodies; then comes each entity slot. The random numbers of an area, in their order: a
    heading for each agent, the tries of each body, a heading and a phase for each slot if any entity roams.
    """

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities, snap: Snap) -> None:
        self._spec, self._state, self._snap = spec, state, snap
        self._crew = state.crew.size
        self._counts = {entity.name: quantities.of(entity.count) for entity in spec.entities}
        self._sizes = [_sizes(entity, quantities) for entity in spec.entities]
        spawns = [(spec.spawn_of(side), side.count) for side in spec.sides]
        spawns += [(entity.spawn, spec.most(entity.name)) for entity in spec.entities]
        self._gaps = [gap for spawn, count in spawns for gap in [quantities.of(spawn.min_distance)] * count]
        spans = [_span(spawn, count) for spawn, count in spawns]
        self._low, self._span = (np.concatenate(parts)[:, None] for parts in zip(*spans, strict=True))
        bodies = self._crew + state.slots.total
        self._solid = np.zeros(bodies, bool)
        self._solid[self._crew :][state.slots.solid] = True
        self._tries = self._crew + 2 * TRIES * bodies
        roams = any(entity.motion.kind == "roam" for entity in spec.entities)
        self.draws = self._tries + 2 * state.slots.total * roams

    def place(self, rows: Rows, draws: Floats) -> None:
        """Begin an episode in these areas; ``draws`` is (len(rows), self.draws) uniform in [0, 1)."""
        state, crew = self._state, self._crew
        self._rest(rows, draws)
        exists = self._resize(rows)
        reach = np.full((len(rows), len(self._gaps)), self._spec.agent.radius, np.float32)
        half = state.half[rows]
        reach[:, crew:] = state.radius[rows] + np.hypot(half[..., 0], half[..., 1])
        room = np.maximum(state.half_extent[rows, None] - reach, 0)[..., None, None]
        tries = draws[:, crew : self._tries].reshape(len(rows), -1, TRIES, 2)
        places = self._snap(room * (self._low + self._span * tries), rows)
        gaps = np.stack([gap[rows] for gap in self._gaps], axis=1)
        placed = _settle(places, reach, gaps, exists, self._solid)
        state.position[state.crew.rows(rows)], state.centre[rows] = placed[:, :crew].reshape(-1, 2), placed[:, crew:]

    def again(self, rows: Rows, slots: NDArray[np.intp], draws: Floats) -> None:
        """Put instances somewhere else in their regions: slot i in area i; ``draws`` is (len(rows), 2)."""
        state, bodies = self._state, self._crew + slots
        half = state.half[rows, slots]
        reach = state.radius[rows, slots] + np.hypot(half[:, 0], half[:, 1])
        room = np.maximum(state.half_extent[rows] - reach, 0)[:, None]
        place = room * (self._low[bodies, 0] + self._span[bodies, 0] * draws)
        state.centre[rows, slots] = self._snap(place, rows)

    def _rest(self, rows: Rows, draws: Floats) -> None:
        """Everything at rest, and headings drawn."""
        state, agents = self._state, self._state.crew.rows(rows)
        state.velocity[agents], state.step[rows], state.respawns[rows] = 0, 0, 0
        headings = draws[:, : self._crew].reshape(-1) * np.float32(2 * np.pi)
        state.yaw[agents] = headings if self._spec.agent.random_heading else 0
        state.tilt[agents], state.entity_velocity[rows] = 0, 0
        if self.draws > self._tries:
            ways = draws[:, self._tries :].reshape(len(rows), 2, -1) * np.float32(2 * np.pi)
            state.entity_yaw[rows], state.entity_phase[rows] = ways[:, 0], ways[:, 1]

    def _resize(self, rows: Rows) -> NDArray[np.bool_]:
        """Take over the sizes and counts of these episodes; gives (len(rows), bodies) which of the bodies exist."""
        state = self._state
        exists = np.ones((len(rows), len(self._gaps)), bool)
        for entity, (width, depth, radius) in zip(self._spec.entities, self._sizes, strict=True):
            where = state.slots.of[entity.name]
            state.half[rows, where, 0] = width[rows, None] / 2
            state.half[rows, where, 1] = depth[rows, None] / 2
            state.radius[rows, where] = radius[rows, None]
            state.count[entity.name][rows] = count = np.rint(self._counts[entity.name][rows])
            exists[:, self._crew :][:, where] = np.arange(where.stop - where.start) < count[:, None]
            if entity.ordered:
                state.visits[entity.name][state.crew.rows(rows)] = 0
        return exists


def _settle(places: Floats, reach: Floats, gaps: Floats, exists: NDArray[np.bool_], solid: NDArray[np.bool_]) -> Floats:
    """For each body in turn the first candidate with enough room, else the roomiest; n areas, b bodies, t tries.

    Args:
        places: (n, b, t, 2) candidates.
        reach: (n, b) radius around everything that belongs to a body.
        gaps: (n, b) least free distance to the bodies before.
        exists: (n, b) whether the body is there in this episode.
        solid: (b,) whether it is left out rather than placed where it overlaps.

    Returns:
        (n, b, 2) centres; FAR where a body does not exist or found no room.
    """
    each = np.arange(len(places))
    placed: Floats = np.full((*places.shape[:2], 2), FAR, np.float32)
    placed[:, 0] = places[:, 0, 0]
    for i in range(1, places.shape[1]):
        offset = places[:, i, :, None] - placed[:, None, :i]
        offset *= offset
        free = np.sqrt(offset[..., 0] + offset[..., 1]) - reach[:, None, :i]
        nearest = free.min(axis=2) - reach[:, i, None]
        best = np.minimum(nearest, gaps[:, i, None]).argmax(axis=1)
        kept = exists[:, i] & (nearest[each, best] >= 0) if solid[i] else exists[:, i]
        placed[kept, i] = places[each, i, best][kept]
    return placed


def _span(spawn: Spawn, count: int) -> tuple[Floats, Floats]:
    """(count, 2) lower corners and (count, 2) sizes of the regions, in fractions; a fixed position has no size."""
    if spawn.positions is not None:
        return np.array(spawn.positions[:count], np.float32).reshape(count, 2), np.zeros((count, 2), np.float32)
    low = np.array([spawn.region.x[0], spawn.region.z[0]], np.float32)
    high = np.array([spawn.region.x[1], spawn.region.z[1]], np.float32)
    return np.tile(low, (count, 1)), np.tile(high - low, (count, 1))


def _sizes(entity: Entity, quantities: Quantities) -> tuple[Floats, Floats, Floats]:
    """(areas,) width, depth and radius of an entity; two of them or one are zero."""
    if isinstance(entity.shape, Box):
        return quantities.of(entity.shape.size[0]), quantities.of(entity.shape.size[1]), quantities.of(0.0)
    return quantities.of(0.0), quantities.of(0.0), quantities.of(entity.shape.radius)
