"""The commands that tell other registries and trackers of what there is here."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, application, show

VersionId = Annotated[str, typer.Argument(metavar="VERSION", help="A version's id, as list-models shows it.")]
Tracker = Annotated[Literal["mlflow", "wandb"], typer.Option("--to", help="Which one.")]
Location = Annotated[
    str | None,
    typer.Option(help="sqlite:///<file> or an address for MLflow, a folder for W&B; default: in the home."),
]


def upload_to_vertex(
    version: VersionId,
    *,
    vertex_project: Annotated[str | None, typer.Option(help="Default: UNITY_MLOPS_VERTEX_PROJECT.")] = None,
    vertex_region: Annotated[str | None, typer.Option(help="Default: UNITY_MLOPS_VERTEX_REGION.")] = None,
    json: o.Json = False,
) -> None:
    """Upload a registered version to Vertex AI, as a job that goes on by itself."""
    with application() as app:
        show(
            app.upload_to_vertex(version, vertex_project=vertex_project, vertex_region=vertex_region),
            as_json=json,
        )


def align_vertex(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name.")], *, json: o.Json = False
) -> None:
    """Let the aliases in Vertex AI stand where they stand here; after a failure, again."""
    with application() as app:
        result = app.align_vertex(name)
        show(result, as_json=json)
    if not result.ok:
        raise typer.Exit(FAILED)


def export_run(run_id: o.RunId, *, to: Tracker, location: Location = None, json: o.Json = False) -> None:
    """Write a run that has ended to MLflow or to an offline W&B run."""
    with application() as app:
        show(app.export_run(run_id, to=to, location=location), as_json=json)


def export_model(version: VersionId, *, to: Tracker, location: Location = None, json: o.Json = False) -> None:
    """Write a registered version, with its run's curves, to MLflow or to an offline W&B run."""
    with application() as app:
        show(app.export_model(version, to=to, location=location), as_json=json)
