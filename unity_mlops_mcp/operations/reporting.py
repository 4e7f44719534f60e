"""The operations that explain runs to people."""

from __future__ import annotations

from typing import Literal

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import names, validated
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.base import FailureResult
from unity_mlops_mcp.results.reports import RenderedReport

KIND = "report"
PATIENCE_S = 40.0
"""How long a call looks on while a report is made; most take seconds."""


class Reports:
    """Reports of runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def start_report(
        self,
        *,
        run_ids: str,
        format: Literal["html", "pdf", "markdown", "json"] = "html",  # noqa: A002
    ) -> RenderedReport:
        """Accept a report and return at once.

        Args:
            run_ids: the runs, separated by commas; those that differ by the seed alone become one line with a band.
            format: of the file.

        Raises:
            InvalidInputError: no run is named, or too many are.
            NotFoundError: one of the runs is not there.
        """
        from unity_mlops_mcp.reports.request import ReportRequest

        asked = tuple(dict.fromkeys(names(run_ids)))
        if not asked:
            raise InvalidInputError("No run is named.", fix="Give run_ids, separated by commas; list_runs names them.")
        self._refuse_unknown(asked)
        request = validated(ReportRequest, {"run_ids": asked, "format": format})
        subject = f"report of {asked[0]}" + (f" and {len(asked) - 1} more" if len(asked) > 1 else "")
        return self._result(self._parts.jobs.submit(KIND, request.model_dump(mode="json"), subject=subject))

    async def render_report(
        self,
        *,
        run_ids: str,
        format: Literal["html", "pdf", "markdown", "json"] = "html",  # noqa: A002
        timeout_s: float = PATIENCE_S,
    ) -> RenderedReport:
        """Make a report and wait for it, at most so many seconds; it goes on without the caller.

        Raises:
            InvalidInputError, NotFoundError: as `start_report`.
        """
        import anyio.to_thread

        started = await anyio.to_thread.run_sync(lambda: self.start_report(run_ids=run_ids, format=format))
        job = await self._parts.jobs.wait(started.job_id, timeout_s=timeout_s)
        return self._result(job)

    def report_text(self, report_id: str) -> str:
        """A report as Markdown, whatever format it was made in.

        Raises:
            NotFoundError: there is no such report.
        """
        from unity_mlops_mcp.reports.library import load_report
        from unity_mlops_mcp.reports.page import markdown_page

        return markdown_page(load_report(self._parts.settings.home, report_id))

    def _refuse_unknown(self, asked: tuple[str, ...]) -> None:
        from difflib import get_close_matches

        missing = [run_id for run_id in asked if self._parts.store.runs.get(run_id) is None]
        if not missing:
            return
        newest = [row.run_id for row in self._parts.store.runs.page(limit=50).rows]
        near = get_close_matches(missing[0], newest, n=3) or newest[:5]
        raise NotFoundError(
            f"There is no run {', '.join(map(repr, missing[:5]))}.",
            fix=f"Did you mean {', '.join(near)}? Call list_runs to see all." if near else "There are no runs yet.",
            cause="no_such_run",
        )

    def _result(self, job: Job) -> RenderedReport:
        made = job.result or {}
        failure = job.failure
        return RenderedReport(
            report_id=job.id,
            job_id=job.id,
            state=job.state,
            format=job.request["format"],
            path=made.get("path"),
            uri=f"reports://{job.id}",
            size=made.get("size"),
            sections=made.get("sections", []),
            headline=made.get("headline", ""),
            waiting_for=job.waiting_for,
            failure=FailureResult(
                cause=failure.cause, message=failure.message, evidence=list(failure.evidence), fix=failure.fix
            )
            if failure
            else None,
            next=_next(job, made.get("path")),
        )


def _next(job: Job, path: str | None) -> str:
    if path:
        return f"Give the user {path}, with the headline."
    if job.state == "failed":
        return "Do what failure.fix says."
    return f"Call wait_for({job.id!r}) until done is true; its folder then holds the report."
