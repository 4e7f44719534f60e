"""What is done about jobs whose supervisor died: find them, end what is left of them, and let them go on.

Any living process may do this at any time; every step is a guarded change, and one lock keeps two processes from ending
the same leftovers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.jobs.kinds import Kind
from unity_mlops_mcp.jobs.launch import log_tail
from unity_mlops_mcp.jobs.view import failure_row, view
from unity_mlops_mcp.process import system
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.process.identity import Identity, is_alive, send
from unity_mlops_mcp.process.tree import Tree
from unity_mlops_mcp.store.rows import HELD_STATES, JobRow, Json
from unity_mlops_mcp.store.store import Store

HEARTBEAT_OLD = timedelta(seconds=3)
_UNKNOWN_START = timedelta(seconds=30)  # no supervisor took the job, and nobody knows which process was started
_HUNG_START = timedelta(seconds=120)
_MAX_STARTS = 3
_log = logging.getLogger(__name__)


class Recovery:
    """Looks after jobs whose supervisor died or never came.

    Args:
        store: where their state is kept.
        settings: the settings of this process.
        kinds: the kinds that this process knows; jobs of others are left alone.
    """

    def __init__(self, store: Store, settings: Settings, kinds: Mapping[str, Kind]) -> None:
        self._store = store
        self._settings = settings
        self._kinds = kinds

    def tend(self, rows: Sequence[JobRow], now: datetime) -> bool:
        """Do what is due for these open jobs; gives whether any has changed."""
        changed = [self._interrupt(row, now) for row in rows if row.state in HELD_STATES and self._is_dead(row, now)]
        changed += [self._retry_start(row, now) for row in rows if row.state == "starting"]
        if any(changed) or any(row.state == "interrupted" for row in rows):
            changed.append(self._resume_interrupted(now))
        return any(changed)

    def fail(self, row: JobRow, error: MlopsError, now: datetime) -> bool:
        """Write that the job, in the state that the row has, has failed."""
        return self._change(row, "failed", now, {"failure": failure_row(error), "finished_at": now})

    def start_failed(self, row: JobRow, now: datetime) -> bool:
        """A supervisor did not take up the job: queue it again, or fail it when that has happened too often."""
        if row.starts + 1 < _MAX_STARTS:
            return self._change(row, "queued", now, {"starts": row.starts + 1, "supervisor": None})
        error = MlopsError(
            f"The supervisor of {row.id} ended {_MAX_STARTS} times before it took up the job.",
            fix="Read the evidence; run unity-mlops doctor to check this installation, then start the job again.",
            cause="supervisor_failed",
            evidence=log_tail(self._settings.home, row.id),
        )
        return self.fail(row, error, now)

    def _interrupt(self, row: JobRow, now: datetime) -> bool:
        return self._change(row, "interrupted", now, {})

    def _retry_start(self, row: JobRow, now: datetime) -> bool:
        age = now - row.changed_at
        if row.supervisor is None:
            return age > _UNKNOWN_START and self.start_failed(row, now)
        identity = Identity.from_json(row.supervisor)
        if self._is_gone(identity):
            return self.start_failed(row, now)
        if age > _HUNG_START:
            send(identity, system.kill_signal())
        return False

    def _is_dead(self, row: JobRow, now: datetime) -> bool:
        if row.supervisor is None:
            return True
        identity = Identity.from_json(row.supervisor)
        quiet = row.heartbeat_at is None or abs(now - row.heartbeat_at) > HEARTBEAT_OLD
        return (quiet or not _same_boot(identity)) and self._is_gone(identity)

    def _is_gone(self, identity: Identity) -> bool:
        """By its pid where that can be looked up; another boot of this host means gone; else a lock tells."""
        if identity.same_place():
            return not is_alive(identity)
        if identity.host == system.host_name() and not _same_boot(identity):
            return True
        return self._store.presence.is_gone(identity)

    def _resume_interrupted(self, now: datetime) -> bool:
        lock = FileLock(self._store.locks / "recovery.lock")
        if not lock.acquire():
            return False  # another process is at it
        try:
            rows = [row for row in self._store.jobs.open() if row.state == "interrupted"]
            changed = [self._resume(row, now) for row in rows if row.kind in self._kinds]
            return any(changed)
        finally:
            lock.release()

    def _resume(self, row: JobRow, now: datetime) -> bool:
        roots = [Identity.from_json(child) for child in row.children]
        left = Tree(roots, row.attempt_token).stop(grace_s=self._kinds[row.kind].grace_s)
        if left:
            _log.error("Processes %s of %s could not be ended.", sorted(one.pid for one in left), row.id)
            return False
        row = self._store.jobs.get(row.id) or row  # a stop may have been requested meanwhile
        if row.stop_requested:
            return self._change(row, "cancelled", now, {"finished_at": now})
        error = self._obstacle(row)
        if error is not None:
            return self.fail(row, error, now)
        fresh: Json = {"attempt": row.attempt + 1, "starts": 0, "supervisor": None, "children": []}
        return self._change(row, "queued", now, fresh)

    def _obstacle(self, row: JobRow) -> MlopsError | None:
        """Why no new attempt can go on, or None."""
        interruptions = [event for event in self._store.events.of(row.id) if event.name == "interrupted"]
        killed = [event for event in interruptions if "by" not in event.data]  # the others were asked for, and saved
        why = "the process that supervised it was killed" if interruptions[-1:] == killed[-1:] else "it was shut down"
        cut = f"Attempt {row.attempt} of {row.id} was cut off: {why}"
        if len(killed) >= self._settings.max_attempts:
            return MlopsError(
                f"{cut}, and UNITY_MLOPS_MAX_ATTEMPTS ({self._settings.max_attempts}) allows no further one.",
                fix="Find out what kills it (memory, a container's limit, a power cut), then resume it.",
                cause="too_many_attempts",
                evidence=log_tail(self._settings.home, row.id),
            )
        try:
            resumable = self._kinds[row.kind].can_resume(view(row))
        except MlopsError as error:
            return error
        if resumable:
            return None
        return MlopsError(
            f"{cut}, and it had saved nothing that a new attempt could go on from.",
            fix="Start it again, with force=true where its name shall stay the same.",
            cause="interrupted",
            evidence=log_tail(self._settings.home, row.id),
        )

    def _change(self, row: JobRow, to: str, now: datetime, values: Json) -> bool:
        changed = self._store.jobs.change(row.id, to, where=(row.state,), attempt=row.attempt, now=now, values=values)
        return changed is not None


def _same_boot(identity: Identity) -> bool:
    return identity.boot == system.boot_id()
