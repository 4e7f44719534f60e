"""The job that makes or repairs the managed trainer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.jobs.kinds import JobContext
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.trainer.install import Step, install_trainer
from unity_mlops_mcp.training.trainer.offline_rl import install_offline_rl

MESSAGES_KEPT = 30


def _install_trainer(settings: Settings, **options: Any) -> Trainer:
    return install_trainer(settings, Cache(settings.home / "cache"), **options)


def _install_offline_rl(settings: Settings, *, report: Callable[[Step], None], **options: Any) -> Trainer:
    def tell(message: str, share: float) -> None:
        report(Step("offline-rl", message, share))

    return install_offline_rl(settings, tell=tell, **options)


async def install(context: JobContext) -> dict[str, Any]:
    """Install as the job's request says; a stop ends pip, and what was done is gone on with next time.

    Raises:
        MlopsError: no interpreter fits, pip failed, or the result cannot be used.
    """
    request = context.job.request
    stopping = threading.Event()
    messages: list[str] = []

    def report(step: Step) -> None:
        if step.message:
            messages.append(step.message)
        shown = {"message": step.message} if step.message else {}
        context.progress(step=round(step.share * 100), total=100, log=messages[-MESSAGES_KEPT:], **shown)

    work = partial(
        _install_offline_rl if request.get("offline_rl") else _install_trainer,
        context.settings,
        now=utc_now(),
        report=report,
        python=Path(request["python"]) if request.get("python") else None,
        torch_index=request.get("torch_index"),
        repair=bool(request.get("repair")),
        stopping=stopping,
    )
    async with anyio.create_task_group() as tasks:

        async def pass_on_a_stop() -> None:
            await context.stop_requested.wait()
            stopping.set()

        tasks.start_soon(pass_on_a_stop)
        trainer = await anyio.to_thread.run_sync(work, abandon_on_cancel=False)
        tasks.cancel_scope.cancel()
    return {"python": str(trainer.python), "versions": trainer.versions.model_dump()}
