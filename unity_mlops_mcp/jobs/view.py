"""From a row of the store to the job that callers see, and back for failures."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.jobs.queue import Wait
from unity_mlops_mcp.jobs.records import Failure, Job, JobState
from unity_mlops_mcp.store.rows import JobRow, Json, RunRow


def view(row: JobRow, wait: Wait | None = None) -> Job:
    """The job of a row; ``wait`` is what the queue says of it."""
    return Job(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        state=cast("JobState", row.state),
        request=row.request,
        attempt=row.attempt,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        heartbeat_at=row.heartbeat_at,
        progress=row.progress,
        result=row.result,
        failure=failure_of(row),
        waiting_for=wait.reason if wait else None,
        queue_position=wait.position if wait else None,
        stop_requested=row.stop_requested,
        idempotency_key=row.idempotency_key,
    )


def state_of(run: RunRow) -> JobState:
    """The state of a run: its latest job's, and of one whose job is not written yet, what it will be."""
    return cast("JobState", run.job.state) if run.job else "queued"


def failure_of(row: JobRow) -> Failure | None:
    """Why the row's job failed, or None."""
    if row.failure is None:
        return None
    return Failure(**{**row.failure, "evidence": tuple(row.failure["evidence"])})


def failure_row(error: MlopsError) -> Json:
    """An error as stored."""
    return asdict(Failure(error.cause, error.message, error.evidence, error.fix))
