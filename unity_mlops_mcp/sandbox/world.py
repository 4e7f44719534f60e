"""World: an EnvironmentSpec simulated in many areas at once, deterministic per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import (
    Actions,
    ActionSpec,
    BehaviorSpec,
    BehaviorStep,
    Decisions,
    Draw,
    Floats,
    ObservationSpec,
    Stat,
    Terminals,
)
from unity_mlops_mcp.sandbox.draws import uniforms
from unity_mlops_mcp.sandbox.geometry import PASSES, push_out
from unity_mlops_mcp.sandbox.moving import MOVES, mover
from unity_mlops_mcp.sandbox.observing import Observer
from unity_mlops_mcp.sandbox.placing import Placer
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.scoring import Contacts, Referee, at_walls
from unity_mlops_mcp.sandbox.state import State
from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.rules import TIMEOUT

Rows = NDArray[np.intp]
ALL = slice(None)


class World:
    """A ``Simulation`` of one spec: n areas with one agent each, advanced together.

    What happens in an area depends only on the seed, the area's number, its actions and the parameters; not on the
    other areas. An episode that ends inside a decision period is followed at once by the next one, whose agent rests
    until the next decision, as in Unity.

    Args:
        spec: the environment.
        areas: how many areas to simulate, at least 1.
        seed: any whole number.
    """

    def __init__(self, spec: EnvironmentSpec, *, areas: int, seed: int) -> None:
        self._spec, self._seed = spec, seed
        self._quantities = Quantities(spec.parameters, areas)
        self._state = State.empty(spec, areas, self._quantities)
        self._move = mover(spec.agent.motion, self._quantities)
        self._observer = Observer(spec, self._state, lambda: self._move.top_speed)
        self._placer = Placer(spec, self._state, self._quantities, self._move.snap)
        self._referee = Referee(spec, self._state)
        self._passes = 0 if spec.agent.motion.kind == "grid" else PASSES
        self._areas = np.arange(areas)
        self._episode = np.full(areas, -1, np.int64)
        self._reward = np.zeros(areas, np.float32)
        self._stats: list[Stat] = []
        self._causes = (*dict.fromkeys(ending.event for ending in spec.endings), TIMEOUT)
        self._behavior = BehaviorSpec(
            f"{spec.behavior_name}?team=0",
            tuple(ObservationSpec(name, shape) for name, shape in spec.sensors()),
            ActionSpec(spec.continuous_size, spec.branches),
        )

    @property
    def behaviors(self) -> Sequence[BehaviorSpec]:
        """The one behaviour."""
        return (self._behavior,)

    @property
    def state(self) -> State:
        """The present state, to be looked at; changing it changes the world."""
        return self._state

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin an episode in every area; unfinished ones are dropped without a statistic."""
        self._begin(self._areas)
        self._reward[:] = 0
        return self._report([])

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Advance by one decision period.

        Args:
            actions: by behaviour name, one row per area in the order of the last decisions.
        """
        action = self._continuous(actions[self._behavior.name])
        self._reward[:] = 0
        ended: list[Terminals] = []
        for step in range(self._spec.episode.decision_period):
            fired = self._advance(action, first=step == 0)
            rows = self._finish(fired, ended)
            if len(rows):
                action[rows] = 0
        return self._report(ended)

    def set_parameter(self, name: str, value: float) -> None:
        """Set an environment parameter; it counts from the next episode of each area. Unknown names are ignored."""
        self._quantities.set(name, value)

    def set_sampler(self, name: str, draw: Draw) -> None:
        """Draw an environment parameter anew for each episode of each area. Unknown names are ignored."""
        self._quantities.sample(name, draw)

    def drain_stats(self) -> list[Stat]:
        """For every episode that finished since the last call: success, and each ending cause, as 1 or 0."""
        stats, self._stats = self._stats, []
        return stats

    def _continuous(self, actions: Actions) -> Floats:
        if self._spec.actions.kind == "discrete":
            return MOVES[actions.discrete[:, 0]]
        return np.clip(actions.continuous, -1, 1).astype(np.float32, copy=False)

    def _advance(self, action: Floats, *, first: bool) -> dict[str, NDArray[np.bool_]]:
        """One physics step of all areas."""
        state, spec = self._state, self._spec
        before = state.position.copy()
        self._move(state, action, first=first)
        limit = self._move.snap(state.half_extent - np.float32(spec.agent.radius), ALL) if spec.arena.walls else None
        solid = state.bodies(state.slots.solid)
        bodies = push_out(state.position, before, spec.agent.radius, limit, solid, passes=self._passes)
        state.velocity[:] = (state.position - before) / np.float32(DT)
        state.step += 1
        walls = np.zeros(len(before), bool) if limit is None else at_walls(state.position, limit)
        self._reward += self._referee.approach(before)
        fired = self._referee.events(Contacts(bodies, walls))
        self._reward += self._referee.rewards(fired)
        return fired

    def _finish(self, fired: dict[str, NDArray[np.bool_]], ended: list[Terminals]) -> Rows:
        """Report and begin anew where an ending fired or max_step is reached; gives these areas."""
        timeout = self._state.step >= self._spec.episode.max_step
        over = timeout.copy()
        for ending in self._spec.endings:
            over |= fired[ending.event]
        rows = np.flatnonzero(over)
        if not len(rows):
            return rows
        interrupted = np.ones(len(rows), bool)
        for ending in self._spec.endings:
            interrupted &= ~fired[ending.event][rows]
        ids, observations = self._ids()[rows], self._observer.observe(rows)
        ended.append(Terminals(ids, observations, self._reward[rows], interrupted))
        self._record(rows, fired)
        self._begin(rows)
        return rows

    def _record(self, rows: Rows, fired: dict[str, NDArray[np.bool_]]) -> None:
        for row in rows:
            ending = next((ending for ending in self._spec.endings if fired[ending.event][row]), None)
            cause = ending.event if ending else TIMEOUT
            success = ending is not None and ending.result == "success"
            self._stats.append(Stat("Environment/Success", float(success)))
            self._stats += [Stat(f"Environment/Ending/{name}", float(name == cause)) for name in self._causes]

    def _begin(self, rows: Rows) -> None:
        self._episode[rows] += 1
        own = self._quantities.draws
        draws = uniforms(self._seed, rows, self._episode[rows], own + self._placer.draws)
        self._quantities.begin(rows, draws[:, :own])
        self._placer.place(rows, draws[:, own:])
        self._referee.begin(rows)
        self._reward[rows] = 0

    def _ids(self) -> NDArray[np.int64]:
        return self._episode * len(self._areas) + self._areas

    def _report(self, ended: list[Terminals]) -> dict[str, BehaviorStep]:
        decisions = Decisions(self._ids(), self._observer.observe(ALL), self._reward.copy())
        return {self._behavior.name: BehaviorStep(decisions, _joined(ended, self._behavior))}


def _joined(ended: list[Terminals], behavior: BehaviorSpec) -> Terminals:
    """The terminals of all physics steps of a decision period as one."""
    if len(ended) == 1:
        return ended[0]
    none = Terminals(
        np.zeros(0, np.int64),
        tuple(np.zeros((0, *sensor.shape), np.float32) for sensor in behavior.observations),
        np.zeros(0, np.float32),
        np.zeros(0, bool),
    )
    every = ended or [none]
    return Terminals(
        np.concatenate([part.ids for part in every]),
        tuple(np.concatenate(arrays) for arrays in zip(*(part.observations for part in every), strict=True)),
        np.concatenate([part.rewards for part in every]),
        np.concatenate([part.interrupted for part in every]),
    )
