"""What reports answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import FailureResult, Result, State


class RenderedReport(Result):
    """A report that was made, or that is being made without the caller."""

    report_id: str
    job_id: str
    state: State
    format: Literal["html", "pdf", "markdown", "json"]
    path: str | None = Field(default=None, description="The file, once it is there; give it to the user.")
    uri: str = Field(description="The resource that gives the same facts as Markdown.")
    size: int | None = Field(default=None, description="Bytes of the file.")
    sections: list[str] = Field(default_factory=list, description="What is in it.")
    headline: str = Field(default="", description="What came out, in a few sentences: tell the user.")
    waiting_for: str | None = Field(default=None, description="Why it is not begun yet.")
    failure: FailureResult | None = None
    next: str
