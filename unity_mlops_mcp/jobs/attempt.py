"""One attempt of a job, from the moment a process has it until its end is written down."""

from __future__ import annotations

import json
import logging
import signal
import traceback
from collections.abc import Callable, Collection
from typing import Any

import anyio
import anyio.to_thread

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, MlopsError, refused_by_system
from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.view import failure_row, view
from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.tree import Tree
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.jobs import StaleAttemptError
from unity_mlops_mcp.store.rows import HELD_STATES, JobRow, Json
from unity_mlops_mcp.store.store import Store

HEARTBEAT_S = 1.0
_LOOK_S = 0.25  # how often a stop request is looked for
_WRITE_AGAIN_S = 120.0  # how long the end is tried to be written when the disk refuses it
_log = logging.getLogger(__name__)


class Attempt:
    """Runs a job's handler, reports that it lives, hears stop requests, ends its processes, and writes the end.

    Args:
        row: the job, running, as this process has it.
        kind: its sort of work.
        store: where its state is kept.
        settings: the settings of this process.
        signalled: the signal that asked this process to end, if any: SIGTERM interrupts the job, others cancel it.
        strays: processes of the job that do not carry its token.
    """

    def __init__(
        self,
        row: JobRow,
        kind: Kind,
        *,
        store: Store,
        settings: Settings,
        signalled: Callable[[], int | None] = lambda: None,
        strays: Callable[[], Collection[Identity]] = tuple,
    ) -> None:
        self._row = row
        self._kind = kind
        self._jobs = store.jobs
        self._signalled = signalled
        self._strays = strays
        self._stale: StaleAttemptError | None = None
        self._shut_down = False
        self._context = JobContext(view(row), token=row.attempt_token, store=store, settings=settings)

    async def run(self) -> JobRow:
        """Run it to its end; gives the job in its final state.

        Raises:
            StaleAttemptError: another attempt has the job; our processes are ended, nothing was written.
        """
        end: Json = {}
        async with anyio.create_task_group() as group:
            group.start_soon(self._report, group.cancel_scope)
            end = await self._handle()
            await anyio.to_thread.run_sync(self._end_processes)
            group.cancel_scope.cancel()
        if self._stale is not None:
            await anyio.to_thread.run_sync(self._end_processes)
            raise self._stale
        return await self._finish(end)

    async def _handle(self) -> Json:
        """Run the handler; gives the columns that its end sets."""
        try:
            result = await self._kind.run(self._context)
            json.dumps(result)
        except Exception as raised:  # noqa: BLE001 - the top of a job: whatever goes wrong is how it ended
            error = _only_one(raised)
            error = refused_by_system(error) or error
            if isinstance(error, StaleAttemptError):
                self._stale = error
            elif isinstance(error, MlopsError):
                return _failed(error)
            else:
                _log.exception("The handler of %s failed.", self._row.id)
                return _failed(_internal(error, self._row))
        else:
            if not self._context.stop_requested.is_set():
                return {"to": "succeeded", "values": {"result": result}}
            if self._shut_down:
                return {"to": "interrupted", "values": {}, "data": {"by": "shutdown"}}
            return {"to": "cancelled", "values": {"result": result}}
        return {}

    async def _report(self, scope: anyio.CancelScope) -> None:
        next_beat = 0.0
        while True:
            beats = anyio.current_time() >= next_beat
            if beats:
                next_beat = anyio.current_time() + HEARTBEAT_S
            try:
                stop = await anyio.to_thread.run_sync(self._beat if beats else self._look)
            except StaleAttemptError as error:
                self._stale = error
                scope.cancel()
                return
            except MlopsError as error:  # a full disk passes; the work goes on
                _log.warning("The heartbeat of %s could not be written: %s", self._row.id, error)
                stop = self._signalled() is not None
            if stop:
                self._context.stop_requested.set()
            await anyio.sleep(_LOOK_S)

    def _beat(self) -> bool:
        progress = self._context.unwritten_progress()
        return self._jobs.beat(self._row.id, self._row.attempt, now=utc_now(), progress=progress)

    def _look(self) -> bool:
        number = self._signalled()
        if number is not None and not self._context.stop_requested.is_set():
            self._shut_down = number == signal.SIGTERM
            values = {"stop_requested": not self._shut_down}
            self._change("stopping", where=("running",), values=values, data={"by": f"signal {number}"})
        row = self._jobs.get(self._row.id)
        asked = row is not None and row.attempt == self._row.attempt and row.stop_requested
        self._shut_down = self._shut_down and not asked  # a person's stop counts more than the system's
        return asked or self._shut_down

    def _change(self, to: str, **options: Any) -> JobRow | None:
        return self._jobs.change(self._row.id, to, attempt=self._row.attempt, now=utc_now(), **options)

    def _end_processes(self) -> None:
        left = Tree(self._strays(), self._row.attempt_token).stop(grace_s=0.0)
        for identity in left:
            _log.error("Process %d of %s could not be ended.", identity.pid, self._row.id)

    async def _finish(self, end: Json) -> JobRow:
        give_up = anyio.current_time() + _WRITE_AGAIN_S
        while True:
            written = await anyio.to_thread.run_sync(self._write_end, end, anyio.current_time() > give_up)
            if written is not None:
                return written
            await anyio.sleep(HEARTBEAT_S)

    def _write_end(self, end: Json, last_time: bool) -> JobRow | None:
        """Write the end; None when the disk refuses it for now."""
        always: Json = {"progress": self._context.latest_progress}
        if end["to"] != "interrupted":
            always["finished_at"] = utc_now()
        try:
            done = self._change(**{**end, "where": HELD_STATES, "values": {**end["values"], **always}})
        except ExternalError as error:
            _log.warning("The end of %s could not be written: %s", self._row.id, error)
            if last_time:
                raise
            return None
        if done is None:
            raise StaleAttemptError(
                f"Attempt {self._row.attempt} of {self._row.id} ended, but the job has moved on.",
                fix="Nothing: the newer attempt counts.",
            )
        return done


def _only_one(error: Exception) -> Exception:
    """What was raised, without the groups that task groups wrap around a single error."""
    inner: tuple[Exception, ...] = getattr(error, "exceptions", ())
    return _only_one(inner[0]) if len(inner) == 1 else error


def _failed(error: MlopsError) -> Json:
    told = {"cause": error.cause, "message": error.message}
    return {"to": "failed", "values": {"failure": failure_row(error)}, "data": told}


def _internal(error: Exception, row: JobRow) -> MlopsError:
    lines = [line for part in traceback.format_exception(error) for line in part.rstrip().splitlines()]
    return MlopsError(
        f"{row.kind} failed in a way that it should not: {type(error).__name__}: {error}.",
        fix=f"Look at artifacts/{row.id}/supervisor.log in the home, and report it.",
        cause="internal",
        evidence=lines[-6:],
    )
