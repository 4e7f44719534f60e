"""What a prune has to know of all tables at once, and the removal of rows whose files go."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import FINAL_STATES, OPEN_STATES, EvaluationRow
from unity_mlops_mcp.store.tables import (
    aliases,
    audit,
    builds,
    evaluations,
    firings,
    incidents,
    jobs,
    model_versions,
    runs,
    schedules,
)

_AT_WORK = (
    sa.select(jobs.c.request, jobs.c.progress).where(jobs.c.state.in_(OPEN_STATES)),
    sa.select(jobs.c.id, jobs.c.subject).where(jobs.c.state.in_(OPEN_STATES)),
    sa.select(schedules.c.data),
    sa.select(firings.c.jobs).where(firings.c.finished_at.is_(None)),
)
_ON_RECORD = (
    sa.select(model_versions.c.data),
    sa.select(audit.c.data),
    sa.select(incidents.c.data),
)
"""Everything in these rows, and in those at work, that is an id keeps what it names."""


@dataclass(frozen=True)
class RunUse:
    """A run as a prune sees it.

    Attributes:
        run_id: its id.
        build_id: what it plays on.
        ended_at: None while its job is open or was never written.
        request: what its job was asked for, as JSON.
    """

    run_id: str
    build_id: str | None
    ended_at: datetime | None
    request: str = ""


@dataclass(frozen=True)
class JobUse:
    """A job as a prune sees it; ``ended_at`` is None while it is open."""

    job_id: str
    kind: str
    subject: str
    ended_at: datetime | None


@dataclass(frozen=True)
class Uses:
    """All that there is, and all that holds it.

    Attributes:
        runs: all of them.
        builds: when each was made, by its id.
        evaluations: all of them.
        jobs: all of them.
        registered: runs that a model version came from.
        served: those of them whose version an alias points to.
        policies: SHA-256 of the policies of all versions.
        at_work: JSON of open jobs, schedules and open firings.
        on_record: JSON of versions, audit and incidents.
    """

    runs: tuple[RunUse, ...]
    builds: dict[str, datetime]
    evaluations: tuple[EvaluationRow, ...]
    jobs: tuple[JobUse, ...]
    registered: frozenset[str]
    served: frozenset[str]
    policies: frozenset[str]
    at_work: tuple[str, ...]
    on_record: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Ids of rows that go."""

    runs: Collection[str] = ()
    builds: Collection[str] = ()
    evaluations: Collection[str] = ()


class Pruning:
    """Few verbs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def uses(self) -> Uses:
        """All that there is, in one state."""
        with self._database.read() as connection:
            return _uses(connection)

    def remove(self, choose: Callable[[Uses], Rows]) -> None:
        """Remove rows that ``choose`` names from what there is, in one transaction.

        The jobs stay, as the history that they are; their keys are forgotten, so that the same request made again is
        a new one.
        """
        with self._database.write() as connection:
            going = choose(_uses(connection))
            for table, column, ids in (
                (runs, runs.c.run_id, going.runs),
                (builds, builds.c.build_id, going.builds),
                (evaluations, evaluations.c.evaluation_id, going.evaluations),
            ):
                for one in ids:
                    connection.execute(table.delete().where(column == one))
                    connection.execute(jobs.update().where(_made(one)).values(idempotency_key=None))

    @contextmanager
    def unknown(self, place: str, name: str) -> Iterator[bool]:
        """Whether no row speaks for a folder, which holds while the context is open.

        Args:
            place: ``runs``, ``builds`` or ``artifacts``; ``checkpoints`` for those of a run that no open job is about;
                ``demonstrations`` for a recording that no open job names.
            name: the folder's, or the file's.
        """
        with self._database.write() as connection:
            yield not any(connection.execute(query).first() for query in _speaking(place, name))


def _made(name: str) -> sa.ColumnElement[bool]:
    """The jobs that made what has this id, or found it made."""
    in_result = _mentions(jobs.c.result, f'"{name}"')
    return sa.and_(jobs.c.idempotency_key.is_not(None), sa.or_(jobs.c.subject == name, jobs.c.id == name, in_result))


def _mentions(column: sa.Column[Any], text: str) -> sa.ColumnElement[bool]:
    """Whether the JSON of a column has a text in it."""
    return sa.func.instr(sa.func.coalesce(sa.type_coerce(column, sa.String), ""), text) > 0


def _speaking(place: str, name: str) -> Iterator[sa.Select[Any]]:
    if place == "runs":
        yield sa.select(runs.c.run_id).where(runs.c.run_id == name)
    if place == "builds":
        yield sa.select(builds.c.build_id).where(builds.c.build_id == name)
    if place in {"builds", "checkpoints"}:
        yield sa.select(jobs.c.id).where(jobs.c.subject == name, jobs.c.state.in_(OPEN_STATES))
    if place == "demonstrations":
        yield sa.select(jobs.c.id).where(_mentions(jobs.c.request, name), jobs.c.state.in_(OPEN_STATES))
    if place == "artifacts":
        yield sa.select(jobs.c.id).where(jobs.c.id == name, jobs.c.state.in_(OPEN_STATES))
        yield sa.select(evaluations.c.evaluation_id).where(evaluations.c.evaluation_id == name)


def _uses(connection: sa.Connection) -> Uses:
    told = connection.execute(sa.select(model_versions.c.version_id, model_versions.c.run_id, model_versions.c.data))
    versions = [(row.version_id, row.run_id, row.data) for row in told]
    serving = frozenset(connection.execute(sa.select(aliases.c.version_id)).scalars())
    policies = {
        policy["sha256"] for _, _, data in versions for policy in data.get("policies", ()) if "sha256" in policy
    }
    return Uses(
        runs=tuple(_runs(connection)),
        builds={row.build_id: row.created_at for row in connection.execute(builds.select())},
        evaluations=tuple(EvaluationRow(**row._mapping) for row in connection.execute(evaluations.select())),  # noqa: SLF001
        jobs=tuple(_jobs(connection)),
        registered=frozenset(run_id for _, run_id, _ in versions if run_id),
        served=frozenset(run_id for version, run_id, _ in versions if run_id and version in serving),
        policies=frozenset(policies | set(connection.execute(sa.select(model_versions.c.policy_sha256)).scalars())),
        at_work=tuple(_texts(connection, _AT_WORK)),
        on_record=tuple(_texts(connection, _ON_RECORD)),
    )


def _texts(connection: sa.Connection, queries: Iterable[sa.Select[Any]]) -> Iterator[str]:
    for query in queries:
        for row in connection.execute(query):
            yield from (json.dumps(value, ensure_ascii=False) for value in row if value)


def _runs(connection: sa.Connection) -> Iterator[RunUse]:
    ending = (jobs.c.state, jobs.c.finished_at, jobs.c.changed_at)
    query = sa.select(runs.c.run_id, runs.c.build_id, jobs.c.request, *ending)
    for row in connection.execute(query.select_from(runs.outerjoin(jobs, jobs.c.id == runs.c.job_id))):
        ended = (row.finished_at or row.changed_at) if row.state in FINAL_STATES else None
        yield RunUse(row.run_id, row.build_id, ended, json.dumps(row.request, ensure_ascii=False))


def _jobs(connection: sa.Connection) -> Iterator[JobUse]:
    query = sa.select(jobs.c.id, jobs.c.kind, jobs.c.subject, jobs.c.state, jobs.c.finished_at, jobs.c.changed_at)
    for row in connection.execute(query):
        ended = (row.finished_at or row.changed_at) if row.state in FINAL_STATES else None
        yield JobUse(row.id, row.kind, row.subject, ended)
