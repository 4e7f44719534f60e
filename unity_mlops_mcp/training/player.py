"""The player of a run: what is known of it before it starts, and its path as ``mlagents-learn --env`` takes it."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.builds.library import load_build
from unity_mlops_mcp.builds.paths import executable_of
from unity_mlops_mcp.builds.sandbox import write_launcher
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.spec.library import load_spec
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.planning import Player
from unity_mlops_mcp.training.request import TrainingRequest


def player_for(settings: Settings, store: Store, *, build_id: str | None, env_path: str | None) -> Player:
    """What is trained on: a build with the trainer settings of its spec, a player of the user's own, or the Editor.

    Raises:
        NotFoundError: there is no such build.
        InvalidInputError: the player lies under no allowed root, or is not there.
    """
    if build_id is not None:
        build = load_build(build_id, settings=settings, store=store)
        saved = load_spec(settings.home, str(build.spec_id))
        return Player("sandbox", build=build, preset=saved.training, areas=saved.areas, spec=saved.spec)
    if env_path is not None:
        return Player("executable", env_path=executable_under_roots(settings, env_path))
    return Player("editor")


def player_path(settings: Settings, store: Store, request: TrainingRequest, folder: RunFolder) -> Path | None:
    """The path for ``--env``; None for the Editor, which the trainer waits for.

    A sandbox player's launcher is written anew for each attempt, with the interpreter that runs now: the one that made
    the build may be gone.
    """
    if request.player == "editor":
        return None
    if request.player == "executable":
        return Path(str(request.env_path))
    build = load_build(str(request.build_id), settings=settings, store=store)
    return write_launcher(build, folder.player_folder)


def executable_under_roots(settings: Settings, env_path: str) -> Path:
    """A player of the user's own, which must lie under an allowed root and exist.

    Raises:
        InvalidInputError: it lies elsewhere, or what ``--env`` would look for is not there.
    """
    path = settings.allowed_path(env_path, what="env_path")
    try:
        executable_of(path)
    except NotFoundError as error:
        raise InvalidInputError(error.message, fix=error.fix, cause="player_missing") from error
    return path
