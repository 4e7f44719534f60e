"""Pages as HTML, and the files that go with them; nothing is asked of another host."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from unity_mlops_mcp import __version__
from unity_mlops_mcp.interfaces.http.dashboard.asking import TOOLS, Page, Visitor

if TYPE_CHECKING:
    from unity_mlops_mcp.reports.records import Chart

HERE = Path(__file__).parent
PLACES = {"runs": "/", "compare": "/compare", "models": "/models", "schedules": "/schedules", "machine": "/machine"}
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every page: no script or style but our files, no other host, no frame around it, no copy kept."""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Asset(NamedTuple):
    """A file for browsers."""

    content: bytes
    media_type: str
    digest: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """The files by name: our own, and the vendored uPlot."""
    from unity_mlops_mcp.reports.page import UPLOT

    own = sorted(path for path in (HERE / "static").iterdir() if path.suffix in _TYPES)
    return {path.name: _asset(path) for path in (*own, UPLOT / "uPlot.iife.min.js", UPLOT / "uPlot.min.css")}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, _TYPES[path.suffix], sha256(content).hexdigest()[:12])


def render(page: Page, visitor: Visitor | None) -> str:
    """The page as HTML.

    Args:
        page: what is shown.
        visitor: who looks; None shows neither navigation nor forms.
    """
    template = _templates().get_template(f"{page.template}.html.j2")
    text: str = template.render(page=page, visitor=visitor, places=places(visitor), **page.shown)
    return text


def places(visitor: Visitor | None) -> dict[str, str]:
    """The pages that a visitor finds in the navigation, by their names."""
    return {name: path for name, path in PLACES.items() if visitor is not None and visitor.may(TOOLS[path])}


def _address(name: str) -> str:
    """A file's address; it changes with the content, so that browsers may keep it."""
    return f"/static/{name}?v={assets()[name].digest}"


def _time(moment: str | datetime | None) -> Markup:
    """A moment as an element that tells it to people and programs."""
    from unity_mlops_mcp.reports.wording import NONE
    from unity_mlops_mcp.reports.wording import moment as told

    if moment is None:
        return Markup(NONE)  # noqa: S704 - a dash
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), told(value))


def _ticked(text: str) -> Markup:
    """A text whose parts between backticks are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them is no sign of ours
        return Markup("{}").format(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _local(moment: str) -> Markup:
    """A moment in the zone that it is written in, which the page names beside it."""
    value = datetime.fromisoformat(moment)
    return Markup('<time datetime="{}">{}</time>').format(moment, f"{value:%a %Y-%m-%d %H:%M}")


def _lines(chart: Chart) -> str:
    """What the script draws of a chart, as JSON."""
    told = {
        "unit": chart.unit,
        "stepped": chart.stepped,
        "lines": [line.model_dump(exclude={"runs"}) for line in chart.lines],
    }
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


@lru_cache(maxsize=1)
def _templates() -> Any:
    """The templates; everything that is not marked as safe is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from unity_mlops_mcp.reports import wording
    from unity_mlops_mcp.reports.svg import PALETTE, chart_svg, described

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    told = ("number", "whole", "percent", "duration", "size", "plural", "words")
    environment.filters |= {name: getattr(wording, name) for name in told}
    environment.filters |= {
        "svg": chart_svg,
        "described": described,
        "lines": _lines,
        "time": _time,
        "local": _local,
        "ticked": _ticked,
    }
    environment.globals |= {
        "address": _address,
        "palette": PALETTE,
        "none_sign": wording.NONE,
        "product": f"unity-mlops-mcp {__version__}",
    }
    return environment
