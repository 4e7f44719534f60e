"""The pages of schedules: when what is trained next, and what became of the last times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.http.dashboard.asking import Asked, Page

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


def schedules(app: App, _: Asked) -> Page:
    """All schedules, each with its next firing and the last outcome."""
    return Page("schedules", "Schedules", {"found": app.list_schedules()}, place="schedules")


def schedule(app: App, asked: Asked) -> Page:
    """One schedule: its rule, what it does, its next five firings and the newest twenty."""
    (found,) = app.list_schedules(asked.path["name"]).schedules
    return Page("schedule", f"Schedule {found.name}", {"schedule": found}, place="schedules")
