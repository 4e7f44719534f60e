"""The work of a schedule: pipelines, one for each asset."""

from __future__ import annotations

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.pipeline.run import KIND
from unity_mlops_mcp.scheduling.records import Schedule
from unity_mlops_mcp.scheduling.scheduler import JobState
from unity_mlops_mcp.store.rows import FiringRow


class PipelineWork:
    """Pipelines as jobs of the home; started once, whatever is killed meanwhile.

    Args:
        jobs: the jobs of the home.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def start(self, firing: FiringRow, schedule: Schedule, place: int) -> str:
        """Start the pipeline at a place, or find it started; gives its job's id."""
        wanted = schedule.work[place].model_copy(update={"firing_id": firing.firing_id})
        data = wanted.model_dump(mode="json", exclude_unset=True)
        key = f"firing:{firing.firing_id}:{place}"
        return self._jobs.submit(KIND, data, subject=wanted.subject, idempotency_key=key).id

    def look(self, job_id: str) -> JobState:
        """How a pipeline stands; one that was pruned away is over."""
        try:
            job = self._jobs.get(job_id)
        except NotFoundError:
            return JobState("cancelled", f"{job_id} is gone")
        return JobState(job.state, job.failure.message if job.failure else "")
