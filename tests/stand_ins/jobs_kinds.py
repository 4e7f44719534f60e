"""Kinds of jobs as the tests need them: they obey, fail, hang, leave orphans, and go on from a checkpoint."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.ports import lease_ports
from unity_mlops_mcp.jobs.records import Job

WORKER = Path(__file__).with_name("jobs_worker.py")
SUPERVISOR = [sys.executable, str(Path(__file__).with_name("jobs_supervisor.py"))]


async def _echo(context: JobContext) -> dict[str, Any]:
    """Give the request back, and the moment at which the handler began."""
    began = time.time()
    context.progress(said=context.job.request)
    return {"request": context.job.request, "began": began}


async def _refuse(context: JobContext) -> dict[str, Any]:
    del context
    raise ExternalError("The thing is broken.", fix="Mend it.", cause="broken_thing", evidence=["line 1", "line 2"])


async def _refuse_in_a_group(context: JobContext) -> dict[str, Any]:
    async with anyio.create_task_group() as group:
        group.start_soon(context.stop_requested.wait)
        await _refuse(context)
    return {}


async def _meet_a_full_disk(context: JobContext) -> dict[str, Any]:
    del context
    raise OSError(errno.ENOSPC, "No space left on device", "spec.json")


async def _crash(context: JobContext) -> dict[str, Any]:
    del context
    raise ZeroDivisionError("nobody expected this")


async def _hold(context: JobContext) -> dict[str, Any]:
    """Wait until a stop is requested."""
    context.event("holding", attempt=context.job.attempt)
    await context.stop_requested.wait()
    return {"stopped_at": "the gate"}


async def _work(context: JobContext) -> dict[str, Any]:
    """Run a worker on the folder that the request names; it counts, and goes on from its checkpoint."""
    folder = Path(context.job.request["folder"])
    command = [sys.executable, WORKER, folder, *context.job.request.get("options", [])]
    child = await context.start(command, cwd=folder, stdout=folder / "worker.log")
    codes: list[int] = []
    async with anyio.create_task_group() as group:

        async def stop() -> None:
            await context.stop_requested.wait()
            await child.stop(5.0)

        group.start_soon(stop)
        codes.append(await child.wait())
        group.cancel_scope.cancel()
    return {"exit_code": codes[0], "count": _count(folder)}


def _count(folder: Path) -> int:
    saved = folder / "checkpoint.json"
    return int(json.loads(saved.read_text())["count"]) if saved.exists() else 0


async def _leave_orphan(context: JobContext) -> dict[str, Any]:
    """End while a process without the job's token, in a session of its own, whose parent is gone, still runs."""
    folder = Path(context.job.request["folder"])
    script = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True, env={})"
    command = [sys.executable, "-c", script, sys.executable, str(WORKER), str(folder)]
    subprocess.run(command, check=True)  # noqa: ASYNC221 - a moment
    with anyio.fail_after(30):
        while not (folder / "checkpoint.json").exists():  # noqa: ASYNC110 - another process makes it
            await anyio.sleep(0.02)
    return {}


async def _ports(context: JobContext) -> dict[str, Any]:
    """Hold a block of ports until a stop is requested."""
    with lease_ports(context.job.request["count"], context.job.request["base"]) as lease:
        context.progress(ports=list(lease.ports))
        await context.stop_requested.wait()
    return {"ports": list(lease.ports)}


def _has_checkpoint(job: Job) -> bool:
    return (Path(job.request["folder"]) / "checkpoint.json").exists()


def _never(job: Job) -> bool:
    del job
    return False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("echo", _echo, _never),
        Kind("free_echo", _echo, _never, limited=False),
        Kind("refuse", _refuse, _never),
        Kind("refuse_in_a_group", _refuse_in_a_group, _never),
        Kind("full_disk", _meet_a_full_disk, _never),
        Kind("crash", _crash, _never),
        Kind("hold", _hold, _never),
        Kind("work", _work, _has_checkpoint, grace_s=3.0),
        Kind("orphan", _leave_orphan, _never),
        Kind("ports", _ports, _never),
    )
}
