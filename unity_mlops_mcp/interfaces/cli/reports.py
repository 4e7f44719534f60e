"""The command that explains runs to people, with the words of the tool."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, application, show

_PATIENCE_S = 600.0


def render_report(
    run_ids: Annotated[
        list[str], typer.Argument(metavar="RUN_IDS", help="Runs; seeds of one setting become one curve.")
    ],
    *,
    format: Annotated[Literal["html", "pdf", "markdown", "json"], typer.Option(help="Of the file.")] = "html",  # noqa: A002
    json: o.Json = False,
) -> None:
    """Make a report of runs that can be sent to others, and say where it lies."""
    import anyio

    with application(upkeep=True) as app:
        made = anyio.run(partial(app.render_report, run_ids=",".join(run_ids), format=format, timeout_s=_PATIENCE_S))
        show(made, as_json=json)
    if made.path is None:
        raise typer.Exit(FAILED)
