"""What a dataset is: episodes of one behaviour, in arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, Floats

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
