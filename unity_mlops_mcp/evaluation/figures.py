"""From episodes and counts to the figures of an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from unity_mlops_mcp.evaluation.playing import Episode
from unity_mlops_mcp.evaluation.records import BehaviorFigures, Columns, SweepPoint
from unity_mlops_mcp.evaluation.tally import Tally
from unity_mlops_mcp.metrics.records import Interval
from unity_mlops_mcp.metrics.statistics import mean_interval, share_interval
from unity_mlops_mcp.protocol.simulation import BehaviorSpec

SHARE_VALUES = (0.0, 1.0)


def columns_of(episodes: Sequence[Episode]) -> Columns:
    """The episodes as one column for each figure; what was not told for all of them is left out."""
    names = dict.fromkeys(name for episode in episodes for name in episode.returns)
    told = [episode.success for episode in episodes if episode.success is not None]
    measures = set.intersection(*(set(episode.measures) for episode in episodes)) if episodes else set()
    return Columns(
        returns={
            name: tuple(episode.returns[name] for episode in episodes if name in episode.returns) for name in names
        },
        success=tuple(told) if len(told) == len(episodes) else None,
        decisions=tuple(episode.decisions for episode in episodes),
        endings=tuple(episode.ending for episode in episodes),
        measures={name: tuple(episode.measures[name] for episode in episodes) for name in sorted(measures)},
    )


def success_of(success: Sequence[float] | None) -> Interval | None:
    """The share of successful episodes; a mean where an episode may succeed in part."""
    if not success:
        return None
    if all(value in SHARE_VALUES for value in success):
        return share_interval(sum(success), len(success))
    return mean_interval(success)


def endings_of(endings: Sequence[str]) -> dict[str, Interval]:
    """The share of episodes that each cause ended, the most frequent first."""
    return {name: share_interval(count, len(endings)) for name, count in Counter(endings).most_common()}


def measures_of(columns: Columns, others: Mapping[str, Sequence[float]]) -> dict[str, Interval]:
    """Every other statistic; one that belongs to no single episode as the mean of all its values."""
    of_episodes = {name: mean_interval(values) for name, values in columns.measures.items()}
    loose = {name: mean_interval(values) for name, values in others.items() if name not in of_episodes}
    return dict(sorted({**loose, **of_episodes}.items()))


def behaviors_of(
    behaviors: Mapping[str, BehaviorSpec], columns: Columns, tally: Tally, *, by_policy: Collection[str]
) -> tuple[BehaviorFigures, ...]:
    """The figures of each behaviour that ended episodes.

    Args:
        behaviors: those of the player, by full name.
        columns: the episodes.
        tally: what was counted.
        by_policy: full names of those that a policy played; the others acted at random.
    """
    return tuple(
        BehaviorFigures(
            behavior=name,
            returns=mean_interval(columns.returns[name]),
            decisions=tally.decisions(name),
            actions=tally.actions(spec),
            sensors=tally.sensors(spec),
            inference_us=mean_interval(tally.times_us(name)) if name in by_policy else None,
        )
        for name, spec in sorted(behaviors.items())
        if name in columns.returns
    )


def sweep_point(parameter: str, value: float, episodes: Sequence[Episode]) -> SweepPoint:
    """What was reached with a parameter at a value."""
    columns = columns_of(episodes)
    return SweepPoint(
        parameter=parameter,
        value=value,
        episodes=len(episodes),
        success=success_of(columns.success),
        returns=mean_interval(columns.returns[min(columns.returns)]),
    )
