"""Groups of runs against each other, as `metrics.comparison` finds them, told for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unity_mlops_mcp.metrics.comparison import Comparison, Digest, compare
from unity_mlops_mcp.metrics.comparison import Group as Ranked
from unity_mlops_mcp.metrics.records import Interval
from unity_mlops_mcp.metrics.statistics import mean_interval, middle_interval
from unity_mlops_mcp.reports.grouping import text_of
from unity_mlops_mcp.reports.records import ComparisonPart, Group, Rank, RunPart, Setting
from unity_mlops_mcp.reports.wording import NONE, number, spread, whole

METRIC = "reward"


class Score(NamedTuple):
    """A group's reward at the end over its seeds; the values it rests on."""

    interval: Interval
    values: tuple[float, ...]


def score(runs: Sequence[RunPart]) -> Score | None:
    """The reward at the end of a group: over three seeds or more the interquartile mean, else the mean."""
    values = tuple(run.final_reward for run in runs if run.final_reward is not None)
    if not values:
        return None
    return Score(middle_interval(values), values)


def compared(digests: Sequence[Digest]) -> Comparison | None:
    """The runs that have a reward, compared; None when there is none."""
    return compare(digests, metric=METRIC) if digests else None


def comparison(found: Comparison, groups: Sequence[Group], runs: Mapping[str, RunPart]) -> ComparisonPart:
    """The section that compares.

    Args:
        found: the comparison of all runs that have a reward.
        groups: those of the report, with their colours.
        runs: run id → the run.
    """
    colors = {group.run_ids[0]: group.color for group in groups}

    return ComparisonPart(
        metric=METRIC,
        columns=(
            "reward at the end",
            "best reward",
            "mean over all steps",
            f"steps to {number(found.threshold)}",
            "success",
        ),
        ranking=tuple(
            Rank(
                place=one.rank,
                label=one.label,
                color=next((colors[run_id] for run_id in one.run_ids if run_id in colors), None),
                runs=len(one.run_ids),
                figures=_figures(one, [runs[run_id] for run_id in one.run_ids]),
            )
            for one in found.groups
        ),
        verdict=found.verdict,
        reason=found.reason,
        doubt=found.doubt,
        differences=tuple(
            Setting(name=one.setting, values=tuple(text_of(one.values[group.label]) for group in found.groups))
            for one in found.differences
        ),
    )


def _figures(group: Ranked, runs: Sequence[RunPart]) -> tuple[str, ...]:
    success = [run.success for run in runs if run.success is not None]
    steps = whole(group.steps_to) if group.steps_to is not None else NONE
    reached = "" if group.reached == len(runs) else f" ({group.reached} of {len(runs)} runs)"
    return (
        spread(group.final),
        spread(group.best),
        number(group.area.mean),
        steps + reached,
        spread(mean_interval(success), share=True) if success else NONE,
    )
