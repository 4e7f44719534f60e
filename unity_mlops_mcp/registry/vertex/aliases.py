"""An alias here, moved in Vertex AI too; the move here came first and is the truth."""

from __future__ import annotations

from contextlib import closing

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.registry.naming import version_folder
from unity_mlops_mcp.registry.vertex.client import VertexRegistry, read_registration
from unity_mlops_mcp.registry.vertex.job import keep
from unity_mlops_mcp.registry.vertex.records import FILE, VertexTarget, VertexVersion
from unity_mlops_mcp.registry.vertex.target import need_extra
from unity_mlops_mcp.store.rows import AliasRow

_TIMEOUT_S = 15.0


def is_there(settings: Settings, name: str, version_id: str) -> bool:
    """Whether a version was uploaded to Vertex AI."""
    return (version_folder(settings.home, name, version_id) / FILE).is_file()


def align(settings: Settings, row: AliasRow) -> str | None:
    """Let an alias in Vertex AI point to the version that it points to here.

    It may be repeated; a promotion and a rollback both end with it.

    Returns:
        Vertex AI's number of the version; None when it was never uploaded, and then nothing was moved.

    Raises:
        SetupError: the extra or the credentials are missing.
        ExternalError: the service refused or could not be reached.
        NotFoundError: the registration cannot be read.
    """
    folder = version_folder(settings.home, row.name, row.version_id)
    if not is_there(settings, row.name, row.version_id):
        return None
    need_extra()
    version = read_registration(folder / FILE)
    with closing(VertexRegistry(_target(settings, version))) as registry:
        aliases = registry.move_aliases(version, [row.alias])
    keep(folder, version.model_copy(update={"aliases": aliases}))
    return version.vertex_version


def _target(settings: Settings, version: VertexVersion) -> VertexTarget:
    """Where the version was put, whatever the settings say by now."""
    return VertexTarget(
        project=version.project,
        region=version.region,
        bucket=version.bucket,
        image="",
        endpoint=settings.vertex_endpoint,
        timeout_s=min(_TIMEOUT_S, settings.vertex_timeout_s),
    )
