"""The operation that compares runs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import names
from unity_mlops_mcp.jobs.view import state_of
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.comparisons import (
    ComparisonResult,
    ComparisonStatistics,
    GroupCurve,
    RankedGroup,
    SettingDifference,
)
from unity_mlops_mcp.views.evaluations import figure

if TYPE_CHECKING:
    from unity_mlops_mcp.metrics.comparison import Comparison, Digest, Group
    from unity_mlops_mcp.store.rows import RunRow

MOST_RUNS = 1000
GROUPS_A_PAGE, DIFFERENCES_SHOWN, CURVES_A_PAGE, CURVE_POINTS = 8, 25, 3, 20
RUNS_NAMED = 12
METRICS = {
    "reward": "Environment/Cumulative Reward",
    "success": "Environment/Success",
    "episode_length": "Environment/Episode Length",
    "elo": "Self-play/ELO",
    "group_reward": "Environment/Group Cumulative Reward",
}
"""Short names of series; any other tag may be named as it is."""
FILTERS = ("behavior", "asset", "state")


class Comparing:
    """Runs beside each other."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def compare_runs(
        self,
        *,
        run_ids: str | None = None,
        filter: str | None = None,  # noqa: A002 - the name in the public contract
        metric: str = "reward",
        baseline: str | None = None,
        group_by: str | None = None,
        threshold: float | None = None,
        cursor: str | None = None,
    ) -> ComparisonResult:
        """Compare runs by one metric; see `metrics.comparison`.

        Args:
            run_ids: separated by commas.
            filter: instead: ``behavior=X, asset=Y, state=succeeded``; the newest thousand that fit.
            metric: ``reward``, ``success``, ``episode_length``, ``elo``, ``group_reward``, or a series' own tag.
            baseline: a run whose group the others are compared with.
            group_by: settings that make a group, separated by commas; left out: all but the seed.
            threshold: what the time to it is measured to; left out: 90 % of the best.
            cursor: ``next_cursor`` of the page before.

        Raises:
            NotFoundError: there is no such run, metric or setting; the fix names what comes nearest.
            InvalidInputError: neither or both of run_ids and filter were given, or one cannot be used.
        """
        from unity_mlops_mcp.metrics.comparison import compare

        rows = self._rows(run_ids, filter)
        tag = METRICS.get(metric, metric)
        left_out: list[str] = []
        digests = list(self._digests(rows, tag, left_out))
        if not digests:
            raise self._no_metric(rows, metric)
        _require_known(digests, names(group_by), baseline, rows)
        found = compare(digests, metric=metric, threshold=threshold, baseline=baseline, group_by=names(group_by))
        return _page(found, tag, len(digests), left_out, _start(cursor))

    def _rows(self, run_ids: str | None, wanted: str | None) -> list[RunRow]:
        if (run_ids is None) == (wanted is None) or (run_ids is not None and not names(run_ids)):
            raise InvalidInputError("Give run_ids or filter.", fix="run_ids='a,b', or filter='behavior=Nav'.")
        if run_ids is not None:
            return [self._row(name) for name in dict.fromkeys(names(run_ids))]
        rows: list[RunRow] = []
        cursor: str | None = None
        while len(rows) < MOST_RUNS:
            page = self._parts.store.runs.page(limit=200, cursor=cursor, **_filters(str(wanted)))
            rows += page.rows
            cursor = page.next_cursor
            if cursor is None:
                break
        if not rows:
            raise NotFoundError(f"No run fits {wanted!r}.", fix="Call list_runs to see what there is.")
        return rows[:MOST_RUNS]

    def _row(self, run_id: str) -> RunRow:
        row = self._parts.store.runs.get(run_id)
        if row is not None:
            return row
        known = [one.run_id for one in self._parts.store.runs.page(limit=500).rows]
        near = difflib.get_close_matches(run_id, known, n=3, cutoff=0.5)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Newest runs: {', '.join(known[:5]) or 'none yet'}."
        raise NotFoundError(f"There is no run {run_id!r}.", fix=hint)

    def _digests(self, rows: Sequence[RunRow], tag: str, left_out: list[str]) -> Iterator[Digest]:
        """One run's series at a time, so that memory does not grow with the number of runs."""
        from unity_mlops_mcp.metrics.comparison import digest_run
        from unity_mlops_mcp.metrics.reader import RunReader

        for row in rows:
            reader = RunReader(self._parts.runs.folder(row.run_id).path)
            reader.poll()
            behavior = row.behavior_name if row.behavior_name in reader.behaviors else reader.behavior
            digest = None
            if behavior is not None:
                digest = digest_run(
                    reader,
                    tag=tag,
                    run_id=row.run_id,
                    behavior=behavior,
                    seed=_seed(row),
                    settings=_settings(row, self._spec(row)),
                    state=state_of(row),
                )
            if digest is None:
                left_out.append(f"{row.run_id}: no values of {tag}")
                continue
            if reader.problems:
                left_out.append(f"{row.run_id} is compared without what is damaged: {reader.problems[0].message}")
            yield digest

    def _spec(self, row: RunRow) -> dict[str, Any] | None:
        from unity_mlops_mcp.training.record import read_record

        found: dict[str, Any] | None = read_record(self._parts.runs.folder(row.run_id)).get("spec")
        return found

    def _no_metric(self, rows: Sequence[RunRow], metric: str) -> NotFoundError:
        from unity_mlops_mcp.metrics.reader import RunReader

        reader = RunReader(self._parts.runs.folder(rows[0].run_id).path)
        reader.poll()
        known = [*METRICS, *reader.tags_of(None)]
        near = difflib.get_close_matches(metric, known, n=3, cutoff=0.4)
        hint = f"Did you mean {', '.join(near)}? " if near and metric not in METRICS else ""
        return NotFoundError(
            f"None of the {len(rows)} runs has values of {metric!r}.",
            fix=f"{hint}Metrics: {', '.join(METRICS)}, or a tag that get_metrics names.",
            cause="no_such_metric",
        )


def _filters(text: str) -> dict[str, Any]:
    found = {}
    for part in names(text):
        name, equals, value = part.partition("=")
        if not equals or name.strip() not in FILTERS or not value.strip():
            raise InvalidInputError(
                f"{part!r} is no filter.", fix=f"Use {', '.join(f'{one}=…' for one in FILTERS)}, separated by commas."
            )
        found[name.strip()] = value.strip()
    if not found:
        raise InvalidInputError("The filter is empty.", fix="Use behavior=…, asset=…, state=….")
    return found


def _seed(row: RunRow) -> int | None:
    seed: int | None = row.configuration.get("seed")
    return seed


def _settings(row: RunRow, spec: dict[str, Any] | None) -> dict[str, Any]:
    """What decides a run besides the seed, flattened: configuration, spec and how it was played.

    Where the spec is known it speaks for the build that was made of it.
    """
    from unity_mlops_mcp.metrics.comparison import OF_ONE_RUN, flattened

    kept = {name: value for name, value in row.trainer_configuration.items() if name not in OF_ONE_RUN}
    behaviors = kept.pop("behaviors", {})
    if isinstance(behaviors, dict) and len(behaviors) == 1:
        kept |= next(iter(behaviors.values())) or {}
    else:
        kept["behaviors"] = behaviors
    made = {"spec": spec} if spec else {"build": row.build_id, "spec_id": row.spec_id}
    shared = {"archetype": row.archetype, "max_steps": row.max_steps}
    asked = {name: row.configuration.get(name) for name in _DECIDING}
    given = {name: value for name, value in {**made, **shared, **asked}.items() if value is not None}
    return {**flattened(kept), **flattened(given)}


_DECIDING = ("num_envs", "num_areas", "initialize_from", "env_path", "training_mode")
"""What a request for a training says besides the trainer's configuration, and a curve depends on."""


def _require_known(digests: Sequence[Digest], group_by: Sequence[str], baseline: str | None, rows: Any) -> None:
    settings = sorted({name for digest in digests for name in digest.settings})
    for name in group_by:
        if name not in settings:
            near = difflib.get_close_matches(name, settings, n=3, cutoff=0.4)
            raise NotFoundError(
                f"No run has a setting {name!r}.", fix=f"Did you mean {', '.join(near) or ', '.join(settings[:8])}?"
            )
    known = [row.run_id for row in rows]
    if baseline is not None and baseline not in {digest.run_id for digest in digests}:
        near = difflib.get_close_matches(baseline, known, n=1)
        raise NotFoundError(
            f"The baseline {baseline!r} is none of the runs that are compared.",
            fix=f"Did you mean {near[0]}?" if near else "Add it to run_ids.",
        )


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 6:  # noqa: PLR2004 - more groups than anybody has
        raise InvalidInputError(f"{cursor!r} is not a cursor.", fix="Pass next_cursor of the page before.")
    return int(cursor)


def _page(found: Comparison, tag: str, runs: int, left_out: list[str], start: int) -> ComparisonResult:
    groups = found.groups[start : start + GROUPS_A_PAGE]
    end = start + GROUPS_A_PAGE
    labels = [group.label for group in groups]
    return ComparisonResult(
        verdict=found.verdict,
        reason=found.reason,
        doubt=found.doubt,
        ranking=[_ranked(group) for group in groups],
        differences=[
            SettingDifference(setting=one.setting, values={label: one.values[label] for label in labels})
            for one in found.differences[:DIFFERENCES_SHOWN]
        ],
        differences_left_out=max(0, len(found.differences) - DIFFERENCES_SHOWN),
        curves=[_curve(group) for group in groups[:CURVES_A_PAGE]],
        statistics=ComparisonStatistics(
            metric=found.metric,
            tag=tag,
            runs=runs,
            groups=len(found.groups),
            common_steps=found.common_steps,
            threshold=found.threshold,
            method="interquartile mean and 95 % bootstrap interval over runs from three on, else the mean",
        ),
        left_out=left_out[:RUNS_NAMED],
        next_cursor=str(end) if end < len(found.groups) else None,
        next="Tell the user verdict and doubt; render_report(run_ids) makes a page of it."
        if not found.doubt
        else "Tell the user verdict and doubt; start_training with other seeds would settle it.",
    )


def _ranked(group: Group) -> RankedGroup:
    return RankedGroup(
        rank=group.rank,
        label=group.label,
        run_ids=list(group.run_ids[:RUNS_NAMED]),
        seeds=list(group.seeds[:RUNS_NAMED]),
        final=figure(group.final),
        best=figure(group.best),
        area=figure(group.area),
        steps_to_threshold=group.steps_to,
        seconds_to_threshold=None if group.seconds_to is None else round(group.seconds_to, 2),
        reached=group.reached,
        stability=round(group.stability, 4),
        verdicts=group.verdicts,
        better_than_baseline=group.better_than_baseline,
    )


def _curve(group: Group) -> GroupCurve:
    band, every = group.band, slice(None, None, max(1, len(group.band.steps) // CURVE_POINTS))
    return GroupCurve(
        label=group.label,
        steps=list(band.steps[every]),
        middle=[float(f"{value:.4g}") for value in band.middle[every]],
        low=[float(f"{value:.4g}") for value in band.low[every]],
        high=[float(f"{value:.4g}") for value in band.high[every]],
    )
