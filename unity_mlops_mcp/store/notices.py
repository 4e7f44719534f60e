"""The tables of notifications: who is told, and what is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import DeliveryRow, EndpointRow
from unity_mlops_mcp.store.tables import deliveries, endpoints, events


class NoticeTable:
    """Endpoints and deliveries; ``now`` is always the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: EndpointRow) -> bool:
        """Add an endpoint, which is told of what happens from now on; False when its target has one."""
        with self._database.write() as connection:
            if connection.execute(endpoints.select().where(endpoints.c.target == row.target)).first() is not None:
                return False
            connection.execute(endpoints.insert().values({**asdict(row), "after_seq": _last_event()}))
        return True

    def endpoints(self) -> tuple[EndpointRow, ...]:
        """All endpoints, oldest first."""
        return self._endpoints()

    def remove(self, endpoint_id: str) -> bool:
        """Take an endpoint away with what is on its way; whether there was one."""
        with self._database.write() as connection:
            connection.execute(deliveries.delete().where(deliveries.c.endpoint_id == endpoint_id))
            return connection.execute(endpoints.delete().where(endpoints.c.endpoint_id == endpoint_id)).rowcount == 1

    def change(self, row: EndpointRow) -> None:
        """Write an endpoint's secret and data down anew."""
        query = endpoints.update().where(endpoints.c.endpoint_id == row.endpoint_id)
        with self._database.write() as connection:
            connection.execute(query.values(secret=row.secret, data=row.data))

    def disable(self, endpoint_id: str, reason: str, *, now: datetime) -> None:
        """Tell an endpoint nothing any more for a reason; what is on its way to it is dead."""
        pending = deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "pending"
        values = {"state": "dead", "problem": reason, "finished_at": now}
        with self._database.write() as connection:
            connection.execute(endpoints.update().where(endpoints.c.endpoint_id == endpoint_id).values(disabled=reason))
            connection.execute(deliveries.update().where(*pending).values(values))

    def enable(self, endpoint_id: str) -> None:
        """Tell a disabled endpoint of what happens from now on; one that is not disabled goes on as it was."""
        disabled = endpoints.c.endpoint_id == endpoint_id, endpoints.c.disabled.is_not(None)
        with self._database.write() as connection:
            values = {"disabled": None, "after_seq": _last_event()}
            connection.execute(endpoints.update().where(*disabled).values(values))

    def spread(self, endpoint: EndpointRow, upto: int, made: Sequence[DeliveryRow]) -> bool:
        """Write deliveries down and how far the endpoint is, in one transaction.

        False when somebody was faster, or the endpoint was disabled or removed.
        """
        same = endpoints.c.endpoint_id == endpoint.endpoint_id, endpoints.c.after_seq == endpoint.after_seq
        here = endpoints.update().where(*same, endpoints.c.disabled.is_(None))
        with self._database.write() as connection:
            if connection.execute(here.values(after_seq=upto)).rowcount != 1:
                return False
            for row in made:
                connection.execute(deliveries.insert().values(asdict(row)))
        return True

    def waiting(self, now: datetime) -> tuple[EndpointRow, ...]:
        """The endpoints that something is due for, oldest first; none that is disabled."""
        due = sa.select(deliveries.c.endpoint_id).where(*_due(now))
        return self._endpoints(endpoints.c.disabled.is_(None), endpoints.c.endpoint_id.in_(due))

    def claim(self, endpoint_id: str, *, now: datetime, until: datetime) -> DeliveryRow | None:
        """Take what is due the longest for an endpoint; nobody else takes it before ``until``, when it is due again."""
        wanted = deliveries.select().where(deliveries.c.endpoint_id == endpoint_id, *_due(now))
        first = wanted.order_by(deliveries.c.next_at, deliveries.c.seq).limit(1)
        with self._database.write() as connection:
            found = connection.execute(first).first()
            if found is None:
                return None
            row = DeliveryRow(**found._mapping)  # noqa: SLF001
            taken = deliveries.update().where(deliveries.c.delivery_id == row.delivery_id)
            connection.execute(taken.values(next_at=until))
        return row

    def settle(self, delivery_id: str, **values: Any) -> None:
        """Write down what became of an attempt."""
        query = deliveries.update().where(deliveries.c.delivery_id == delivery_id, deliveries.c.state == "pending")
        with self._database.write() as connection:
            connection.execute(query.values(**values))

    def replay(self, *, now: datetime, delivery_id: str | None = None, endpoint_id: str | None = None) -> int:
        """Let dead deliveries be tried anew: one, those of an endpoint, or all; how many there were.

        Those of disabled endpoints stay dead.
        """
        told = sa.select(endpoints.c.endpoint_id).where(endpoints.c.disabled.is_(None))
        wanted = [deliveries.c.state == "dead", deliveries.c.endpoint_id.in_(told)]
        wanted += [deliveries.c.delivery_id == delivery_id] if delivery_id else []
        wanted += [deliveries.c.endpoint_id == endpoint_id] if endpoint_id else []
        values = {"state": "pending", "attempts": 0, "next_at": now, "finished_at": None}
        with self._database.write() as connection:
            return int(connection.execute(deliveries.update().where(*wanted).values(values)).rowcount)

    def count(self, endpoint_id: str, state: str) -> int:
        """How many deliveries of an endpoint are in a state."""
        here = deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == state
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(deliveries).where(*here)).scalar_one())

    def deliveries(
        self, *, endpoint_id: str | None = None, state: str | None = None, limit: int | None = 50
    ) -> tuple[DeliveryRow, ...]:
        """What is or was on its way, newest first, of one endpoint and in one state where named."""
        wanted = [deliveries.c.endpoint_id == endpoint_id] if endpoint_id else []
        wanted += [deliveries.c.state == state] if state else []
        query = deliveries.select().where(*wanted).order_by(deliveries.c.seq.desc(), deliveries.c.delivery_id)
        with self._database.read() as connection:
            return tuple(DeliveryRow(**row._mapping) for row in connection.execute(query.limit(limit)))  # noqa: SLF001

    def _endpoints(self, *wanted: sa.ColumnElement[bool]) -> tuple[EndpointRow, ...]:
        query = endpoints.select().where(*wanted).order_by(endpoints.c.created_at, endpoints.c.endpoint_id)
        with self._database.read() as connection:
            return tuple(EndpointRow(**row._mapping) for row in connection.execute(query))  # noqa: SLF001


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.state == "pending", deliveries.c.next_at <= now


def _last_event() -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0)).scalar_subquery()
