"""The commands that write what a deployment needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show

deploy = typer.Typer(help="Files that put the service elsewhere.", no_args_is_help=True)


@deploy.callback()
def _only_to_keep_the_word() -> None:
    """Files that put the service elsewhere."""


@deploy.command("k8s")
def deploy_k8s(
    *,
    settings: Annotated[Path, typer.Option(help="A file of variables, such as deploy/settings/staging.env.")],
    output: Annotated[Path, typer.Option(help="The folder to write to.")],
    json: o.Json = False,
) -> None:
    """Write Kubernetes manifests: service, volume, network policy, nightly job."""
    with application(tend=False) as app:
        show(app.deploy_k8s(settings=str(settings), output=str(output)), as_json=json)
