"""The page about the machine: what it has and lacks, and what it is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.http.dashboard.asking import CALM_S, Asked, Page

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

JOBS_SHOWN = 25


def machine(app: App, asked: Asked) -> Page:
    """The checks of the machine and of the trainer, and the newest jobs."""
    found = app.jobs.page(limit=JOBS_SHOWN, cursor=asked.get("cursor"))
    report = app.check_setup()
    order = {"fail": 0, "warn": 1, "ok": 2}
    shown = {
        "report": report,
        "checks": sorted(report.checks, key=lambda check: order[check.status]),
        "jobs": found.rows,
        "next_cursor": found.next_cursor,
        "home": app.settings.home,
        "at_once": app.settings.max_jobs,
    }
    return Page("machine", "Machine", shown, place="machine", refresh_s=CALM_S)
