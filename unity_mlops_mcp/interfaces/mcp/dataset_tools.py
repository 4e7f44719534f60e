"""Recorded experience."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.datasets import DatasetReport

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class DatasetTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def inspect_dataset(self, path: a.DatasetPath, build_id: a.FittedBuild = None) -> DatasetReport:
        """Say what is in recorded experience (.demo files of ML-Agents, or .jsonl transitions) before training on it.

        Returns episodes, shapes, returns, what was seen and done, NaN, copies, and with build_id whether it fits. Each
        finding says how to mend it. Next: start_training.
        """
        return self._app().inspect_dataset(path, build_id=build_id)
