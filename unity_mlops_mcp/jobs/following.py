"""A job that waits for another one which it started."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job

_LOOK_S = 0.5


async def follow(context: JobContext, jobs: Jobs, job: Job, show: Callable[[Job], None]) -> Job:
    """Wait until another job has succeeded; it is stopped when ours is, and left alone when only the system shuts down.

    Args:
        context: our own job.
        jobs: the jobs of the home.
        job: what ours started, or found started by an attempt that was cut off.
        show: is called with the job as it stands, twice a second.

    Raises:
        MlopsError: it failed, with its cause and fix; or somebody stopped it.
        StoppedError: ours was asked to stop; the other job has ended, its results kept, or goes on by itself.
    """
    while not job.done:
        if context.stop_requested.is_set():
            job = await _stop(context, jobs, job)
        else:
            job = await jobs.wait(job.id, timeout_s=_LOOK_S)
        show(job)
    context.require_going()
    if job.state != "succeeded":
        raise _ended_badly(job, again=f"run the {context.job.kind} again")
    return job


async def _stop(context: JobContext, jobs: Jobs, job: Job) -> Job:
    ours = await anyio.to_thread.run_sync(jobs.get, context.job.id)
    if not ours.stop_requested:
        raise StoppedError
    await anyio.to_thread.run_sync(jobs.request_stop, job.id)
    return await jobs.wait(job.id, timeout_s=_LOOK_S)


def _ended_badly(job: Job, *, again: str) -> MlopsError:
    failure = job.failure
    if failure is not None:
        return MlopsError(failure.message, fix=failure.fix, cause=failure.cause, evidence=failure.evidence)
    if job.kind == "training":
        fix = f"Go on with that run by resume_training({job.subject!r}), or {again}."
        return MlopsError(f"Run {job.subject} was stopped on its own.", fix=fix, cause="training_stopped")
    return MlopsError(
        f"{job.id} ({job.kind}) was stopped on its own.", fix="Run it again.", cause=f"{job.kind}_stopped"
    )
