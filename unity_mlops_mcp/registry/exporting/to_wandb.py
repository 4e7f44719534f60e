"""Runs and versions for Weights and Biases, written offline; the user sends them when and where they like."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.registry.exporting.records import Source

PROJECT, STEP = "unity-mlops", "step"
_ID_LENGTH = 128


def to_wandb(settings: Settings, source: Source, location: str | None) -> dict[str, Any]:
    """Write a source as one offline run; the same id again replaces it on the server when both are sent.

    Args:
        settings: name the home, where the folder lies by default.
        source: what is told.
        location: a folder.

    Raises:
        InvalidInputError: the folder lies under no allowed root.
    """
    import wandb

    folder = settings.allowed_path(location or settings.home / "exports" / "wandb", what="location")
    folder.mkdir(parents=True, exist_ok=True)
    options = wandb.Settings(
        console="off", silent=True, x_disable_stats=True, x_disable_meta=True, disable_git=True, disable_code=True
    )
    run = wandb.init(
        mode="offline",
        project=PROJECT,
        id=source.id[:_ID_LENGTH],
        name=source.title,
        dir=str(folder),
        config={**source.parameters, "unity_mlops": source.labels},
        notes=source.description or None,
        tags=list(source.aliases) or None,
        settings=options,
    )
    try:
        run.define_metric("*", step_metric=STEP)
        for step, values in sorted(_rows(source).items()):
            run.log({STEP: step, **values})
        _add_files(run, source)
    finally:
        run.finish(exit_code=0 if source.succeeded else 1)
    place = Path(run.dir).parent
    return {
        "tracker": "wandb",
        "id": source.id[:_ID_LENGTH],
        "location": str(place),
        "points": source.points,
        "next": f"Send it when you like: wandb sync {place}",
    }


def _rows(source: Source) -> dict[int, dict[str, float]]:
    """Step → tag → value."""
    rows: dict[int, dict[str, float]] = defaultdict(dict)
    for tag, points in source.curves.items():
        for step, value in zip(points.steps.tolist(), points.values.tolist(), strict=True):
            rows[step][tag] = value
    return rows


def _add_files(run: Any, source: Source) -> None:
    import wandb

    if not source.files:
        return
    artifact = wandb.Artifact(source.model or f"policies-{source.id}"[:_ID_LENGTH], type="model")
    for file in source.files:
        artifact.add_file(str(file))
    run.log_artifact(artifact, aliases=list(source.aliases) or None)
