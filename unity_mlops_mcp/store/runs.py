"""The table of training runs; a run's state is that of its latest job."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.store import paging
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import OPEN_STATES, JobRow, Page, RunRow
from unity_mlops_mcp.store.tables import jobs, runs

_JOB_COLUMNS = [column.label(f"job__{column.name}") for column in jobs.c]


class RunTable:
    """Few verbs; the rows that come back carry the latest job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: RunRow) -> RunRow | None:
        """Add a run; the one there is when its key is known already; None when the run id is taken."""
        with self._database.write() as connection:
            if row.idempotency_key is not None:
                known = _first(connection, _BY_KEY, row.idempotency_key)
                if known is not None:
                    return known
            if _first(connection, _BY_ID, row.run_id) is not None:
                return None
            values = asdict(row)
            del values["job"]
            connection.execute(runs.insert().values(values))
            return _first(connection, _BY_ID, row.run_id)

    def get(self, run_id: str) -> RunRow | None:
        """The run, or None."""
        with self._database.read() as connection:
            return _first(connection, _BY_ID, run_id)

    def by_key(self, idempotency_key: str) -> RunRow | None:
        """The run that was added under this key, or None."""
        with self._database.read() as connection:
            return _first(connection, _BY_KEY, idempotency_key)

    def attach_job(self, run_id: str, job_id: str, **values: Any) -> None:
        """Make this the run's latest job; ``values`` are further columns to set, such as a new ``max_steps``."""
        change = runs.update().where(runs.c.run_id == run_id).values(job_id=job_id, **values)
        with self._database.write() as connection:
            connection.execute(change)

    def astray(self) -> tuple[str, ...]:
        """Runs without a job, or with an open one that is not theirs: a process died between two writes."""
        still_open = sa.select(jobs.c.id).where(jobs.c.state.in_(OPEN_STATES))
        has_another = runs.c.run_id.in_(sa.select(jobs.c.subject).where(jobs.c.id.in_(still_open)))
        lost = sa.or_(runs.c.job_id.is_(None), sa.and_(has_another, runs.c.job_id.not_in(still_open)))
        with self._database.read() as connection:
            return tuple(connection.execute(sa.select(runs.c.run_id).where(lost)).scalars())

    def page(
        self,
        *,
        limit: int = 20,
        cursor: str | None = None,
        state: str | None = None,
        behavior: str | None = None,
        asset: str | None = None,
    ) -> Page[RunRow]:
        """Runs newest first, of one state, behaviour or asset where named."""
        given = {"state": state, "behavior": behavior, "asset": asset}
        equal = {name: value for name, value in given.items() if value is not None}
        query = _page_query(tuple(equal), after=cursor is not None)
        with self._database.read() as connection:
            rows = [_run(row) for row in connection.execute(query, {**equal, **paging.bound(limit, cursor)})]
        return paging.page(rows, [(row.created_at, row.run_id) for row in rows], limit)


@lru_cache(maxsize=16)  # all combinations there are
def _page_query(equal: tuple[str, ...], *, after: bool) -> sa.Select[Any]:
    columns = {"state": jobs.c.state, "behavior": runs.c.behavior_name, "asset": runs.c.asset}
    wanted = [columns[name] == sa.bindparam(name) for name in equal]
    return paging.ordered(_joined().where(*wanted), runs.c.created_at, runs.c.run_id, after=after)


def _joined() -> sa.Select[Any]:
    return sa.select(*runs.c, *_JOB_COLUMNS).select_from(runs.outerjoin(jobs, jobs.c.id == runs.c.job_id))


# Built once: building a query takes longer than running it.
_BY_ID = _joined().where(runs.c.run_id == sa.bindparam("wanted"))
_BY_KEY = _joined().where(runs.c.idempotency_key == sa.bindparam("wanted"))


def _first(connection: sa.Connection, query: sa.Select[Any], wanted: str) -> RunRow | None:
    found = connection.execute(query, {"wanted": wanted}).first()
    return None if found is None else _run(found)


def _run(row: sa.Row[Any]) -> RunRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    job = {column.name: values.pop(f"job__{column.name}") for column in jobs.c}
    return RunRow(**values, job=JobRow(**job) if job["id"] is not None else None)
