"""Who starts next, and what the others wait for: worked out from the open jobs, kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unity_mlops_mcp.store.rows import ACTIVE_STATES, JobRow


@dataclass(frozen=True)
class Wait:
    """What a job waits for, in words, and its place in the queue (1 starts next)."""

    reason: str | None
    position: int | None


def waits(rows: Sequence[JobRow], max_jobs: int) -> Mapping[str, Wait]:
    """What each queued or interrupted job waits for.

    Args:
        rows: all open jobs, oldest first.
        max_jobs: how many limited jobs run at once.
    """
    found = {row.id: Wait(_leftovers(row), None) for row in rows if row.state == "interrupted"}
    queued = [row for row in rows if row.state == "queued"]
    return found | {row.id: Wait(_reason(row, rows, max_jobs), place) for place, row in enumerate(queued, start=1)}


def startable(rows: Sequence[JobRow], max_jobs: int) -> list[JobRow]:
    """The queued jobs that there is room for now, in their order.

    Args:
        rows: all active jobs, and the queued ones that wait for no other job, oldest first.
        max_jobs: how many limited jobs run at once.
    """
    free = max_jobs - len(active(rows))
    found = []
    for row in rows:
        if row.state == "queued" and (free > 0 or not row.limited):
            free -= row.limited
            found.append(row)
    return found


def active(rows: Sequence[JobRow]) -> list[JobRow]:
    """The limited jobs that take a place."""
    return [row for row in rows if row.limited and row.state in ACTIVE_STATES]


def dependency(row: JobRow, rows: Sequence[JobRow]) -> JobRow | None:
    """The open job that this one comes after, or None; one that is over is not among the rows."""
    return next((other for other in rows if other.id == row.after), None)


def _reason(row: JobRow, rows: Sequence[JobRow], max_jobs: int) -> str | None:
    first = dependency(row, rows)
    if first is not None:
        return f"{first.id} ({first.kind}, {first.state}) to succeed"
    running = active(rows)
    if row.limited and len(running) >= max_jobs:
        names = ", ".join(other.subject for other in running)
        return f"one of {len(running)} running jobs to end: {names} (UNITY_MLOPS_MAX_JOBS is {max_jobs})"
    return "its turn" if row.limited else None


def _leftovers(row: JobRow) -> str:
    return f"what is left of attempt {row.attempt} to end"
