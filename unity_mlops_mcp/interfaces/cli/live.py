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
    from rich.table import Table

    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results import Status, WaitResult

_LOOK_EVERY_S = 1.0
_LINE_EVERY_S = 5.0


class View(Protocol):
    """Shows a status that changes."""

    def show(self, status: Status) -> None:
        """Take the newest status."""


class Lines:
    """A line when the state changes, else one every few seconds when there is something new."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = ""
        self._state = ""
        self._at = float("-inf")

    def show(self, status: Status) -> None:
        """Print a line, unless nothing new is to be said yet."""
        line = sentence(status)
        due = status.state != self._state or time.monotonic() - self._at >= _LINE_EVERY_S
        if due and line != self._said:
            self._console.print(f"{status.id}  {line}")
            self._said, self._state, self._at = line, status.state, time.monotonic()


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
    """The status as three lines: what, how far, how well."""
    from rich.console import Group
    from rich.text import Text

    name = status.behavior_name or status.kind
    head = Text.assemble((name, "bold"), "  ", (status.state, _style(status.state)), "  ", (status.id, "dim"))
    how = "" if status.finished_at else status.waiting_for or status.message
    lines: list[RenderableType] = [head, _bar(status), Text(_figures(status))]
    return Group(*lines, Text(how, style="dim")) if how else Group(*lines)


def _style(state: str) -> str:
    return {"succeeded": "green", "failed": "red", "interrupted": "yellow", "cancelled": "yellow"}.get(state, "cyan")


def _bar(status: Status) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    share = status.progress
    idle = share is None and status.finished_at is None
    steps = f"{status.step or 0:,} of {status.max_steps:,} steps" if status.max_steps else ""
    label = f"{share:.0%}  {steps}" if share is not None else steps
    bar = ProgressBar(
        total=1.0, completed=share or 0.0, width=50, pulse=idle, complete_style="cyan", finished_style="green"
    )
    row = Table.grid(padding=(0, 2))
    row.add_row(bar, label)
    return row


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
