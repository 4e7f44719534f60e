"""Results as lines for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from unity_mlops_mcp.interfaces.cli.calls import as_commands
from unity_mlops_mcp.interfaces.cli.render_models import (
    render_comparison,
    render_evaluation,
    render_models,
    render_promotion,
    render_registered,
    render_rollback,
)
from unity_mlops_mcp.interfaces.cli.render_schedules import (
    render_deliveries,
    render_endpoints,
    render_schedule,
    render_schedules,
)
from unity_mlops_mcp.interfaces.wording import duration, sentence, size_of, sparkline
from unity_mlops_mcp.results.builds import BehaviorShape, BuildResult
from unity_mlops_mcp.results.models import InstalledModel
from unity_mlops_mcp.results.runs import MetricsResult, RunList, StartedRun, Status, StopResult
from unity_mlops_mcp.results.scripts import ScriptFinding, ScriptResult, ScriptReview
from unity_mlops_mcp.results.setup import SetupReport
from unity_mlops_mcp.results.tokens import TokenList

_SEVERITY = {"error": "red", "warning": "yellow", "info": "dim"}
_STATUS_STYLE = {"ok": "green", "warn": "yellow", "fail": "red"}
_LOG_LINES = 10
_STEPS = frozenset({"next", "to mend it"})
"""Lines that say what to do."""
_BYTES = frozenset({"size", "sent_bytes"})
"""Fields that are bytes."""


@singledispatch
def render(result: BaseModel, console: Console) -> None:
    """Print any record: one line a field, and a table for each list of records."""
    for name, value in result.model_dump(mode="json").items():
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            _table(console, name, value)
        else:
            _line(console, name, size_of(value) if name in _BYTES else _words(value))


def _table(console: Console, name: str, records: Sequence[dict[str, Any]]) -> None:
    """One row a record; a column for each field that any of them has."""
    shown = [field for field in records[0] if any(one[field] not in (None, "", []) for one in records)]
    table = Table(box=None, pad_edge=False)
    for field in shown:
        number = all(isinstance(one[field], int | float | None) for one in records)
        table.add_column(field.replace("_", " "), justify="right" if number else "left")
    for one in records:
        table.add_row(*(size_of(one[field]) if field in _BYTES else _cell(one[field]) for field in shown))
    console.print(name.replace("_", " "), style="bold")
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(_words(value))


def _words(value: object) -> object:
    """A record inside a record as ``name value, name value``."""
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in value.items() if item is not None)


def _line(console: Console, name: str, value: object) -> None:
    """One ``name  value`` line; nothing for an empty value."""
    if not value and value != 0:
        return
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    console.print(f"{name.replace('_', ' '):<17} {as_commands(text) if name in _STEPS else text}")


@render.register
def _setup(result: SetupReport, console: Console) -> None:
    for check in result.checks:
        console.print(f"{check.status:<5}", style=_STATUS_STYLE[check.status], end="")
        console.print(f"{check.name:<20} {check.found}")
        if check.status != "ok":
            console.print(f"     needed: {check.needed}")
            console.print(f"     fix:    {check.fix}")
    console.print("This machine can train." if result.ok else "This machine cannot train yet.", style="bold")
    if not result.ok and result.job_id is None:
        console.print("unity-mlops doctor --fix mends what it can.")


@render.register
def _build(result: BuildResult, console: Console) -> None:
    render_build(result, console)
    if result.state != "succeeded":
        _line(console, "next", f"unity-mlops watch {result.build_id}")
    _line(console, "next", f"unity-mlops start-training --build-id {result.build_id}")


@render.register
def _script(result: ScriptResult, console: Console) -> None:
    _line(console, "spec", result.spec_id)
    _planning(result, console)
    if result.action_size:
        actions = (
            f"actions {result.action_size.continuous} continuous, branches {result.action_size.branches or 'none'}"
        )
        _line(console, "behavior", f"{result.behavior_name}: {result.observation_size} observations, {actions}")
    _line(console, "written for", f"Unity {result.unity_version}, ML-Agents {result.ml_agents_version}")
    for file in result.files:
        _line(console, file.kind, file.path)
    _line(console, "folder", result.folder)
    _findings(result.findings, result.findings_left_out, result.compile_check, console)
    _line(console, "next", f"unity-mlops build-environment --spec-id {result.spec_id}")


@render.register
def _review(result: ScriptReview, console: Console) -> None:
    files = f"{result.files} file{'s' if result.files > 1 else ''}"
    console.print(f"{files}: {'nothing must be mended' if result.ok else 'something must be mended'}", style="bold")
    _line(console, "agents", result.agents)
    _line(console, "observes", result.observation_formula)
    _line(console, "checked for", f"Unity {result.unity_version}, ML-Agents {result.ml_agents_version}")
    _findings(result.findings, result.findings_left_out, result.compile_check, console)


def _findings(findings: Sequence[ScriptFinding], more: int, compiler: str | None, console: Console) -> None:
    for one in findings:
        console.print(f"{one.path}:{one.line}: {one.severity} {one.id}: {one.message}", style=_SEVERITY[one.severity])
        console.print(f"  {one.fix}")
    _line(console, "more findings", more or None)
    _line(console, "compiled by", "no compiler is here" if compiler == "none" else compiler)


def render_build(result: BuildResult, console: Console) -> None:
    """Print what was understood, assumed and built."""
    _line(console, "build", f"{result.build_id} ({'there already' if result.cached else result.state})")
    _line(console, "archetype", result.archetype)
    _planning(result, console)
    _behaviors(result.behaviors, console)
    _line(console, "waiting for", result.waiting_for)
    for note in result.notes:
        _line(console, "note", note)


def _planning(result: BuildResult | ScriptResult, console: Console) -> None:
    _line(
        console, "planned by", result.planner_model or (None if result.planner == "spec" else f"the {result.planner}")
    )
    for word in result.words:
        _line(console, "understood", f"“{word.text}”: {word.meaning}")
    for assumption in result.assumptions:
        _line(console, "assumed", assumption)
    for wish in result.left_out:
        _line(console, "left out", wish)


def _behaviors(behaviors: Sequence[BehaviorShape], console: Console) -> None:
    for behavior in behaviors:
        actions = behavior.action_spec
        sizes = f"observations {behavior.observation_shapes}, actions {actions.continuous} continuous"
        _line(console, "behavior", f"{behavior.name}: {sizes}, branches {actions.branches or 'none'}")


@render.register
def _started(result: StartedRun, console: Console) -> None:
    _line(console, "run", f"{result.run_id} ({result.state})")
    _line(console, "waiting for", result.waiting_for)
    for note in result.notes:
        _line(console, "note", note)
    _line(console, "next", f"unity-mlops watch {result.run_id}")


@render.register
def _stopped(result: StopResult, console: Console) -> None:
    _line(console, result.id, result.state)
    _line(console, "step", result.step)
    for file in result.files:
        _line(console, "kept", file)
    _line(console, "next", f"unity-mlops resume-training {result.id}" if result.files else None)


@render.register
def _runs(result: RunList, console: Console) -> None:
    if not result.runs:
        console.print('No runs yet. Start one: unity-mlops train "a robot finds the red ball"')
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("run", no_wrap=True, min_width=max(len(row.run_id) for row in result.runs))
    for heading in ("state", "steps", "reward", "success", "time"):  # eighty columns hold these and no more
        table.add_column(heading, no_wrap=True, justify="left" if heading == "state" else "right")
    for row in result.runs:
        reward = "" if row.mean_reward is None else f"{row.mean_reward:.2f}"
        success = "" if row.success is None else f"{row.success:.0%}"
        took = "" if row.duration_s is None else duration(row.duration_s)
        table.add_row(row.run_id, row.state, f"{row.step:,}", reward, success, took)
    console.print(table, soft_wrap=False)
    _line(console, "more", f"--cursor {result.next_cursor}" if result.next_cursor else None)


@render.register
def _status(result: Status, console: Console) -> None:
    console.print(f"{result.id}  {sentence(result)}", style="bold")
    _line(console, "behavior", result.behavior_name)
    _line(console, "rewards", sparkline(result.rewards))
    _line(console, "speed", f"{result.steps_per_second:,.0f} steps/s" if result.steps_per_second else None)
    _line(console, "took", duration(result.duration_s) if result.duration_s is not None else None)
    _line(console, "attempts", result.attempts)
    _line(console, "folder", result.folder)
    _line(console, "policy", result.onnx)
    _line(console, "player", result.player_path)
    _behaviors(result.behaviors, console)
    if result.probe:
        _line(console, "probed", f"{result.probe.agents} agents, {result.probe.agent_steps_per_second:,.0f} steps/s")
    if result.paragraph:
        console.print(result.paragraph, soft_wrap=False)
    if result.evaluation:
        render_evaluation(result.evaluation, console)
    for note in result.notes:
        _line(console, "note", note)
    if result.failure:
        console.print(f"{result.failure.cause}: {result.failure.message}", style="red")
        for line in result.failure.evidence:
            console.print(f"  | {line}", style="dim")
        _line(console, "to mend it", result.failure.fix)
    for line in result.log_tail[-_LOG_LINES:]:
        console.print(f"  {line}", style="dim")


@render.register
def _metrics(result: MetricsResult, console: Console) -> None:
    summary = result.summary
    console.print(f"{result.run_id}  {result.state}, {summary.steps:,} steps", style="bold")
    _line(console, "verdict", f"{summary.verdict.replace('_', ' ')}: {summary.reason}")
    if summary.success is not None:
        _line(console, "success", f"{summary.success:.1%} of the last {summary.success_episodes} episodes")
    if summary.last_reward is not None and summary.best_reward is not None:
        _line(console, "reward", f"{summary.last_reward:.3f} now, best {summary.best_reward:.3f}")
    _line(console, "lessons", [f"{name}: {number}" for name, number in summary.lessons.items()])
    _line(console, "speed", f"{summary.steps_per_second:,.0f} steps/s" if summary.steps_per_second else None)
    for series in result.series:
        last = f"{series.values[-1]:.4g}" if series.values else ""
        console.print(f"{series.tag:<40} {sparkline(series.values[-40:])} {last}")
    _line(console, "more series", [tag for tag in result.available_tags if tag not in {s.tag for s in result.series}])
    _line(console, "problems", result.problems)


@render.register
def _installed(result: InstalledModel, console: Console) -> None:
    for file in result.files:
        _line(console, file.change, file.path)
        _line(console, "kept", file.backup)
    _line(console, "runs in", result.inference_package)
    console.print("Set in the inspector of the agent:", style="bold")
    for row in result.inspector:
        console.print(f"  {row.field}: {row.value}")


@render.register
def _tokens(result: TokenList, console: Console) -> None:
    table = Table("token", "name", "scope", "made", "revoked", box=None)
    for token in result.tokens:
        table.add_row(token.token_id, token.name, token.scope, *map(_day, (token.created_at, token.revoked_at)))
    console.print(table if result.tokens else "No tokens yet: unity-mlops token add NAME")


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


for _render in (
    render_comparison,
    render_models,
    render_promotion,
    render_registered,
    render_rollback,
    render_schedule,
    render_schedules,
    render_deliveries,
    render_endpoints,
):
    render.register(_render)
