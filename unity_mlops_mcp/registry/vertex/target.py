"""Which project, region and bucket are meant; all that is missing is told at once, before anything is uploaded."""

from __future__ import annotations

import re
from importlib.util import find_spec

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, SetupError
from unity_mlops_mcp.registry.vertex.records import VertexTarget

_SHAPES = {
    "project": (re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"), "6 to 30 lower case letters, digits or -"),
    "region": (re.compile(r"[a-z]+-[a-z]+[0-9]+"), "such as us-central1 or europe-west4"),
    "bucket": (re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"), "the bucket's name alone, without gs://"),
}
_HOW = {
    "project": "vertex_project, or set UNITY_MLOPS_VERTEX_PROJECT or GOOGLE_CLOUD_PROJECT",
    "bucket": "set UNITY_MLOPS_VERTEX_BUCKET to the name of a Cloud Storage bucket in that region",
}


def target_of(settings: Settings, *, project: str | None = None, region: str | None = None) -> VertexTarget:
    """Where versions go, by the arguments and, where they say nothing, the settings.

    Raises:
        SetupError: the extra ``gcp`` is not installed, or there is no project or no bucket.
        InvalidInputError: a project, region or bucket cannot be one by its spelling.
    """
    need_extra()
    found = {
        "project": project or settings.vertex_project,
        "region": region or settings.vertex_region,
        "bucket": (settings.vertex_bucket or "").removeprefix("gs://").rstrip("/"),
    }
    missing = [what for what, value in found.items() if not value]
    if missing:
        raise SetupError(
            f"For Vertex AI there is no {' and no '.join(missing)}; nothing was uploaded.",
            fix="; ".join(f"{what}: give {_HOW[what]}" if what == "project" else _HOW[what] for what in missing)
            + ". Then call again.",
            cause="vertex_settings",
        )
    values = {what: _shaped(what, str(value)) for what, value in found.items()}
    image = settings.vertex_image.format(**values)
    return VertexTarget(**values, image=image, endpoint=settings.vertex_endpoint, timeout_s=settings.vertex_timeout_s)


def need_extra() -> None:
    """Refuse to go on without the libraries.

    Raises:
        SetupError: they are not installed.
    """
    try:
        there = find_spec("google.cloud.aiplatform_v1") is not None and find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise SetupError(
            "Vertex AI needs the extra gcp (google-cloud-aiplatform), which is not installed; nothing was uploaded.",
            fix="Run `pip install 'unity-mlops-mcp[gcp]'` in the environment of this server, then call again.",
            cause="extra_missing",
        )


def _shaped(what: str, value: str) -> str:
    pattern, shape = _SHAPES[what]
    if not pattern.fullmatch(value):
        fix = f"Give {shape}."
        raise InvalidInputError(f"{value!r} cannot be a {what} of Vertex AI.", fix=fix, cause=f"vertex_{what}")
    return value
