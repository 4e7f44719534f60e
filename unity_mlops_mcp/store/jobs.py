"""The table of jobs: every change of state is guarded, and leaves one event in the same transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.store import events, paging
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import ACTIVE_STATES, HELD_STATES, OPEN_STATES, JobRow, Json, Page
from unity_mlops_mcp.store.tables import jobs


class StaleAttemptError(ConflictError):
    """Another attempt has the job now, or nobody has; what the old one wanted to write is refused."""

    default_cause = "stale_attempt"


class JobTable:
    """Few verbs; ``now`` is always the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: JobRow) -> JobRow | None:
        """Add a job; the one there is when its kind and key are known already; None when the id is taken."""
        with self._database.write() as connection:
            known = _by_key(connection, row.kind, row.idempotency_key)
            if known is not None:
                return known
            if _by_id(connection, row.id) is not None:
                return None
            connection.execute(jobs.insert().values(asdict(row)))
            _tell(connection, row, row.state, {}, row.created_at)
        return row

    def get(self, job_id: str) -> JobRow | None:
        """The job, or None."""
        with self._database.read() as connection:
            return _by_id(connection, job_id)

    def latest(self, subject: str) -> JobRow | None:
        """The subject's newest job, or None."""
        query = jobs.select().where(jobs.c.subject == subject)
        with self._database.read() as connection:
            return _row(connection.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(1)).first())

    def page(self, *, limit: int, cursor: str | None, **equal: str | None) -> Page[JobRow]:
        """Jobs newest first; ``equal`` names columns and the values they must have, None for any."""
        wanted = [jobs.c[name] == value for name, value in equal.items() if value is not None]
        query = paging.ordered(jobs.select().where(*wanted), jobs.c.created_at, jobs.c.id, after=cursor is not None)
        with self._database.read() as connection:
            rows = [_known(row) for row in connection.execute(query, paging.bound(limit, cursor))]
        return paging.page(rows, [(row.created_at, row.id) for row in rows], limit)

    def open(self) -> tuple[JobRow, ...]:
        """All jobs that are not over, oldest first."""
        query = jobs.select().where(jobs.c.state.in_(OPEN_STATES)).order_by(jobs.c.created_at, jobs.c.id)
        with self._database.read() as connection:
            return tuple(_known(row) for row in connection.execute(query))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many jobs there are of each kind in each state."""
        query = sa.select(jobs.c.kind, jobs.c.state, sa.func.count()).group_by(jobs.c.kind, jobs.c.state)
        with self._database.read() as connection:
            return {(kind, state): count for kind, state, count in connection.execute(query)}

    def change(
        self,
        job_id: str,
        to: str,
        *,
        where: Collection[str],
        attempt: int | None,
        now: datetime,
        values: Json | None = None,
        room: int | None = None,
        data: Json | None = None,
    ) -> JobRow | None:
        """Change a job's state, with an event, if it is still as the caller believes.

        Args:
            job_id: the job.
            to: the new state.
            where: the states it must be in.
            attempt: the attempt it must be at; None for any.
            now: the moment of the change.
            values: further columns to set.
            room: the change is made only while fewer limited jobs than this are active.
            data: what the event says beside the states.

        Returns:
            The changed job; None when it was otherwise and nothing was done.
        """
        with self._database.write() as connection:
            row = _by_id(connection, job_id)
            if row is None or row.state not in where or attempt not in (None, row.attempt):
                return None
            if room is not None and row.limited and _active(connection) >= room:
                return None
            written: Json = {**(values or {}), "state": to, "changed_at": now}
            _set(connection, job_id, written)
            changed = replace(row, **written)
            _tell(connection, changed, to, {"from": row.state, **(data or {})}, now)
        return changed

    def beat(self, job_id: str, attempt: int, *, now: datetime, progress: Json | None) -> bool:
        """The supervisor lives; ``progress`` replaces what is stored unless None. Gives whether a stop is requested.

        Raises:
            StaleAttemptError: the attempt does not have the job any more.
        """
        values: Json = {"heartbeat_at": now} if progress is None else {"heartbeat_at": now, "progress": progress}
        with self._database.write() as connection:
            row = _held(connection, job_id, attempt)
            _set(connection, job_id, values)
        return row.stop_requested

    def add_child(self, job_id: str, attempt: int, identity: Json) -> None:
        """Note a process that the attempt started.

        Raises:
            StaleAttemptError: the attempt does not have the job any more.
        """
        with self._database.write() as connection:
            row = _held(connection, job_id, attempt)
            _set(connection, job_id, {"children": [*row.children, identity]})

    def add_event(self, job_id: str, attempt: int, name: str, data: Json, *, now: datetime) -> None:
        """Note something that happened in the attempt.

        Raises:
            StaleAttemptError: the attempt does not have the job any more.
        """
        with self._database.write() as connection:
            _tell(connection, _held(connection, job_id, attempt), name, data, now)

    def note_start(self, job_id: str, attempt: int, identity: Json | None) -> None:
        """Note which process was started to supervise the job, unless that has taken it up already."""
        waiting = sa.and_(jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state == "starting")
        with self._database.write() as connection:
            connection.execute(jobs.update().where(waiting).values(supervisor=identity))


def _known(row: sa.Row[Any]) -> JobRow:
    return JobRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _row(row: sa.Row[Any] | None) -> JobRow | None:
    return None if row is None else _known(row)


_BY_ID = jobs.select().where(jobs.c.id == sa.bindparam("job_id"))  # built once: building takes longer than running it


def _by_id(connection: sa.Connection, job_id: str) -> JobRow | None:
    return _row(connection.execute(_BY_ID, {"job_id": job_id}).first())


def _by_key(connection: sa.Connection, kind: str, key: str | None) -> JobRow | None:
    if key is None:
        return None
    return _row(connection.execute(jobs.select().where(jobs.c.kind == kind, jobs.c.idempotency_key == key)).first())


def _held(connection: sa.Connection, job_id: str, attempt: int) -> JobRow:
    row = _by_id(connection, job_id)
    if row is None or row.attempt != attempt or row.state not in HELD_STATES:
        now = "gone" if row is None else f"{row.state} at attempt {row.attempt}"
        raise StaleAttemptError(
            f"Attempt {attempt} of {job_id} wanted to write, but the job is {now}.",
            fix="Nothing: the newer one counts.",
        )
    return row


def _set(connection: sa.Connection, job_id: str, values: Json) -> None:
    connection.execute(jobs.update().where(jobs.c.id == job_id).values(values))


def _active(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).where(jobs.c.limited, jobs.c.state.in_(ACTIVE_STATES))
    return int(connection.execute(query).scalar_one())


def _tell(connection: sa.Connection, row: JobRow, name: str, data: Json, now: datetime) -> None:
    events.insert(connection, job_id=row.id, attempt=row.attempt, name=name, state=row.state, data=data, now=now)
