"""Events and rewards: each kind is one function of the state (see ``spec/rules.py``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.choosing import choose, choose_velocity, origin, spread
from unity_mlops_mcp.sandbox.geometry import SKIN, Bools, gaps
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.state import FAR, State
from unity_mlops_mcp.spec import rules
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.observations import Pick

ALL = slice(None)
LEAST_SPEEDS = np.float32(0.01)
"""Two speeds whose product is smaller have no direction to be compared, m2/s2."""

Respawn = Callable[[NDArray[np.intp], NDArray[np.intp]], None]
"""Puts instances somewhere else: areas, and the slot in each."""


@dataclass(frozen=True)
class Contacts:
    """What the agents ran into in a physics step: (agents, solid slots) bodies, and what holds their centres.

    Attributes:
        bodies: (agents, solid slots) whether they were in contact.
        limit: (agents,) greatest |x| and |z| of a centre within the walls; None without walls.
    """

    bodies: Bools
    limit: Floats | None


@dataclass(frozen=True)
class Before:
    """Where a physics step began: (agents, 2) positions and (n, e, 2) centres."""

    position: Floats
    centre: Floats


class Referee:
    """Says in every physics step what happened to each agent, and what it is worth.

    Attributes:
        holds: event -> (agents,) whether its condition held after the last physics step; it fires when that begins.
    """

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities, respawn: Respawn) -> None:
        self._spec, self._state, self._respawn = spec, state, respawn
        self.holds = {event.name: np.zeros(len(state.yaw), bool) for event in spec.events}
        slots = np.arange(state.slots.total)
        solid = slots[state.slots.solid]
        self._solid = {name: np.flatnonzero(np.isin(solid, slots[own])) for name, own in state.slots.of.items()}
        sides = {side.name: state.crew.side == i for i, side in enumerate(spec.sides)}
        rewards = [(reward, sides.get(reward.team or "")) for reward in spec.rewards]
        self._shaping = [(SHAPING[reward.when], reward, paid) for reward, paid in rewards if reward.when in SHAPING]
        self._payments = [(PAYMENTS[reward.when], reward, paid) for reward, paid in rewards if reward.when in PAYMENTS]
        self._events = [(EVENTS[event.kind], event) for event in spec.events]
        self._quantity = {
            value: quantities.of_agents(value)
            for part in (*spec.events, *spec.rewards)
            for name in ("distance", "width")
            if (value := getattr(part, name, None)) is not None
        }

    def begin(self, rows: NDArray[np.intp]) -> None:
        """Forget what held in the episodes of these agents."""
        for holds in self.holds.values():
            holds[rows] = False

    def shaping(self, before: Before) -> Floats:
        """(agents,) what the way of this physics step is worth; call it ahead of ``events``."""
        total = np.zeros(len(self._state.yaw), np.float32)
        for worth, reward, paid in self._shaping:
            total += worth(self, reward, before) if paid is None else worth(self, reward, before) * paid
        return total

    def events(self, contacts: Contacts) -> dict[str, Bools]:
        """Event name -> (agents,) whether it fires in this physics step."""
        return {event.name: happens(self, event, contacts) for happens, event in self._events}

    def rewards(self, fired: Mapping[str, Bools]) -> Floats:
        """(agents,) what the events and the step itself are worth."""
        total = np.zeros(len(self._state.yaw), np.float32)
        for pay, reward, paid in self._payments:
            pay(self, total, reward, paid, fired)
        return total

    def _step(self, total: Floats, reward: rules.StepReward, paid: Bools | None, _: Mapping[str, Bools]) -> None:
        worth = np.float32(reward.value / self._spec.episode.max_step)
        total += worth if paid is None else worth * paid

    def _event(self, total: Floats, reward: rules.EventReward, paid: Bools | None, fired: Mapping[str, Bools]) -> None:
        whom = fired[reward.event]
        if whom.any():
            share = spread(self._state, self._state.count[reward.shared_by], ALL) if reward.shared_by else 1
            each = np.float32(reward.value) / np.maximum(share, 1).astype(np.float32)
            total += (whom if paid is None else whom & paid) * each

    def _approach(self, reward: rules.Approach, before: Before) -> Floats:
        state = self._state
        goal = choose(state, reward.of, reward.pick, ALL, reward.subject)
        first, now, exists = before.position, state.position, goal[:, 0] < FAR
        if reward.subject:
            first = spread(state, before.centre[:, state.slots.of[reward.subject].start], ALL)
            now = origin(state, reward.subject, ALL)
            exists = exists & (now[:, 0] < FAR)
        nearer = _length(goal - first) - _length(goal - now)
        worth: Floats = nearer * exists * (np.float32(reward.value / 2) / state.extent)
        return worth

    def _keep(self, reward: rules.Keep, before: Before) -> Floats:  # noqa: ARG002
        distance, exists = self._distance(reward.of, reward.pick)
        off = (distance - self._quantity[reward.distance]) / self._quantity[reward.width]
        worth: Floats = self._per_step(reward.value) * np.exp(-off * off) * exists
        return worth

    def _align(self, reward: rules.Align, before: Before) -> Floats:  # noqa: ARG002
        own, other = self._state.velocity, choose_velocity(self._state, reward.of, reward.pick, ALL)
        speeds = _length(own) * _length(other)
        worth: Floats = self._per_step(reward.value) * (own * other).sum(axis=1) / np.maximum(speeds, LEAST_SPEEDS)
        return worth

    def _within(self, reward: rules.Within, before: Before) -> Floats:  # noqa: ARG002
        distance, _ = self._distance(reward.of, reward.pick)
        worth: Floats = self._per_step(reward.value) * (distance < self._quantity[reward.distance])
        return worth

    def _per_step(self, value: float) -> Floats:
        return np.full(1, value / self._spec.episode.max_step, np.float32)

    def _distance(self, of: str, pick: Pick) -> tuple[Floats, Bools]:
        """(agents,) metres to the chosen instance, centre to centre, and whether there is one."""
        centre = choose(self._state, of, pick, ALL)
        return _length(centre - self._state.position), centre[:, 0] < FAR

    def _enter(self, event: rules.Enter, contacts: Contacts) -> Bools:  # noqa: ARG002
        state, where = self._state, self._state.slots.of[event.of]
        point = origin(state, event.subject, ALL)
        inside = np.any(gaps(point, state.around(where)) <= 0, axis=1)
        return self._fresh(event.name, inside & (point[:, 0] < FAR) if event.subject else inside)

    def _touch(self, event: rules.Touch, contacts: Contacts) -> Bools:
        if event.of == WALL_TAG:
            return self._fresh(event.name, self._at_walls(contacts.limit))
        return self._fresh(event.name, np.any(contacts.bodies[:, self._solid[event.of]], axis=1))

    def _at_walls(self, limit: Floats | None) -> Bools:
        if limit is None:
            return np.zeros(len(self._state.yaw), bool)
        touching: Bools = np.abs(self._state.position).max(axis=1) > limit - SKIN
        return touching

    def _leave(self, event: rules.Leave, contacts: Contacts) -> Bools:  # noqa: ARG002
        outside: Bools = np.abs(self._state.position).max(axis=1) > self._state.extent
        return self._fresh(event.name, outside)

    def _visit(self, event: rules.Visit, contacts: Contacts) -> Bools:  # noqa: ARG002
        state = self._state
        slot = state.slots.of[event.of].start + state.current(event.of)
        own = state.bodies(ALL).rows((state.crew.area[:, None], slot[:, None]))
        inside = gaps(state.position, own)[:, 0] <= 0
        state.visits[event.of] += inside
        return inside

    def _complete(self, event: rules.Complete, contacts: Contacts) -> Bools:  # noqa: ARG002
        state = self._state
        done: Bools = state.visits[event.of] >= event.laps * spread(state, state.count[event.of], ALL)
        return self._fresh(event.name, done)

    def _collect(self, event: rules.Collect, contacts: Contacts) -> Bools:  # noqa: ARG002
        state, size = self._state, self._state.crew.size
        where, fired = state.slots.of[event.of], np.zeros(len(state.yaw), bool)
        for agent in range(size):
            inside = gaps(state.position[agent::size], state.bodies(where)) <= 0
            areas, columns = np.nonzero(inside)
            if not len(areas):
                continue
            fired[agent::size] = inside.any(axis=1)
            if event.respawn:
                self._respawn(areas, where.start + columns)
            else:
                state.centre[areas, where.start + columns] = FAR
                state.entity_velocity[areas, where.start + columns] = 0
        return fired

    def _cleared(self, event: rules.Cleared, contacts: Contacts) -> Bools:  # noqa: ARG002
        some = np.any(self._state.there(event.of), axis=1)
        return self._fresh(event.name, spread(self._state, ~some, ALL))

    def _near(self, event: rules.Near, contacts: Contacts) -> Bools:  # noqa: ARG002
        distance, exists = self._distance(event.of, "nearest")
        return self._fresh(event.name, exists & (distance <= self._quantity[event.distance]))

    def _far(self, event: rules.Far, contacts: Contacts) -> Bools:  # noqa: ARG002
        distance, exists = self._distance(event.of, "nearest")
        return self._fresh(event.name, exists & (distance > self._quantity[event.distance]))

    def _timeout(self, event: rules.Timeout, contacts: Contacts) -> Bools:  # noqa: ARG002
        over = np.greater_equal(self._state.step, self._spec.episode.max_step)
        return self._fresh(event.name, spread(self._state, over, ALL))

    def _fresh(self, name: str, now: Bools) -> Bools:
        """What holds now and did not hold before."""
        fired = now & ~self.holds[name]
        self.holds[name][:] = now
        return fired


SHAPING: dict[str, Callable[..., Floats]] = {
    kind: getattr(Referee, f"_{kind}") for kind in ("approach", "keep", "align", "within")
}
"""Kind of reward that looks at the way of a physics step -> what computes it."""

PAYMENTS: dict[str, Callable[..., None]] = {kind: getattr(Referee, f"_{kind}") for kind in ("step", "event")}
"""Kind of reward that is paid for what happened -> what adds it up."""

EVENTS: dict[str, Callable[..., Bools]] = {
    kind: getattr(Referee, f"_{kind}")
    for kind in ("enter", "touch", "leave", "visit", "complete", "collect", "cleared", "near", "far", "timeout")
}
"""Kind of event -> what computes it."""


def _length(vector: Floats) -> Floats:
    length: Floats = np.hypot(vector[:, 0], vector[:, 1])
    return length
