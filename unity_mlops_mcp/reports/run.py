"""The job that makes a report: gather, write down, show in the format that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread

from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.library import file_of, save_report
from unity_mlops_mcp.reports.records import Format, Report
from unity_mlops_mcp.reports.request import ReportRequest
from unity_mlops_mcp.store.ids import utc_now


async def render(context: JobContext) -> dict[str, Any]:
    """Make the report of a job.

    Returns:
        ``report_id``, ``path``, ``format``, ``size`` in bytes, ``sections``, ``headline`` and ``made_by``, as JSON
        values; empty when it was stopped.

    Raises:
        NotFoundError: one of the runs is not there.
        SetupError: nothing here can make a PDF.
    """
    try:
        return await anyio.to_thread.run_sync(_render, context)
    except StoppedError:
        return {}


def _render(context: JobContext) -> dict[str, Any]:
    request = ReportRequest.model_validate(context.job.request)
    total = len(request.run_ids)

    def told(done: int, run_id: str) -> None:
        context.require_going()
        context.progress(message=f"reading {run_id}", step=done, total=total)

    report = gather(context.store, request.run_ids, report_id=context.job.id, now=utc_now(), told=told)
    context.progress(message=f"writing the {request.format}", step=total, total=total)
    context.require_going()
    save_report(context.store.home, report)
    path = file_of(context.store.home, report.report_id, request.format)
    made_by = write(report, path, request.format, browser=context.settings.browser)
    context.progress(message="", step=total, total=total)
    return {
        "report_id": report.report_id,
        "path": str(path),
        "format": request.format,
        "size": path.stat().st_size,
        "sections": [section.title for section in report.sections],
        "headline": report.headline,
        "made_by": made_by,
    }


def write(report: Report, path: Path, form: Format, *, browser: Path | None = None) -> str:
    """Write a report in one format, whole or not at all.

    Returns:
        What made the file: this product, WeasyPrint, or a browser's name.

    Raises:
        SetupError: nothing here can make a PDF.
    """
    from unity_mlops_mcp.reports.page import html_page, markdown_page
    from unity_mlops_mcp.reports.pdf import write_pdf

    if form == "pdf":
        return write_pdf(html_page(report, for_print=True), path, browser=browser)
    if form == "json":
        text = report.model_dump_json(indent=1)
    else:
        text = html_page(report) if form == "html" else markdown_page(report)
    write_atomically(path, text.encode())
    return report.product
