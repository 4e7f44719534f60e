"""The operations on trained policies."""

from __future__ import annotations

from random import SystemRandom

from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.policies import Policies
from unity_mlops_mcp.results.models import InspectorValue, InstalledFile, InstalledModel


class Models:
    """Policies, and where they go."""

    def __init__(self, parts: Parts, policies: Policies) -> None:
        self._parts = parts
        self._policies = policies

    def install_model(
        self,
        *,
        project_path: str,
        run_id: str | None = None,
        model: str | None = None,
        onnx_path: str | None = None,
        confirm: bool = False,
    ) -> InstalledModel:
        """Put a run's policies, a version's, or an ONNX file, into a Unity project for the package that runs models.

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

        settings = self._parts.settings
        project = read_project(project_path, settings)
        inference = inference_of(project)
        sources = self._policies.chosen(run_id=run_id, model=model, onnx_path=onnx_path).sources
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
