"""The REST face as a table: each tool's method and address under /api/v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Route:
    """One tool's address.

    Attributes:
        tool: the tool whose arguments, bounds and result it has.
        method: GET takes the arguments from the query, POST from a JSON body.
        path: under /api/v1; names in braces are arguments.
        shared: many may ask the same at once and are given the same answer.
    """

    tool: str
    method: Literal["GET", "POST"]
    path: str
    shared: bool = False


ROUTES = (
    Route("check_setup", "POST", "/setup"),
    Route("run_pipeline", "POST", "/pipelines"),
    Route("generate_behavior_script", "POST", "/scripts"),
    Route("check_behavior_script", "POST", "/script-checks"),
    Route("build_environment", "POST", "/builds"),
    Route("list_runs", "GET", "/runs", shared=True),
    Route("start_training", "POST", "/runs"),
    Route("get_run", "GET", "/runs/{id}", shared=True),
    Route("wait_for", "GET", "/runs/{id}/wait"),
    Route("stop_training", "POST", "/runs/{id}/stop"),
    Route("resume_training", "POST", "/runs/{run_id}/resume"),
    Route("get_metrics", "GET", "/runs/{run_id}/metrics", shared=True),
    Route("compare_runs", "GET", "/comparisons", shared=True),
    Route("render_report", "POST", "/reports"),
    Route("evaluate_model", "POST", "/evaluations"),
    Route("list_models", "GET", "/models", shared=True),
    Route("register_model", "POST", "/models"),
    Route("promote_model", "POST", "/promotions"),
    Route("rollback_model", "POST", "/rollbacks"),
    Route("install_model", "POST", "/installations"),
    Route("list_schedules", "GET", "/schedules"),
    Route("add_schedule", "POST", "/schedules"),
    Route("update_schedule", "POST", "/schedules/{schedule_id}"),
    Route("record_demonstrations", "POST", "/demonstrations"),
    Route("inspect_dataset", "GET", "/datasets"),
)
"""One for each tool; a test holds both together."""
