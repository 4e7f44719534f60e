"""What the operations on schedules answer."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from unity_mlops_mcp.results.base import Result
from unity_mlops_mcp.scheduling.words import FiringState


class FiringResult(Result):
    """One due moment of a schedule, and what became of it."""

    firing_id: str
    due_at: datetime
    state: FiringState
    reason: str | None = Field(default=None, description="Why it was skipped, missed or failed.")
    jobs: list[str] = Field(default_factory=list, description="Its pipelines; get_run(id) shows each.")
    finished_at: datetime | None = None


class ScheduleResult(Result):
    """One schedule."""

    schedule_id: str
    name: str
    enabled: bool
    removed: bool = Field(default=False, description="It is gone; nothing more is told of it.")
    problem: str | None = Field(
        default=None, description="Why it cannot fire until it is changed; its rule and work are not told then."
    )
    cron: str = ""
    timezone: str = ""
    overlap: str = Field(default="", description="What happens to a firing while an earlier one runs.")
    catch_up: str = Field(default="", description="Which missed firings are made up for.")
    work: list[str] = Field(default_factory=list, description="What each firing trains.")
    after: list[str] = Field(default_factory=list, description="What is done with every trained policy.")
    alias: str | None = Field(default=None, description="Where it promotes to, where it does.")
    warm_start: bool = False
    max_concurrent_jobs: int = 0
    next_firings: list[str] = Field(default_factory=list, description="The next five, in its own zone.")
    last: FiringResult | None = Field(default=None, description="Its newest firing.")
    history: list[FiringResult] = Field(default_factory=list, description="Its newest firings, where it was named.")
    next: str


class ScheduleList(Result):
    """Schedules, and whether anybody is there to fire them."""

    schedules: list[ScheduleResult]
    fired_by: str | None = Field(default=None, description="The process that fires them now; null: nobody does.")
    next: str
