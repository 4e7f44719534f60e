"""What a Unity build was asked to do, decided and checked before its job is submitted."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.builds.paths import player_path_problems
from unity_mlops_mcp.builds.unity.editors import Editor, choose_editor
from unity_mlops_mcp.builds.unity.licence import activation, licence_found
from unity_mlops_mcp.builds.unity.platforms import TARGETS, Target, own_target
from unity_mlops_mcp.builds.unity.project import Project, read_project, scenes_to_build
from unity_mlops_mcp.builds.unity.scripts import versions_for
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, SetupError

AREAS = 16
"""Areas of a training scene that is made from a spec, when nothing is said."""


class UnityBuildRequest(BaseModel):
    """Everything that decides one Unity build; saved in the job's row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    build_id: str
    player_name: str = Field(description="Of the player's file, without its extension.")
    project_path: str | None = Field(default=None, description="The user's project; None: one is made.")
    project_version: str | None = None
    ml_agents: str | None = Field(default=None, description="What the project's manifest asks for.")
    scenes: tuple[str, ...] = ()
    editor: str
    editor_version: str
    build_target: str
    spec_id: str | None = None
    behavior_name: str | None = Field(default=None, description="Of the spec; the stem of its scene maker's class.")
    areas: int = Field(default=AREAS, ge=1)
    confirmed: bool = Field(default=False, description="Whether the caller allowed code that others wrote.")
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        """What is built for."""
        return TARGETS[self.build_target]

    @property
    def workspace(self) -> str:
        """The folder name of the copy that is built in: one for each project and Editor."""
        source = self.project_path or f"new {self.player_name} {self.ml_agents}"
        digest = hashlib.sha256(f"{source}\n{self.editor_version}".encode("utf-8", "surrogateescape")).hexdigest()
        return f"{slug(Path(source).name if self.project_path else self.player_name)[:20]}-{digest[:8]}"


def slug(name: str) -> str:
    """A name that is a short file name everywhere: letters and digits."""
    return re.sub(r"[^A-Za-z0-9]+", "", name)[:32] or "player"


def plan_unity_build(
    settings: Settings,
    *,
    build_id: str,
    project_path: str | None,
    scenes: Sequence[str] = (),
    editor_path: str | None = None,
    build_target: str | None = None,
    spec_id: str | None = None,
    behavior_name: str | None = None,
    areas: int | None = None,
    confirmed: bool = False,
) -> UnityBuildRequest:
    """Decide a build and look at all that can be looked at before an Editor starts.

    Args:
        settings: the home, the Editor, the licence.
        build_id: the new build.
        project_path: the user's project; None for one that is made from the spec.
        scenes: of the project; empty takes those of its build settings. Not with a spec.
        editor_path: one of the Editors that were found.
        build_target: ``linux64``, ``win64`` or ``osx``; this machine's when None.
        spec_id: the environment spec whose scripts and scene are added.
        behavior_name: of that spec.
        areas: of the scene that is made from it.
        confirmed: whether the caller allowed code that others wrote.

    Raises:
        InvalidInputError: the project cannot be used, or a scene is not there.
        SetupError: there is no fitting Editor, its module is missing, or the disk is full.
    """
    project = read_project(project_path, settings) if project_path is not None else None
    editor = choose_editor(settings, version=project.version if project else None, given=editor_path)
    target = _target(editor, build_target)
    activation(settings)
    ml_agents = project.ml_agents if project else None
    if spec_id is not None:
        ml_agents = versions_for(editor.version, ml_agents).ml_agents
    name = slug(behavior_name or (project.name if project else "player"))
    _check_home(settings, build_id, name)
    if spec_id is not None and scenes:
        raise InvalidInputError(
            "A spec brings its own training scene, so scenes cannot be given too.",
            fix="Leave scenes out, or leave the spec out to build the project as it is.",
        )
    return UnityBuildRequest(
        build_id=build_id,
        player_name=name,
        project_path=str(project.path) if project else None,
        project_version=project.version if project else None,
        ml_agents=ml_agents,
        scenes=scenes_to_build(project, tuple(scenes)) if project and spec_id is None else (),
        editor=str(editor.path),
        editor_version=editor.version,
        build_target=target.name,
        spec_id=spec_id,
        behavior_name=behavior_name,
        areas=areas or AREAS,
        confirmed=confirmed,
        notes=_notes(project, editor, target),
    )


def _target(editor: Editor, asked: str | None) -> Target:
    if asked is not None and asked not in TARGETS:
        raise InvalidInputError(f"There is no build target {asked!r}.", fix=f"Use one of: {', '.join(TARGETS)}.")
    target = TARGETS[asked] if asked else own_target()
    if not editor.builds(target):
        raise SetupError(
            f"Unity {editor.version} ({editor.path}) cannot build for {target.name}: its module "
            f"“{target.module_name}” is not installed.",
            fix=f"Unity Hub > Installs > {editor.version} > Add modules > {target.module_name}; or pass another Editor "
            "as editor_path.",
            cause="unity_module_missing",
        )
    return target


def _check_home(settings: Settings, build_id: str, name: str) -> None:
    """Space and path, before anything is copied."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < settings.min_free_gb:
        raise SetupError(
            f"Only {free:.1f} GB are free in {settings.home}; a build needs more.",
            fix="Free several gigabytes, or set UNITY_MLOPS_HOME to another disk.",
            cause="disk_full",
        )
    problems = player_path_problems(player_folder(settings.home, build_id) / name)
    if problems:
        raise InvalidInputError(problems[0], fix="Set UNITY_MLOPS_HOME to another folder.", cause="player_path")


def player_folder(home: Path, build_id: str) -> Path:
    """Where the player of a build lies."""
    return home / "builds" / build_id / "player"


def _notes(project: Project | None, editor: Editor, target: Target) -> tuple[str, ...]:
    notes = []
    if project and project.version != editor.version:
        notes.append(
            f"The project was saved by Unity {project.version} and is built by {editor.version}; our copy is upgraded."
        )
    if project and project.open:
        notes.append("The project seems to be open in an Editor: what is not saved there is not in the build.")
    if target != own_target():
        notes.append(
            f"A player for {target.name} does not start on this machine ({sys.platform}), so it is not probed."
        )
    if licence_found() is None:
        notes.append(
            "No Unity licence was found where Unity keeps it; if the build fails for that, sign in to the Unity Hub."
        )
    return tuple(notes)
