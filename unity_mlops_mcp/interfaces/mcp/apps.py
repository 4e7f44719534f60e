"""The page that draws curves inside chat clients that can show one (MCP Apps); the others show the tools' text."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from mcp.server.apps import Apps

CURVES = "ui://unity_mlops_mcp/curves.html"
DRAWN: dict[str, Any] = {"ui": {"resourceUri": CURVES}, "ui/resourceUri": CURVES}
"""The metadata of a tool whose result the page draws; the flat key is what older hosts read."""


def curves_app() -> Apps:
    """The extension that serves the page."""
    apps = Apps()
    page = files("unity_mlops_mcp.interfaces.mcp").joinpath("pages").joinpath("curves.html").read_text("utf-8")
    apps.add_html_resource(CURVES, page, title="Training curves", prefers_border=True)
    return apps
