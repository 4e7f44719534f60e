"""The process that a job runs in: takes the job, runs it, and starts what is queued when it ends."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Mapping, Sequence

import anyio

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.jobs.attempt import Attempt
from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.launch import SUPERVISOR
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.process import system
from unity_mlops_mcp.process.identity import Identity, this_process
from unity_mlops_mcp.process.start import started_pids
from unity_mlops_mcp.process.tree import orphans
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.jobs import StaleAttemptError
from unity_mlops_mcp.store.rows import JobRow, Json
from unity_mlops_mcp.store.store import Store

STALE_EXIT = 3
_log = logging.getLogger(__name__)


class _StopSignal:
    """The signal that asked this process to end, or None."""

    def __init__(self) -> None:
        self._received: int | None = None
        for number in system.stop_signals():
            signal.signal(number, self._note)

    def __call__(self) -> int | None:
        return self._received

    def _note(self, number: int, frame: object) -> None:
        del frame
        self._received = number


def supervise(
    job_id: str, *, kinds: Mapping[str, Kind], settings: Settings, supervisor: Sequence[str] = SUPERVISOR
) -> int:
    """Take up a job that was started, run it to its end, then start what is queued; a process's whole life.

    SIGINT asks the job to stop, as a person does; SIGTERM, which a shutting-down system sends, to save and be
    interrupted, so that it goes on when a process of ours lives again.

    Args:
        job_id: the job, in state ``starting``.
        kinds: how each sort of work is run.
        settings: the settings of this process.
        supervisor: the command that supervises a job, for the jobs that this process starts.

    Returns:
        The exit code: 0 when the job's end is written or another process has it, 3 when it was lost to a newer attempt.
    """
    signalled = _StopSignal()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    system.adopt_orphans()
    with Store(settings.home) as store:
        row = _claim(store, job_id)
        if row is None:
            return 0
        jobs = Jobs(store, settings, kinds=kinds, supervisor=supervisor)
        kind = kinds.get(row.kind) or _unknown(row.kind, kinds)
        attempt = Attempt(row, kind, store=store, settings=settings, signalled=signalled, strays=_strays)
        if not anyio.run(_run, attempt, jobs, signalled):
            return STALE_EXIT
        if signalled() is None:
            jobs.tend()
    return 0


def _claim(store: Store, job_id: str) -> JobRow | None:
    row = store.jobs.get(job_id)
    if row is None:
        return None
    now = utc_now()
    taken: Json = {"supervisor": this_process().to_json(), "heartbeat_at": now, "started_at": row.started_at or now}
    return store.jobs.change(job_id, "running", where=("starting",), attempt=row.attempt, now=now, values=taken)


async def _run(attempt: Attempt, jobs: Jobs, signalled: _StopSignal) -> bool:
    """Run the attempt and look after the other jobs meanwhile; False when a newer attempt has the job.

    Once it is told to end, others are left alone: they may have been told so too, and would only be started anew.
    """
    ours = True
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: jobs.tend_forever(until=signalled))
        try:
            await attempt.run()
        except StaleAttemptError as error:
            _log.warning("%s", error)
            ours = False
        group.cancel_scope.cancel()
    return ours


def _strays() -> set[Identity]:
    """What the job started and what lost token and parent on the way; supervisors that we started are none of it."""
    return orphans(except_for=started_pids())


def _unknown(name: str, kinds: Mapping[str, Kind]) -> Kind:
    async def refuse(context: JobContext) -> Json:
        raise InvalidInputError(
            f"{context.job.id} is of a kind that this version does not know: {name!r}.",
            fix=f"Upgrade unity-mlops-mcp; known kinds: {', '.join(sorted(kinds))}.",
        )

    def never(job: Job) -> bool:
        del job
        return False

    return Kind(name, refuse, never)
