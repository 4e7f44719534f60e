"""Schedules and their firings, leases, endpoints of notifications with their deliveries, and access tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    _schedules()
    _notifications()
    _tokens()


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("schedule_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("seen_until", sa.Float, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index("schedules_by_name", "schedules", ["name"], unique=True)
    op.create_table(
        "firings",
        sa.Column("firing_id", sa.String, primary_key=True),
        sa.Column("schedule_id", sa.String, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("jobs", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
    )
    op.create_index("firings_by_moment", "firings", ["schedule_id", "due_at"], unique=True)
    op.create_index("firings_by_state", "firings", ["state"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )


def _notifications() -> None:
    op.create_table(
        "endpoints",
        sa.Column("endpoint_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("secret", sa.String),
        sa.Column("disabled", sa.String),
        sa.Column("after_seq", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("endpoints_by_target", "endpoints", ["target"], unique=True)
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.String, primary_key=True),
        sa.Column("endpoint_id", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("problem", sa.String),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
    )
    op.create_index("deliveries_by_event", "deliveries", ["endpoint_id", "seq"], unique=True)
    op.create_index("deliveries_by_time", "deliveries", ["state", "next_at"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("revoked_at", sa.Float),
    )
    op.create_index("tokens_by_hash", "tokens", ["sha256"], unique=True)
