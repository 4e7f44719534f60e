"""What the registry of models answers."""

from __future__ import annotations

from pydantic import Field

from unity_mlops_mcp.results.base import Result
from unity_mlops_mcp.results.evaluations import Figure
from unity_mlops_mcp.results.promotions import AuditLine, IncidentLine


class PolicyCheck(Result):
    """What was looked at before a policy was registered."""

    name: str
    found: str


class RegisteredModel(Result):
    """A version in the registry."""

    version: str = Field(description="The version's id.")
    name: str = Field(description="The model's name.")
    number: int = Field(description="Of the version within the model, from 1.")
    new: bool = Field(description="False when the same policy was registered before: this is that version.")
    sha256: str = Field(description="Of the policy.")
    git_sha: str
    git_sha_of: str = Field(description="What git_sha is the revision of; `policy`: its hash, as no revision is known.")
    checks: list[PolicyCheck]
    evaluation_id: str | None = Field(default=None, description="The evaluation that is attached to it.")
    folder: str
    files: list[str]
    job_id: str | None = Field(default=None, description="The job that uploads it to Vertex AI, where asked for.")
    vertex_resource_name: str | None = Field(default=None, description="The model in Vertex AI.")
    notes: list[str] = Field(default_factory=list)
    next: str


class VersionLine(Result):
    """One version in the list."""

    version: str
    number: int
    aliases: list[str] = Field(default_factory=list)
    run_id: str | None = None
    success: Figure | None = Field(default=None, description="Of its newest evaluation.")
    returns: Figure | None = Field(default=None, description="Of its newest evaluation, the first behaviour.")
    training_reward: float | None = Field(default=None, description="Last mean reward of its training.")
    description: str | None = None
    created_at: str


class ModelLine(Result):
    """One model in the list."""

    name: str
    title: str
    frozen: str | None = Field(default=None, description="Why nothing may be promoted; null when it may.")
    aliases: dict[str, str] = Field(default_factory=dict, description="Alias → version.")
    versions: list[VersionLine] = Field(description="Newest first.")
    versions_left_out: int = 0
    audit: list[AuditLine] = Field(default_factory=list, description="Of one named model: what was done, newest first.")
    incidents: list[IncidentLine] = Field(default_factory=list, description="Of one named model, newest first.")


class ModelList(Result):
    """Models, newest first."""

    models: list[ModelLine]
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next page; null at the end.")
    next: str
