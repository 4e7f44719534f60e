"""The state of all areas: arrays with one row per area or per agent, changed in place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.geometry import Bodies
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.spec.body import MATE, OPPONENT
from unity_mlops_mcp.spec.entities import Box, Entity
from unity_mlops_mcp.spec.environment import EnvironmentSpec

Columns = slice | NDArray[np.intp]
"""Columns of an array: a slice (a view) where they lie side by side, else their numbers (a copy)."""
Rows = NDArray[np.intp] | slice
"""Rows of an array: of areas, or of agents."""

FAR = np.float32(1e4)
"""Where an instance lies that does not exist, or no longer: out of reach of everything."""


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


@dataclass(frozen=True)
class Crew:
    """Who the agents are; constant for the world's life.

    Attributes:
        size: agents in an area, those of the first team first; agent a of area i has the row ``i * size + a``.
        area: (agents,) each agent's area.
        side: (agents,) each agent's team, as its place in ``spec.sides``.
        groups: ``opponent`` and ``mate`` -> (agents, k) rows of those agents, with the agent's own row as filling.
    """

    size: int
    area: NDArray[np.intp]
    side: NDArray[np.intp]
    groups: dict[str, NDArray[np.intp]]

    @classmethod
    def of_spec(cls, spec: EnvironmentSpec, areas: int) -> Crew:
        """The agents of so many areas."""
        size = spec.agents_per_area
        sides = np.repeat(np.arange(len(spec.sides)), [side.count for side in spec.sides])
        same, self_ = sides[:, None] == sides, np.eye(size, dtype=bool)
        area = np.repeat(np.arange(areas), size)
        groups = {OPPONENT: _group(~same), MATE: _group(same & ~self_)}
        first = (np.arange(areas) * size)[:, None, None]
        tables = {name: (first + table).reshape(areas * size, -1) for name, table in groups.items()}
        return cls(size, area, np.tile(sides, areas), tables)

    def rows(self, areas: NDArray[np.intp]) -> NDArray[np.intp]:
        """The agents of some areas."""
        if self.size == 1:
            return areas
        rows: NDArray[np.intp] = (areas[:, None] * self.size + np.arange(self.size)).ravel()
        return rows


def _group(members: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(m, k) numbers of each agent's members, from an (m, m) table; filled up with the agent's own number."""
    table = np.tile(np.arange(len(members))[:, None], (1, max(int(members.sum(axis=1).max()), 1)))
    for own, row in zip(table, members, strict=True):
        own[: row.sum()] = np.flatnonzero(row)
    return table


@dataclass
class State:
    """Where everything is: n areas, a agents (n times as many as live in an area), e entity slots.

    Attributes:
        slots: which entity slots belong to what.
        crew: which agent rows belong to what.
        half_extent: (n,) of the arena.
        extent: (a,) the same for each agent.
        position: (a, 2) of the agents, (x, z) in metres.
        velocity: (a, 2) displacement of the last physics step / dt.
        yaw: (a,) radians, clockwise from +z seen from above.
        tilt: (a, 2) radians of the ground under each agent, towards +x and +z; zeros without tilt motion.
        step: (n,) physics steps since the episode began.
        respawns: (n,) how many instances were put somewhere else in this episode.
        visits: per ordered entity, (a,) how many instances each agent visited in turn.
        count: per entity, (n,) instances that the episode began with.
        centre: (n, e, 2) of the entities; FAR where there is none.
        half: (n, e, 2) half sizes of boxes; zeros for circles.
        radius: (n, e) of circles; zeros for boxes.
        entity_velocity: (n, e, 2) displacement of the last physics step / dt.
        entity_yaw: (n, e) heading of roaming entities in radians, as ``yaw``.
        entity_phase: (n, e) where each began in its weave, radians.
    """

    slots: Slots
    crew: Crew
    half_extent: Floats
    extent: Floats
    position: Floats
    velocity: Floats
    yaw: Floats
    tilt: Floats
    step: NDArray[np.int64]
    respawns: NDArray[np.int64]
    visits: dict[str, NDArray[np.int64]]
    count: dict[str, NDArray[np.int64]]
    centre: Floats
    half: Floats
    radius: Floats
    entity_velocity: Floats
    entity_yaw: Floats
    entity_phase: Floats
    _seen: dict[tuple[int | None, int | None], Bodies] = field(default_factory=dict, repr=False)

    @classmethod
    def empty(cls, spec: EnvironmentSpec, areas: int, quantities: Quantities) -> State:
        """Arrays of the right sizes; nothing is placed yet."""
        slots, crew = Slots.of_spec(spec), Crew.of_spec(spec, areas)
        agents = areas * crew.size
        return cls(
            slots,
            crew,
            quantities.of(spec.arena.half_extent),
            quantities.of_agents(spec.arena.half_extent),
            position=np.zeros((agents, 2), np.float32),
            velocity=np.zeros((agents, 2), np.float32),
            yaw=np.zeros(agents, np.float32),
            tilt=np.zeros((agents, 2), np.float32),
            step=np.zeros(areas, np.int64),
            respawns=np.zeros(areas, np.int64),
            visits={entity.name: np.zeros(agents, np.int64) for entity in spec.entities if entity.ordered},
            count={entity.name: np.zeros(areas, np.int64) for entity in spec.entities},
            centre=np.full((areas, slots.total, 2), FAR, np.float32),
            half=np.zeros((areas, slots.total, 2), np.float32),
            radius=np.zeros((areas, slots.total), np.float32),
            entity_velocity=np.zeros((areas, slots.total, 2), np.float32),
            entity_yaw=np.zeros((areas, slots.total), np.float32),
            entity_phase=np.zeros((areas, slots.total), np.float32),
        )

    def bodies(self, columns: Columns) -> Bodies:
        """The entities in these columns, by area; columns side by side are seen, not copied."""
        if isinstance(columns, slice):
            key = (columns.start, columns.stop)
            if key not in self._seen:
                self._seen[key] = Bodies(self.centre[:, columns], self.half[:, columns], self.radius[:, columns])
            return self._seen[key]
        return Bodies(self.centre[:, columns], self.half[:, columns], self.radius[:, columns])

    def around(self, columns: Columns) -> Bodies:
        """The entities in these columns, as they lie around each agent."""
        bodies = self.bodies(columns)
        return bodies if self.crew.size == 1 else bodies.rows(self.crew.area)

    def current(self, entity: str) -> NDArray[np.int64]:
        """(a,) which instance of an ordered entity each agent has to visit now."""
        count = self.count[entity]
        return self.visits[entity] % (count if self.crew.size == 1 else count[self.crew.area])

    def there(self, entity: str) -> NDArray[np.bool_]:
        """(n, instances) which instances of an entity exist now."""
        there: NDArray[np.bool_] = self.centre[:, self.slots.of[entity], 0] < FAR
        return there
