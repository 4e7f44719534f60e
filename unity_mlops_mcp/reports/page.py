"""A report as an HTML page that needs nothing else: style, script and figures are in it, and no network is asked.

The page's security policy names the hashes of the one style sheet and the two scripts; nothing else can run in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from unity_mlops_mcp.evaluation.records import Trajectory
from unity_mlops_mcp.reports import arena, wording
from unity_mlops_mcp.reports.records import Chart, EvaluationPart, Report
from unity_mlops_mcp.reports.svg import PALETTE, axis_text, chart_svg

HERE = Path(__file__).parent
UPLOT = HERE / "vendor" / "uplot"
MOST_COMMANDS = 20
TO_HOME = "../../"
"""From a report's folder to the home, for the links to policies."""


def html_page(report: Report, *, for_print: bool = False, linked: bool = True) -> str:
    """The report as HTML.

    Args:
        report: what it says.
        for_print: without script and links, for a PDF; the charts are SVG either way.
        linked: whether policies are links, which lead there from the report's folder.
    """
    style = _style(for_print=for_print)
    script = "" if for_print else _script()
    text: str = (
        _templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file and the vendored library
            data=Markup(_data(report.charts)),  # noqa: S704 - JSON without a "<"
            policy=_policy(style, script),
            narrow=for_print,
            links=TO_HOME if linked and not for_print else "",
        )
    )
    return text


def markdown_page(report: Report) -> str:
    """The report as Markdown, without pictures."""
    text: str = _templates().get_template("report.md.j2").render(report=report)
    return text.rstrip() + "\n"


def _data(charts: tuple[Chart, ...]) -> str:
    """What the script draws, as JSON that no HTML parser takes for an end of the element."""
    shown = [
        {
            "id": chart.id,
            "unit": chart.unit,
            "stepped": chart.stepped,
            "lines": [line.model_dump(exclude={"runs"}) for line in chart.lines],
        }
        for chart in charts
    ]
    text = json.dumps(shown, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(style: str, script: str) -> str:
    scripts = f"'sha256-{_digest(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src {scripts}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache(maxsize=2)
def _style(*, for_print: bool) -> str:
    own = _read(HERE / "templates" / "report.css")
    return own if for_print else f"{_read(UPLOT / 'uPlot.min.css')}\n{own}"


@lru_cache(maxsize=1)
def _script() -> str:
    return f"{_read(UPLOT / 'uPlot.iife.min.js')}\n{_read(HERE / 'templates' / 'report.js')}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _templates() -> Any:
    """The templates; in HTML everything that is not marked as safe is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
    )
    told = ("number", "whole", "percent", "spread", "duration", "size", "moment", "plural", "words")
    environment.filters |= {name: getattr(wording, name) for name in told}
    environment.filters |= {"axis": axis_text, "svg": chart_svg, "picture": _picture}
    environment.filters |= {"md": wording.markdown, "code": wording.code_span, "fenced": wording.fenced}
    environment.globals |= {"palette": PALETTE, "roles": arena.COLORS, "bars": arena.BARS, "agents": arena.AGENTS}
    environment.globals |= {"none_sign": wording.NONE, "most_commands": MOST_COMMANDS}
    return environment


def _picture(way: Trajectory, part: EvaluationPart, number: int) -> Markup:
    return arena.picture(way, part, number=number)
