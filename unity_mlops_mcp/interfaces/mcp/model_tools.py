"""Trained policies, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.models import InstalledModel

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class ModelTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def install_model(
        self,
        *,
        project_path: a.ProjectPath,
        run_id: a.OwnRunId = None,
        onnx_path: a.OnnxPath = None,
        confirm: a.Replace = False,
    ) -> InstalledModel:
        """Put a trained policy into a Unity project, checked for the package that runs models there.

        Give run_id or onnx_path. Returns the files, the inference package (Barracuda, Sentis or Inference Engine) and
        the values to set in the inspector: tell them to the user. Another file of that name is replaced only with
        confirm=true, and kept as a backup. The project may be open in the Editor.
        """
        return self._app().install_model(project_path=project_path, run_id=run_id, onnx_path=onnx_path, confirm=confirm)
