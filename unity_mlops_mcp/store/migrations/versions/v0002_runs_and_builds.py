"""Training runs and builds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("behavior_name", sa.String, nullable=False),
        sa.Column("asset", sa.String),
        sa.Column("build_id", sa.String),
        sa.Column("spec_id", sa.String),
        sa.Column("archetype", sa.String),
        sa.Column("max_steps", sa.Integer, nullable=False),
        sa.Column("configuration", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("job_id", sa.String),
        sa.Column("idempotency_key", sa.String),
    )
    op.create_index("runs_by_time", "runs", ["created_at", "run_id"])
    op.create_index("runs_by_key", "runs", ["idempotency_key"], unique=True)
    op.create_table(
        "builds",
        sa.Column("build_id", sa.String, primary_key=True),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("spec_id", sa.String),
        sa.Column("archetype", sa.String),
        sa.Column("job_id", sa.String),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("builds_by_digest", "builds", ["digest"], unique=True)
    op.create_index("builds_by_time", "builds", ["created_at", "build_id"])
