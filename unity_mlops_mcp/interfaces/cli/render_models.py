"""What becomes of policies, as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from unity_mlops_mcp.interfaces.cli.calls import as_commands
from unity_mlops_mcp.results.comparisons import ComparisonResult
from unity_mlops_mcp.results.evaluations import EvaluationFigures, Figure
from unity_mlops_mcp.results.promotions import Promotion, Rollback
from unity_mlops_mcp.results.registry import ModelLine, ModelList, RegisteredModel


def share(figure: Figure) -> str:
    """Such as ``97 % (94 % to 99 %)``."""
    if figure.low is None or figure.high is None:
        return f"{100 * figure.mean:.0f} %"
    return f"{100 * figure.mean:.0f} % ({100 * figure.low:.0f} % to {100 * figure.high:.0f} %)"


def number(figure: Figure) -> str:
    """Such as ``0.91 (0.88 to 0.94)``."""
    if figure.low is None or figure.high is None:
        return f"{figure.mean:.4g}"
    return f"{figure.mean:.4g} ({figure.low:.4g} to {figure.high:.4g})"


def render_evaluation(found: EvaluationFigures, console: Console) -> None:
    """The figures of an evaluation with their 95 % intervals."""
    console.print(f"Over {found.episodes} episodes, with 95 % intervals:", style="bold")
    if found.success:
        _row(console, "success", share(found.success))
    for behavior, figure in found.returns.items():
        _row(console, "return", f"{number(figure)}  {behavior if len(found.returns) > 1 else ''}".rstrip())
    _row(console, "episode length", f"{number(found.episode_length)} decisions")
    _each(console, "ended by", {name: share(figure) for name, figure in found.endings.items()})
    _each(console, "measure", {name: number(figure) for name, figure in found.measures.items()})
    if found.inference_us:
        _row(console, "inference", f"{number(found.inference_us)} microseconds a decision")
    for sensor in found.sensors:
        if sensor.outside is not None:
            _row(console, "sensor", f"{sensor.sensor}: {sensor.outside:.1%} outside the training's range")
    if found.robustness:
        _robustness(found, console)


def _row(console: Console, name: str, text: str) -> None:
    console.print(f"{name:<17} {text}")


def _each(console: Console, name: str, rows: Mapping[str, str]) -> None:
    for key, text in rows.items():
        _row(console, name, f"{key} {text}")


def _robustness(found: EvaluationFigures, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("parameter", "value", "success", "return"):
        table.add_column(heading, justify="right" if heading == "value" else "left", no_wrap=True)
    for point in found.robustness:
        success = share(point.success) if point.success else ""
        table.add_row(point.parameter, f"{point.value:g}", success, number(point.returns))
    console.print(table, soft_wrap=False)


def render_registered(result: RegisteredModel, console: Console) -> None:
    """A version that was registered."""
    console.print(f"{result.version}  {'registered' if result.new else 'was registered before'}", style="bold")
    for check in result.checks:
        _row(console, "checked", f"{check.name}: {check.found}")
    _row(console, "revision", f"{result.git_sha} of the {result.git_sha_of}")
    _row(console, "folder", result.folder)
    for note in result.notes:
        _row(console, "note", note)
    _row(console, "next", f"unity-mlops evaluate-model --model {result.version}")


def render_models(result: ModelList, console: Console) -> None:
    """The models with their versions."""
    if not result.models:
        console.print("No models yet. Keep a run's policy: unity-mlops register-model --run-id RUN_ID")
    for model in result.models:
        frozen = f"  frozen: {model.frozen}" if model.frozen else ""
        console.print(f"{model.title}{frozen}", style="bold")
        _versions(model, console)
    if result.next_cursor:
        _row(console, "more", f"--cursor {result.next_cursor}")


def _versions(model: ModelLine, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("version", no_wrap=True, min_width=max((len(row.version) for row in model.versions), default=8))
    for heading in ("aliases", "success", "return"):
        table.add_column(heading, no_wrap=True)
    for row in model.versions:
        success = share(row.success) if row.success else ""
        table.add_row(row.version, " ".join(row.aliases), success, number(row.returns) if row.returns else "")
    console.print(table, soft_wrap=False)
    for incident in model.incidents:
        closed = f"closed {incident.closed_at}" if incident.closed_at else "open"
        _row(console, "incident", f"{incident.incident_id} ({closed}): {incident.failed_version}: {incident.reason}")
    for line in model.audit:
        where = f" {line.alias}" if line.alias else ""
        why = f": {line.reason}" if line.reason else ""
        _row(console, line.at[:16].replace("T", " "), f"{line.action}{where} {line.version or ''}{why}")
    if model.versions_left_out:
        console.print(f"{model.versions_left_out} older versions: unity-mlops list-models --name {model.name}")


_OUTCOME = {"passed": "green", "failed": "red", "missing": "yellow"}


def render_promotion(result: Promotion, console: Console) -> None:
    """What became of a promotion, gate by gate."""
    if result.version is None:
        console.print(as_commands(result.next), style="bold")
        return
    done = "promoted" if result.promoted else "a preview" if result.preview else "not promoted"
    console.print(f"{result.version} to {result.alias}: {done}", style="bold")
    for gate in result.gates:
        console.print(f"{gate.outcome:<8}", style=_OUTCOME[gate.outcome], end="")
        console.print(f"{gate.name:<16} {gate.value}")
        if gate.outcome != "passed":
            console.print(f"        needed: {gate.needed}")
            console.print(f"        fix:    {gate.fix}")
    if result.previous_version:
        _row(console, "held before by", result.previous_version)
    for note in result.notes:
        _row(console, "note", note)
    if result.job_id:
        _row(console, "next", f"unity-mlops wait-for {result.job_id}")
    elif result.preview:
        _row(console, "next", as_commands(result.next))


def render_rollback(result: Rollback, console: Console) -> None:
    """What became of a rollback."""
    done = "would go back" if result.preview else "went back"
    console.print(f"{result.alias} of {result.name} {done} to {result.version}", style="bold")
    _row(console, "taken back", result.previous_version)
    if result.incident_id:
        _row(console, "incident", f"{result.incident_id}; promotion is frozen")
    for note in result.notes:
        _row(console, "note", note)
    if result.preview:
        _row(console, "next", "--confirm does it")
    else:
        _row(console, "next", f"unity-mlops promote-model --name {result.name} --action unfreeze --confirm")


def render_comparison(result: ComparisonResult, console: Console) -> None:
    """Which runs are better, and how sure that is."""
    console.print(result.verdict, style="bold")
    console.print(result.reason)
    if result.doubt:
        console.print(f"Doubt: {result.doubt}", style="yellow")
    table = Table(box=None, pad_edge=False)
    for heading in ("", "group", "runs", "final", "best", "steps to threshold"):
        table.add_column(heading)
    for group in result.ranking:
        steps = f"{group.steps_to_threshold:,.0f}" if group.steps_to_threshold is not None else "not reached"
        runs = str(len(group.run_ids))
        table.add_row(str(group.rank), group.label, runs, number(group.final), f"{group.best.mean:.4g}", steps)
    console.print(table, soft_wrap=False)
    for one in result.differences:
        values = "; ".join(f"{label}: {value}" for label, value in one.values.items())
        _row(console, "differs", f"{one.setting}  {values}")
    for line in result.left_out:
        _row(console, "left out", line)
    if result.next_cursor:
        _row(console, "more", f"--cursor {result.next_cursor}")
