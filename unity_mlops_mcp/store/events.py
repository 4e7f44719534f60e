"""What happened to jobs, in the order of commits: the history, and the outbox that notifications are sent from."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import EventRow, Json
from unity_mlops_mcp.store.tables import builds, evaluations, events, runs


def insert(
    connection: sa.Connection, *, job_id: str, attempt: int, name: str, state: str, data: Json, now: datetime
) -> None:
    """Add an event inside the transaction of the change that it tells of; for this package."""
    connection.execute(
        events.insert().values(job_id=job_id, attempt=attempt, name=name, state=state, data=data, at=now)
    )


_TURNS = sa.select(
    sa.select(sa.func.max(events.c.seq)).scalar_subquery(),
    *(sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in (runs, builds, evaluations)),
)


class Events:
    """The table of events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, job_id: str) -> tuple[EventRow, ...]:
        """All that happened to a job, oldest first."""
        return self._select(events.select().where(events.c.job_id == job_id))

    def after(self, seq: int, *, limit: int = 100) -> tuple[EventRow, ...]:
        """What came after an event, oldest first; 0 for the beginning."""
        return self._select(events.select().where(events.c.seq > seq).limit(limit))

    def turns(self) -> tuple[int | None, ...]:
        """What is another value once anything began, ended or was removed, and the same while work only goes on."""
        with self._database.read() as connection:
            return tuple(connection.execute(_TURNS).one())

    def _select(self, query: sa.Select[tuple[object, ...]]) -> tuple[EventRow, ...]:
        with self._database.read() as connection:
            found = connection.execute(query.order_by(events.c.seq))
            return tuple(EventRow(**row._mapping) for row in found)  # noqa: SLF001 - SQLAlchemy's public name
