"""The tools: typed arguments, one call into the application, a typed result; one module for each topic."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcp.types import ToolAnnotations

from unity_mlops_mcp.interfaces.mcp.apps import DRAWN
from unity_mlops_mcp.interfaces.mcp.dataset_tools import DatasetTools
from unity_mlops_mcp.interfaces.mcp.environment_tools import EnvironmentTools
from unity_mlops_mcp.interfaces.mcp.insight_tools import InsightTools
from unity_mlops_mcp.interfaces.mcp.model_tools import ModelTools
from unity_mlops_mcp.interfaces.mcp.schedule_tools import ScheduleTools
from unity_mlops_mcp.interfaces.mcp.strict import StrictTool
from unity_mlops_mcp.interfaces.mcp.training_tools import TrainingTools

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


def make_tools(app: Callable[[], App]) -> list[StrictTool]:
    """All tools, in the order in which they are used."""
    making, training, insight, models = EnvironmentTools(app), TrainingTools(app), InsightTools(app), ModelTools(app)
    datasets = DatasetTools(app)
    schedules = ScheduleTools(app)
    return [
        _tool(making.check_setup, "Check this machine", idempotent=True, open_world=True),
        _tool(making.run_pipeline, "Go from a sentence to a trained policy", open_world=True),
        _tool(making.generate_behavior_script, "Write the C# of a behaviour", open_world=True),
        _tool(making.check_behavior_script, "Check C#", read_only=True),
        _tool(making.build_environment, "Make a training environment", idempotent=True, open_world=True),
        _tool(training.start_training, "Start a training"),
        _tool(training.wait_for, "Wait for a run, job or build", read_only=True),
        _tool(training.get_run, "Show a run or job", read_only=True),
        _tool(insight.get_metrics, "Show how well a run learns", read_only=True, meta=DRAWN),
        _tool(insight.compare_runs, "Compare runs", read_only=True, meta=DRAWN),
        _tool(training.list_runs, "List the runs", read_only=True),
        _tool(training.stop_training, "Stop a run or job", destructive=True, idempotent=True),
        _tool(training.resume_training, "Resume a run"),
        _tool(datasets.record_demonstrations, "Record demonstrations"),
        _tool(datasets.inspect_dataset, "Look at recorded experience", read_only=True),
        _tool(models.evaluate_model, "Test a policy over episodes"),
        _tool(insight.render_report, "Make a report of runs"),
        _tool(models.register_model, "Keep a policy as a version", idempotent=True, open_world=True),
        _tool(models.list_models, "List models and versions", read_only=True),
        _tool(models.promote_model, "Promote a version, or freeze a model", destructive=True),
        _tool(models.rollback_model, "Go back to the last good version", destructive=True),
        _tool(models.install_model, "Install a policy into a Unity project", destructive=True, idempotent=True),
        _tool(schedules.add_schedule, "Train again and again"),
        _tool(schedules.list_schedules, "List the schedules", read_only=True),
        _tool(schedules.update_schedule, "Pause, change or remove a schedule", destructive=True),
    ]


def _tool(
    function: Callable[..., Any],
    title: str,
    *,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    meta: dict[str, Any] | None = None,
) -> StrictTool:
    annotations = ToolAnnotations(
        title=title,
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent or read_only,
        open_world_hint=open_world,
    )
    return StrictTool.of(
        function,
        title=title,
        annotations=annotations,
        description=inspect.cleandoc(function.__doc__ or ""),
        meta=meta,
    )
