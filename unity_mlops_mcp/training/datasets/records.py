"""What a dataset is: episodes of one behaviour, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, Floats, require_behavior_name

LARGEST_BRANCH = 10_000
"""Choices of a discrete branch: a network has an output for each."""
Format = Literal["demo", "jsonl"]
Outcome = Literal["ended", "timeout", "cut"]
"""How an episode came to its end: by itself, by max_step, or because the recording stops there."""


@dataclass(frozen=True)
class Trajectory:
    """One episode of n decisions.

    Attributes:
        observations: one (n, *shape) array per sensor: what was seen at each decision.
        actions: what was done then: continuous (n, c) in [-1, 1], discrete (n, branches).
        rewards: (n,) what followed each action, until the next decision.
        outcome: how it ended.
        last: one (*shape) array per sensor: what was seen after the last action; None where it was not recorded.
    """

    observations: tuple[Floats, ...]
    actions: Actions
    rewards: Floats
    outcome: Outcome
    last: tuple[Floats, ...] | None = None

    def __len__(self) -> int:
        """Decisions."""
        return len(self.rewards)


@dataclass(frozen=True)
class Dataset:
    """Recorded episodes of one behaviour.

    Attributes:
        behavior: its name (without team), sensors and actions.
        trajectories: the episodes, in the order of the files.
        files: what was read.
        format: of the files.
        sha256: of the files' content, in their order (hex).
        remarks: what was not as it should be, and was passed over: one sentence each.
    """

    behavior: BehaviorSpec
    trajectories: tuple[Trajectory, ...]
    files: tuple[Path, ...]
    format: Format
    sha256: str
    remarks: tuple[str, ...] = field(default=())

    @property
    def steps(self) -> int:
        """Decisions of all episodes."""
        return sum(map(len, self.trajectories))


def require_behavior(behavior: BehaviorSpec) -> BehaviorSpec:
    """The behaviour of a dataset, when a policy can be made for it.

    Raises:
        ValueError: of its name, its sensors or its actions, one can be of no behaviour; it is told.
    """
    require_behavior_name(behavior.name)
    action = behavior.action
    if not behavior.observations or action == ActionSpec():
        raise ValueError("there are no observations or no actions")
    for sensor in behavior.observations:
        if min(sensor.shape, default=0) < 1:
            raise ValueError(f"the observation {sensor.name} has the shape {sensor.shape}, where each is 1 or more")
    if action.continuous < 0 or any(not 1 <= size <= LARGEST_BRANCH for size in action.branches):
        raise ValueError(f"the branches have the sizes {list(action.branches)}, where each is 1 to {LARGEST_BRANCH}")
    return behavior


def as_choices(chosen: Sequence[float], branches: tuple[int, ...]) -> list[int]:
    """One choice per branch, each from 0 to below the branch's size.

    Raises:
        ValueError: there are more or fewer, or one is no such number.
    """
    if len(chosen) != len(branches):
        raise ValueError(f"{len(chosen)} discrete actions are there where {len(branches)} belong")
    if any(not 0 <= choice < size or choice != int(choice) for choice, size in zip(chosen, branches, strict=True)):
        raise ValueError(f"the choices {list(chosen)} are no whole numbers within the branches {list(branches)}")
    return [int(choice) for choice in chosen]
