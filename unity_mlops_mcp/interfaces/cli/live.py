"""The live view of a run or job: a picture that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from unity_mlops_mcp.interfaces.wording import duration, sentence, sparkline

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.runs import StageStatus, Status, WaitResult

_LOOK_EVERY_S = 1.0
_LINE_EVERY_S = 5.0
_MARKS = {"done": ("✓", "green"), "failed": ("✗", "red"), "cancelled": ("-", "yellow"), "running": ("▸", "cyan")}


class View(Protocol):
    """Shows a status that changes."""

    def show(self, status: Status) -> None:
        """Take the newest status."""


class Lines:
    """A line when the state changes or a stage ends, else one every few seconds when there is something new."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = ""
        self._state = ""
        self._at = float("-inf")
        self._told: set[str] = set()

    def show(self, status: Status) -> None:
        """Print a line, unless nothing new is to be said yet."""
        self._tell_stages(status)
        line = sentence(status)
        due = status.state != self._state or time.monotonic() - self._at >= _LINE_EVERY_S
        if due and line != self._said:
            self._console.print(f"{status.id}  {line}")
            self._said, self._state, self._at = line, status.state, time.monotonic()

    def _tell_stages(self, status: Status) -> None:
        for stage in status.stages:
            if stage.state in {"done", "failed", "cancelled"} and stage.name not in self._told:
                self._told.add(stage.name)
                self._console.print(f"{stage.name:<10} {stage.state}: {stage.said}" if stage.said else stage.name)


class Picture:
    """A few lines of the terminal, drawn again at each status."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, status: Status) -> None:
        """Draw the status."""
        self._live.update(picture(status), refresh=True)


@contextmanager
def live_view(console: Console) -> Iterator[View]:
    """The view that fits the console."""
    if not console.is_terminal:
        yield Lines(console)
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:
        yield Picture(live)


def follow(app: App, subject: str, console: Console) -> WaitResult:
    """Show a run or job until it ends; its last status.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was followed goes on.
    """
    import anyio

    async def look(view: View) -> WaitResult:
        while True:
            status = await app.wait_for(subject, timeout_s=_LOOK_EVERY_S)
            view.show(status)
            if status.done:
                return status

    with live_view(console) as view:
        return anyio.run(look, view)


def picture(status: Status) -> Group:
    """The status as three lines: what, how far, how well; of a pipeline a line for each stage."""
    from rich.console import Group
    from rich.text import Text

    name = status.behavior_name or status.kind
    head = Text.assemble((name, "bold"), "  ", (status.state, _style(status.state)), "  ", (status.id, "dim"))
    how = "" if status.finished_at else status.waiting_for or status.message
    if status.stages:
        return Group(head, *(_stage(stage, status) for stage in status.stages), Text(_figures(status)))
    lines: list[RenderableType] = [head, _bar(status), Text(_figures(status))]
    return Group(*lines, Text(how, style="dim")) if how else Group(*lines)


def _stage(stage: StageStatus, status: Status) -> Table:
    """One stage: its mark, its name, and what it came to or how far it is."""
    from rich.table import Table
    from rich.text import Text

    mark, style = _MARKS.get(stage.state, (" ", "dim"))
    row = Table.grid(padding=(0, 1))
    name = Text(f"{mark} {stage.name:<10}", style=style)
    if stage.state == "running":
        how = status.waiting_for or status.message.removeprefix(f"{stage.name}: ")
        row.add_row(
            name, _progress_bar(stage.progress, width=30), _share(stage.progress, status), Text(how, style="dim")
        )
    else:
        row.add_row(name, Text("left out" if stage.state == "skipped" else stage.said, style="dim"))
    return row


def _style(state: str) -> str:
    return {"succeeded": "green", "failed": "red", "interrupted": "yellow", "cancelled": "yellow"}.get(state, "cyan")


def _bar(status: Status) -> Table:
    from rich.table import Table

    row = Table.grid(padding=(0, 2))
    pulse = status.progress is None and status.finished_at is None
    row.add_row(_progress_bar(status.progress, width=50, pulse=pulse), _share(status.progress, status))
    return row


def _progress_bar(share: float | None, *, width: int, pulse: bool | None = None) -> ProgressBar:
    from rich.progress_bar import ProgressBar

    return ProgressBar(
        total=1.0,
        completed=share or 0.0,
        width=width,
        pulse=share is None if pulse is None else pulse,
        complete_style="cyan",
        finished_style="green",
    )


def _share(share: float | None, status: Status) -> str:
    """Such as ``40%  20,000 of 50,000 steps``."""
    steps = f"{status.step or 0:,} of {status.max_steps:,} steps" if status.max_steps else ""
    return f"{share:.0%}  {steps}" if share is not None else steps


def _figures(status: Status) -> str:
    """Reward with its curve, success, speed and time left, as far as they are known."""
    parts = []
    if status.mean_reward is not None:
        parts.append(f"reward {status.mean_reward:.2f} {sparkline(status.rewards)}")
    if status.success is not None:
        parts.append(f"success {status.success:.0%}")
    if status.steps_per_second:
        parts.append(f"{status.steps_per_second:,.0f} steps/s")
    if status.eta_s is not None and status.eta_s > 0:
        parts.append(f"{duration(status.eta_s)} left")
    return "   ".join(parts)
