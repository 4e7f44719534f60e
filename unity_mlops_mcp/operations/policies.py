"""Which trained policies a caller means: a run's, a model version's, or a file's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.inputs import exactly_one
from unity_mlops_mcp.operations.parts import Parts

if TYPE_CHECKING:
    from unity_mlops_mcp.evaluation.installing import Source


@dataclass(frozen=True)
class Chosen:
    """Policies, one for each behaviour, and what they are of where that is known."""

    sources: tuple[Source, ...]
    run_id: str | None = None
    version_id: str | None = None


class Policies:
    """Finds policies."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def chosen(self, *, run_id: str | None = None, model: str | None = None, onnx_path: str | None = None) -> Chosen:
        """The policies that are meant.

        Raises:
            InvalidInputError: not exactly one was given, or the file lies under no allowed root.
            NotFoundError: there is no such run or version, or the run has no policy yet.
        """
        exactly_one({"run_id": run_id, "model": model, "onnx_path": onnx_path})
        if model is not None:
            return self._of_version(model)
        if run_id is not None:
            return Chosen(tuple(self.of_run(run_id)), run_id=run_id)
        return Chosen((self._file(str(onnx_path)),))

    def of_run(self, run_id: str) -> list[Source]:
        """The final policies of a run, one per behaviour.

        Raises:
            NotFoundError: there is no such run, or it has none yet.
        """
        from unity_mlops_mcp.evaluation.installing import Source
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.training.record import read_record

        row, folder = self._parts.runs.row(run_id), self._parts.runs.folder(run_id)
        policies = folder.policies()
        if not policies:
            saved = sorted(folder.path.glob("*/*.onnx"), key=lambda path: path.stat().st_mtime)
            newest = f"or use its newest checkpoint with onnx_path={str(saved[-1])!r}" if saved else ""
            raise NotFoundError(
                f"Run {row.run_id} has no finished policy yet.",
                fix=f"Call wait_for({run_id!r}) until it has ended, {newest}".rstrip(", ") + ".",
                cause="no_policy_yet",
            )
        data = read_record(folder).get("spec")
        spec = EnvironmentSpec.from_data(data) if data else None
        return [Source(path.stem, path, spec if spec and spec.name == path.stem else None) for path in policies]

    def _of_version(self, reference: str) -> Chosen:
        from unity_mlops_mcp.evaluation.installing import Source
        from unity_mlops_mcp.registry.references import policies_of, resolve
        from unity_mlops_mcp.spec.environment import EnvironmentSpec

        version = resolve(self._parts.store, reference)
        spec = EnvironmentSpec.from_data(version.spec) if version.spec else None
        sources = tuple(
            Source(policy.behavior, path, spec if spec and spec.name == policy.behavior else None)
            for policy, path in policies_of(self._parts.store.home, version)
        )
        return Chosen(sources, run_id=version.run_id, version_id=version.version_id)

    def _file(self, onnx_path: str) -> Source:
        from unity_mlops_mcp.evaluation.installing import Source, behavior_of

        path = self._parts.settings.allowed_path(onnx_path, what="onnx_path")
        return Source(behavior_of(path), path)
