"""Groups of runs against each other: ranked, with how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unity_mlops_mcp.metrics.records import Interval
from unity_mlops_mcp.metrics.statistics import FEWEST_SEEDS, iqm_interval, mean_interval, probability_of_improvement
from unity_mlops_mcp.reports.grouping import Settings, differing
from unity_mlops_mcp.reports.records import ComparisonPart, Group, Rank, RunPart
from unity_mlops_mcp.reports.wording import NONE, percent, plural, spread

COLUMNS = ("reward at the end", "best reward", "success")
_SURE = 0.95


class Score(NamedTuple):
    """A group's reward at the end over its seeds; the values it rests on."""

    interval: Interval
    values: tuple[float, ...]


def score(runs: Sequence[RunPart]) -> Score | None:
    """The reward at the end of a group: over three seeds or more the interquartile mean, else the mean."""
    values = tuple(run.final_reward for run in runs if run.final_reward is not None)
    if not values:
        return None
    return Score((iqm_interval if len(values) >= FEWEST_SEEDS else mean_interval)(values), values)


def comparison(
    groups: Sequence[Group], runs: Sequence[Sequence[RunPart]], settings: Sequence[Settings]
) -> ComparisonPart:
    """Rank groups that are ordered by their score, the best first.

    Args:
        groups: at least two.
        runs: the runs of each.
        settings: what decided each.
    """
    ranking = tuple(
        Rank(place=place, label=group.label, color=group.color, runs=len(own), figures=_figures(own))
        for place, (group, own) in enumerate(zip(groups, runs, strict=True), 1)
    )
    verdict, doubt = _verdict(groups, runs)
    return ComparisonPart(
        metric="reward at the end",
        columns=COLUMNS,
        ranking=ranking,
        verdict=verdict,
        doubt=doubt,
        differences=differing(settings),
    )


def _figures(runs: Sequence[RunPart]) -> tuple[str, ...]:
    best = [run.best_reward for run in runs if run.best_reward is not None]
    success = [run.success for run in runs if run.success is not None]
    found = score(runs)
    return (
        spread(found.interval) if found else NONE,
        spread(mean_interval(best)) if best else NONE,
        spread(mean_interval(success), share=True) if success else NONE,
    )


def _verdict(groups: Sequence[Group], runs: Sequence[Sequence[RunPart]]) -> tuple[str, str]:
    """Which is better, and what makes that doubtful."""
    first, second = score(runs[0]), score(runs[1])
    if first is None:
        return "No run has recorded a reward yet.", ""
    if second is None:
        return f"Only {groups[0].label} has a reward yet.", ""
    chance = probability_of_improvement(first.values, second.values)
    verdict = (
        f"Best was {groups[0].label}, with a reward of {spread(first.interval)} at the end against "
        f"{spread(second.interval)} with {groups[1].label}. A run of it beat one of the other in {percent(chance)} of "
        "all pairs."
    )
    fewest = min(len(first.values), len(second.values))
    if fewest < FEWEST_SEEDS:
        return (
            verdict,
            f"{plural(fewest, 'seed').capitalize()} of a setting: not enough to tell a difference from chance.",
        )
    low, high = first.interval.low, second.interval.high
    if low is not None and high is not None and low <= high:
        return verdict, "The intervals overlap: more seeds would tell."
    return verdict, ""
