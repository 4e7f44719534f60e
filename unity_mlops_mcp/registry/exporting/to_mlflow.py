"""Runs and versions in MLflow, through its own client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.registry.exporting.records import Source

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run
    from mlflow.tracking import MlflowClient

EXPERIMENT, ID, DONE = "unity-mlops", "unity_mlops.id", "unity_mlops.exported"
_BATCH, _PARAMETERS, _PARAMETER_LENGTH = 1000, 100, 6000
_UNUSUAL = re.compile(r"[^\w\-. /:]", re.ASCII)
_SQLITE = "sqlite:///"


def to_mlflow(settings: Settings, source: Source, location: str | None) -> dict[str, Any]:
    """Write a source as one run of MLflow, and a version as a model version too; the same id again is found.

    Args:
        settings: name the home, where the database lies by default.
        source: what is told.
        location: ``sqlite:///<file>`` or ``http(s)://…``.

    Raises:
        InvalidInputError: the location is neither, or lies under no allowed root.
        ExternalError: MLflow refused or could not be reached.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    place, folder = _place(settings, location)
    try:
        client = MlflowClient(place, registry_uri=place)
        experiment = _experiment(client, folder)
        run, known = _run(client, experiment, source)
        version = _model_version(client, source, run) if source.model else None
    except MlflowException as error:
        fix = "Look at the address and at the log of the server, then call again: a half export is made anew."
        message = f"MLflow at {_shown(place)} refused it: {str(error)[:300]}"
        raise ExternalError(message, fix=fix, cause="mlflow") from error
    return {
        "tracker": "mlflow",
        "id": f"{source.model}/{version}" if version else run.info.run_id,
        "location": _shown(place),
        "points": source.points,
        "already_there": known,
        "next": f"See it with MLflow's page: mlflow ui --backend-store-uri {_shown(place)}"
        if folder
        else "See it on the server's page.",
    }


def _place(settings: Settings, location: str | None) -> tuple[str, Path | None]:
    """The tracking URI; for a database also the folder that files are copied to."""
    place = location or f"{_SQLITE}{settings.home / 'exports' / 'mlflow' / 'mlflow.db'}"
    if place.startswith(("http://", "https://")):
        return place, None
    if not place.startswith(_SQLITE):
        fix = "Give sqlite:///<absolute path of a file>, or the http(s) address of a tracking server."
        raise InvalidInputError(f"MLflow's location {_shown(place)!r} cannot be used.", fix=fix)
    file = settings.allowed_path(place.removeprefix(_SQLITE), what="location")
    file.parent.mkdir(parents=True, exist_ok=True)
    return f"{_SQLITE}{file}", file.parent / "files"


def _shown(place: str) -> str:
    """A location without the password that an address may carry."""
    return re.sub(r"//[^/@]*@", "//", place)


def _experiment(client: MlflowClient, folder: Path | None) -> str:
    known = client.get_experiment_by_name(EXPERIMENT)
    if known is not None:
        return str(known.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=folder.as_uri() if folder else None))


def _run(client: MlflowClient, experiment: str, source: Source) -> tuple[Run, bool]:
    """The run there is of this id, or a new one; one that was cut off is made anew."""
    for run in client.search_runs([experiment], filter_string=f"tags.`{ID}` = '{source.id}'"):
        if run.data.tags.get(DONE) == str(source.points):
            return run, True
        client.delete_run(run.info.run_id)
    tags = {**source.labels, ID: source.id}
    run = client.create_run(experiment, start_time=source.started_ms, tags=tags, run_name=source.title)
    run_id = run.info.run_id
    for batch in _batches(list(_metrics(source)), _BATCH):
        client.log_batch(run_id, metrics=batch)
    for batch in _batches(list(_parameters(source)), _PARAMETERS):
        client.log_batch(run_id, params=batch)
    for file in source.files:
        client.log_artifact(run_id, str(file), "files")
    client.set_tag(run_id, DONE, str(source.points))
    client.set_terminated(run_id, "FINISHED" if source.succeeded else "FAILED", source.ended_ms)
    return client.get_run(run_id), False


def _model_version(client: MlflowClient, source: Source, run: Run) -> str:
    """The version of the registered model that holds this source, with its aliases."""
    from mlflow.exceptions import MlflowException

    model = str(source.model)
    try:
        client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    known = [v for v in client.search_model_versions(f"name='{model}'") if v.tags.get(ID) == source.id]
    if known:
        number = str(known[0].version)
    else:
        made = client.create_model_version(
            model,
            f"{run.info.artifact_uri}/files",
            run.info.run_id,
            tags={ID: source.id},
            description=source.description or None,
        )
        number = str(made.version)
    for alias in source.aliases:
        client.set_registered_model_alias(model, alias, number)
    return number


def _metrics(source: Source) -> Iterator[Metric]:
    from mlflow.entities import Metric

    for tag, points in source.curves.items():
        name = _UNUSUAL.sub("_", tag)
        for step, value, wall in zip(*map(list, points), strict=True):
            yield Metric(name, float(value), int(wall * 1000), int(step))


def _parameters(source: Source) -> Iterator[Any]:
    from mlflow.entities import Param

    for name, value in source.parameters.items():
        yield Param(_UNUSUAL.sub("_", name), str(value)[:_PARAMETER_LENGTH])


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
