"""The state of all areas: arrays with one row per area, changed in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.geometry import Bodies
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.spec.entities import Box, Entity
from unity_mlops_mcp.spec.environment import EnvironmentSpec

Columns = slice | NDArray[np.intp]
"""Columns of an array: a slice (a view) where they lie side by side, else their numbers (a copy)."""

FAR = np.float32(1e4)
"""Where an instance lies that does not exist in this episode: out of reach of everything."""


@dataclass(frozen=True)
class Slots:
    """Which columns of the entity arrays belong to an entity; constant for the world's life."""

    total: int
    of: dict[str, slice]
    tags: NDArray[np.str_]
    circles: Columns
    boxes: Columns
    solid: Columns

    @classmethod
    def of_spec(cls, spec: EnvironmentSpec) -> Slots:
        """Lay the entities out side by side, each with room for its greatest number of instances."""
        of: dict[str, slice] = {}
        owners: list[Entity] = []
        for entity in spec.entities:
            of[entity.name] = slice(len(owners), len(owners) + spec.most(entity.name))
            owners += [entity] * spec.most(entity.name)
        boxes = np.array([isinstance(entity.shape, Box) for entity in owners], bool)
        solid = np.array([entity.solid for entity in owners], bool)
        tags = np.array([entity.seen_as for entity in owners], np.str_)
        return cls(len(owners), of, tags, _columns(~boxes), _columns(boxes), _columns(solid))


def _columns(chosen: NDArray[np.bool_]) -> Columns:
    index = np.flatnonzero(chosen)
    first, last = (int(index[0]), int(index[-1]) + 1) if len(index) else (0, 0)
    return slice(first, last) if last - first == len(index) else index


@dataclass
class State:
    """Where everything is: n areas, e entity slots.

    Attributes:
        half_extent: (n,) of the arena.
        position: (n, 2) of the agent, (x, z) in metres.
        velocity: (n, 2) displacement of the last physics step / dt.
        yaw: (n,) radians, clockwise from +z seen from above.
        step: (n,) physics steps since the episode began.
        visits: (n, e) in the first slot of an ordered entity, how many instances were visited in turn.
        count: per entity, (n,) instances that exist in this episode.
        centre: (n, e, 2) of the entities.
        half: (n, e, 2) half sizes of boxes; zeros for circles.
        radius: (n, e) of circles; zeros for boxes.
    """

    slots: Slots
    half_extent: Floats
    position: Floats
    velocity: Floats
    yaw: Floats
    step: NDArray[np.int64]
    visits: dict[str, NDArray[np.int64]]
    count: dict[str, NDArray[np.int64]]
    centre: Floats
    half: Floats
    radius: Floats

    @classmethod
    def empty(cls, spec: EnvironmentSpec, areas: int, quantities: Quantities) -> State:
        """Arrays of the right sizes; nothing is placed yet."""
        slots = Slots.of_spec(spec)
        return cls(
            slots,
            quantities.of(spec.arena.half_extent),
            position=np.zeros((areas, 2), np.float32),
            velocity=np.zeros((areas, 2), np.float32),
            yaw=np.zeros(areas, np.float32),
            step=np.zeros(areas, np.int64),
            visits={entity.name: np.zeros(areas, np.int64) for entity in spec.entities if entity.ordered},
            count={entity.name: np.zeros(areas, np.int64) for entity in spec.entities},
            centre=np.full((areas, slots.total, 2), FAR, np.float32),
            half=np.zeros((areas, slots.total, 2), np.float32),
            radius=np.zeros((areas, slots.total), np.float32),
        )

    def bodies(self, columns: Columns) -> Bodies:
        """The entities in these columns."""
        return Bodies(self.centre[:, columns], self.half[:, columns], self.radius[:, columns])

    def current(self, entity: str) -> NDArray[np.int64]:
        """(n,) which instance of an ordered entity is to be visited now."""
        return self.visits[entity] % self.count[entity]
