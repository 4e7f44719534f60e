"""What all answers share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["queued", "starting", "running", "stopping", "succeeded", "failed", "cancelled", "interrupted"]


class Result(BaseModel):
    """A frozen answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FailureResult(Result):
    """Why something failed, and what mends it."""

    cause: str = Field(description="A short stable code.")
    message: str
    evidence: list[str] = Field(default_factory=list, description="The lines that show it.")
    fix: str
