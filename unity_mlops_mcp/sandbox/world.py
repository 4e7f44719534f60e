"""World: an EnvironmentSpec simulated in many areas at once, deterministic per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from unity_mlops_mcp.sandbox.choosing import spread
from unity_mlops_mcp.sandbox.draws import uniforms
from unity_mlops_mcp.sandbox.geometry import PASSES, push_out
from unity_mlops_mcp.sandbox.moving import MOVES, mover
from unity_mlops_mcp.sandbox.observing import Observer
from unity_mlops_mcp.sandbox.placing import Placer
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.scenery import Scenery
from unity_mlops_mcp.sandbox.scoring import Before, Contacts, Referee
from unity_mlops_mcp.sandbox.snapshots import Album, Snapshot
from unity_mlops_mcp.sandbox.state import State
from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.rules import TIMEOUT, Ending

Rows = NDArray[np.intp]
ALL = slice(None)


class World:
    """A ``Simulation`` of one spec: n areas with one or several agents each, advanced together.

    What happens in an area depends only on the seed, the area's number, its actions and the parameters; not on the
    other areas. An episode that ends inside a decision period is followed at once by the next one, whose agents rest
    until the next decision, as in Unity. Where there are teams, each is a behaviour of its own, ``Name?team=0`` and
    ``Name?team=1``; the agents of a behaviour come area by area.

    Args:
        spec: the environment.
        areas: how many areas to simulate, at least 1.
        seed: any whole number.
    """

    def __init__(self, spec: EnvironmentSpec, *, areas: int, seed: int) -> None:
        self._spec, self._seed = spec, seed
        self._quantities = Quantities(spec.parameters, areas, spec.agents_per_area)
        self._state = State.empty(spec, areas, self._quantities)
        self._move = mover(spec.agent.motion, self._quantities)
        self._scenery = Scenery(spec, self._state, self._quantities)
        self._observer = Observer(spec, self._state, self._quantities, self._move)
        self._placer = Placer(spec, self._state, self._quantities, self._move.snap)
        self._referee = Referee(spec, self._state, self._quantities, self._respawn)
        self._album = Album(spec, self._state, self._quantities, self._referee)
        self._limit = self._hold()
        self._passes = 0 if spec.agent.motion.kind == "grid" else PASSES
        paces = [self._quantities.of(side.pace) for side in spec.sides for _ in range(side.count)]
        self._paces = paces if any(side.pace != 1 for side in spec.sides) else []
        self._areas = np.arange(areas)
        self._episode = np.full(areas, -1, np.int64)
        self._reward = np.zeros(areas * spec.agents_per_area, np.float32)
        self._stats: list[Stat] = []
        self._causes = tuple(dict.fromkeys((*(ending.event for ending in spec.endings), TIMEOUT)))
        self._behaviors = tuple(
            BehaviorSpec(
                f"{spec.behavior_name}?team={team}",
                tuple(ObservationSpec(name, shape) for name, shape in spec.sensors()),
                ActionSpec(spec.continuous_size, spec.branches),
            )
            for team in range(len(spec.sides))
        )
        side = self._state.crew.side
        self._rows = [np.flatnonzero(side == team) if spec.teams else ALL for team in range(len(spec.sides))]

    @property
    def behaviors(self) -> Sequence[BehaviorSpec]:
        """One behaviour for each team, or the one of all agents."""
        return self._behaviors

    @property
    def state(self) -> State:
        """The present state, to be looked at; changing it changes the world."""
        return self._state

    def snapshot(self, area: int) -> Snapshot:
        """An area's state between two decisions as JSON can hold it: all that an implementation of the spec needs.

        Returns:
            ``episode`` number, ``step`` (physics steps so far), ``respawns``, ``half_extent`` (m), ``parameters`` by
            name; ``agents`` in their order, each with ``team``, ``position``, ``velocity`` (x, z in m and m/s), ``yaw``
            (radians), ``tilt`` (radians towards +x and +z), ``visits`` by ordered entity (instances visited in turn)
            and ``holds`` by event (whether its condition held after the last physics step; it fires when that begins);
            ``entities`` by name, each with its ``count`` (what the episode began with) and ``instances`` with
            ``there`` (false: it is not part of this episode, or was collected; its centre means nothing),
            ``centre``, ``velocity``, ``yaw`` and ``phase`` (radians; of roaming ones), ``half`` sizes and ``radius``.
        """
        return {"episode": int(self._episode[area]), **self._album.take(area)}

    def restore(self, area: int, snapshot: Mapping[str, Any]) -> None:
        """Make an area what a snapshot of an equal spec says; with the same seed and area it then goes on the same."""
        self._episode[area] = snapshot["episode"]
        self._album.put(area, snapshot)
        self._limit = self._hold()

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin an episode in every area; unfinished ones are dropped without a statistic."""
        self._begin(self._areas)
        self._reward[:] = 0
        return self._report([])

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Advance by one decision period.

        Args:
            actions: by behaviour name, one row per agent in the order of the last decisions.
        """
        action = self._continuous(actions)
        self._reward[:] = 0
        ended: list[_Ended] = []
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
        """For every episode of an area that finished since the last call: success, and each ending cause, as 1 or 0."""
        stats, self._stats = self._stats, []
        return stats

    def _continuous(self, actions: Mapping[str, Actions]) -> Floats:
        """(agents, 2) the effect of the actions along the two axes."""
        chosen = [actions[behavior.name] for behavior in self._behaviors]
        if self._spec.actions.kind == "discrete":
            parts = [MOVES[one.discrete[:, 0]] for one in chosen]
        else:
            parts = [np.clip(one.continuous, -1, 1).astype(np.float32, copy=False) for one in chosen]
        effect = parts[0]
        if len(parts) > 1:
            effect = np.empty_like(self._state.position)
            for rows, part in zip(self._rows, parts, strict=True):
                effect[rows] = part
        return effect * np.stack(self._paces, axis=1).reshape(-1, 1) if self._paces else effect

    def _advance(self, action: Floats, *, first: bool) -> dict[str, NDArray[np.bool_]]:
        """One physics step of all areas."""
        state, spec, moves = self._state, self._spec, self._scenery.moves
        before = Before(state.position.copy(), state.centre.copy() if moves else state.centre)
        if moves:
            self._scenery.roam()
        self._move(state, action, first=first)
        if moves:
            self._scenery.give_way()
        solid = state.around(state.slots.solid)
        bodies = push_out(state.position, before.position, spec.agent.radius, self._limit, solid, passes=self._passes)
        state.velocity[:] = (state.position - before.position) / np.float32(DT)
        if moves:
            state.entity_velocity[:] = (state.centre - before.centre) / np.float32(DT)
        state.step += 1
        self._reward += self._referee.shaping(before)
        fired = self._referee.events(Contacts(bodies, self._limit))
        self._reward += self._referee.rewards(fired)
        return fired

    def _hold(self) -> Floats | None:
        """(agents,) greatest |x| and |z| of a centre within the walls; None without walls."""
        if not self._spec.arena.walls:
            return None
        return spread(
            self._state, self._move.snap(self._state.half_extent - np.float32(self._spec.agent.radius), ALL), ALL
        )

    def _finish(self, fired: Mapping[str, NDArray[np.bool_]], ended: list[_Ended]) -> Rows:
        """Report and begin anew where an ending fired or max_step is reached; gives the agents there."""
        over = np.greater_equal(self._state.step, self._spec.episode.max_step)
        endings = [self._ends(ending, fired[ending.event]) for ending in self._spec.endings]
        for ends in endings:
            over |= ends
        areas = np.flatnonzero(over)
        if not len(areas):
            return areas
        causes = np.stack([ends[areas] for ends in endings], axis=1)
        rows = self._state.crew.rows(areas)
        interrupted = np.repeat(~causes.any(axis=1), self._state.crew.size)
        terminals = Terminals(self._ids()[rows], self._observer.observe(rows), self._reward[rows], interrupted)
        ended.append(_Ended(rows, terminals))
        self._record(causes)
        self._begin(areas)
        return rows

    def _ends(self, ending: Ending, fired: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(areas,) where an ending's event fired for an agent that it speaks of."""
        if self._state.crew.size == 1:
            return fired
        if ending.team is not None:
            names = [side.name for side in self._spec.sides]
            fired = fired & (self._state.crew.side == names.index(ending.team))
        some: NDArray[np.bool_] = np.logical_or.reduce(fired.reshape(len(self._areas), -1), axis=1)
        return some

    def _record(self, causes: NDArray[np.bool_]) -> None:
        """One row per episode that ended: which endings fired."""
        endings = self._spec.endings
        for row in causes:
            ending = endings[int(row.argmax())] if row.any() else None
            cause = ending.event if ending else TIMEOUT
            self._stats.append(Stat("Environment/Success", float(ending is not None and self._succeeds(ending))))
            self._stats += [Stat(f"Environment/Ending/{name}", float(name == cause)) for name in self._causes]

    def _succeeds(self, ending: Ending) -> bool:
        """Whether an ending is a success of the first team."""
        others = ending.team is not None and ending.team != self._spec.sides[0].name
        return (ending.result == "success") != others

    def _begin(self, areas: Rows) -> None:
        self._episode[areas] += 1
        own = self._quantities.draws
        draws = uniforms(self._seed, areas, self._episode[areas], own + self._placer.draws)
        self._quantities.begin(areas, draws[:, :own])
        self._limit = self._hold()
        self._placer.place(areas, draws[:, own:])
        agents = self._state.crew.rows(areas)
        self._referee.begin(agents)
        self._reward[agents] = 0

    def _respawn(self, areas: Rows, slots: Rows) -> None:
        """Put instances somewhere else; each takes the next two random numbers of its episode."""
        respawns = self._state.respawns
        turn = respawns[areas] + np.arange(len(areas)) - np.searchsorted(areas, areas)
        first = self._quantities.draws + self._placer.draws + 2 * turn
        self._placer.again(areas, slots, uniforms(self._seed, areas, self._episode[areas], 2, first=first))
        np.add.at(respawns, areas, 1)

    def _ids(self) -> NDArray[np.int64]:
        """(agents,) numbers that no other agent or episode has."""
        crew = self._state.crew
        return spread(self._state, self._episode, ALL) * len(crew.area) + np.arange(len(crew.area))

    def _report(self, ended: list[_Ended]) -> dict[str, BehaviorStep]:
        decisions = Decisions(self._ids(), self._observer.observe(ALL), self._reward.copy())
        if not self._spec.teams:
            terminals = _joined([one.terminals for one in ended], self._behaviors[0])
            return {self._behaviors[0].name: BehaviorStep(decisions, terminals)}
        steps: dict[str, BehaviorStep] = {}
        for team, (behavior, rows) in enumerate(zip(self._behaviors, self._rows, strict=True)):
            parts = [_some(one.terminals, self._state.crew.side[one.rows] == team) for one in ended]
            asking = Decisions(
                decisions.ids[rows], tuple(sensor[rows] for sensor in decisions.observations), decisions.rewards[rows]
            )
            steps[behavior.name] = BehaviorStep(asking, _joined(parts, behavior))
        return steps


@dataclass(frozen=True)
class _Ended:
    """Agents whose episode ended in one physics step: their rows, and what is reported of them."""

    rows: Rows
    terminals: Terminals


def _some(terminals: Terminals, chosen: NDArray[np.bool_]) -> Terminals:
    return Terminals(
        terminals.ids[chosen],
        tuple(sensor[chosen] for sensor in terminals.observations),
        terminals.rewards[chosen],
        terminals.interrupted[chosen],
    )


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
