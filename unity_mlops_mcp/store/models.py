"""The tables of the registry: models, their versions, aliases, audit and incidents; every change is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from unity_mlops_mcp.store import events, paging
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import AliasRow, AuditRow, IncidentRow, ModelRow, Page, VersionRow
from unity_mlops_mcp.store.tables import aliases, audit, incidents, model_versions, models

RowT = TypeVar("RowT")


class ModelTable:
    """What is registered, and what every alias points to.

    An alias moves by compare-and-set: whoever saw an older state than the present one moves nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_version(
        self, model: ModelRow, policy_sha256: str, make: Callable[[int], VersionRow], *, reason: str | None = None
    ) -> tuple[VersionRow, bool]:
        """Add a version with the model's next number, and the model when it is the first; an audit row tells of it.

        Args:
            model: its name decides; the other values are those of a new model.
            policy_sha256: the same policy gives the version there is.
            make: gives the row for a number; it runs while the database is held, so that it must be quick, and what it
                raises leaves the database as it was.
            reason: kept in the audit row.

        Returns:
            The version, and whether it is new.
        """
        same = sa.and_(model_versions.c.name == model.name, model_versions.c.policy_sha256 == policy_sha256)
        last = sa.select(sa.func.max(model_versions.c.number)).where(model_versions.c.name == model.name)
        with self._database.write() as connection:
            known = _one(connection, model_versions.select().where(same), VersionRow)
            if known is not None:
                return known, False
            row = make(1 + (connection.execute(last).scalar() or 0))
            if _one(connection, models.select().where(models.c.name == model.name), ModelRow) is None:
                connection.execute(models.insert().values(asdict(model)))
            connection.execute(model_versions.insert().values(asdict(row)))
            _write_down(
                connection,
                AuditRow(row.name, "register", row.created_at, version_id=row.version_id, reason=reason),
            )
        return row, True

    @contextmanager
    def held(self, name: str) -> Iterator[frozenset[str]]:
        """The ids of a model's versions, while no process can add one."""
        wanted = sa.select(model_versions.c.version_id).where(model_versions.c.name == name)
        with self._database.write() as connection:
            yield frozenset(connection.execute(wanted).scalars())

    def move_alias(
        self,
        to: AliasRow,
        *,
        expected: AliasRow | None,
        note: AuditRow,
        freeze: str | None = None,
        incident: IncidentRow | None = None,
        though_frozen: bool = False,
    ) -> bool:
        """Let an alias point to another version, all in one transaction with its audit row.

        Args:
            to: where it shall stand; its ``moves`` is worked out here.
            expected: where it stood when the decision was made; None: nowhere.
            note: the audit row.
            freeze: a reason to freeze the model by in the same breath.
            incident: opened in the same breath.
            though_frozen: move it in a frozen model too.

        Returns:
            False when it stands elsewhere by now, or the model is frozen by now; nothing was written then.
        """
        with self._database.write() as connection:
            model = _one(connection, models.select().where(models.c.name == to.name), ModelRow)
            if model is None or (model.frozen is not None and not though_frozen):
                return False
            if not _compare_and_set(connection, to, expected):
                return False
            _write_down(connection, note)
            if freeze is not None:
                connection.execute(models.update().where(models.c.name == to.name).values(frozen=freeze))
            if incident is not None:
                connection.execute(incidents.insert().values(asdict(incident)))
        return True

    def set_frozen(self, name: str, reason: str | None, *, note: AuditRow, closes: datetime | None = None) -> None:
        """Freeze a model for a reason, or with None let it be promoted again; ``closes`` ends its open incidents."""
        with self._database.write() as connection:
            connection.execute(models.update().where(models.c.name == name).values(frozen=reason))
            if closes is not None:
                still_open = sa.and_(incidents.c.name == name, incidents.c.closed_at.is_(None))
                connection.execute(incidents.update().where(still_open).values(closed_at=closes))
            _write_down(connection, note)

    def write_down(self, note: AuditRow) -> None:
        """Add an audit row about something that moved nothing, such as a refused promotion."""
        with self._database.write() as connection:
            _write_down(connection, note)

    def get(self, name: str) -> ModelRow | None:
        """The model of this lower-case name, or None."""
        with self._database.read() as connection:
            return _one(connection, models.select().where(models.c.name == name), ModelRow)

    def version(self, version_id: str) -> VersionRow | None:
        """The version, or None."""
        wanted = model_versions.select().where(model_versions.c.version_id == version_id)
        with self._database.read() as connection:
            return _one(connection, wanted, VersionRow)

    def versions(self, name: str) -> tuple[VersionRow, ...]:
        """A model's versions, newest first."""
        wanted = model_versions.select().where(model_versions.c.name == name)
        return self._all(wanted.order_by(model_versions.c.number.desc()), VersionRow)

    def versions_of_run(self, run_id: str) -> tuple[VersionRow, ...]:
        """What was registered of a run, newest first."""
        wanted = model_versions.select().where(model_versions.c.run_id == run_id)
        return self._all(
            wanted.order_by(model_versions.c.created_at.desc(), model_versions.c.number.desc()), VersionRow
        )

    def alias(self, name: str, alias: str) -> AliasRow | None:
        """Where an alias stands, or None."""
        wanted = aliases.select().where(aliases.c.name == name, aliases.c.alias == alias)
        with self._database.read() as connection:
            return _one(connection, wanted, AliasRow)

    def aliases(self, name: str) -> tuple[AliasRow, ...]:
        """A model's aliases, by name."""
        return self._all(aliases.select().where(aliases.c.name == name).order_by(aliases.c.alias), AliasRow)

    def audit(self, name: str, *, limit: int = 100) -> tuple[AuditRow, ...]:
        """What was done to a model, newest first."""
        wanted = audit.select().where(audit.c.name == name)
        return self._all(wanted.order_by(audit.c.seq.desc()).limit(limit), AuditRow)

    def incidents(self, name: str) -> tuple[IncidentRow, ...]:
        """A model's incidents, newest first."""
        wanted = incidents.select().where(incidents.c.name == name)
        return self._all(wanted.order_by(incidents.c.opened_at.desc()), IncidentRow)

    def page(self, *, limit: int = 20, cursor: str | None = None) -> Page[ModelRow]:
        """Models, the newest first."""
        query = paging.ordered(models.select(), models.c.created_at, models.c.name, after=cursor is not None)
        with self._database.read() as connection:
            rows = [ModelRow(**row._mapping) for row in connection.execute(query, paging.bound(limit, cursor))]  # noqa: SLF001
        return paging.page(rows, [(row.created_at, row.name) for row in rows], limit)

    def _all(self, query: sa.Select[Any], kind: Callable[..., RowT]) -> tuple[RowT, ...]:
        with self._database.read() as connection:
            return tuple(kind(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - its public name


def _one(connection: sa.Connection, query: sa.Select[Any], kind: Callable[..., RowT]) -> RowT | None:
    found = connection.execute(query).first()
    return None if found is None else kind(**found._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _compare_and_set(connection: sa.Connection, to: AliasRow, expected: AliasRow | None) -> bool:
    here = aliases.c.name == to.name, aliases.c.alias == to.alias
    if expected is None:
        if connection.execute(aliases.select().where(*here)).first() is not None:
            return False
        connection.execute(aliases.insert().values({**asdict(to), "moves": 1}))
        return True
    unmoved = aliases.c.version_id == expected.version_id, aliases.c.moves == expected.moves
    values = {"version_id": to.version_id, "moves": expected.moves + 1, "changed_at": to.changed_at}
    return connection.execute(aliases.update().where(*here, *unmoved).values(values)).rowcount == 1


def _write_down(connection: sa.Connection, note: AuditRow) -> None:
    values = asdict(note)
    del values["seq"]
    connection.execute(audit.insert().values(values))
    told = {key: values[key] for key in ("alias", "version_id", "previous_version", "reason")}
    events.insert(
        connection,
        job_id=note.name,
        attempt=0,
        name=f"model_{note.action}",
        state="done",
        data=told,
        now=note.at,
    )
