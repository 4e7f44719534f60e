"""What a Unity project says of itself: version, packages, scenes, tags; read, never changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.records import Record
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError

ML_AGENTS = "com.unity.ml-agents"
LOCK_FILE = "Temp/UnityLockfile"
_VERSION = re.compile(r"^m_EditorVersion: *(\S+)", re.MULTILINE)
_CHANGESET = re.compile(r"^m_EditorVersionWithRevision: *\S+ *\((\w+)\)", re.MULTILINE)
_SCENE = re.compile(r"- enabled: (\d)\s+path: (.+)")


class Project(Record):
    """A Unity project.

    Attributes:
        path: its folder.
        version: the Editor it was last saved with, such as ``2022.3.62f3``.
        changeset: of that Editor; None when it is not said.
        ml_agents: version of com.unity.ml-agents that it uses; what its manifest says where that cannot be told.
        packages: name and version of each package of the manifest.
        scenes: the enabled scenes of its build settings, in their order.
        all_scenes: every scene under Assets.
        tags: of its own.
        open: whether an Editor seems to have it open.
    """

    path: Path
    version: str
    changeset: str | None
    ml_agents: str
    packages: dict[str, str]
    scenes: tuple[str, ...]
    all_scenes: tuple[str, ...]
    tags: tuple[str, ...]
    open: bool

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.path.name


def read_project(path: str | Path, settings: Settings) -> Project:
    """Read a project under an allowed root.

    Raises:
        InvalidInputError: it lies elsewhere, is no Unity project, or has no ML-Agents package (cause ``not_a_project``,
            ``no_ml_agents``).
    """
    folder = settings.allowed_path(path, what="project_path")
    version_file = folder / "ProjectSettings" / "ProjectVersion.txt"
    if not (folder / "Assets").is_dir() or not version_file.is_file():
        raise InvalidInputError(
            f"{folder} is no Unity project: it has no Assets folder, or no ProjectSettings/ProjectVersion.txt.",
            fix=_nearby(folder),
            cause="not_a_project",
        )
    text = _read(version_file)
    version, changeset = _VERSION.search(text), _CHANGESET.search(text)
    if version is None:
        raise InvalidInputError(
            f"{version_file} names no Editor version.",
            fix="Open the project in the Unity Editor once; that writes the file.",
            cause="not_a_project",
        )
    packages = packages_of(folder)
    return Project(
        path=folder,
        version=version[1],
        changeset=changeset[1] if changeset else None,
        ml_agents=_ml_agents(folder, packages),
        packages=packages,
        scenes=_build_scenes(folder),
        all_scenes=tuple(sorted(file.relative_to(folder).as_posix() for file in (folder / "Assets").rglob("*.unity"))),
        tags=_tags(folder),
        open=(folder / LOCK_FILE).exists(),
    )


def _nearby(folder: Path) -> str:
    """The fix for a path that is no project; names a project directly below, if there is one."""
    try:
        below = (
            [item for item in sorted(folder.iterdir()) if (item / "ProjectSettings").is_dir()]
            if folder.is_dir()
            else []
        )
    except OSError:
        below = []
    where = f"Did you mean {below[0]}?" if below else "Give the folder that holds Assets, Packages and ProjectSettings."
    return f"{where} Then call again."


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        return ""


def packages_of(folder: Path) -> dict[str, str]:
    """Name and version of each package of a project's manifest.

    Raises:
        InvalidInputError: the manifest cannot be read.
    """
    file = folder / "Packages" / "manifest.json"
    try:
        manifest: Any = json.loads(_read(file) or "{}")
        return {str(name): str(version) for name, version in manifest.get("dependencies", {}).items()}
    except (ValueError, AttributeError) as error:
        raise InvalidInputError(
            f"{file} is no JSON with dependencies: {error}.", fix="Correct it as the message says.", cause="manifest"
        ) from error


def _ml_agents(folder: Path, packages: dict[str, str]) -> str:
    asked = packages.get(ML_AGENTS, "")
    if asked and not asked.startswith("file:"):
        return asked
    local = folder / "Packages" / (asked.removeprefix("file:") or ML_AGENTS)
    if asked or (local / "package.json").is_file():
        return _version_in(local / "package.json") or asked or "embedded"
    raise InvalidInputError(
        f"The project {folder} does not use ML-Agents: {ML_AGENTS} is not in Packages/manifest.json.",
        fix=f"Add it in the Editor: Window > Package Manager > + > Install package by name > {ML_AGENTS}.",
        cause="no_ml_agents",
    )


def _version_in(package: Path) -> str:
    """The version that a package names; empty when it cannot be read."""
    try:
        return str(json.loads(_read(package))["version"])
    except (ValueError, KeyError, TypeError):
        return ""


def _build_scenes(folder: Path) -> tuple[str, ...]:
    found = _SCENE.findall(_read(folder / "ProjectSettings" / "EditorBuildSettings.asset"))
    return tuple(path.strip().strip("\"'") for enabled, path in found if enabled == "1")


def _tags(folder: Path) -> tuple[str, ...]:
    text = _read(folder / "ProjectSettings" / "TagManager.asset")
    block = re.search(r"^  tags:\s*\n((?:  - .*\n?)*)", text, re.MULTILINE)
    return tuple(re.findall(r"- (.+)", block[1])) if block else ()


def scenes_to_build(project: Project, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The scenes of a build: those asked for, else the project's build settings, else its only scene.

    Raises:
        InvalidInputError: one is not there, or it is not clear which is meant; the fix names those there are.
    """
    there = project.all_scenes
    told = ", ".join(there[:20]) or "none"
    if asked:
        found = [_scene(project, name) for name in asked]
        missing = [name for name, scene in zip(asked, found, strict=True) if scene is None]
        if missing:
            raise InvalidInputError(
                f"The project {project.path} has no scene {', '.join(missing)}.",
                fix=f"Its scenes are: {told}.",
                cause="no_such_scene",
            )
        return tuple(scene for scene in found if scene)
    chosen = tuple(scene for scene in project.scenes if scene in there) or (there if len(there) == 1 else ())
    if not chosen:
        raise InvalidInputError(
            f"The build settings of {project.path} enable no scene, so it is not clear which to train in.",
            fix=f"Pass scenes; its scenes are: {told}.",
            cause="no_scenes",
        )
    return chosen


def _scene(project: Project, name: str) -> str | None:
    """A scene by its path in the project, or by its bare name when only one has it."""
    wanted = name.replace("\\", "/").removeprefix("./")
    if wanted in project.all_scenes:
        return wanted
    stem = wanted.removesuffix(".unity")
    same = [scene for scene in project.all_scenes if scene.rpartition("/")[2].removesuffix(".unity") == stem]
    return same[0] if len(same) == 1 else None
