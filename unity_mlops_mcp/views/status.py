"""Rows and folders as results: what a face shows of a job, a run and a build."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.library import UNITY_KIND
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.evaluation.library import FILE as EVALUATION_FILE
from unity_mlops_mcp.evaluation.library import folder_of, load_evaluation
from unity_mlops_mcp.evaluation.request import KIND as EVALUATION_KIND
from unity_mlops_mcp.jobs.records import FINAL_STATES, Job
from unity_mlops_mcp.jobs.view import state_of, view
from unity_mlops_mcp.pipeline.records import standings
from unity_mlops_mcp.process.commands import as_typed
from unity_mlops_mcp.process.log import last_lines
from unity_mlops_mcp.results.base import FailureResult
from unity_mlops_mcp.results.builds import ActionSize, BehaviorShape, ProbeFigures
from unity_mlops_mcp.results.runs import RunRow, StageStatus, Status
from unity_mlops_mcp.store.rows import RunRow as StoredRun
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.record import read_record
from unity_mlops_mcp.views.evaluations import evaluation_figures

LOG_LINES = 15
LOG_LINE_WIDTH = 300
_NEXT = {
    "queued": "Call wait_for({id!r}): it starts when there is room.",
    "starting": "Call wait_for({id!r}).",
    "running": "Call wait_for({id!r}) again, or get_metrics({id!r}) for the curves.",
    "stopping": "Call wait_for({id!r}): the checkpoint is being written.",
    "interrupted": "It goes on from its checkpoint by itself; call wait_for({id!r}).",
    "succeeded": "Call get_metrics({id!r}) to judge it, resume_training({id!r}, extra_steps=...) to train on, or "
    "install_model(run_id={id!r}, project_path=...) to use it in a Unity project.",
    "cancelled": "Call resume_training({id!r}) to go on from the checkpoint.",
    "failed": "Do what failure.fix says.",
}


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second; None stays None."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds") if moment else None


def duration_s(job: Job, *, now: datetime) -> float | None:
    """Seconds since the job's first attempt started, to its end or to now."""
    if job.started_at is None:
        return None
    return round(((job.finished_at or now) - job.started_at).total_seconds(), 1)


def shapes(build: PlayerBuild) -> list[BehaviorShape]:
    """The behaviours of a build."""
    return [
        BehaviorShape(
            name=behavior.name,
            observation_shapes=[list(shape) for shape in behavior.observation_shapes],
            action_spec=ActionSize(
                continuous=behavior.action_spec.continuous, branches=list(behavior.action_spec.branches)
            ),
        )
        for behavior in build.behaviors
    ]


def probe_figures(build: PlayerBuild) -> ProbeFigures | None:
    """What probing a Unity build told, where it was probed."""
    facts = build.facts.probe if build.facts else None
    return ProbeFigures(**facts.model_dump()) if facts else None


def next_step(state: str, subject: str, *, trains: bool = True) -> str:
    """One sentence that says what to call now."""
    if not trains and state in FINAL_STATES:
        return "It has ended." if state != "failed" else "Do what failure.fix says."
    return _NEXT[state].format(id=subject)


def run_row(row: StoredRun, *, now: datetime) -> RunRow:
    """One line of the list of runs; its state is that of its latest job."""
    job = view(row.job) if row.job else None
    shown: Mapping[str, Any] = job.progress if job else {}
    return RunRow(
        run_id=row.run_id,
        state=state_of(row),
        behavior_name=shown.get("behavior_name") or row.behavior_name,
        step=int(shown.get("step") or 0),
        max_steps=row.max_steps,
        mean_reward=shown.get("mean_reward"),
        success=shown.get("success"),
        started_at=iso(job.started_at) if job else None,
        duration_s=duration_s(job, now=now) if job else None,
    )


def job_status(job: Job, *, now: datetime, home: Path, build: PlayerBuild | None = None) -> Status:
    """Everything about a job; for a training also what its folder holds, for a Unity build what it gave."""
    base = _job_fields(job, now=now)
    if job.kind == "pipeline":
        return Status(**{**base, **_pipeline_fields(job, home / "artifacts" / job.id)}, next=_after_pipeline(job))
    if job.kind == UNITY_KIND:
        return Status(**{**base, **_build_fields(job, home, build)})
    if job.kind == EVALUATION_KIND:
        return Status(**{**base, **_evaluation_fields(job, home)})
    if job.kind == "report":
        return Status(**{**base, **_report_fields(job, home / "artifacts" / job.id)})
    if job.kind != "training":
        log = home / "artifacts" / job.id / "supervisor.log"
        return Status(**base, log_tail=_tail(log), next=next_step(job.state, job.id, trains=False))
    folder = RunFolder(home / "runs" / job.subject)
    following = next_step(job.state, job.subject)
    if job.state == "cancelled" and folder.checkpoint_step() is None:
        following = f"It had saved nothing yet; begin again with start_training(…, run_id={job.subject!r}, force=true)."
    return Status(**{**base, **_run_fields(job, folder)}, next=following)


def _job_fields(job: Job, *, now: datetime) -> dict[str, Any]:
    shown = job.progress
    step, most = shown.get("step"), shown.get("max_steps") or shown.get("total")
    failure = job.failure
    return {
        "id": job.subject if job.kind == "training" else job.id,
        "kind": job.kind,
        "state": job.state,
        "job_id": job.id,
        "attempts": job.attempt,
        "message": shown.get("message") or "",
        "step": step,
        "progress": min(1.0, step / most) if step is not None and most else None,
        "eta_s": shown.get("eta_s") if job.state == "running" else None,
        "queue_position": job.queue_position,
        "waiting_for": job.waiting_for,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "finished_at": iso(job.finished_at),
        "duration_s": duration_s(job, now=now),
        "failure": FailureResult(
            cause=failure.cause, message=failure.message, evidence=list(failure.evidence), fix=failure.fix
        )
        if failure
        else None,
        "notes": [*job.request.get("notes", ()), *shown.get("notes", ())],
    }


_EVALUATION_NEXT = {
    "succeeded": "Tell the user success and return with their intervals; register_model keeps the policy with them.",
    "failed": "Do what failure.fix says, then call evaluate_model again.",
    "cancelled": "Call evaluate_model again.",
}
_BUILD_NEXT = {
    "succeeded": "Call start_training(build_id={id!r}).",
    "failed": "Do what failure.fix says, then call build_environment again.",
    "cancelled": "Call build_environment again to build it after all; what was imported is kept.",
}


def _evaluation_fields(job: Job, home: Path) -> dict[str, Any]:
    folder, shown = folder_of(home, job.id), job.progress
    fields = {
        "progress": shown.get("progress"),
        "run_id": job.request.get("run_id"),
        "build_id": job.request.get("build_id"),
        "folder": str(folder),
        "log_tail": _tail(folder / "supervisor.log"),
        "next": _EVALUATION_NEXT.get(job.state, "Call wait_for({id!r}) until done is true.").format(id=job.id),
    }
    if job.state != "succeeded":
        return fields
    evaluation = load_evaluation(home, job.id)
    found = evaluation_figures(evaluation, folder / EVALUATION_FILE)
    return {
        **fields,
        "evaluation": found,
        "notes": list(evaluation.notes),
        "success": found.success and found.success.mean,
    }


def _build_fields(job: Job, home: Path, build: PlayerBuild | None) -> dict[str, Any]:
    folder = home / "builds" / job.subject
    shown = {
        "id": job.subject,
        "build_id": build.build_id if build else job.subject,
        "folder": str(build.folder if build else folder),
        "log_tail": _tail((build.folder if build else folder) / "editor.log"),
        "next": _BUILD_NEXT.get(job.state, "Call wait_for({id!r}).").format(
            id=build.build_id if build else job.subject
        ),
    }
    if build is None:
        return shown
    notes = build.facts.notes if build.facts else ()
    return {
        **shown,
        "player_path": str(build.player),
        "behaviors": shapes(build),
        "probe": probe_figures(build),
        "notes": list(notes) if job.result and not job.result.get("cached") else [*job.request.get("notes", ())],
    }


def _report_fields(job: Job, folder: Path) -> dict[str, Any]:
    path = (job.result or {}).get("path")
    following = f"Give the user {path}." if path else "Call render_report again."
    if job.state not in FINAL_STATES:
        following = f"Call wait_for({job.id!r}) until done is true."
    return {
        "message": (job.result or {}).get("headline") or job.progress.get("message") or "",
        "folder": str(folder),
        "files": sorted(file.name for file in folder.glob("report.*")),
        "log_tail": _tail(folder / "supervisor.log"),
        "next": "Do what failure.fix says, then call render_report again." if job.state == "failed" else following,
    }


def _run_fields(job: Job, folder: RunFolder) -> dict[str, Any]:
    shown, result = job.progress, job.result or {}
    attempts = [each for each in read_record(folder).get("attempts", []) if each["job_id"] == job.id]
    return {
        "attempts": max(job.attempt, len(attempts)),
        "run_id": job.subject,
        "build_id": job.request.get("build_id"),
        "behavior_name": shown.get("behavior_name") or job.request.get("behavior_name"),
        "max_steps": job.request.get("max_steps"),
        "mean_reward": shown.get("mean_reward"),
        "rewards": shown.get("rewards") or [],
        "success": shown.get("success"),
        "steps_per_second": shown.get("steps_per_second"),
        "folder": str(folder.path),
        "files": folder.files() if folder.path.exists() else [],
        "onnx": result.get("onnx"),
        "configuration": _text(folder.configuration),
        "command": as_typed(attempts[-1]["command"]) if attempts else None,
        "log_tail": _tail(folder.log),
    }


def _pipeline_fields(job: Job, folder: Path) -> dict[str, Any]:
    shown, result = job.progress, job.result or {}
    standing = standings(shown)
    training = next((one for one in standing if one.name == "train" and one.state == "running"), None)
    share = _share(shown) if training else None
    going = [one for one in standing if one.state != "skipped"]
    ended = sum(one.state == "done" for one in going) + (share or 0.0)
    notes = list(shown.get("notes", ()))
    if job.state == "cancelled" and standing:
        kept = ", ".join(one.name for one in going if one.state == "done")
        notes.append(f"Kept: the results of {kept or 'no stage'}{_kept_run(shown)}.")
    return {
        "stages": [
            StageStatus(name=one.name, state=one.state, said=one.said, progress=share if one is training else None)
            for one in standing
        ],
        "progress": ended / len(going) if going else None,
        "run_id": shown.get("run_id"),
        "build_id": shown.get("build_id"),
        "behavior_name": result.get("behavior_name") or shown.get("behavior_name"),
        "max_steps": shown.get("max_steps"),
        "mean_reward": shown.get("mean_reward"),
        "rewards": shown.get("rewards") or [],
        "success": result.get("success", shown.get("success")),
        "steps_per_second": shown.get("steps_per_second"),
        "folder": str(folder),
        "files": sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if _is_result(file)),
        "onnx": result.get("onnx"),
        "paragraph": result.get("paragraph") or "",
        "notes": notes,
        "log_tail": _tail(folder / "supervisor.log"),
    }


def _is_result(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.suffix != ".log"


def _kept_run(shown: Mapping[str, Any]) -> str:
    run_id, step = shown.get("run_id"), shown.get("step")
    return f", and the run {run_id} with what it had saved{f' (step {step:,})' if step else ''}" if run_id else ""


def _share(shown: Mapping[str, Any]) -> float | None:
    step, most = shown.get("step"), shown.get("max_steps")
    return min(1.0, step / most) if step is not None and most else None


def _after_pipeline(job: Job) -> str:
    """What to call after a pipeline, or while it goes."""
    run_id = job.progress.get("run_id")
    version_id = (job.result or {}).get("version_id")
    if job.state == "succeeded" and version_id:
        return f"Give the user paragraph and the report; promote_model(version={version_id!r}) lets it serve."
    if job.state == "succeeded" and run_id:
        return f"Call get_metrics({run_id!r}) for the curves, or resume_training({run_id!r}, extra_steps=...)."
    if job.state == "succeeded":
        return "Nothing was built or trained: call run_pipeline again without dry_run to do that."
    if job.state == "cancelled" and run_id:
        return f"Call resume_training({run_id!r}) to train on, or run_pipeline to begin anew."
    if job.state == "cancelled":
        return "Call run_pipeline to begin anew."
    return _NEXT["failed"] if job.state == "failed" else f"Call wait_for({job.id!r}) until done is true."


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else None


def _tail(log: Path) -> list[str]:
    return [line[:LOG_LINE_WIDTH] for line in last_lines(log, LOG_LINES)]
