"""Work on a home's files as a job: it tells how far it is, and stops when it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread

from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.upkeep.records import Record

Told = Callable[[int, int], None]
"""Called with how many files are done, of how many; what it raises ends the work."""


async def work_on_files(context: JobContext, work: Callable[[Told], Record]) -> dict[str, Any]:
    """Do it in a thread; what came of it as JSON, empty when it was stopped."""

    def told(done: int, total: int) -> None:
        context.require_going()
        context.progress(message=f"{done:,} of {total:,} files", step=done, total=total)

    try:
        return (await anyio.to_thread.run_sync(work, told)).model_dump(mode="json")
    except StoppedError:
        return {}
