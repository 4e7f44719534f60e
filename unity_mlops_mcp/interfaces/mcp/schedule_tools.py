"""Trainings that start by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.schedules import ScheduleList, ScheduleResult
from unity_mlops_mcp.scheduling.words import AFTER_DEFAULT

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class ScheduleTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def add_schedule(
        self,
        *,
        name: a.ScheduleName,
        cron: a.Cron,
        request: a.Request = None,
        assets: a.Assets = None,
        build_id: a.ScheduledBuild = None,
        project_path: a.OwnProject = None,
        scenes: a.Scenes = None,
        target: a.BuildOn = None,
        training: a.Training = None,
        max_steps: a.MaxSteps = None,
        after: a.After = AFTER_DEFAULT,
        alias: a.Alias = "production",
        warm_start: a.WarmStart = False,
        timezone: a.Timezone = "UTC",
        overlap: a.Overlap = "skip",
        catch_up: a.CatchUp = "latest",
        pause_s: a.PauseS = 60.0,
        max_concurrent_jobs: a.MaxConcurrentJobs = 4,
        enabled: a.Enabled = True,
        confirm: a.Confirm = False,
    ) -> ScheduleResult:
        """Train again and again: every firing starts a pipeline for each asset (train, then what `after` says).

        Give exactly one of request, assets, build_id, project_path. Returns schedule_id and next_firings. It fires
        while a process of ours lives on this machine: this server, `unity-mlops serve` or `unity-mlops scheduler`.
        Tell the user the next firings. Later: list_schedules(name) shows what became of each.
        """
        from unity_mlops_mcp.inputs import names
        from unity_mlops_mcp.operations.pipelines import read_training
        from unity_mlops_mcp.pipeline.records import Wanted
        from unity_mlops_mcp.scheduling.records import Rule

        return self._app().add_schedule(
            name=name,
            rule=Rule(cron=cron, timezone=timezone, overlap=overlap, catch_up=catch_up, pause_s=pause_s),
            work=Wanted(
                request=request,
                build_id=build_id,
                project_path=project_path,
                scenes=names(scenes),
                target=target,
                training=read_training(training),
                max_steps=max_steps,
                after=names(after),
                alias=alias,
                warm_start=warm_start,
                confirm=confirm,
            ),
            assets=assets,
            max_concurrent_jobs=max_concurrent_jobs,
            enabled=enabled,
        )

    def list_schedules(self, name: a.ScheduleNamed = None) -> ScheduleList:
        """Show the schedules: the next five firings in the schedule's zone, and the last outcome with its jobs.

        With name, one schedule with its history. Next: get_run(id) for one of its jobs.
        """
        return self._app().list_schedules(name)

    def update_schedule(
        self, schedule_id: a.ScheduleId, action: a.ScheduleAction, changes: a.Changes = None
    ) -> ScheduleResult:
        """Pause, resume, change or remove a schedule, or let it fire now; what already runs goes on.

        Ask the user before remove. With action='change' give changes.
        """
        return self._app().update_schedule(schedule_id, action, changes)
