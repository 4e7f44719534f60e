"""The commands about recorded experience."""

from __future__ import annotations

from typing import Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show


def inspect_dataset(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A .demo or .jsonl file, or a folder of them.")],
    *,
    build_id: Annotated[str | None, typer.Option(help="A build whose behaviour it must fit.")] = None,
    json: o.Json = False,
) -> None:
    """Say what is in recorded experience, and whether it fits a build."""
    with application() as app:
        show(app.inspect_dataset(path, build_id=build_id), as_json=json)
