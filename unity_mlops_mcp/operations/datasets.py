"""The operations on recorded experience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.datasets import DatasetFault, DatasetReport

if TYPE_CHECKING:
    from unity_mlops_mcp.training.datasets.inspecting import Contents
    from unity_mlops_mcp.training.datasets.records import Dataset

_FILES_SHOWN = 20


class Datasets:
    """Demonstrations and transitions, on disk."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def inspect_dataset(self, path: str, *, build_id: str | None = None) -> DatasetReport:
        """Say what is in a dataset, and whether it fits a build's behaviour.

        Args:
            path: a .demo or .jsonl file, a folder of them, or several files separated by commas.
            build_id: what it is to be used for.

        Raises:
            InvalidInputError: it is no dataset, or lies under no allowed root.
            NotFoundError: there is no such build.
        """
        from unity_mlops_mcp.training.datasets.inspecting import inspect
        from unity_mlops_mcp.training.datasets.reading import read_dataset

        misfit = None
        dataset = read_dataset(self._parts.settings, path)
        if build_id is not None:
            misfit = self._misfit(dataset, build_id)
        return _report(path, dataset, inspect(dataset), build_id, misfit)

    def _misfit(self, dataset: Dataset, build_id: str) -> DatasetFault | None:
        """Why a dataset does not fit a build; None where it does."""
        from unity_mlops_mcp.builds.library import load_build
        from unity_mlops_mcp.training.datasets.fitting import require_fit

        build = load_build(build_id, settings=self._parts.settings, store=self._parts.store)
        try:
            require_fit(dataset, build.behaviors)
        except InvalidInputError as error:
            return DatasetFault(severity="error", what=error.message, fix=error.fix)
        return None


def _report(
    path: str, dataset: Dataset, found: Contents, build_id: str | None, misfit: DatasetFault | None
) -> DatasetReport:
    behavior = dataset.behavior
    told = found.model_dump(mode="json")
    lengths = told.pop("lengths")
    findings = [*([misfit.model_dump()] if misfit else []), *told.pop("findings")]
    broken = any(finding["severity"] == "error" for finding in findings)
    use = f"start_training(training_mode='offline', offline_dataset_path={path!r}) learns from it without a player"
    return DatasetReport.model_validate(
        {
            **told,
            "path": path,
            "format": dataset.format,
            "files": [str(file) for file in dataset.files[:_FILES_SHOWN]],
            "sha256": dataset.sha256,
            "behavior_name": behavior.name,
            "observation_shapes": [sensor.shape for sensor in behavior.observations],
            "continuous_actions": behavior.action.continuous,
            "branches": behavior.action.branches,
            "episode_length": lengths,
            "findings": findings,
            "fits": None if build_id is None else misfit is None,
            "next": "Mend the errors first: each finding says how." if broken else f"{use}; give the build_id too.",
        }
    )
