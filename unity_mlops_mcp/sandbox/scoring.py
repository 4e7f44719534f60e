"""Events, rewards and endings: each kind is one function of the state (see ``spec/rules.py``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.choosing import choose
from unity_mlops_mcp.sandbox.geometry import SKIN, Bools, gaps
from unity_mlops_mcp.sandbox.state import FAR, State
from unity_mlops_mcp.spec import rules
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.environment import EnvironmentSpec

ALL = slice(None)


@dataclass(frozen=True)
class Contacts:
    """What the agents ran into in a physics step: (n, solid slots) bodies, and (n,) walls."""

    bodies: Bools
    walls: Bools


class Referee:
    """Says in every physics step what happened, what it is worth, and who is done."""

    def __init__(self, spec: EnvironmentSpec, state: State) -> None:
        self._spec, self._state = spec, state
        self._before = {event.name: np.zeros(len(state.step), bool) for event in spec.events}
        self._solid = {
            name: np.flatnonzero(
                np.isin(np.arange(state.slots.total)[state.slots.solid], np.arange(state.slots.total)[slots])
            )
            for name, slots in state.slots.of.items()
        }

    def begin(self, rows: NDArray[np.intp]) -> None:
        """Forget the contacts of episodes that are over."""
        for before in self._before.values():
            before[rows] = False

    def approach(self, before: Floats) -> Floats:
        """(n,) shaping rewards of a step that began at ``before``; call it ahead of ``events``."""
        state, total = self._state, np.zeros(len(before), np.float32)
        for reward in self._spec.rewards:
            if isinstance(reward, rules.Approach):
                goal = choose(state, reward.of, reward.pick, ALL)
                first, second = goal - before, goal - state.position
                nearer = np.hypot(first[:, 0], first[:, 1]) - np.hypot(second[:, 0], second[:, 1])
                total += nearer * (goal[:, 0] < FAR) * (np.float32(reward.value / 2) / state.half_extent)
        return total

    def events(self, contacts: Contacts) -> dict[str, Bools]:
        """Event name -> (n,) whether it fires in this physics step."""
        return {event.name: getattr(self, f"_{event.kind}")(event, contacts) for event in self._spec.events}

    def rewards(self, fired: dict[str, Bools]) -> Floats:
        """(n,) what the events and the step itself are worth."""
        total = np.zeros(len(self._state.step), np.float32)
        for reward in self._spec.rewards:
            if isinstance(reward, rules.StepReward):
                total += np.float32(reward.value / self._spec.episode.max_step)
            elif isinstance(reward, rules.EventReward) and fired[reward.event].any():
                share = self._state.count[reward.shared_by] if reward.shared_by else 1
                total += fired[reward.event] * np.float32(reward.value) / np.maximum(share, 1).astype(np.float32)
        return total

    def _enter(self, event: rules.Enter, contacts: Contacts) -> Bools:  # noqa: ARG002
        state, where = self._state, self._state.slots.of[event.of]
        inside = gaps(state.position, state.bodies(where)) <= 0
        return self._fresh(event.name, np.any(inside, axis=1))

    def _touch(self, event: rules.Touch, contacts: Contacts) -> Bools:
        if event.of == WALL_TAG:
            return self._fresh(event.name, contacts.walls)
        return self._fresh(event.name, np.any(contacts.bodies[:, self._solid[event.of]], axis=1))

    def _leave(self, event: rules.Leave, contacts: Contacts) -> Bools:  # noqa: ARG002
        outside: Bools = np.abs(self._state.position).max(axis=1) > self._state.half_extent
        return self._fresh(event.name, outside)

    def _visit(self, event: rules.Visit, contacts: Contacts) -> Bools:  # noqa: ARG002
        state = self._state
        slot = state.slots.of[event.of].start + state.current(event.of)
        own = state.bodies(ALL).rows((np.arange(len(slot))[:, None], slot[:, None]))
        inside = gaps(state.position, own)[:, 0] <= 0
        state.visits[event.of] += inside
        return inside

    def _complete(self, event: rules.Complete, contacts: Contacts) -> Bools:  # noqa: ARG002
        state = self._state
        done: Bools = state.visits[event.of] >= event.laps * state.count[event.of]
        return self._fresh(event.name, done)

    def _fresh(self, name: str, now: Bools) -> Bools:
        """What holds now and did not hold before."""
        fired = now & ~self._before[name]
        self._before[name][:] = now
        return fired


def at_walls(position: Floats, limit: Floats) -> Bools:
    """(n,) whether centres have come to the walls, which hold them at ``limit``."""
    touching: Bools = np.abs(position).max(axis=1) > limit - SKIN
    return touching
