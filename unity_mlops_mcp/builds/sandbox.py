"""Sandbox builds: an environment spec kept as data, and the launcher that a run starts it by."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import unity_mlops_mcp
from unity_mlops_mcp.builds.launchers import LauncherFile, Target, linux, macos, windows
from unity_mlops_mcp.builds.library import record_of
from unity_mlops_mcp.builds.paths import player_path_problems
from unity_mlops_mcp.builds.records import ActionSize, Behavior, PlayerBuild
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.spec.base import digest_of
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import BuildRow
from unity_mlops_mcp.store.store import Store

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

FORMAT = 2
"""Raised when a sandbox made from the same spec would behave differently, so that old builds are not taken for new."""

_DIGEST_LENGTHS = (8, 16, 64)


def build_sandbox(
    spec: EnvironmentSpec,
    *,
    archetype: str | None,
    settings: Settings,
    store: Store,
    job_id: str | None,
    spec_id: str | None = None,
    now: datetime | None = None,
) -> PlayerBuild:
    """Keep a spec as a build, or find the one that was made from an equal spec.

    Args:
        spec: the environment.
        archetype: the preset it came from.
        settings: name the home.
        store: where builds are found by the hash of their inputs.
        job_id: the job that builds.
        spec_id: under which the spec is kept.
        now: the time of making; the present by default.

    Returns:
        The build; its ``cached`` says whether it was there already.
    """
    digest = _digest(spec.digest())
    known = store.builds.by_digest(digest)
    row = known or _add(
        store,
        BuildRow(
            build_id="",
            target="sandbox",
            digest=digest,
            data={"behaviors": [expected_behavior(spec).model_dump(mode="json")]},
            created_at=now or utc_now(),
            spec_id=spec_id,
            archetype=archetype,
            job_id=job_id,
        ),
        spec.behavior_name,
    )
    build = record_of(row, settings.home).model_copy(update={"cached": known is not None})
    if not is_intact(build):
        _write(build, spec)
    return build


def write_launcher(build: PlayerBuild, folder: Path) -> Path:
    """Write what starts a build with the present interpreter.

    A folder whose path ML-Agents would cut or take for a pattern is replaced by a new one among the system's temporary
    files.

    Args:
        build: a sandbox build.
        folder: where the launcher goes, such as the run's folder; made when missing.

    Returns:
        The path that ``mlagents-learn --env`` takes.

    Raises:
        InvalidInputError: neither the folder nor the temporary folder has a path that ML-Agents can use.
    """
    target = Target(
        python=Path(sys.executable),
        package_parent=Path(unity_mlops_mcp.__file__).resolve().parents[1],
        spec=build.folder / "spec.json",
    )
    name = build.behaviors[0].name
    file = _launcher(name, target)
    folder = folder.absolute()
    if player_path_problems(folder / file.player):
        folder = Path(tempfile.mkdtemp(prefix="unity-mlops-")).resolve()
    problems = player_path_problems(folder / file.player)
    if problems:
        raise InvalidInputError(
            problems[0], fix="Set UNITY_MLOPS_HOME, or the variable TMPDIR, to another folder.", cause="player_path"
        )
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, file.content, mode=0o755)
    return folder / file.player


def _launcher(name: str, target: Target) -> LauncherFile:
    if sys.platform == "win32":
        return windows(name, target, machine=platform.machine())
    return macos(name, target) if sys.platform == "darwin" else linux(name, target)


def _digest(spec_digest: str) -> str:
    return hashlib.sha256(f"sandbox format {FORMAT} {spec_digest}".encode()).hexdigest()


def expected_behavior(spec: EnvironmentSpec) -> Behavior:
    """The one behaviour that a player made from this spec offers."""
    action = ActionSize(continuous=spec.continuous_size, branches=spec.branches)
    shapes = tuple(shape for _, shape in spec.sensors())
    return Behavior(name=spec.behavior_name, observation_shapes=shapes, action_spec=action)


def _build_id(row: BuildRow, name: str, length: int) -> BuildRow:
    return replace(row, build_id=f"sandbox-{name.lower()}-{row.digest[:length]}")


def _add(store: Store, row: BuildRow, name: str) -> BuildRow:
    """Add the build's row; where its short id belongs to other inputs, under a longer one."""
    for length in _DIGEST_LENGTHS:
        added = store.builds.add(_build_id(row, name, length))
        if added is not None:
            return added
    raise InvalidInputError(f"The ids of build {row.digest} are taken.", fix="Give the behaviour another name.")


def is_intact(build: PlayerBuild) -> bool:
    """Whether a sandbox build's folder holds the very spec that it stands for, told by its digest alone."""
    try:
        data = json.loads((build.folder / "spec.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return _digest(digest_of(data)) == build.digest and (build.folder / "build.json").is_file()


def _write(build: PlayerBuild, spec: EnvironmentSpec) -> None:
    build.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(build.folder / "spec.json", spec.to_json().encode())
    write_atomically(build.folder / "build.json", (build.model_dump_json(indent=2) + "\n").encode())
