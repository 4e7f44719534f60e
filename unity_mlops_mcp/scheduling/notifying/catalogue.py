"""Which event rows are told, as what, and in which words."""

from __future__ import annotations

from typing import Any

from unity_mlops_mcp.scheduling.notifying.records import (
    EventType,
    FailureContext,
    JobOutcome,
    Notice,
    NoticeData,
    Outcome,
)
from unity_mlops_mcp.store.rows import FINAL_STATES, EventRow, JobRow
from unity_mlops_mcp.store.store import Store

_OF_JOBS: dict[str, EventType] = {
    "running": "job.started",
    "succeeded": "job.completed",
    "failed": "job.failed",
    "cancelled": "job.cancelled",
    "interrupted": "run.interrupted",
}
_OF_MODELS: dict[str, EventType] = {
    "model_register": "model.registered",
    "model_promote": "model.promoted",
    "model_override": "model.promoted",
    "model_refused": "model.refused",
    "model_rollback": "model.rolled_back",
}
_OF_FIRINGS: dict[str, EventType] = {
    "firing_running": "schedule.started",
    "firing_succeeded": "schedule.finished",
    "firing_failed": "schedule.finished",
    "firing_cancelled": "schedule.finished",
    "firing_missed": "schedule.finished",
    "firing_skipped": "schedule.finished",
}
_JOBS_IN_WORDS = 5
_WORDS = {
    "job.started": "started",
    "job.completed": "is done",
    "job.failed": "failed",
    "job.cancelled": "was stopped",
    "run.interrupted": "was interrupted; it goes on by itself when it can",
    "run.resumed": "goes on after an interruption",
    "model.registered": "was registered",
    "model.promoted": "was promoted",
    "model.refused": "was not promoted",
    "model.rolled_back": "was restored by a rollback",
}


def notice_of(store: Store, event: EventRow) -> Notice | None:
    """What an event row tells; None for one that nobody is told of."""
    found = _about_job(store, event) or _about_model(event) or _about_firing(store, event)
    if found is None:
        return None
    kind, data = found
    return Notice(type=kind, sequence=event.seq, timestamp=event.at, data=data)


def _about_job(store: Store, event: EventRow) -> tuple[EventType, NoticeData] | None:
    kind = _OF_JOBS.get(event.name)
    row = store.jobs.get(event.job_id) if kind is not None and event.name == event.state else None
    if kind is None or row is None:
        return None
    if kind == "job.started" and event.attempt > 1:
        kind = "run.resumed"
    failure = FailureContext.model_validate(row.failure) if kind == "job.failed" and row.failure else None
    result, request = row.result or {}, row.request
    run_id = _run_id(row)
    outcome = _outcome(row) if event.state in FINAL_STATES else None
    figures = str(outcome) if outcome else ""
    why = f": {failure.message}" if failure else f": {figures}" if figures else ""
    return kind, NoticeData(
        summary=f"{row.kind.replace('_', ' ').capitalize()} {_name(row, run_id)} {_WORDS[kind]}{why}",
        job_id=row.id,
        kind=row.kind,
        state=event.state,
        attempt=event.attempt,
        run_id=run_id,
        asset_id=_asset(store, row, run_id),
        model_version=result.get("version_id") or (row.subject if row.kind == "promotion" else None),
        firing_id=request.get("firing_id"),
        schedule_id=str(request["firing_id"]).rpartition(".")[0] if request.get("firing_id") else None,
        reason=event.data.get("reason"),
        failure=failure,
        outcome=outcome,
    )


def _run_id(row: JobRow) -> str | None:
    return row.subject if row.kind == "training" else (row.result or {}).get("run_id") or row.progress.get("run_id")


def _outcome(row: JobRow) -> Outcome:
    told = {**row.progress, **{name: value for name, value in (row.result or {}).items() if value is not None}}
    took = (row.finished_at - row.started_at).total_seconds() if row.started_at and row.finished_at else None
    return Outcome(
        success=told.get("success"),
        mean_reward=told.get("mean_reward"),
        steps=told.get("step"),
        duration_s=None if took is None else round(took, 1),
    )


def _name(row: JobRow, run_id: str | None) -> str:
    return str(run_id or row.subject or row.id)


def _asset(store: Store, row: JobRow, run_id: str | None) -> str | None:
    run = store.runs.get(run_id) if run_id else None
    return (run.asset if run else None) or row.request.get("asset")


def _about_model(event: EventRow) -> tuple[EventType, NoticeData] | None:
    kind = _OF_MODELS.get(event.name)
    if kind is None:
        return None
    told: dict[str, Any] = event.data
    where = f" to {told['alias']}" if told.get("alias") and kind != "model.rolled_back" else ""
    before = f" (before: {told['previous_version']})" if told.get("previous_version") else ""
    reason = f": {told['reason']}" if told.get("reason") else ""
    return kind, NoticeData(
        summary=f"{told.get('version_id') or event.job_id} {_WORDS[kind]}{where}{before}{reason}",
        model=event.job_id,
        model_version=told.get("version_id"),
        alias=told.get("alias"),
        previous_version=told.get("previous_version"),
        reason=told.get("reason"),
    )


def _about_firing(store: Store, event: EventRow) -> tuple[EventType, NoticeData] | None:
    kind = _OF_FIRINGS.get(event.name)
    if kind is None:
        return None
    schedule_id = str(event.data["schedule_id"])
    row = store.schedules.get(schedule_id)
    reason = event.data.get("reason")
    said = "started" if kind == "schedule.started" else event.state
    jobs = [] if kind == "schedule.started" else _jobs_of(store, event.job_id)
    return kind, NoticeData(
        summary=f"Schedule {row.name if row else schedule_id}: the firing {said}"
        f"{f' ({reason})' if reason else ''}{_in_words(jobs)}",
        state=event.state,
        schedule_id=schedule_id,
        firing_id=event.job_id,
        reason=reason,
        jobs=jobs,
    )


def _jobs_of(store: Store, firing_id: str) -> list[JobOutcome]:
    """What a firing ran; without the jobs that were pruned away."""
    firing = store.schedules.firing(firing_id)
    rows = [row for job_id in (firing.jobs if firing else ()) if (row := store.jobs.get(job_id)) is not None]
    return [
        JobOutcome(
            job_id=row.id,
            asset_id=_asset(store, row, _run_id(row)),
            run_id=_run_id(row),
            state=row.state,
            outcome=_outcome(row),
        )
        for row in rows
    ]


def _in_words(jobs: list[JobOutcome]) -> str:
    if not jobs:
        return ""
    good = sum(job.state == "succeeded" for job in jobs)
    more = f"; and {len(jobs) - _JOBS_IN_WORDS} more" if len(jobs) > _JOBS_IN_WORDS else ""
    return f". {good} of {len(jobs)} succeeded: {'; '.join(map(str, jobs[:_JOBS_IN_WORDS]))}{more}"
