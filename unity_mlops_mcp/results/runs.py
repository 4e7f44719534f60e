"""What trainings, and everything that takes time, answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.metrics.records import MetricsSummary, Series
from unity_mlops_mcp.results.base import FailureResult, Result, State
from unity_mlops_mcp.results.builds import BehaviorShape, ProbeFigures
from unity_mlops_mcp.results.evaluations import EvaluationFigures


class StartedRun(Result):
    """A training that was accepted; it goes on without the caller."""

    run_id: str
    job_id: str
    state: State
    queue_position: int | None = None
    waiting_for: str | None = Field(default=None, description="Why it does not run yet.")
    notes: list[str] = Field(default_factory=list, description="What was decided for the caller, and why.")
    next: str


class ResumedRun(StartedRun):
    """A run that goes on from its checkpoint."""

    from_step: int = Field(description="The step of the checkpoint it goes on from.")


class StopResult(Result):
    """What a stop did, and which files are kept."""

    id: str
    state: State
    step: int | None = None
    files: list[str] = Field(default_factory=list, description="Checkpoints and ONNX files that are there now.")
    next: str


class RunRow(Result):
    """One line of the list of runs."""

    run_id: str
    state: State
    behavior_name: str
    step: int
    max_steps: int
    mean_reward: float | None = None
    success: float | None = Field(default=None, description="Share of successful episodes, 0 to 1, if reported.")
    started_at: str | None = None
    duration_s: float | None = None


class RunList(Result):
    """Runs, newest first."""

    runs: list[RunRow]
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next page; null at the end.")


class StageStatus(Result):
    """How one stage of a pipeline stands."""

    name: str
    state: Literal["waiting", "running", "done", "skipped", "failed", "cancelled"]
    said: str = Field(default="", description="What it came to, or why it failed.")
    progress: float | None = Field(default=None, description="0 to 1, where it is known.")


class Status(Result):
    """Everything about one run or job."""

    id: str
    kind: str = Field(description="`training`, `build`, `pipeline`, `install_trainer`, …")
    state: State
    run_id: str | None = None
    build_id: str | None = None
    job_id: str
    attempts: int = Field(description="Processes this job has had; a crash that was recovered adds one.")
    message: str = Field(default="", description="What it is doing now, in words.")
    stages: list[StageStatus] = Field(default_factory=list, description="The stages of a pipeline, in their order.")
    behavior_name: str | None = None
    step: int | None = None
    max_steps: int | None = None
    progress: float | None = Field(default=None, description="0 to 1.")
    mean_reward: float | None = None
    rewards: list[float] = Field(default_factory=list, description="The last mean rewards, oldest first, at most 40.")
    success: float | None = Field(default=None, description="Share of successful episodes, 0 to 1, if reported.")
    steps_per_second: float | None = None
    eta_s: float | None = None
    queue_position: int | None = None
    waiting_for: str | None = None
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None
    folder: str | None = Field(default=None, description="Where its files lie.")
    files: list[str] = Field(default_factory=list, description="Checkpoints, ONNX, configuration; paths in the folder.")
    player_path: str | None = Field(default=None, description="The player of a finished Unity build.")
    behaviors: list[BehaviorShape] = Field(default_factory=list, description="What a finished Unity build offers.")
    probe: ProbeFigures | None = Field(default=None, description="What probing that player told.")
    onnx: str | None = Field(default=None, description="The trained policy, once there is one that opens.")
    configuration: str | None = Field(default=None, description="The trainer YAML that it runs with.")
    command: str | None = Field(default=None, description="The exact command of the trainer.")
    paragraph: str = Field(default="", description="Of a finished pipeline: what it came to, to be passed on as it is.")
    evaluation: EvaluationFigures | None = Field(default=None, description="What a finished evaluation found.")
    failure: FailureResult | None = None
    notes: list[str] = Field(default_factory=list)
    log_tail: list[str] = Field(default_factory=list, description="The last lines of the trainer's log.")
    next: str


class WaitResult(Status):
    """The status after waiting."""

    done: bool = Field(description="True when what was waited for has come; false when the time ran out.")


class MetricsResult(Result):
    """A run's figures: the summary first, then thinned series."""

    run_id: str
    state: State
    summary: MetricsSummary
    series: list[Series]
    available_tags: list[str]
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next tags; null at the end.")
    problems: list[str] = Field(default_factory=list, description="Damaged places in the event files, if any.")
    next: str
