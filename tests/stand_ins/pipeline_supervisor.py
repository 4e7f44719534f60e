"""A supervisor that dies in every stage of a pipeline once: its work is done, its result is not written yet.

``python pipeline_supervisor.py JOB_ID``; files named ``killed-<stage>`` in the job's folder tell where it has died.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from unity_mlops_mcp.config import settings
from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.supervisor import supervise
from unity_mlops_mcp.kinds import KINDS
from unity_mlops_mcp.pipeline.records import StageResult
from unity_mlops_mcp.pipeline.results import Results
from unity_mlops_mcp.pipeline.run import run_pipeline

SUPERVISOR = [sys.executable, __file__]
_keep = Results.keep


def _die_first(self: Results, result: StageResult) -> None:
    """Keep a result at the second time only."""
    mark = self.folder / f"killed-{result.stage}"
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    _keep(self, result)


async def _run(context: JobContext) -> dict[str, Any]:
    Results.keep = _die_first  # type: ignore[method-assign]
    jobs = Jobs(context.store, context.settings, kinds=MORTAL, supervisor=SUPERVISOR)
    return await run_pipeline(context, jobs, MORTAL)


MORTAL = {**KINDS, "pipeline": Kind("pipeline", run=_run, can_resume=lambda _: True, limited=False)}


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1], kinds=MORTAL, settings=settings(), supervisor=SUPERVISOR))
