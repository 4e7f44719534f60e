"""What the rest of the product knows of a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

JobState = Literal["queued", "starting", "running", "stopping", "succeeded", "failed", "cancelled", "interrupted"]

FINAL_STATES: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Failure:
    """Why a job failed.

    Attributes:
        cause: a short stable code.
        message: what was found, and where.
        evidence: the lines that show it.
        fix: what to do next.
    """

    cause: str
    message: str
    evidence: tuple[str, ...]
    fix: str


@dataclass(frozen=True)
class Job:
    """One unit of asynchronous work.

    Attributes:
        id: names it; sorts by time.
        kind: what sort of work.
        subject: what it is about, such as a run id.
        state: where it stands; `FINAL_STATES` are for ever.
        request: the arguments, as given.
        attempt: 1 for the first process of it, one more after each interruption.
        created_at: when it was submitted; UTC, as all times here.
        started_at: when its first attempt began.
        finished_at: when it reached a final state.
        heartbeat_at: when its supervisor last reported.
        progress: what its handler reports.
        result: what its handler gave; a cancelled job may have one too.
        failure: why it failed.
        waiting_for: what a queued or interrupted job waits for, in words.
        queue_position: 1 for the queued job that starts next.
        stop_requested: whether somebody asked it to stop.
        idempotency_key: the caller's key, unique within the kind.
    """

    id: str
    kind: str
    subject: str
    state: JobState
    request: dict[str, Any]
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None
    progress: dict[str, Any]
    result: dict[str, Any] | None
    failure: Failure | None
    waiting_for: str | None
    queue_position: int | None
    stop_requested: bool
    idempotency_key: str | None

    @property
    def done(self) -> bool:
        """Whether it has reached a final state."""
        return self.state in FINAL_STATES
