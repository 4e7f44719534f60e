"""Schedules and deliveries, as lines for a person."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from unity_mlops_mcp.interfaces.cli.calls import as_commands
from unity_mlops_mcp.results.notices import DeliveryList, EndpointList
from unity_mlops_mcp.results.schedules import FiringResult, ScheduleList, ScheduleResult

_MOMENT = "%Y-%m-%d %H:%M"
_STYLES = {"succeeded": "green", "failed": "red", "missed": "yellow", "skipped": "yellow", "dead": "red"}


def render_schedules(found: ScheduleList, console: Console) -> None:
    """Every schedule in some lines."""
    if not found.schedules:
        console.print(
            'There is no schedule yet: unity-mlops add-schedule NAME nightly --request "patrol four waypoints"'
        )
    for schedule in found.schedules:
        render_schedule(schedule, console)
    if found.schedules:
        console.print(as_commands(found.next), style="dim")


def render_schedule(found: ScheduleResult, console: Console) -> None:
    """What it does, when it fires next, and what became of the last firings."""
    if found.removed:
        console.print(found.next)
        return
    state = "" if found.enabled else " (paused)"
    console.print(f"{found.name}{state}", style="bold", end="")
    console.print(f"  {found.schedule_id}")
    if found.problem:
        console.print(f"  {found.problem}", style="red")
        return
    then = f", then {', '.join(found.after)}" if found.after else ""
    lines = {
        "rule": f"{found.cron} in {found.timezone}; overlap: {found.overlap}, catch up: {found.catch_up}",
        "trains": f"{'; '.join(found.work)}{then}{f' to {found.alias}' if found.alias else ''}",
        "next": ", ".join(moment[:16].replace("T", " ") for moment in found.next_firings)
        or "when the last one is over",
        "last": _told(found.last) if found.last and not found.history else "",
    }
    for name, text in lines.items():
        if text and (found.enabled or name != "next"):
            console.print(f"  {name:<15} {text}")
    if found.history:
        _history(found, console)


def _history(found: ScheduleResult, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("due", "state", "why", "jobs"):
        table.add_column(heading)
    for firing in found.history:
        due = firing.due_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(due, firing.state, firing.reason or "", ", ".join(firing.jobs), style=_STYLES.get(firing.state))
    console.print(table)


def _told(firing: FiringResult) -> str:
    reason = f": {firing.reason}" if firing.reason else ""
    return f"{firing.due_at.strftime('%Y-%m-%d %H:%M')} UTC {firing.state}{reason}"


def render_deliveries(found: DeliveryList, console: Console) -> None:
    """What is on its way, a row each."""
    if not found.deliveries:
        console.print("Nothing is or was on its way.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "to", "event", "state", "tries", "next try", "what", "problem", "id"):
        table.add_column(heading, overflow="fold")
    for one in found.deliveries:
        following = one.next_at.strftime(_MOMENT) if one.next_at else ""
        tried = (one.event, one.state, str(one.attempts), following)
        told = (one.summary, one.problem or "", one.delivery_id)
        table.add_row(one.created_at.strftime(_MOMENT), one.target, *tried, *told, style=_STYLES.get(one.state))
    console.print(table)
    console.print(found.next, style="dim")


def render_endpoints(found: EndpointList, console: Console) -> None:
    """Who is told, a row each."""
    if not found.endpoints:
        console.print(f"Nobody is told yet: {found.next}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "to", "events", "of jobs", "shape", "private", "pending", "dead", "disabled"):
        table.add_column(heading, overflow="fold")
    for one in found.endpoints:
        wishes = (", ".join(one.events) or "all", ", ".join(one.kinds), one.shape, "yes" if one.private else "no")
        table.add_row(one.endpoint_id, one.target, *wishes, str(one.pending), str(one.dead), one.disabled or "")
    console.print(table)
    console.print(found.next, style="dim")
