"""Everything that a report says, gathered run by run; of each only what is shown is kept."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.metrics.comparison import Comparison
from unity_mlops_mcp.reports.charts import MOST_LINES, charts
from unity_mlops_mcp.reports.comparing import compared, comparison
from unity_mlops_mcp.reports.environment import spec_part
from unity_mlops_mcp.reports.evaluations import MOST_SHOWN, evaluation_part
from unity_mlops_mcp.reports.grouping import common, differing, labels
from unity_mlops_mcp.reports.headline import sentence, tiles
from unity_mlops_mcp.reports.records import EvaluationPart, Fact, Group, Report, RunPart, Section
from unity_mlops_mcp.reports.runs import RunFacts, read_run
from unity_mlops_mcp.reports.wording import plural
from unity_mlops_mcp.store.rows import RunRow
from unity_mlops_mcp.store.store import Store

SECTIONS = Path(__file__).with_name("sections.yaml")
_ALONE = 12
"""Up to so many runs each is read as finely as if it were drawn by itself."""


def gather(
    store: Store,
    run_ids: Sequence[str],
    *,
    report_id: str,
    now: datetime,
    told: Callable[[int, str], None] = lambda _done, _run_id: None,
) -> Report:
    """Gather a report.

    Args:
        store: the home's.
        run_ids: the runs, each once.
        report_id: the report's id.
        now: the present; UTC.
        told: is told how many runs are read, and which is next.

    Raises:
        NotFoundError: one of the runs is not there.
    """
    rows = [_row(store, run_id) for run_id in run_ids]
    facts: list[RunFacts] = []
    for done, row in enumerate(rows):
        told(done, row.run_id)
        facts.append(_slim(read_run(store, row, alone=len(rows) <= _ALONE), first=not facts))
    return _report(store, facts, report_id=report_id, now=now)


def _slim(run: RunFacts, *, first: bool) -> RunFacts:
    """The whole record is kept of the first run alone: of many runs they would take more memory than all curves."""
    kept = run.record if first else {}
    return replace(run, record=kept)


def _row(store: Store, run_id: str) -> RunRow:
    row = store.runs.get(run_id)
    if row is None:
        newest = ", ".join(one.run_id for one in store.runs.page(limit=5).rows) or "none yet"
        raise NotFoundError(
            f"There is no run {run_id!r}.",
            fix=f"Newest runs: {newest}. Call list_runs to see all.",
            cause="no_such_run",
        )
    return row


def _report(store: Store, facts: Sequence[RunFacts], *, report_id: str, now: datetime) -> Report:
    found = compared([one.digest for one in facts if one.digest is not None])
    grouped = _grouped(facts, found)
    firsts = [own[0] for own in grouped]
    settings = [one.settings for one in firsts]
    names = _labels(firsts, found)
    groups = [
        Group(
            label=name,
            color=place if place < MOST_LINES else None,
            run_ids=tuple(one.part.run_id for one in own),
        )
        for place, (name, own) in enumerate(zip(names, grouped, strict=True))
    ]
    runs = [one.part.model_copy(update={"group": place}) for place, own in enumerate(grouped) for one in own]
    evaluations = _evaluations(store, grouped)
    own_evaluation = next((one for one in evaluations if one.run_id in groups[0].run_ids), None)
    evaluation = own_evaluation.evaluation if own_evaluation else None
    best = [one.part for one in grouped[0]]
    against = comparison(found, groups, {run.run_id: run for run in runs}) if found and len(groups) > 1 else None
    first = next(one for one in facts if one.record or one is facts[-1])
    spec = firsts[0].spec
    report = Report(
        report_id=report_id,
        title=_title(firsts[0].part.behavior, runs),
        subtitle=spec.description if spec else "",
        created_at=now,
        product=f"unity-mlops-mcp {__version__}",
        headline=sentence(best, evaluation, against),
        tiles=tiles(best, runs, evaluation),
        sections=(),
        groups=tuple(groups),
        runs=tuple(runs),
        charts=charts(groups, {one.part.run_id: one.curves for one in facts}),
        settings=common(settings),
        spec=spec_part(spec) if spec else None,
        evaluations=evaluations,
        comparison=against,
        **_about(first.record),
        notes=_notes(runs),
        whole_spec=spec.model_dump(mode="json") if spec else None,
    )
    return report.model_copy(update={"sections": _sections(report)})


def _grouped(facts: Sequence[RunFacts], found: Comparison | None) -> list[list[RunFacts]]:
    """The runs by all that decided them but the seed, the best group first; within one, by seed.

    Runs without a reward yet stand behind those of their group, or behind all.
    """
    ranks = {run_id: group.rank for group in (found.groups if found else ()) for run_id in group.run_ids}
    groups: dict[str, list[RunFacts]] = defaultdict(list)
    for one in facts:
        key = json.dumps([one.part.behavior, one.settings], sort_keys=True)
        groups[sha256(key.encode()).hexdigest()].append(one)
    last = len(facts) + 1
    for own in groups.values():
        own.sort(key=lambda one: (one.digest is None, one.part.seed or 0, one.part.run_id))
    return sorted(groups.values(), key=lambda own: min(ranks.get(one.part.run_id, last) for one in own))


def _labels(firsts: Sequence[RunFacts], found: Comparison | None) -> list[str]:
    """The name of each group: as the comparison has it, else by what tells it apart."""
    settings = [one.settings for one in firsts]
    own = labels(settings, [one.part.behavior for one in firsts], differing(settings))
    if found is None or len(firsts) == 1:
        return own
    named = {run_id: group.label for group in found.groups for run_id in group.run_ids}
    return [named.get(one.part.run_id, label) for one, label in zip(firsts, own, strict=True)]


def _evaluations(store: Store, grouped: Sequence[Sequence[RunFacts]]) -> tuple[EvaluationPart, ...]:
    """The evaluations, the best group's first; the ways of the first alone are drawn."""
    found: list[EvaluationPart] = []
    for run in (run for own in grouped for run in own):
        if len(found) == MOST_SHOWN:
            break
        part = evaluation_part(store, run, pictures=not any(one.ways for one in found))
        if part is not None:
            found.append(part)
    return tuple(found)


def _title(behavior: str, runs: Sequence[RunPart]) -> str:
    behaviors = dict.fromkeys(run.behavior for run in runs)
    if len(behaviors) > 1:
        return f"{plural(len(runs), 'run')} of {plural(len(behaviors), 'behaviour')}"
    return f"{behavior}: {plural(len(runs), 'training')}" if len(runs) > 1 else behavior


def _about(record: dict[str, Any]) -> dict[str, Any]:
    versions = {name: value for name, value in (record.get("versions") or {}).items() if isinstance(value, str)}
    return {
        "versions": tuple(Fact(name=name.replace("_", "-"), value=value) for name, value in versions.items()),
        "machine": str(record.get("platform") or ""),
        "revision": record.get("revision"),
        "configuration": record.get("configuration") or {},
    }


def _notes(runs: Sequence[RunPart]) -> tuple[str, ...]:
    open_runs = [run.run_id for run in runs if run.state not in ("succeeded", "failed", "cancelled")]
    notes = [f"{plural(len(open_runs), 'run')} had not ended when this was written."] if open_runs else []
    unread = [run.run_id for run in runs if run.problems]
    if unread:
        notes.append(f"Parts of the event files of {plural(len(unread), 'run')} could not be read: {unread[0]}, …")
    failed = [run.run_id for run in runs if run.state == "failed"]
    if failed:
        notes.append(f"{plural(len(failed), 'run')} failed: {', '.join(failed[:5])}.")
    return tuple(notes)


@lru_cache(maxsize=1)
def _section_table() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load(SECTIONS.read_text(encoding="utf-8")))


def _sections(report: Report) -> tuple[Section, ...]:
    """The sections of ``sections.yaml`` that have something to say."""
    with_charts = {chart.section for chart in report.charts}
    parts = {
        "models": any(run.models for run in report.runs),
        "commands": any(run.commands for run in report.runs),
    }
    found = []
    for row in _section_table():
        needed = row.get("needs")
        there = (
            row["id"] in with_charts
            if row.get("charts")
            else needed is None or parts.get(needed, getattr(report, str(needed), None))
        )
        if there:
            found.append(Section(id=row["id"], title=row["title"]))
    return tuple(found)
