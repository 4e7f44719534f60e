"""The reports that were made, each in the folder of its job; its id is the job's."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.reports.records import Format, Report

FACTS = "report.json"
"""All that a report says; written whatever format was asked for."""
SUFFIXES: dict[Format, str] = {"html": ".html", "pdf": ".pdf", "markdown": ".md", "json": ".json"}
_ID = re.compile(r"report-[A-Za-z0-9-]{1,80}")


def folder_of(home: Path, report_id: str) -> Path:
    """Where a report's files lie."""
    return home / "artifacts" / report_id


def file_of(home: Path, report_id: str, form: Format) -> Path:
    """The report in one format."""
    return folder_of(home, report_id) / f"report{SUFFIXES[form]}"


def save_report(home: Path, report: Report) -> Path:
    """Write the facts of a report; the same one again replaces itself."""
    path = folder_of(home, report.report_id) / FACTS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, report.model_dump_json().encode())
    return path


def load_report(home: Path, report_id: str) -> Report:
    """A report by its id.

    Raises:
        NotFoundError: there is none, or its file is gone or damaged.
    """
    try:
        if not _ID.fullmatch(report_id):
            raise FileNotFoundError(report_id)
        return Report.model_validate_json((folder_of(home, report_id) / FACTS).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFoundError(
            f"There is no report {report_id!r} that can be read.", fix=_known(home), cause="no_such_report"
        ) from error


def _known(home: Path) -> str:
    newest = sorted((path.parent.name for path in home.glob(f"artifacts/report-*/{FACTS}")), reverse=True)[:5]
    return f"Newest reports: {', '.join(newest) or 'none yet'}. Call render_report to make one."
