"""Submit, look at, wait for and stop jobs; start what is due. The one door to jobs for the rest of the product."""

from __future__ import annotations

import logging
import random
import secrets
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import anyio
import anyio.to_thread

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, MlopsError, NotFoundError
from unity_mlops_mcp.jobs.kinds import Kind
from unity_mlops_mcp.jobs.launch import SUPERVISOR, launch
from unity_mlops_mcp.jobs.queue import Wait, startable, waits
from unity_mlops_mcp.jobs.records import FINAL_STATES, Job
from unity_mlops_mcp.jobs.recovery import Recovery
from unity_mlops_mcp.jobs.view import view
from unity_mlops_mcp.process.identity import Identity, is_alive, send, this_process
from unity_mlops_mcp.process.start import collect
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import JobRow, Page
from unity_mlops_mcp.store.store import Store

_WAIT_POLL_S = 0.1
_log = logging.getLogger(__name__)


class Jobs:
    """The jobs of one home. Methods are synchronous and safe to call from any thread, and from many processes at once.

    Args:
        store: where their state is kept.
        settings: the settings of this process, which supervisors are given too.
        kinds: the sorts of work that this process knows.
        supervisor: the command that supervises the job whose id is its last argument.
        clock: gives the present moment.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        kinds: Mapping[str, Kind],
        supervisor: Sequence[str] = SUPERVISOR,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._settings = settings
        self._kinds = kinds
        self._supervisor = tuple(supervisor)
        self._clock = clock
        self._random = random.SystemRandom()
        self._recovery = Recovery(store, settings, kinds)

    def submit(
        self,
        kind: str,
        request: Mapping[str, Any],
        *,
        subject: str,
        after: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Write a job down and start it when there is room; it waits in the queue otherwise.

        Args:
            kind: its sort of work.
            request: its arguments; JSON.
            subject: what it is about, such as a run id.
            after: a job that has to succeed first; when that fails, this one fails with its cause.
            idempotency_key: the same key and kind again give the job there is.

        Raises:
            InvalidInputError: this process knows no such kind.
            NotFoundError: there is no job ``after``.
        """
        limited = self._kind(kind).limited
        if after is not None:
            self._row(after)
        row = self._add(kind, request, subject, limited=limited, after=after, idempotency_key=idempotency_key)
        if row.state == "queued":
            self._start_queued()
        return self.get(row.id)

    def run_inline(
        self, kind: Kind, request: Mapping[str, Any], *, subject: str, idempotency_key: str | None = None
    ) -> Job:
        """Run a short job now, in this process and thread, with the same rows and states; gives it when it is over.

        With a known key it gives the job there is, which another process may still be running.

        Raises:
            InvalidInputError: the kind is not one that this process was given.
            RuntimeError: called in a thread that runs an event loop.
        """
        from unity_mlops_mcp.jobs.attempt import Attempt

        self._kind(kind.name)
        now, token = self._clock(), secrets.token_hex(16)
        held: dict[str, Any] = {"state": "running", "supervisor": this_process().to_json(), "token": token}
        held |= {"limited": False, "started_at": now, "heartbeat_at": now, "idempotency_key": idempotency_key}
        row = self._add(kind.name, request, subject, **held)
        if row.token != token:
            return self.get(row.id)
        return view(anyio.run(Attempt(row, kind, store=self._store, settings=self._settings).run))

    def get(self, job_id: str) -> Job:
        """The job as it is now.

        Raises:
            NotFoundError: there is no such job.
        """
        return self.shown(self._row(job_id))

    def shown(self, row: JobRow) -> Job:
        """The job of a row that was just read."""
        return view(row, self._waits([row]).get(row.id))

    def open(self, *, kind: str | None = None) -> tuple[Job, ...]:
        """The jobs that are not over, of one kind where named, oldest first."""
        rows = self._store.jobs.open()
        waiting = waits(rows, self._settings.max_jobs)
        return tuple(view(row, waiting.get(row.id)) for row in rows if kind in (None, row.kind))

    def page(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        subject: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Page[Job]:
        """Jobs newest first, of one kind, state or subject where named.

        Raises:
            InvalidInputError: the limit or the cursor cannot be used.
        """
        found = self._store.jobs.page(limit=limit, cursor=cursor, kind=kind, state=state, subject=subject)
        waiting = self._waits(found.rows)
        return found.map(lambda row: view(row, waiting.get(row.id)))

    def request_stop(self, job_id: str) -> Job:
        """Ask a job to stop: one that waits is cancelled at once, one that runs ends as its kind does.

        A job that is over stays as it is.

        Raises:
            NotFoundError: there is no such job.
        """
        row = self._row(job_id)
        while not (row.stop_requested or row.state in FINAL_STATES):
            self._ask_to_stop(row)
            row = self._row(job_id)
        return self.get(job_id)

    def tend(self) -> None:
        """Recover jobs whose supervisor died and start what is queued; every living process calls it every few seconds.

        It costs one small query when nothing is due, and may take some seconds while it ends what a killed supervisor
        left.
        """
        collect()
        rows = self._store.jobs.open()
        if rows and self._recovery.tend(rows, self._clock()):
            rows = self._store.jobs.open()
        if any(row.state == "queued" for row in rows):
            self._start_queued()

    async def tend_forever(self, *, interval_s: float = 2.0, until: Callable[[], object] = lambda: None) -> None:
        """Call `tend` again and again, in a thread, until cancelled or ``until`` gives something."""
        while not until():
            await anyio.to_thread.run_sync(self._tend_safely)
            await anyio.sleep(interval_s)

    def _tend_safely(self) -> None:
        try:
            self.tend()
        except Exception:  # noqa: BLE001 - other jobs' troubles must not end the process that looks after them
            _log.exception("Looking after the jobs failed; it is tried again.")

    def interrupt_all(self, *, timeout_s: float) -> tuple[str, ...]:
        """Let every job that runs here save and be interrupted, as a system does that shuts down, and wait for it.

        For a process whose end is the end of all, as in a container. What is interrupted goes on when a process of ours
        lives again; so no other one may tend this home meanwhile.

        Args:
            timeout_s: how long to wait.

        Returns:
            The jobs that still ran then.
        """
        asked: set[Identity] = set()
        end = time.monotonic() + timeout_s
        while True:
            living = self._supervised()
            for supervisor in set(living.values()) - asked:
                send(supervisor, signal.SIGTERM)
            asked.update(living.values())
            if not living or time.monotonic() > end:
                return tuple(living)
            time.sleep(_WAIT_POLL_S)

    def _supervised(self) -> Mapping[str, Identity]:
        """The living supervisor of each job that another process of this machine runs."""
        held = {row.id: Identity.from_json(row.supervisor) for row in self._store.jobs.open() if row.supervisor}
        return {name: one for name, one in held.items() if is_alive(one) and one != this_process()}

    async def wait(self, job_id: str, *, timeout_s: float, until: Callable[[Job], bool] = lambda job: job.done) -> Job:
        """The job once ``until`` holds or it is over, or as it is when the time is up.

        Raises:
            NotFoundError: there is no such job.
        """
        end = anyio.current_time() + timeout_s
        while True:
            job = await anyio.to_thread.run_sync(self.get, job_id)
            left = end - anyio.current_time()
            if job.done or until(job) or left <= 0:
                return job
            await anyio.sleep(min(_WAIT_POLL_S, left))

    def _add(self, kind: str, request: Mapping[str, Any], subject: str, **values: Any) -> JobRow:
        fields = {"state": "queued", "token": secrets.token_hex(16), "request": dict(request), **values}
        while True:
            now = self._clock()
            name = new_id(kind, now=now, rng=self._random)
            row = JobRow(id=name, kind=kind, subject=subject, created_at=now, changed_at=now, **fields)
            added = self._store.jobs.add(row)
            if added is not None:
                return added

    def _start_queued(self) -> None:
        rows = self._store.jobs.open()
        ready = [row for row in rows if row.state != "queued" or (row.kind in self._kinds and self._may_start(row))]
        for row in startable(ready, self._settings.max_jobs):
            self._start(row)

    def _may_start(self, row: JobRow) -> bool:
        """Whether what the job comes after, if anything, has succeeded; the job fails when that cannot be any more."""
        first = None if row.after is None else self._store.jobs.get(row.after)
        if first is None or first.state == "succeeded":
            return True
        if first.state in FINAL_STATES:
            self._recovery.fail(row, _dependency_failed(first), self._clock())
        return False

    def _start(self, row: JobRow) -> None:
        now = self._clock()
        guard: dict[str, Any] = {"where": ("queued",), "attempt": row.attempt, "room": self._settings.max_jobs}
        values: dict[str, Any] = {"supervisor": None, "heartbeat_at": None, "children": []}
        started = self._store.jobs.change(row.id, "starting", now=now, values=values, **guard)
        if started is None:
            return  # another process was faster, or took the place
        try:
            identity = launch(self._supervisor, started, self._settings)
        except MlopsError as error:
            self._recovery.fail(started, error, now)
        else:
            self._store.jobs.note_start(row.id, row.attempt, identity.to_json() if identity else None)

    def _ask_to_stop(self, row: JobRow) -> None:
        now = self._clock()
        to = {"running": "stopping", "interrupted": "interrupted"}.get(row.state, "cancelled")
        values = {"stop_requested": True} | ({"finished_at": now} if to == "cancelled" else {})
        self._store.jobs.change(row.id, to, where=(row.state,), attempt=row.attempt, now=now, values=values)

    def _waits(self, rows: Sequence[JobRow]) -> Mapping[str, Wait]:
        if not any(row.state in ("queued", "interrupted") for row in rows):
            return {}
        return waits(self._store.jobs.open(), self._settings.max_jobs)

    def _kind(self, name: str) -> Kind:
        if name not in self._kinds:
            raise InvalidInputError(
                f"There is no kind of job {name!r}.", fix=f"Kinds: {', '.join(sorted(self._kinds))}."
            )
        return self._kinds[name]

    def _row(self, job_id: str) -> JobRow:
        row = self._store.jobs.get(job_id)
        if row is None:
            raise NotFoundError(f"There is no job {job_id!r}.", fix=self._known())
        return row

    def _known(self) -> str:
        newest = self._store.jobs.page(limit=5, cursor=None).rows
        return f"The newest jobs are: {', '.join(row.id for row in newest) or 'none yet'}."


def _dependency_failed(first: JobRow) -> MlopsError:
    failure = first.failure or {
        "cause": "dependency_cancelled",
        "message": "it was cancelled.",
        "evidence": [],
        "fix": "",
    }
    return MlopsError(
        f"{first.id} ({first.kind}), which has to succeed first, is {first.state}: {failure['message']}",
        fix=failure["fix"] or "Start that one again, then this.",
        cause=failure["cause"],
        evidence=failure["evidence"],
    )
