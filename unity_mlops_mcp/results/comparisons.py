"""What a comparison of runs answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from unity_mlops_mcp.results.base import Result
from unity_mlops_mcp.results.evaluations import Figure


class RankedGroup(Result):
    """Runs that differ in the seed alone, with their figures."""

    rank: int
    label: str = Field(description="What sets it apart from the other groups.")
    run_ids: list[str]
    seeds: list[int | None]
    final: Figure = Field(description="Over the last tenth; interquartile mean from three runs on, else the mean.")
    best: Figure
    area: Figure = Field(description="Mean over the steps that all runs reached.")
    steps_to_threshold: float | None = None
    seconds_to_threshold: float | None = None
    reached: int = Field(description="Runs that reached the threshold.")
    stability: float = Field(description="Noise at the end by the range of the curve: the smaller, the steadier.")
    verdicts: dict[str, int] = Field(description="How many runs are learning, at a plateau, diverging, …")
    better_than_baseline: float | None = Field(default=None, description="Share of pairs that it wins, 0 to 1.")


class SettingDifference(Result):
    """A setting that is not the same everywhere."""

    setting: str
    values: dict[str, Any] = Field(description="By label of the group.")


class GroupCurve(Result):
    """A group's curve, aligned by step."""

    label: str
    steps: list[int]
    middle: list[float]
    low: list[float]
    high: list[float]


class ComparisonStatistics(Result):
    """How the figures were made."""

    metric: str
    tag: str
    runs: int
    groups: int
    common_steps: int = Field(description="The step that all runs reached.")
    threshold: float
    method: str


class ComparisonResult(Result):
    """Which runs are better, why, and how sure that is."""

    verdict: str
    reason: str
    doubt: str = Field(description="Why it may be otherwise; empty where there is no doubt. Tell the user.")
    ranking: list[RankedGroup] = Field(description="The best first; one page.")
    differences: list[SettingDifference] = Field(description="Only what differs.")
    differences_left_out: int = 0
    curves: list[GroupCurve] = Field(description="Of the first groups of the page.")
    statistics: ComparisonStatistics
    left_out: list[str] = Field(default_factory=list, description="Runs that could not be compared, and why.")
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next page; null at the end.")
    next: str
