"""Schedules that a program adds and fires itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import anyio
import anyio.to_thread

from unity_mlops_mcp.compat.orchestrator import UnityMLOpsOrchestrator
from unity_mlops_mcp.compat.records import TrainingSchedule
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.inputs import names
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.results.schedules import ScheduleResult
from unity_mlops_mcp.scheduling.records import Rule
from unity_mlops_mcp.scheduling.words import AFTER_DEFAULT
from unity_mlops_mcp.store.ids import utc_now

_LOG = logging.getLogger("mlops_unity_pipeline")


class TrainingScheduler:
    """Fires schedules while `run_forever` runs; any other server of ours on the home does too.

    Args:
        orchestrator: its home and its ``dry_run`` count.
        max_concurrent_jobs: assets of one firing that train at once.
        webhook_url: is told of everything that happens; see docs/notifications.md.
        every_s: seconds between two looks.
        clock: gives the present moment.
    """

    def __init__(
        self,
        orchestrator: UnityMLOpsOrchestrator,
        max_concurrent_jobs: int = 4,
        webhook_url: str | None = None,
        *,
        every_s: float = 3.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._orchestrator = orchestrator
        self._max_concurrent_jobs = max_concurrent_jobs
        self._every_s = every_s
        self._clock = clock
        if webhook_url is not None:
            # The program's own words allow the address that it names.
            orchestrator.app.ensure_endpoint(webhook_url, private=True)

    def add_schedule(self, schedule: TrainingSchedule) -> ScheduleResult:
        """Add a schedule, or change the one of this name, whose firings are kept.

        Raises:
            InvalidInputError: the rule or an asset cannot be used.
            SetupError: there is no trainer.
        """
        given = schedule.rl_config if schedule.rl_config.model_fields_set else None
        return self._orchestrator.app.add_schedule(
            name=schedule.schedule_id,
            rule=Rule(cron=schedule.cron_expression, timezone=schedule.timezone),
            work=Wanted(
                training=given,
                target=self._orchestrator.target,
                dry_run=self._orchestrator.dry_run,
                after=names(AFTER_DEFAULT),
            ),
            assets=list(schedule.asset_specs),
            max_concurrent_jobs=self._max_concurrent_jobs,
            enabled=schedule.enabled,
            replace=True,
        )

    def list_schedules(self) -> list[ScheduleResult]:
        """The schedules of the home, with their next firings and the last outcome."""
        return self._orchestrator.app.list_schedules().schedules

    async def run_once(self) -> None:
        """Look once: fire what is due, start what is queued, send what is to be told."""
        await anyio.to_thread.run_sync(self._tend)
        await anyio.to_thread.run_sync(self._orchestrator.app.notify)

    async def run_forever(self) -> None:
        """Look again and again until it is cancelled; what runs then goes on by itself.

        What goes wrong in one look is logged and tried again. No schedule waits for a receiver of notifications.
        """
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._repeat, self._tend)
                group.start_soon(self._repeat, self._orchestrator.app.notify)
        finally:
            self._orchestrator.app.stop_firing()
            self._orchestrator.close()

    def _tend(self) -> None:
        self._orchestrator.app.tend(self._clock())

    async def _repeat(self, work: Callable[[], object]) -> None:
        while True:
            try:
                await anyio.to_thread.run_sync(work)
            except Exception as error:  # noqa: BLE001 - the program goes on for days, whatever one look came to
                _LOG.warning("%s", error, exc_info=not isinstance(error, MlopsError))
            await anyio.sleep(self._every_s)
