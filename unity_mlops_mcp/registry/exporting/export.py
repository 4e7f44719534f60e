"""Which tracker is told, and where it lies."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from unity_mlops_mcp.config import Settings, without_telemetry
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.registry.exporting.records import Source


def export(settings: Settings, source: Source, *, to: str, location: str | None) -> dict[str, Any]:
    """Tell the tracker; gives its answer as the fields of a result.

    Raises:
        SetupError: the extra is not installed.
        InvalidInputError: the location lies under no allowed root.
        ExternalError: the tracker failed.
    """
    if find_spec(to) is None:
        raise SetupError(
            f"Exporting to {to} needs the extra {to}, which is not installed.",
            fix=f"Run `pip install 'unity-mlops-mcp[{to}]'` in the environment of this command, then call again.",
            cause="extra_missing",
        )
    without_telemetry()
    if to == "mlflow":
        from unity_mlops_mcp.registry.exporting.to_mlflow import to_mlflow

        return to_mlflow(settings, source, location)
    from unity_mlops_mcp.registry.exporting.to_wandb import to_wandb

    return to_wandb(settings, source, location)
