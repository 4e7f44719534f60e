"""The tables as SQLAlchemy Core sees them; `migrations/` makes them, and a test holds both together."""

from __future__ import annotations

from datetime import datetime, timezone

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 4  # the number of the newest migration, kept in SQLite's user_version


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, stored as seconds since the epoch."""

    impl = sa.Float
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:
        """To the database."""
        del dialect
        return None if value is None else value.timestamp()

    def process_result_value(self, value: float | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return None if value is None else datetime.fromtimestamp(value, timezone.utc)


metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("limited", sa.Boolean, nullable=False),
    sa.Column("token", sa.String, nullable=False),
    sa.Column("after", sa.String),
    sa.Column("idempotency_key", sa.String),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("starts", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("heartbeat_at", UtcTime),
    sa.Column("supervisor", sa.JSON(none_as_null=True)),
    sa.Column("children", sa.JSON, nullable=False),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("failure", sa.JSON(none_as_null=True)),
    sa.Column("stop_requested", sa.Boolean, nullable=False),
    sa.Index("jobs_by_state", "state"),
    sa.Index("jobs_by_subject", "subject", "created_at"),
    sa.Index("jobs_by_key", "kind", "idempotency_key", unique=True),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.String, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("events_by_job", "job_id", "seq"),
    sqlite_autoincrement=True,
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("behavior_name", sa.String, nullable=False),
    sa.Column("asset", sa.String),
    sa.Column("build_id", sa.String),
    sa.Column("spec_id", sa.String),
    sa.Column("archetype", sa.String),
    sa.Column("max_steps", sa.Integer, nullable=False),
    sa.Column("configuration", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("job_id", sa.String),
    sa.Column("idempotency_key", sa.String),
    sa.Index("runs_by_time", "created_at", "run_id"),
    sa.Index("runs_by_key", "idempotency_key", unique=True),
)

builds = sa.Table(
    "builds",
    metadata,
    sa.Column("build_id", sa.String, primary_key=True),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("spec_id", sa.String),
    sa.Column("archetype", sa.String),
    sa.Column("job_id", sa.String),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("builds_by_digest", "digest", unique=True),
    sa.Index("builds_by_time", "created_at", "build_id"),
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("evaluation_id", sa.String, primary_key=True),
    sa.Column("policy_sha256", sa.String, nullable=False),
    sa.Column("run_id", sa.String),
    sa.Column("build_id", sa.String),
    sa.Column("episodes", sa.Integer, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("evaluations_by_policy", "policy_sha256", "created_at"),
    sa.Index("evaluations_by_run", "run_id", "created_at"),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("frozen", sa.String),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("models_by_time", "created_at", "name"),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("version_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("policy_sha256", sa.String, nullable=False),
    sa.Column("run_id", sa.String),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("model_versions_by_number", "name", "number", unique=True),
    sa.Index("model_versions_by_policy", "name", "policy_sha256", unique=True),
    sa.Index("model_versions_by_run", "run_id"),
)

aliases = sa.Table(
    "aliases",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("alias", sa.String, primary_key=True),
    sa.Column("version_id", sa.String, nullable=False),
    sa.Column("moves", sa.Integer, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("alias", sa.String),
    sa.Column("version_id", sa.String),
    sa.Column("previous_version", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("audit_by_name", "name", "seq"),
    sqlite_autoincrement=True,
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("incident_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("alias", sa.String, nullable=False),
    sa.Column("failed_version", sa.String, nullable=False),
    sa.Column("restored_version", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("closed_at", UtcTime),
    sa.Index("incidents_by_name", "name", "opened_at"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    sa.Column("schedule_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("seen_until", UtcTime, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Index("schedules_by_name", "name", unique=True),
)

firings = sa.Table(
    "firings",
    metadata,
    sa.Column("firing_id", sa.String, primary_key=True),
    sa.Column("schedule_id", sa.String, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("jobs", sa.JSON, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
    sa.Index("firings_by_moment", "schedule_id", "due_at", unique=True),
    sa.Index("firings_by_state", "state"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("until", UtcTime, nullable=False),
)

endpoints = sa.Table(
    "endpoints",
    metadata,
    sa.Column("endpoint_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("secret", sa.String),
    sa.Column("disabled", sa.String),
    sa.Column("after_seq", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("endpoints_by_target", "target", unique=True),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_id", sa.String, primary_key=True),
    sa.Column("endpoint_id", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("problem", sa.String),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
    sa.Index("deliveries_by_event", "endpoint_id", "seq", unique=True),
    sa.Index("deliveries_by_time", "state", "next_at"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("revoked_at", UtcTime),
    sa.Index("tokens_by_hash", "sha256", unique=True),
)
