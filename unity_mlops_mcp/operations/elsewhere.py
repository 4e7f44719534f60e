"""The operations that tell other registries and trackers of what there is here: Vertex AI, MLflow, W&B."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Literal

from unity_mlops_mcp.errors import MlopsError, NotFoundError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.elsewhere import AliasInVertex, Exported, VertexAliases, VertexUploadStarted

if TYPE_CHECKING:
    from unity_mlops_mcp.store.rows import AliasRow

Tracker = Literal["mlflow", "wandb"]
_CHECK_S = 10.0


class Elsewhere:
    """What is here, there too; the local registry is the truth and is never changed by these."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def require_vertex(self, *, vertex_project: str | None = None, vertex_region: str | None = None) -> None:
        """Do nothing where an upload to Vertex AI can start.

        Raises:
            InvalidInputError, SetupError: project, region, bucket, extra or credentials are missing or wrong.
        """
        from unity_mlops_mcp.registry.vertex.client import VertexRegistry
        from unity_mlops_mcp.registry.vertex.target import target_of

        target = target_of(self._parts.settings, project=vertex_project, region=vertex_region)
        VertexRegistry(target).close()

    def upload_to_vertex(
        self, version: str, *, vertex_project: str | None = None, vertex_region: str | None = None
    ) -> VertexUploadStarted:
        """Start the upload of a version to Vertex AI; the same version again becomes no second one there.

        Raises:
            NotFoundError: there is no such version, or its files are gone.
            InvalidInputError: the project, region or bucket cannot be one.
            SetupError: the extra, the project, the bucket or the credentials are missing; nothing was uploaded.
            ExternalError: Vertex AI or the bucket may not be used or cannot be reached; nothing was uploaded.
        """
        from unity_mlops_mcp.registry.vertex.client import VertexRegistry
        from unity_mlops_mcp.registry.vertex.job import KIND, upload_of
        from unity_mlops_mcp.registry.vertex.target import target_of

        target = target_of(self._parts.settings, project=vertex_project, region=vertex_region)
        upload = upload_of(self._parts.store, version)
        with closing(VertexRegistry(target.model_copy(update={"timeout_s": _CHECK_S}))) as registry:
            registry.check(upload)
        request = {"version_id": upload.version_id, "target": target.model_dump(mode="json")}
        job = self._parts.jobs.submit(KIND, request, subject=upload.version_id)
        return VertexUploadStarted(
            version=upload.version_id,
            job_id=job.id,
            state=job.state,
            vertex_resource_name=target.resource(upload.model),
            bucket=target.bucket,
            next=f"Call wait_for({job.id!r}): its result names the version in Vertex AI.",
        )

    def align_vertex(self, name: str, *, aliases: Sequence[str] | None = None) -> VertexAliases:
        """Let the aliases in Vertex AI stand where they stand here: after a promotion, a rollback, or a failure of it.

        Args:
            name: the model.
            aliases: those that are meant; default: all.

        Raises:
            NotFoundError: there is no such model.
        """
        store, name = self._parts.store, name.lower()
        if store.models.get(name) is None:
            raise NotFoundError(f"There is no model {name!r}.", fix="Call list_models to see them.")
        wanted = [row for row in store.models.aliases(name) if aliases is None or row.alias in aliases]
        told = [self._aligned(row) for row in wanted]
        failed = [one for one in told if one.problem]
        again = f"Mend what problem says, then run `unity-mlops align-vertex {name}` again: here nothing has changed."
        return VertexAliases(
            name=name, ok=not failed, aliases=told, next=again if failed else "Vertex AI agrees with the registry here."
        )

    def _aligned(self, row: AliasRow) -> AliasInVertex:
        from unity_mlops_mcp.registry.vertex.aliases import align

        try:
            return AliasInVertex(
                alias=row.alias, version=row.version_id, vertex_version=align(self._parts.settings, row)
            )
        except MlopsError as error:
            return AliasInVertex(alias=row.alias, version=row.version_id, problem=str(error))

    def export_run(self, run_id: str, *, to: Tracker, location: str | None = None) -> Exported:
        """Tell a tracker of a run that has ended: its curves with their steps, configuration, seed and policies.

        Args:
            run_id: the run.
            to: ``mlflow`` or ``wandb``.
            location: MLflow's address or database (``http://…``, ``sqlite:///…``), or W&B's folder; default: one in
                the home.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: the run still trains.
            SetupError: the extra is not installed.
        """
        from unity_mlops_mcp.registry.exporting.export import export
        from unity_mlops_mcp.registry.exporting.gather import gather_run

        row = self._parts.runs.row(run_id)
        run = gather_run(row, self._parts.runs.folder(run_id).path)
        return Exported(source=run_id, **export(self._parts.settings, run, to=to, location=location))

    def export_model(self, version: str, *, to: Tracker, location: str | None = None) -> Exported:
        """Tell a tracker of a version: its files, its run's curves where it has one, its aliases.

        Raises:
            NotFoundError: there is no such version, or its files are gone.
            ConflictError: its run still trains.
            SetupError: the extra is not installed.
        """
        from unity_mlops_mcp.registry.exporting.export import export
        from unity_mlops_mcp.registry.exporting.gather import gather_version

        row = self._parts.store.models.version(version)
        if row is None:
            raise NotFoundError(f"There is no version {version!r}.", fix="Call list_models to see the versions.")
        known = self._parts.store.runs.get(row.run_id) if row.run_id else None
        folder = self._parts.runs.folder(known.run_id).path if known else None
        gathered = gather_version(self._parts.store, row, known, folder)
        return Exported(source=version, **export(self._parts.settings, gathered, to=to, location=location))
