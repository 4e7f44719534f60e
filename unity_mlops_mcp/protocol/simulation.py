"""What a simulated environment is to the protocol: behaviours, and arrays in and out once per decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Draw = Callable[[Floats], Floats]
"""Turns n uniform numbers in [0, 1) into n values of an environment parameter, float32 (n,)."""
LONGEST_NAME = 100
"""Characters of a behaviour's name: folders and files are called by it."""
Aggregation = Literal["average", "most_recent", "sum", "histogram"]


@dataclass(frozen=True)
class ActionSpec:
    """How an agent acts: a number of continuous actions in [-1, 1], and the sizes of the discrete branches."""

    continuous: int = 0
    branches: tuple[int, ...] = ()


@dataclass(frozen=True)
class ObservationSpec:
    """One sensor: its name and the shape of one agent's observation."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class BehaviorSpec:
    """One behaviour as the trainer sees it; the name is full, such as ``ReachTarget?team=0``."""

    name: str
    observations: tuple[ObservationSpec, ...]
    action: ActionSpec


def require_behavior_name(text: str) -> str:
    """A behaviour's name, when it may name a folder and files: whoever made the player or dataset chose it.

    Raises:
        ValueError: it is empty or long, or could lead to another folder; the reason is told.
    """
    told = f"the behaviour's name {text[:LONGEST_NAME]!r}"
    if not 0 < len(text) <= LONGEST_NAME:
        raise ValueError(f"{told} has {len(text)} characters, where 1 to {LONGEST_NAME} are allowed")
    if text.startswith(".") or set(text) & set("/\\:") or not text.isprintable():
        raise ValueError(f"{told} begins with a dot, or holds a slash, a backslash, a colon or a control character")
    return text


@dataclass(frozen=True)
class Groups:
    """The multi-agent groups (SimpleMultiAgentGroup) of some agents, row by row.

    Attributes:
        ids: (n,) the number of each agent's group; 0 for none.
        rewards: (n,) what its group was given since the previous decision, besides the agent's own reward.
    """

    ids: Ids
    rewards: Floats


@dataclass(frozen=True)
class Decisions:
    """Agents that ask for an action; row i of every array belongs to agent ``ids[i]``.

    Attributes:
        ids: (n,) episode-unique agent ids; an agent gets a new one with each episode.
        observations: one (n, *shape) array per sensor, in the order of the behaviour's specification.
        rewards: (n,) summed since the previous decision.
        masks: (n, sum of the branch sizes) True where a discrete action is forbidden; None when all are allowed.
        groups: of agents that a Unity player put into groups; None when there are none. Players in Python have none.
    """

    ids: Ids
    observations: tuple[Floats, ...]
    rewards: Floats
    masks: NDArray[np.bool_] | None = field(default=None, kw_only=True)
    groups: Groups | None = field(default=None, kw_only=True)

    @property
    def group_rewards(self) -> Floats:
        """(n,) what the agents' groups were given; zeros for agents without one."""
        return np.zeros(len(self.ids), np.float32) if self.groups is None else self.groups.rewards


@dataclass(frozen=True)
class Terminals(Decisions):
    """Agents whose episode ended: the last observation, the last reward, and whether max_step cut it off.

    Attributes:
        interrupted: (n,) True where the episode was cut off by max_step, False where it ended.
    """

    interrupted: NDArray[np.bool_]


@dataclass(frozen=True)
class BehaviorStep:
    """All that a behaviour reports in one exchange; an agent that ended may decide again, under its new id."""

    decisions: Decisions
    terminals: Terminals


@dataclass(frozen=True)
class Actions:
    """One row per agent of the last Decisions, in their order: continuous (n, c) in [-1, 1], discrete (n, branches)."""

    continuous: Floats
    discrete: NDArray[np.int32]


@dataclass(frozen=True)
class Stat:
    """One value for the trainer's statistics, as Unity's StatsRecorder would send it."""

    name: str
    value: float
    aggregation: Aggregation = "average"


class Simulation(Protocol):
    """An environment of many areas that advances all agents by one decision at a time."""

    @property
    def behaviors(self) -> Sequence[BehaviorSpec]:
        """The behaviours, constant for the simulation's life."""

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin an episode in every area; by behaviour name, terminals empty."""

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Advance by one decision period."""

    def set_parameter(self, name: str, value: float) -> None:
        """Set an environment parameter; it counts from the next episode of each area."""

    def set_sampler(self, name: str, draw: Draw) -> None:
        """Draw an environment parameter anew for each episode of each area, from the simulation's own randomness."""

    def drain_stats(self) -> list[Stat]:
        """The statistics recorded since the last call."""


@dataclass(frozen=True)
class Handshake:
    """What the trainer says first: how many areas, and the seed (run seed + worker id)."""

    areas: int = 1
    seed: int = 0


SimulationFactory = Callable[[Handshake], Simulation]
