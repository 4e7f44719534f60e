"""The tables of schedules, their firings, and leases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.store import events
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import FiringRow, Json, ScheduleRow
from unity_mlops_mcp.store.tables import firings, leases, schedules

OPEN_FIRINGS = ("due", "waiting", "running")
"""States of firings that are not over."""


class ScheduleTable:
    """Schedules and firings; ``now`` is always the caller's. Every change of a firing leaves an event beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ScheduleRow) -> bool:
        """Add a schedule; False when another has its name, or an id that is its name."""
        with self._database.write() as connection:
            if _is_taken(connection, row.name, by_other_than=row.schedule_id):
                return False
            connection.execute(schedules.insert().values(asdict(row)))
        return True

    def get(self, schedule_id: str) -> ScheduleRow | None:
        """The schedule of this id or name, or None."""
        wanted = sa.or_(schedules.c.schedule_id == schedule_id, schedules.c.name == schedule_id)
        return next(iter(self._schedules(schedules.select().where(wanted))), None)

    def all(self) -> tuple[ScheduleRow, ...]:
        """All schedules, oldest first."""
        return self._schedules(schedules.select().order_by(schedules.c.created_at, schedules.c.schedule_id))

    def any(self) -> bool:
        """Whether there is a schedule, or a firing that is not over."""
        with self._database.read() as connection:
            if connection.execute(sa.select(schedules.c.schedule_id).limit(1)).first() is not None:
                return True
            still = sa.select(firings.c.firing_id).where(firings.c.state.in_(OPEN_FIRINGS)).limit(1)
            return connection.execute(still).first() is not None

    def change(self, schedule_id: str, *, now: datetime, **values: Any) -> bool:
        """Set columns of a schedule; False when there is none, or another has the new name."""
        query = schedules.update().where(schedules.c.schedule_id == schedule_id).values(changed_at=now, **values)
        with self._database.write() as connection:
            if "name" in values and _is_taken(connection, values["name"], by_other_than=schedule_id):
                return False
            return connection.execute(query).rowcount == 1

    def remove(self, schedule_id: str) -> bool:
        """Take a schedule away; its firings stay as history. Whether there was one."""
        with self._database.write() as connection:
            return connection.execute(schedules.delete().where(schedules.c.schedule_id == schedule_id)).rowcount == 1

    def fire(self, row: ScheduleRow, due: Iterable[FiringRow], *, until: datetime) -> tuple[FiringRow, ...]:
        """Write due moments down and note up to when the schedule was looked at, all in one transaction.

        Args:
            row: the schedule as the caller read it; when it was changed or looked at since, nothing is written.
            due: its new firings; a moment that has one already keeps it.
            until: the new ``seen_until``.

        Returns:
            The firings that were new.
        """
        same = (
            schedules.c.schedule_id == row.schedule_id,
            schedules.c.changed_at == row.changed_at,
            schedules.c.seen_until == row.seen_until,
        )
        with self._database.write() as connection:
            if connection.execute(schedules.update().where(*same).values(seen_until=until)).rowcount != 1:
                return ()
            return tuple(firing for firing in due if _insert(connection, firing))

    def add_firing(self, firing: FiringRow) -> bool:
        """Add a firing that no rule made; False when its moment has one."""
        with self._database.write() as connection:
            return _insert(connection, firing)

    def change_firing(
        self,
        firing_id: str,
        to: str,
        *,
        where: Collection[str],
        now: datetime,
        values: Json | None = None,
        data: Json | None = None,
    ) -> bool:
        """Change a firing's state, with an event, if it is still in one of the states ``where``.

        Args:
            firing_id: the firing.
            to: its new state.
            where: the states it must be in.
            now: the moment of the change.
            values: further columns to set.
            data: what the event says besides.
        """
        here = firings.c.firing_id == firing_id, firings.c.state.in_(where)
        with self._database.write() as connection:
            written = {**(values or {}), "state": to, "changed_at": now}
            if connection.execute(firings.update().where(*here).values(written)).rowcount != 1:
                return False
            found = connection.execute(firings.select().where(firings.c.firing_id == firing_id)).one()
            _tell(connection, FiringRow(**found._mapping), now, data or {})  # noqa: SLF001 - its public name
        return True

    def note_jobs(self, firing_id: str, job_ids: Sequence[str]) -> None:
        """Write down which jobs a running firing has started."""
        with self._database.write() as connection:
            connection.execute(firings.update().where(firings.c.firing_id == firing_id).values(jobs=list(job_ids)))

    def open_firings(self) -> tuple[FiringRow, ...]:
        """Firings that are not over, the oldest first."""
        wanted = firings.select().where(firings.c.state.in_(OPEN_FIRINGS))
        return self._firings(wanted.order_by(firings.c.due_at, firings.c.firing_id))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many firings each schedule has in each state."""
        key = firings.c.schedule_id, firings.c.state
        with self._database.read() as connection:
            found = connection.execute(sa.select(*key, sa.func.count()).group_by(*key))
            return {(schedule_id, state): int(count) for schedule_id, state, count in found}

    def firing(self, firing_id: str) -> FiringRow | None:
        """One firing; None when there is none of this id."""
        return next(iter(self._firings(firings.select().where(firings.c.firing_id == firing_id))), None)

    def firings_of(self, schedule_id: str, *, limit: int | None = 20) -> tuple[FiringRow, ...]:
        """A schedule's firings, newest first."""
        wanted = firings.select().where(firings.c.schedule_id == schedule_id)
        return self._firings(wanted.order_by(firings.c.due_at.desc()).limit(limit))

    def ended_firings(self, schedule_id: str, *, until: datetime, limit: int) -> tuple[FiringRow, ...]:
        """A schedule's firings that ended up to a moment, the last ended first."""
        wanted = firings.select().where(firings.c.schedule_id == schedule_id, firings.c.finished_at <= until)
        return self._firings(wanted.order_by(firings.c.finished_at.desc(), firings.c.due_at.desc()).limit(limit))

    def lease(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Take or renew a lease; False while somebody else holds it.

        A lease whose end lies further ahead than anybody takes one for was made by a clock that was wrong, and is free.
        """
        longest = until + (until - now)
        with self._database.write() as connection:
            found = connection.execute(leases.select().where(leases.c.name == name)).first()
            if found is not None and found.holder != holder and now < found.until <= longest:
                return False
            connection.execute(leases.delete().where(leases.c.name == name))
            connection.execute(leases.insert().values(name=name, holder=holder, until=until))
        return True

    def lease_holder(self, name: str, *, now: datetime, longest: timedelta) -> str | None:
        """Who holds a lease; None when nobody does, or by a clock that was wrong: longer than anybody takes one for."""
        here = leases.c.name == name, leases.c.until > now, leases.c.until <= now + longest
        with self._database.read() as connection:
            return connection.execute(sa.select(leases.c.holder).where(*here)).scalar()

    def release(self, name: str, holder: str) -> None:
        """Give a lease back, when it is still held."""
        with self._database.write() as connection:
            connection.execute(leases.delete().where(leases.c.name == name, leases.c.holder == holder))

    def _schedules(self, query: sa.Select[Any]) -> tuple[ScheduleRow, ...]:
        with self._database.read() as connection:
            return tuple(ScheduleRow(**row._mapping) for row in connection.execute(query))  # noqa: SLF001

    def _firings(self, query: sa.Select[Any]) -> tuple[FiringRow, ...]:
        with self._database.read() as connection:
            return tuple(FiringRow(**row._mapping) for row in connection.execute(query))  # noqa: SLF001


def _is_taken(connection: sa.Connection, name: str, *, by_other_than: str) -> bool:
    """Whether a name would mean two schedules, which are found by name or id."""
    known = sa.or_(schedules.c.name == name, schedules.c.schedule_id == name)
    others = sa.select(schedules.c.schedule_id).where(known, schedules.c.schedule_id != by_other_than)
    return connection.execute(others).first() is not None


def _insert(connection: sa.Connection, firing: FiringRow) -> bool:
    same = firings.c.schedule_id == firing.schedule_id, firings.c.due_at == firing.due_at
    if connection.execute(sa.select(firings.c.firing_id).where(*same)).first() is not None:
        return False
    connection.execute(firings.insert().values(asdict(firing)))
    _tell(connection, firing, firing.changed_at, {})
    return True


def _tell(connection: sa.Connection, firing: FiringRow, now: datetime, data: Json) -> None:
    told = {"schedule_id": firing.schedule_id, "due_at": firing.due_at.timestamp(), "reason": firing.reason, **data}
    events.insert(
        connection,
        job_id=firing.firing_id,
        attempt=0,
        name=f"firing_{firing.state}",
        state=firing.state,
        data=told,
        now=now,
    )
