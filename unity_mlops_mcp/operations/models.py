"""The operations on trained policies."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.inputs import exactly_one
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.models import InspectorValue, InstalledFile, InstalledModel

if TYPE_CHECKING:
    from unity_mlops_mcp.evaluation.installing import Source


class Models:
    """Policies, and where they go."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def install_model(
        self, *, project_path: str, run_id: str | None = None, onnx_path: str | None = None, confirm: bool = False
    ) -> InstalledModel:
        """Put a run's policies, or an ONNX file, into a Unity project for the package that runs models there.

        Raises:
            InvalidInputError: not exactly one of them was given, a path lies under no allowed root, the folder is no
                project with ML-Agents 2 or newer, or its inference package cannot run the policy.
            NotFoundError: there is no such run or file, or the run has no policy yet.
            ConflictError: another file would be replaced, and ``confirm`` is not given.
        """
        from unity_mlops_mcp.builds.unity.project import read_project
        from unity_mlops_mcp.evaluation.inference import inference_of
        from unity_mlops_mcp.evaluation.inspector import inspector_values
        from unity_mlops_mcp.evaluation.installing import install

        exactly_one({"run_id": run_id, "onnx_path": onnx_path})
        settings = self._parts.settings
        project = read_project(project_path, settings)
        inference = inference_of(project)
        sources = self._policies_of(run_id) if run_id is not None else [self._file(str(onnx_path))]
        done = install(project, inference, sources, settings=settings, confirm=confirm, rng=SystemRandom())
        return InstalledModel(
            files=[
                InstalledFile(
                    path=file.path,
                    sha256=file.sha256,
                    change=file.change,
                    backup=str(file.backup) if file.backup else None,
                )
                for file, _ in done
            ],
            inference_package=f"{inference.package} {inference.version}",
            inspector=[
                InspectorValue(field=field, value=value)
                for source, (file, model) in zip(sources, done, strict=True)
                for field, value in inspector_values(source.behavior, file.path, model, inference, source.spec)
            ],
            next="Open the project in the Unity Editor, select the agent, set the values of inspector, and press Play.",
        )

    def _policies_of(self, run_id: str) -> list[Source]:
        """The final policies of a run, one per behaviour."""
        from unity_mlops_mcp.evaluation.installing import Source
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.training.record import read_record

        row, folder = self._parts.runs.row(run_id), self._parts.runs.folder(run_id)
        policies = folder.policies()
        if not policies:
            saved = sorted(folder.path.glob("*/*.onnx"), key=lambda path: path.stat().st_mtime)
            newest = f"or install its newest checkpoint with onnx_path={str(saved[-1])!r}" if saved else ""
            raise NotFoundError(
                f"Run {row.run_id} has no finished policy yet.",
                fix=f"Call wait_for({run_id!r}) until it has ended, {newest}".rstrip(", ") + ".",
                cause="no_policy_yet",
            )
        data = read_record(folder).get("spec")
        spec = EnvironmentSpec.from_data(data) if data else None
        return [Source(path.stem, path, spec if spec and spec.name == path.stem else None) for path in policies]

    def _file(self, onnx_path: str) -> Source:
        from unity_mlops_mcp.evaluation.installing import Source, behavior_of

        path = self._parts.settings.allowed_path(onnx_path, what="onnx_path")
        return Source(behavior_of(path), path)
