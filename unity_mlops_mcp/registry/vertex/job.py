"""The job that uploads a version to Vertex AI."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import anyio.to_thread

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.registry.naming import version_folder
from unity_mlops_mcp.registry.vertex.client import VertexRegistry
from unity_mlops_mcp.registry.vertex.records import FILE, VertexTarget, VertexUpload, VertexVersion
from unity_mlops_mcp.store.store import Store

KIND = "vertex_upload"
PENDING = f"{FILE}.pending"


async def upload_version(context: JobContext) -> dict[str, Any]:
    """Upload the version that the job's request names, and keep ``vertex_registration.json`` beside it.

    An attempt that was cut off is gone on with: files that are there are left, and the policy is looked for before it
    is registered, so that it becomes one version.

    Returns:
        The registration; empty when it was stopped.

    Raises:
        NotFoundError: there is no such version, or its files are gone.
        SetupError: the credentials are missing or were refused.
        ExternalError: the service refused, failed, or was not ready in time.
    """

    def work() -> dict[str, Any]:
        upload = upload_of(context.store, context.job.request["version_id"])
        target = VertexTarget.model_validate(context.job.request["target"])

        def report(message: str) -> None:
            context.require_going()
            context.progress(message=message)

        with closing(VertexRegistry(target)) as registry:
            version = registry.upload(upload, pending=upload.folder / PENDING, report=report)
            keep(upload.folder, version)
        context.progress(message=f"{version.version_id} is version {version.vertex_version} in Vertex AI", progress=1.0)
        return version.model_dump(mode="json")

    try:
        return await anyio.to_thread.run_sync(work)
    except StoppedError:
        return {}


def keep(folder: Path, version: VertexVersion) -> Path:
    """Write a registration beside the model; gives the file."""
    path = folder / FILE
    write_atomically(path, version.model_dump_json(indent=1).encode())
    return path


def upload_of(store: Store, version_id: str) -> VertexUpload:
    """A version of the local registry, as it is uploaded.

    Raises:
        NotFoundError: there is no such version, or its files are gone.
    """
    row = store.models.version(version_id)
    if row is None:
        raise NotFoundError(
            f"There is no version {version_id!r}.", fix="Call list_models to see the versions.", cause="no_such_version"
        )
    model = store.models.get(row.name)
    upload = VertexUpload(
        model=row.name,
        title=model.title if model else row.name,
        version_id=row.version_id,
        number=row.number,
        policy_sha256=row.policy_sha256,
        folder=version_folder(store.home, row.name, row.version_id),
        description=str(row.data.get("description") or ""),
    )
    if not upload.files:
        raise NotFoundError(
            f"The files of {version_id} are gone from {upload.folder}.",
            fix="Register the policy again, or bring the folder back from a copy; nothing was uploaded.",
            cause="files_gone",
        )
    return upload
