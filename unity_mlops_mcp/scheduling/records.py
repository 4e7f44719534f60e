"""What a schedule is, as frozen records; kept in its row."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.pipeline.records import Wanted

Overlap = Literal["skip", "queue", "allow"]
CatchUp = Literal["none", "latest", "all"]
FiringState = Literal["due", "waiting", "running", "succeeded", "failed", "skipped", "missed", "cancelled"]
CONTINUOUS = "continuous"
"""The rule that fires again once the last firing is over."""


class Rule(BaseModel):
    """When a schedule fires.

    Attributes:
        cron: five fields (minute, hour, day of month, month, day of week), or ``continuous``.
        timezone: the zone in which the fields are meant, such as ``Europe/Berlin``.
        pause_s: seconds between the end of a firing and the next one of a continuous schedule.
        overlap: what happens to a firing while an earlier one runs.
        catch_up: which of the moments that nobody was there for are made up for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str
    timezone: str = "UTC"
    pause_s: float = Field(default=60.0, ge=0, le=30 * 86_400)
    overlap: Overlap = "skip"
    catch_up: CatchUp = "latest"

    @property
    def continuous(self) -> bool:
        """Whether it fires whenever the last firing is over."""
        return self.cron == CONTINUOUS

    @property
    def pause(self) -> timedelta:
        """The pause of a continuous schedule."""
        return timedelta(seconds=self.pause_s)


class Schedule(BaseModel):
    """A rule and what it starts.

    Attributes:
        name: unique in the home.
        rule: when it fires.
        work: one pipeline for each asset.
        max_concurrent_jobs: pipelines of one firing that run at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rule: Rule
    work: tuple[Wanted, ...] = Field(min_length=1)
    max_concurrent_jobs: int = Field(default=4, ge=1, le=64)
