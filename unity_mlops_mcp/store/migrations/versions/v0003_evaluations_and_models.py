"""Evaluations, and the registry of models: versions, aliases, audit and incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    _evaluations()
    _models()
    _moves()


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String, primary_key=True),
        sa.Column("policy_sha256", sa.String, nullable=False),
        sa.Column("run_id", sa.String),
        sa.Column("build_id", sa.String),
        sa.Column("episodes", sa.Integer, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("evaluations_by_policy", "evaluations", ["policy_sha256", "created_at"])
    op.create_index("evaluations_by_run", "evaluations", ["run_id", "created_at"])


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("frozen", sa.String),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("models_by_time", "models", ["created_at", "name"])
    op.create_table(
        "model_versions",
        sa.Column("version_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("policy_sha256", sa.String, nullable=False),
        sa.Column("run_id", sa.String),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("model_versions_by_number", "model_versions", ["name", "number"], unique=True)
    op.create_index("model_versions_by_policy", "model_versions", ["name", "policy_sha256"], unique=True)
    op.create_index("model_versions_by_run", "model_versions", ["run_id"])


def _moves() -> None:
    op.create_table(
        "aliases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("alias", sa.String, primary_key=True),
        sa.Column("version_id", sa.String, nullable=False),
        sa.Column("moves", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("alias", sa.String),
        sa.Column("version_id", sa.String),
        sa.Column("previous_version", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_name", "audit", ["name", "seq"])
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("alias", sa.String, nullable=False),
        sa.Column("failed_version", sa.String, nullable=False),
        sa.Column("restored_version", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float),
    )
    op.create_index("incidents_by_name", "incidents", ["name", "opened_at"])
