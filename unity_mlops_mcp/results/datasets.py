"""What recordings and looks at them answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class Range(Result):
    """Some figures: the mean, and from where to where."""

    mean: float
    low: float
    high: float


class SensorRecorded(Result):
    """What one sensor saw."""

    sensor: str
    shape: list[int]
    low: float
    high: float
    coverage: float = Field(description="Share of ten equal steps of its range that hold data, 0 to 1.")
    constant: int = Field(description="Its numbers that never changed.")
    not_finite: int = 0


class ActionRecorded(Result):
    """How one action was used."""

    action: str
    low: float | None = None
    high: float | None = None
    at_limit: float | None = Field(default=None, description="Share of decisions at -1 or 1.")
    shares: list[float] = Field(default_factory=list, description="Of a discrete branch: the share of each choice.")


class DatasetFault(Result):
    """Something to know before a training; an error stops one."""

    severity: Literal["error", "warning", "hint"]
    what: str
    fix: str


class DatasetReport(Result):
    """What is in a dataset."""

    path: str
    format: Literal["demo", "jsonl"]
    files: list[str]
    sha256: str = Field(description="Of all files together.")
    behavior_name: str
    observation_shapes: list[list[int]]
    continuous_actions: int
    branches: list[int]
    episodes: int
    steps: int = Field(description="Decisions of all episodes.")
    returns: Range = Field(description="Summed rewards of an episode.")
    episode_length: Range
    outcomes: dict[str, int] = Field(description="Episodes that ended, ran into max_step, or were cut off.")
    sensors: list[SensorRecorded]
    actions: list[ActionRecorded]
    not_finite: int = Field(description="Numbers that are NaN or infinite.")
    duplicate_steps: int
    duplicate_episodes: int
    findings: list[DatasetFault]
    fits: bool | None = Field(default=None, description="Whether it fits the build's behaviour; null: none was named.")
    next: str


class StartedRecording(Result):
    """A recording that was accepted; it goes on without the caller."""

    job_id: str
    state: State
    path: str = Field(description="The .demo file that it will write.")
    behavior_name: str
    episodes: int
    played_by: str = Field(description="`expert`, or the policy's file.")
    mean_return: float | None = Field(default=None, description="Once it has ended: of the recorded episodes.")
    success: float | None = Field(default=None, description="The same: share of successes, if the player tells it.")
    waiting_for: str | None = Field(default=None, description="Why it does not run yet.")
    next: str
