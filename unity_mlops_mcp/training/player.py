"""The player of a run, as ``mlagents-learn --env`` takes it."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.builds.sandbox import load_build, write_launcher
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.request import TrainingRequest


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
