"""What operations on policies answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result


class InstalledFile(Result):
    """One file in the Unity project."""

    path: str = Field(description="Relative to the project.")
    sha256: str
    change: Literal["added", "replaced", "unchanged"]
    backup: str | None = Field(default=None, description="Where the file that it replaced is kept.")


class InspectorValue(Result):
    """A field of Unity's inspector, and what to set there."""

    field: str
    value: str


class InstalledModel(Result):
    """A trained policy in a Unity project, and how to let an agent play it."""

    files: list[InstalledFile]
    inference_package: str = Field(description="What runs models in the project, with its version.")
    inspector: list[InspectorValue] = Field(description="The values to set on the agent, in the inspector's order.")
    next: str
