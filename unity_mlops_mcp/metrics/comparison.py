"""Compares runs: aligned by step, grouped by all but the seed, ranked with a reason and its doubt.

Of every run a small digest is kept, so that two hundred long runs need little more memory than twenty. From three seeds
on a group's figure is the interquartile mean with a bootstrap interval, as Agarwal et al. 2021 recommend; below that it
is the mean, and the verdict says that it cannot tell.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.metrics.reader import Points, RunReader
from unity_mlops_mcp.metrics.records import Interval, Verdict
from unity_mlops_mcp.metrics.statistics import (
    FEWEST_SEEDS,
    difference_interval,
    iqm_of,
    middle_interval,
    probability_of_improvement,
)
from unity_mlops_mcp.metrics.thinning import finite, lttb
from unity_mlops_mcp.metrics.verdict import judge

KEPT_POINTS = 200
GRID_POINTS = 40
FINAL_SHARE = 0.1
"""The final figure is the mean over the last tenth of a run's points."""
CLEAR = 0.95
OF_ONE_RUN = ("env_settings", "engine_settings", "checkpoint_settings", "torch_settings", "debug")
"""Parts of a trainer YAML that say where and how one run was made, not what was learned."""
_SMOOTH = 5
_ALIKE = 1.1
"""Trainings whose lengths differ by no more than this factor count as equally long."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Digest(_Record):
    """What is kept of one run.

    Attributes:
        run_id: the run.
        behavior: of which behaviour.
        seed: of the training; None where unknown.
        settings: spec and configuration, flattened; no seed, no paths.
        state: of its latest job.
        steps: of the points that are kept, agent steps ascending.
        values: of the metric there.
        final: mean over the last tenth of its points.
        best: greatest mean over five points in a row; ``final`` where that is greater still.
        seconds: from its first point to its last.
        stability: standard deviation of the last 30 % of its points around their straight line, by the range of all.
        verdict: of its curve.
        points: how many there were.
    """

    run_id: str
    behavior: str
    seed: int | None
    settings: dict[str, Any]
    state: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    times_s: tuple[float, ...]
    final: float
    best: float
    seconds: float
    stability: float
    verdict: Verdict
    points: int


class Band(_Record):
    """A group's curve: at each step the middle of its runs and how far they lie apart."""

    steps: tuple[int, ...]
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Group(_Record):
    """Runs that differ in the seed alone.

    Attributes:
        rank: from 1, the best final figure first.
        label: what sets it apart from the other groups, in words.
        run_ids: its runs.
        seeds: theirs.
        final: interquartile mean from three runs on, else the mean.
        best: the same of the best figures.
        area: the same of the mean over steps, up to the step that all runs of the comparison reached.
        steps_to: mean steps until the threshold was reached and kept for five points, over the runs that reached it.
        seconds_to: the same in seconds.
        reached: how many runs reached it.
        stability: mean over its runs; the smaller, the steadier.
        verdicts: how many runs have which verdict.
        band: its curve.
        better_than_baseline: how likely a run of it is better than one of the baseline, 0 to 1.
    """

    rank: int
    label: str
    run_ids: tuple[str, ...]
    seeds: tuple[int | None, ...]
    final: Interval
    best: Interval
    area: Interval
    steps_to: float | None
    seconds_to: float | None
    reached: int
    stability: float
    verdicts: dict[str, int]
    band: Band
    better_than_baseline: float | None = None


class Difference(_Record):
    """A setting that is not the same in all groups: its value by group label."""

    setting: str
    values: dict[str, Any]


class Comparison(_Record):
    """All of it.

    Attributes:
        metric: what was compared.
        threshold: what ``steps_to`` is measured to.
        common_steps: the step that all runs reached.
        groups: the best first.
        differences: what differs between the groups, and only that.
        verdict: which is better, in a sentence.
        reason: why.
        doubt: why it may be otherwise; empty where there is none.
    """

    metric: str
    threshold: float
    common_steps: int
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    verdict: str
    reason: str
    doubt: str = Field(default="")


def digest_run(
    reader: RunReader,
    *,
    tag: str,
    run_id: str,
    behavior: str,
    seed: int | None,
    settings: Mapping[str, Any],
    state: str,
) -> Digest | None:
    """What is kept of a run; None where it has no points of the metric yet.

    Args:
        reader: of the run's folder, polled.
        tag: the metric's series.
        run_id: the run.
        behavior: whose series.
        seed: of the training.
        settings: spec and configuration, flattened.
        state: of the run.
    """
    points = _finite(reader.points(tag, behavior))
    if not len(points.steps):
        return None
    kept = lttb(points.steps.astype(np.float64), points.values, KEPT_POINTS)
    last = max(1, round(FINAL_SHARE * len(points.values)))
    width = min(_SMOOTH, len(points.values))
    smooth = np.convolve(points.values, np.ones(width) / width, mode="valid")
    final, began = float(points.values[-last:].mean()), points.wall_times[0]
    return Digest(
        run_id=run_id,
        behavior=behavior,
        seed=seed,
        settings=dict(settings),
        state=state,
        steps=tuple(points.steps[kept].tolist()),
        values=tuple(points.values[kept].tolist()),
        times_s=tuple((points.wall_times[kept] - began).tolist()),
        final=final,
        best=max(float(smooth.max()), final),
        seconds=float(points.wall_times[-1] - began),
        stability=_stability(points),
        verdict=judge(points.steps, points.values, {}).verdict,
        points=len(points.values),
    )


def compare(
    digests: Sequence[Digest],
    *,
    metric: str,
    threshold: float | None = None,
    baseline: str | None = None,
    group_by: Sequence[str] = (),
) -> Comparison:
    """Compare runs.

    Args:
        digests: at least one.
        metric: its name, for the words.
        threshold: what ``steps_to`` is measured to; left out: 90 % of the way from the lowest first to the best final
            figure.
        baseline: a run's id; its group is what the others are compared with. Left out: the best of the others.
        group_by: settings to group by; left out: all of them.
    """
    members: dict[str, list[Digest]] = defaultdict(list)
    for digest in digests:
        members[_key(digest, group_by)].append(digest)
    common = min(digest.steps[-1] for digest in digests)
    limit = threshold if threshold is not None else _threshold(digests)
    ordered = sorted(members.values(), key=lambda runs: -middle_interval([run.final for run in runs]).mean)
    differences = _differing(ordered)
    labels = _labels(ordered, differences)
    base = next((runs for runs in ordered if baseline in {run.run_id for run in runs}), None)
    groups = [
        _group(rank, label, runs, common=common, limit=limit, base=base if base is not runs else None)
        for rank, (label, runs) in enumerate(zip(labels, ordered, strict=True), 1)
    ]
    verdict, reason, doubt = _verdict(groups, ordered, metric)
    return Comparison(
        metric=metric,
        threshold=limit,
        common_steps=common,
        groups=tuple(groups),
        differences=tuple(
            Difference(setting=name, values=dict(zip(labels, values, strict=True)))
            for name, values in differences.items()
        ),
        verdict=verdict,
        reason=reason,
        doubt=doubt,
    )


def flattened(data: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; a list of named things is a mapping, any other list a value."""
    if isinstance(data, list) and data and all(isinstance(item, Mapping) and "name" in item for item in data):
        data = {item["name"]: {key: value for key, value in item.items() if key != "name"} for item in data}
    if not isinstance(data, Mapping) or not data:
        return {prefix: data} if prefix else {}
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= flattened(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _finite(points: Points) -> Points:
    usable = finite(points.values)
    return Points(points.steps[usable], points.values[usable], points.wall_times[usable])


def _stability(points: Points) -> float:
    count = max(2, round(0.3 * len(points.values)))
    x, y = points.steps[-count:].astype(np.float64), points.values[-count:]
    x = x - x.mean()
    slope = float((x * y).sum()) / (float((x * x).sum()) or 1.0)
    spread = float(np.ptp(points.values)) or 1.0
    return float(np.std(y - y.mean() - slope * x)) / spread


def _key(digest: Digest, group_by: Sequence[str]) -> str:
    chosen = {name: digest.settings.get(name) for name in group_by} if group_by else digest.settings
    return json.dumps([digest.behavior, chosen], sort_keys=True, default=str)


def _threshold(digests: Sequence[Digest]) -> float:
    first, best = min(digest.values[0] for digest in digests), max(digest.final for digest in digests)
    return first + 0.9 * (best - first)


def _group(
    rank: int, label: str, runs: Sequence[Digest], *, common: int, limit: float, base: Sequence[Digest] | None
) -> Group:
    reached = [found for run in runs if (found := _reached(run, limit)) is not None]
    counts: dict[str, int] = defaultdict(int)
    for run in runs:
        counts[run.verdict] += 1
    finals = [run.final for run in runs]
    return Group(
        rank=rank,
        label=label,
        run_ids=tuple(run.run_id for run in runs),
        seeds=tuple(run.seed for run in runs),
        final=middle_interval(finals),
        best=middle_interval([run.best for run in runs]),
        area=middle_interval([_area(run, common) for run in runs]),
        steps_to=float(np.mean([steps for steps, _ in reached])) if reached else None,
        seconds_to=float(np.mean([seconds for _, seconds in reached])) if reached else None,
        reached=len(reached),
        stability=float(np.mean([run.stability for run in runs])),
        verdicts=dict(counts),
        band=_band(runs),
        better_than_baseline=probability_of_improvement(finals, [run.final for run in base]) if base else None,
    )


def _reached(run: Digest, limit: float) -> tuple[int, float] | None:
    """Step and seconds at which the metric came to the threshold and stayed there for some points."""
    above = np.array(run.values) >= limit
    needed = min(_SMOOTH, len(above))
    stays = np.convolve(above, np.ones(needed), mode="valid") == needed
    places = np.flatnonzero(stays)
    if not len(places):
        return None
    return run.steps[int(places[0])], run.times_s[int(places[0])]


def _area(run: Digest, common: int) -> float:
    grid = np.linspace(min(run.steps[0], common), common, GRID_POINTS)
    return float(_at(run, grid).mean())


def _at(run: Digest, grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.interp(grid, run.steps, run.values)
    return found


def _band(runs: Sequence[Digest]) -> Band:
    """The curve up to the step that all runs of the group reached: middle, and the range of the middle half of runs."""
    first, last = max(run.steps[0] for run in runs), min(run.steps[-1] for run in runs)
    grid = np.linspace(min(first, last), last, GRID_POINTS)
    curves = np.stack([_at(run, grid) for run in runs], axis=1)
    middle = iqm_of(curves) if len(runs) >= FEWEST_SEEDS else curves.mean(axis=1)
    ends = (0.25, 0.75) if len(runs) >= FEWEST_SEEDS else (0.0, 1.0)
    low, high = np.quantile(curves, ends, axis=1)
    return Band(
        steps=tuple(int(step) for step in grid),
        middle=tuple(middle.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def _differing(groups: Sequence[Sequence[Digest]]) -> dict[str, list[Any]]:
    """Setting → its value in each group, of those that are not the same in all; the first run speaks for its group."""
    heads = [runs[0] for runs in groups]
    names = dict.fromkeys(name for head in heads for name in head.settings)
    values = {name: [head.settings.get(name) for head in heads] for name in names}
    if len({head.behavior for head in heads}) > 1:
        values = {"behavior": [head.behavior for head in heads], **values}
    return {name: given for name, given in values.items() if len({json.dumps(v, default=str) for v in given}) > 1}


def _labels(groups: Sequence[Sequence[Digest]], differences: Mapping[str, Sequence[Any]]) -> list[str]:
    """What sets each group apart, by at most three settings; its first run where that is not enough."""
    shown = list(differences)[:3]
    labels = []
    for place, runs in enumerate(groups):
        told = ", ".join(f"{name.rpartition('.')[2]} {differences[name][place]}" for name in shown)
        labels.append(told or f"{runs[0].behavior} ({runs[0].run_id})")
    return [
        label if labels.count(label) == 1 else f"{label} ({runs[0].run_id})"
        for label, runs in zip(labels, groups, strict=True)
    ]


def _verdict(groups: Sequence[Group], members: Sequence[Sequence[Digest]], metric: str) -> tuple[str, str, str]:
    if len(groups) == 1:
        only = groups[0]
        return (
            f"All {len(only.run_ids)} runs have the same settings: {metric} {only.final.told()}.",
            "Nothing but the seed differs, so there is nothing to rank.",
            _few(only),
        )
    first, second = groups[0], groups[1]
    own, other = [run.final for run in members[0]], [run.final for run in members[1]]
    chance, apart = probability_of_improvement(own, other), difference_interval(own, other)
    pairs = f"; a run of the first is better than one of the second in {100 * chance:.0f} % of pairs"
    several = min(len(own), len(other)) > 1
    reason = f"Final {metric} {first.final.told()} against {second.final.told()}{pairs if several else ''}."
    doubt = " ".join(filter(None, (_few(first) or _few(second), _other_lengths(members[0], members[1]))))
    sure = apart.low is not None and apart.low > 0
    if not doubt and not sure:
        doubt = "The interval of the difference holds zero: more seeds could turn it round."
    word = "is better" if sure and not doubt else "is ahead"
    return f"{first.label} {word}: {metric} {first.final.mean:.4g} against {second.final.mean:.4g}.", reason, doubt


def _other_lengths(first: Sequence[Digest], second: Sequence[Digest]) -> str:
    """That one group trained longer, which may be all that made it better."""
    own, other = (max(run.steps[-1] for run in runs) for runs in (first, second))
    if max(own, other) <= _ALIKE * min(own, other):
        return ""
    return (
        f"They were not trained alike: {own:,} steps against {other:,}; only the mean over the steps that all reached "
        "is a like for like."
    )


def _few(group: Group) -> str:
    count = len(group.run_ids)
    if count >= FEWEST_SEEDS:
        return ""
    words = {1: "One seed", 2: "Two seeds"}
    return f"{words[count]} of {group.label}: not enough to tell; three or more are."
