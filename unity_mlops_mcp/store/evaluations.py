"""The table of evaluations, found by the policy's hash."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import EvaluationRow
from unity_mlops_mcp.store.tables import evaluations


class EvaluationTable:
    """Few verbs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: EvaluationRow) -> None:
        """Write an evaluation down, in the place of one of the same id."""
        with self._database.write() as connection:
            connection.execute(evaluations.delete().where(evaluations.c.evaluation_id == row.evaluation_id))
            connection.execute(evaluations.insert().values(asdict(row)))

    def get(self, evaluation_id: str) -> EvaluationRow | None:
        """The evaluation, or None."""
        return next(iter(self._select(evaluations.c.evaluation_id == evaluation_id)), None)

    def of_policy(self, sha256: str) -> tuple[EvaluationRow, ...]:
        """All evaluations of a policy, newest first."""
        return self._select(evaluations.c.policy_sha256 == sha256)

    def of_run(self, run_id: str) -> tuple[EvaluationRow, ...]:
        """All evaluations of a run's policies, newest first."""
        return self._select(evaluations.c.run_id == run_id)

    def newest(self, *, limit: int = 5) -> tuple[EvaluationRow, ...]:
        """The newest evaluations."""
        return self._select(sa.true(), limit=limit)

    def _select(self, wanted: sa.ColumnElement[bool], *, limit: int | None = None) -> tuple[EvaluationRow, ...]:
        order = evaluations.c.created_at.desc(), evaluations.c.evaluation_id.desc()
        with self._database.read() as connection:
            found = connection.execute(evaluations.select().where(wanted).order_by(*order).limit(limit))
            return tuple(EvaluationRow(**row._mapping) for row in found)  # noqa: SLF001 - SQLAlchemy's public name
