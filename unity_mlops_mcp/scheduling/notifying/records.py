"""What is told, as frozen records; ``docs/webhook.schema.json`` is the JSON schema of `Notice`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

EventType = Literal[
    "schedule.started",
    "schedule.finished",
    "job.started",
    "job.completed",
    "job.failed",
    "job.cancelled",
    "run.interrupted",
    "run.resumed",
    "model.registered",
    "model.promoted",
    "model.refused",
    "model.rolled_back",
    "test",
]
Shape = Literal["standard", "slack", "discord"]
EVERY_KIND = "all"
KINDS = ("training", "pipeline", "build_unity", "promotion")
"""The kinds of jobs that are told of unless an endpoint asks for others."""


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FailureContext(Record):
    """Why something failed, and what mends it."""

    cause: str = Field(description="A short stable code.")
    message: str
    evidence: list[str] = Field(default_factory=list, description="The lines that show it.")
    fix: str


class Outcome(Record):
    """What a job that is over came to; what is not known is null."""

    success: float | None = Field(default=None, description="Share of successful episodes, 0 to 1.")
    mean_reward: float | None = Field(default=None, description="Mean return of an episode at the end.")
    steps: int | None = Field(default=None, description="Agent steps that were trained.")
    duration_s: float | None = Field(default=None, description="Seconds from the start of its first attempt.")

    def __str__(self) -> str:
        """In words, such as ``success 98%, reward 0.93, 50,000 steps, 0:03:05``; empty when nothing is known."""
        known = (
            None if self.success is None else f"success {self.success:.0%}",
            None if self.mean_reward is None else f"reward {self.mean_reward:.2f}",
            None if self.steps is None else f"{self.steps:,} steps",
            None if self.duration_s is None else str(timedelta(seconds=round(self.duration_s))),
        )
        return ", ".join(part for part in known if part)


class JobOutcome(Record):
    """One job of a firing: an asset's pipeline."""

    job_id: str
    asset_id: str | None = None
    run_id: str | None = None
    state: str
    outcome: Outcome

    def __str__(self) -> str:
        """In words, such as ``guard-7 succeeded: success 98%``."""
        figures = f": {self.outcome}" if str(self.outcome) else ""
        return f"{self.asset_id or self.run_id or self.job_id} {self.state}{figures}"


class NoticeData(Record):
    """What an event is about; what does not apply is null."""

    summary: str = Field(description="The event in one sentence.")
    job_id: str | None = None
    kind: str | None = Field(default=None, description="The sort of job, such as training or pipeline.")
    state: str | None = Field(default=None, description="The state of the job or firing after the event.")
    attempt: int | None = Field(default=None, description="Which attempt of the job it was, from 1.")
    run_id: str | None = None
    asset_id: str | None = Field(default=None, description="What the run or the pipeline is filed under.")
    model: str | None = Field(default=None, description="The model's name.")
    model_version: str | None = Field(default=None, description="The version's id.")
    alias: str | None = None
    previous_version: str | None = None
    schedule_id: str | None = None
    firing_id: str | None = None
    reason: str | None = None
    failure: FailureContext | None = None
    outcome: Outcome | None = Field(default=None, description="What a job that is over came to.")
    jobs: list[JobOutcome] = Field(default_factory=list, description="What a firing that is over ran, asset by asset.")


class Notice(Record):
    """One event as it is told. Retries may change the order: `sequence` tells which came first."""

    type: EventType
    sequence: int = Field(ge=0, description="Grows in the order in which things happened; the same over all retries.")
    timestamp: datetime = Field(description="When it happened, in UTC.")
    data: NoticeData


class Wishes(Record):
    """What an endpoint wants.

    Attributes:
        events: types, or their first words such as ``model``; empty: all.
        kinds: of which sorts of jobs; ``all`` for every one.
        shape: how the body looks.
        private: whether its address may be a loopback or private one.
    """

    events: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    shape: Shape = "standard"
    private: bool = False

    def include(self, notice: Notice) -> bool:
        """Whether an endpoint of these wishes is told."""
        about_jobs = notice.data.kind is not None
        if about_jobs and EVERY_KIND not in self.kinds and notice.data.kind not in self.kinds:
            return False
        return not self.events or any(notice.type == one or notice.type.split(".")[0] == one for one in self.events)


def notice_schema() -> dict[str, Any]:
    """The JSON schema of `Notice`, as ``docs/webhook.schema.json`` has it."""
    from pydantic.json_schema import GenerateJsonSchema

    return {"$schema": GenerateJsonSchema.schema_dialect, **Notice.model_json_schema(mode="serialization")}
