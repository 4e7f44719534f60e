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
        last = sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))
        with self._database.write() as connection:
            if connection.execute(endpoints.select().where(endpoints.c.target == row.target)).first() is not None:
                return False
            after = int(connection.execute(last).scalar_one())
            connection.execute(endpoints.insert().values({**asdict(row), "after_seq": after}))
        return True

    def endpoints(self) -> tuple[EndpointRow, ...]:
        """All endpoints, oldest first."""
        query = endpoints.select().order_by(endpoints.c.created_at, endpoints.c.endpoint_id)
        with self._database.read() as connection:
            return tuple(EndpointRow(**row._mapping) for row in connection.execute(query))  # noqa: SLF001

    def remove(self, endpoint_id: str) -> bool:
        """Take an endpoint away with what is on its way; whether there was one."""
        with self._database.write() as connection:
            connection.execute(deliveries.delete().where(deliveries.c.endpoint_id == endpoint_id))
            return connection.execute(endpoints.delete().where(endpoints.c.endpoint_id == endpoint_id)).rowcount == 1

    def disable(self, endpoint_id: str, reason: str | None) -> bool:
        """Tell an endpoint nothing any more for a reason, or with None tell it again; whether there is one."""
        query = endpoints.update().where(endpoints.c.endpoint_id == endpoint_id).values(disabled=reason)
        with self._database.write() as connection:
            return connection.execute(query).rowcount == 1

    def spread(self, endpoint: EndpointRow, upto: int, made: Sequence[DeliveryRow]) -> bool:
        """Write deliveries down and how far the endpoint is, in one transaction; False when somebody was faster."""
        same = endpoints.c.endpoint_id == endpoint.endpoint_id, endpoints.c.after_seq == endpoint.after_seq
        with self._database.write() as connection:
            if connection.execute(endpoints.update().where(*same).values(after_seq=upto)).rowcount != 1:
                return False
            for row in made:
                connection.execute(deliveries.insert().values(asdict(row)))
        return True

    def claim(self, *, now: datetime, until: datetime, limit: int) -> tuple[DeliveryRow, ...]:
        """Take deliveries that are due; nobody else takes them before ``until``, when they are due again."""
        wanted = deliveries.select().where(deliveries.c.state == "pending", deliveries.c.next_at <= now)
        wanted = wanted.order_by(deliveries.c.next_at, deliveries.c.seq).limit(limit)
        if not self._due(now):
            return ()
        with self._database.write() as connection:
            rows = [DeliveryRow(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001
            ids = [row.delivery_id for row in rows]
            connection.execute(deliveries.update().where(deliveries.c.delivery_id.in_(ids)).values(next_at=until))
        return tuple(rows)

    def settle(self, delivery_id: str, **values: Any) -> None:
        """Write down what became of an attempt."""
        query = deliveries.update().where(deliveries.c.delivery_id == delivery_id, deliveries.c.state == "pending")
        with self._database.write() as connection:
            connection.execute(query.values(**values))

    def replay(self, *, now: datetime, delivery_id: str | None = None, endpoint_id: str | None = None) -> int:
        """Let dead deliveries be tried anew: one, those of an endpoint, or all; how many there were."""
        wanted = [deliveries.c.state == "dead"]
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

    def _due(self, now: datetime) -> bool:
        due = sa.select(deliveries.c.delivery_id).where(deliveries.c.state == "pending", deliveries.c.next_at <= now)
        with self._database.read() as connection:
            return connection.execute(due.limit(1)).first() is not None
