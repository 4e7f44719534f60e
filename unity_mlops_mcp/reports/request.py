"""What a report job is asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.reports.records import Format

MOST_RUNS = 1000


class ReportRequest(BaseModel):
    """The runs of a report, in the order in which they were named, and its format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_ids: tuple[str, ...] = Field(min_length=1, max_length=MOST_RUNS)
    format: Format = "html"
