"""What entities do in a physics step: roam by themselves, and give way to agents (see ``spec/entities.py``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.geometry import SKIN, Bodies, gaps, normals, separations
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.state import FAR, State
from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.entities import Pushable, Roam
from unity_mlops_mcp.spec.environment import EnvironmentSpec


class _Roamer(NamedTuple):
    where: slice
    speed: Floats
    turn: Floats
    period: Floats


class Scenery:
    """Moves the entities that move.

    Attributes:
        moves: whether any entity of the spec moves.
    """

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities) -> None:
        self._state, self._reach, self._walls = state, np.float32(spec.agent.radius), spec.arena.walls
        slots, of = np.arange(state.slots.total), state.slots.of
        solid = slots[state.slots.solid]
        self._roamers = [
            _Roamer(of[entity.name], *map(quantities.of, (motion.speed, motion.turn, motion.period)))
            for entity in spec.entities
            if isinstance(motion := entity.motion, Roam)
        ]
        pushed = [slot for one in spec.entities if isinstance(one.motion, Pushable) for slot in slots[of[one.name]]]
        self._pushables = [(slot, solid[solid != slot]) for slot in pushed]
        self.moves = bool(self._roamers or self._pushables)

    def roam(self) -> None:
        """Every roaming entity weaves on, and is mirrored at the sides of the arena."""
        state = self._state
        time = state.step * DT
        for where, speed, turn, period in self._roamers:
            centre, yaw = state.centre[:, where], state.entity_yaw[:, where]
            there = centre[..., 0] < FAR
            weave = np.cos((2 * np.pi * time / period)[:, None] + state.entity_phase[:, where])
            yaw += turn[:, None] * np.float32(np.radians(DT)) * weave
            way = np.stack([np.sin(yaw), np.cos(yaw)], axis=-1) * (speed[:, None, None] * np.float32(DT))
            moved, limit = centre + way, self._limit(where)
            past = np.abs(moved) > limit
            yaw[past[..., 0]] *= -1
            yaw[past[..., 1]] = np.float32(np.pi) - yaw[past[..., 1]]
            yaw %= np.float32(2 * np.pi)
            centre[there] = np.clip(moved, -limit, limit)[there]

    def _limit(self, columns: slice | NDArray[np.intp]) -> Floats:
        """(n, columns, 2) greatest |x| and |z| of centres whose bodies stay in the arena."""
        state = self._state
        limit = state.half_extent[:, None, None] - state.half[:, columns] - state.radius[:, columns, None]
        held: Floats = np.maximum(limit, 0)
        return held

    def give_way(self) -> None:
        """Each pushable, in the order of the slots, moves out of each agent, in their order."""
        state, size = self._state, self._state.crew.size
        for slot, others in self._pushables:
            for agent in range(size):
                point, body = state.position[agent::size], state.bodies(np.array([slot]))
                overlap = self._reach - gaps(point, body)[:, 0]
                areas = np.flatnonzero(overlap > 0)
                if len(areas):
                    one = Bodies(body.centre[areas, 0], body.half[areas, 0], body.radius[areas, 0])
                    self._push(areas, slot, others, overlap[areas, None] * normals(point[areas], one))

    def _push(self, areas: NDArray[np.intp], slot: int, others: NDArray[np.intp], way: Floats) -> None:
        """Move one body in some areas by -way, unless it would overlap others."""
        state = self._state
        moved = state.centre[areas, slot] - way
        if self._walls:
            limit = self._limit(np.array([slot]))[areas, 0]
            moved = np.clip(moved, -limit, limit)
        around = state.bodies(others).rows(areas)
        own = Bodies(moved[:, None], state.half[areas, slot, None], state.radius[areas, slot, None])
        free = (separations(own, around) >= -SKIN / 10).all(axis=1)
        state.centre[areas[free], slot] = moved[free]
