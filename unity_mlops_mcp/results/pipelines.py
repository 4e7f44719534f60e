"""What a pipeline answers."""

from __future__ import annotations

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class PlannedStage(Result):
    """One stage that a pipeline goes through."""

    stage: str
    what: str = Field(description="What it does.")


class PipelineResult(Result):
    """A pipeline that was accepted; it goes on without the caller."""

    job_id: str
    state: State
    plan: list[PlannedStage]
    dry_run: bool = Field(description="True when it stops before anything is built or trained.")
    next: str
