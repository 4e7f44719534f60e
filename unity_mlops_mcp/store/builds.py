"""The table of builds, found by the hash of what went in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.store import paging
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import BuildRow, Page
from unity_mlops_mcp.store.tables import builds


class BuildTable:
    """Few verbs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: BuildRow) -> BuildRow | None:
        """Add a build; the one there is when the same inputs were built already; None when the id is taken."""
        with self._database.write() as connection:
            known = _first(connection, builds.c.digest == row.digest)
            if known is not None:
                return known
            if _first(connection, builds.c.build_id == row.build_id) is not None:
                return None
            connection.execute(builds.insert().values(asdict(row)))
        return row

    def replace(self, build_id: str, row: BuildRow) -> None:
        """Put a build in the place of another one whose files are gone."""
        with self._database.write() as connection:
            connection.execute(builds.delete().where(builds.c.build_id == build_id))
            connection.execute(builds.insert().values(asdict(row)))

    def get(self, build_id: str) -> BuildRow | None:
        """The build, or None."""
        with self._database.read() as connection:
            return _first(connection, builds.c.build_id == build_id)

    def by_digest(self, digest: str) -> BuildRow | None:
        """The build of these inputs, or None."""
        with self._database.read() as connection:
            return _first(connection, builds.c.digest == digest)

    def page(self, *, limit: int = 20, cursor: str | None = None, target: str | None = None) -> Page[BuildRow]:
        """Builds newest first, of one target where named."""
        query = builds.select() if target is None else builds.select().where(builds.c.target == target)
        query = paging.ordered(query, builds.c.created_at, builds.c.build_id, after=cursor is not None)
        with self._database.read() as connection:
            rows = [_build(row) for row in connection.execute(query, paging.bound(limit, cursor))]
        return paging.page(rows, [(row.created_at, row.build_id) for row in rows], limit)


def _first(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> BuildRow | None:
    found = connection.execute(builds.select().where(wanted)).first()
    return None if found is None else _build(found)


def _build(row: sa.Row[Any]) -> BuildRow:
    return BuildRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
