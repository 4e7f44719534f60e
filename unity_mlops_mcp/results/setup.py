"""What a check of the machine answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result


class SetupCheck(Result):
    """One thing that the machine needs."""

    name: str = Field(description="What was looked at, such as `trainer` or `disk`.")
    status: Literal["ok", "warn", "fail"]
    found: str = Field(description="What is there.")
    needed: str = Field(description="What must be there.")
    fix: str = Field(default="", description="The one command or step that mends it; empty when ok.")


class SetupReport(Result):
    """Whether this machine can train, and what to mend."""

    ok: bool = Field(description="True when no check failed.")
    checks: list[SetupCheck]
    job_id: str | None = Field(default=None, description="The job that mends what can be mended, if asked for.")
    next: str
