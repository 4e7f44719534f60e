"""What promotions and rollbacks answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class GateFound(Result):
    """What one gate found."""

    name: str
    passed: bool
    outcome: Literal["passed", "failed", "missing"] = Field(description="missing: evidence that is not there yet.")
    value: str = Field(description="What was found, in figures.")
    needed: str = Field(description="What would pass it.")
    fix: str = ""


class Promotion(Result):
    """What became of a promotion, or of freezing a model."""

    name: str
    promoted: bool = Field(description="True when the alias points to the version now.")
    preview: bool = Field(description="True when nothing was changed because confirm was not given.")
    version: str | None = None
    alias: str | None = None
    previous_version: str | None = Field(default=None, description="What held the alias before.")
    gates: list[GateFound] = Field(default_factory=list)
    overridden: list[str] = Field(default_factory=list, description="Gates that did not pass and were overridden.")
    frozen: str | None = Field(default=None, description="Why the model may not be promoted; null when it may.")
    job_id: str | None = Field(default=None, description="The job that makes the missing evidence and decides.")
    state: State | None = None
    notes: list[str] = Field(default_factory=list)
    next: str


class Rollback(Result):
    """What became of a rollback."""

    name: str
    alias: str
    version: str = Field(description="What the alias points to after it.")
    previous_version: str = Field(description="The version that was taken back.")
    preview: bool = Field(description="True when nothing was changed because confirm was not given.")
    frozen: bool = Field(description="True when further promotion is frozen until somebody unfreezes the model.")
    incident_id: str | None = None
    notes: list[str] = Field(default_factory=list)
    next: str


class AuditLine(Result):
    """One thing that was done to a model."""

    at: str
    action: str
    alias: str | None = None
    version: str | None = None
    previous_version: str | None = None
    reason: str | None = None


class IncidentLine(Result):
    """A version that was taken back."""

    incident_id: str
    alias: str
    failed_version: str
    restored_version: str
    reason: str
    corrective_action: str
    opened_at: str
    closed_at: str | None = None
