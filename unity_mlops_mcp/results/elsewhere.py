"""What operations on other registries and trackers answer."""

from __future__ import annotations

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class VertexUploadStarted(Result):
    """An upload that goes on without the caller."""

    version: str
    job_id: str
    state: State
    vertex_resource_name: str = Field(description="The model in Vertex AI; its version is known when the job is over.")
    bucket: str
    next: str


class AliasInVertex(Result):
    """An alias, and what became of it in Vertex AI."""

    alias: str
    version: str
    vertex_version: str | None = Field(default=None, description="None: the version is not in Vertex AI.")
    problem: str | None = None


class VertexAliases(Result):
    """A model's aliases after Vertex AI was told of them."""

    name: str
    ok: bool
    aliases: list[AliasInVertex]
    next: str


class Exported(Result):
    """A run or a version that another tracker knows now."""

    source: str = Field(description="Our run or version.")
    tracker: str = Field(description="mlflow or wandb.")
    id: str = Field(description="Its id there.")
    location: str = Field(description="Database, address or folder.")
    points: int = Field(default=0, description="Values of curves that were written.")
    already_there: bool = False
    next: str
