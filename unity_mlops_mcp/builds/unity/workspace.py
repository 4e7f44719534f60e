"""Where a project is built: our copy of it with its Library, held by one build at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from unity_mlops_mcp.builds.unity.project import ML_AGENTS
from unity_mlops_mcp.builds.unity.request import UnityBuildRequest
from unity_mlops_mcp.jobs.kinds import JobContext
from unity_mlops_mcp.process.files import FileLock

if TYPE_CHECKING:
    from unity_mlops_mcp.codegen.records import GeneratedScript
    from unity_mlops_mcp.spec.library import SavedSpec

_POLL_S = 0.25
_OURS = "Assets/UnityMlops/Editor"
MODULES = ("com.unity.modules.imgui", "com.unity.modules.physics2d", "com.unity.modules.ui")
"""Built-in modules that a made project lists; ML-Agents brings the others that it needs."""


class Workspace:
    """The copy of one project.

    Args:
        home: the home folder.
        request: the build; names the copy.
    """

    def __init__(self, home: Path, request: UnityBuildRequest) -> None:
        self.project = home / "projects" / request.workspace
        self._lock = FileLock(home / "projects" / f"{request.workspace}.lock")

    async def take(self, context: JobContext) -> bool:
        """Wait until no other build has it; False when a stop is asked for meanwhile."""
        self.project.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not self._lock.acquire():
            context.progress(message="waiting for another build of this project")
            with anyio.move_on_after(_POLL_S):
                await context.stop_requested.wait()
                return False
        return not context.stop_requested.is_set()

    def release(self) -> None:
        """Give it to the next build."""
        self._lock.release()


def build_script() -> dict[str, bytes]:
    """The script that builds, and the assembly it is compiled in; by path in a project."""
    definition = {"name": "UnityMlops.Editor", "includePlatforms": ["Editor"], "autoReferenced": False}
    script = files("unity_mlops_mcp.builds.unity").joinpath("editor/UnityMlopsBuild.cs").read_bytes()
    return {
        f"{_OURS}/UnityMlopsBuild.cs": script,
        f"{_OURS}/UnityMlops.Editor.asmdef": (json.dumps(definition, indent=2) + "\n").encode(),
    }


def new_project(version: str, ml_agents: str) -> dict[str, bytes]:
    """A project with ML-Agents and nothing in it: what the Editor needs to make the rest."""
    dependencies = {ML_AGENTS: ml_agents, **dict.fromkeys(MODULES, "1.0.0")}
    return {
        "Packages/manifest.json": (json.dumps({"dependencies": dependencies}, indent=2) + "\n").encode(),
        "ProjectSettings/ProjectVersion.txt": f"m_EditorVersion: {version}\n".encode(),
    }


def script_files(script: GeneratedScript, saved: SavedSpec) -> dict[str, bytes]:
    """The C# of a spec, and the record of what it was made from, by path in a project."""
    record = {
        "spec_id": saved.spec_id,
        "spec": saved.spec.model_dump(mode="json"),
        "versions": script.versions.model_dump(mode="json"),
        "script": script.digest,
    }
    written: Mapping[str, bytes] = {file.path: file.text.encode() for file in script.files}
    return {**written, "unity-mlops.json": (json.dumps(record, indent=2) + "\n").encode()}
