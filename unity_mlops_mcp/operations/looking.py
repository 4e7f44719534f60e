"""The operations that only look: at runs, jobs, figures and logs."""

from __future__ import annotations

from unity_mlops_mcp.inputs import page_of_tags, until_reached
from unity_mlops_mcp.jobs.records import FINAL_STATES
from unity_mlops_mcp.jobs.view import state_of
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.process.log import last_lines
from unity_mlops_mcp.results.base import State
from unity_mlops_mcp.results.runs import MetricsResult, RunList, Status, WaitResult
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.views.status import next_step, run_row


class Looking:
    """What there is and how it stands; nothing is changed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list_runs(
        self,
        *,
        state: State | None = None,
        behavior: str | None = None,
        asset: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> RunList:
        """Runs, newest first."""
        page = self._parts.store.runs.page(limit=limit, cursor=cursor, state=state, behavior=behavior, asset=asset)
        now = utc_now()
        return RunList(runs=[run_row(row, now=now) for row in page.rows], next_cursor=page.next_cursor)

    def get_run(self, id: str) -> Status:  # noqa: A002 - the name in the public contract
        """Everything about one run, job or build.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self._parts.status(self._parts.job(id))

    async def wait_for(self, id: str, *, timeout_s: float = 25, until: str | None = None) -> WaitResult:  # noqa: A002
        """Wait until it ends, or comes to a state or a mean reward; gives the status either way.

        Raises:
            NotFoundError: there is none of that id.
            InvalidInputError: ``until`` is neither a state nor a number.
        """
        import anyio.to_thread

        reached = until_reached(until)
        job = await anyio.to_thread.run_sync(self._parts.job, id)
        job = await self._parts.jobs.wait(
            job.id, timeout_s=timeout_s, until=lambda job: job.state in FINAL_STATES or reached(job)
        )
        status = await anyio.to_thread.run_sync(self._parts.status, job)
        return WaitResult(**status.model_dump(), done=job.state in FINAL_STATES or reached(job))

    def get_metrics(
        self, run_id: str, *, tags: str | None = None, max_points: int = 100, cursor: str | None = None
    ) -> MetricsResult:
        """A run's figures: the summary, and thinned series of the tags asked for.

        Raises:
            NotFoundError: there is no such run, or no such tag.
        """
        row, reader, behavior, summary = self._parts.runs.figures(run_id)
        available = reader.tags_of(behavior)
        wanted, next_cursor = page_of_tags(available, tags, cursor, max_points=max_points)
        state = state_of(row)
        return MetricsResult(
            run_id=run_id,
            state=state,
            summary=summary,
            series=[reader.series(tag, behavior=behavior, max_points=max_points) for tag in wanted],
            available_tags=list(available),
            next_cursor=next_cursor,
            problems=[f"{problem.file} at byte {problem.offset}: {problem.message}" for problem in summary.problems],
            next=next_step(state, run_id),
        )

    def read_log(self, id: str, *, tail: int = 200) -> str:  # noqa: A002 - the name in the public contract
        """The last lines of a run's trainer log, or of a job's own log.

        Raises:
            NotFoundError: there is none of that id.
        """
        job = self._parts.job(id)
        log = self._parts.runs.folder(job.subject).log if job.kind == "training" else self._parts.job_log(job)
        return "\n".join(last_lines(log, tail))
