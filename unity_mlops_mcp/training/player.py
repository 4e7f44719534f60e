"""The player of a run: what is known of it before it starts, and its path as ``mlagents-learn --env`` takes it."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.builds.library import load_build, unity_job
from unity_mlops_mcp.builds.paths import executable_of
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.builds.sandbox import write_launcher
from unity_mlops_mcp.builds.unity.platforms import own_target
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.spec.library import load_spec
from unity_mlops_mcp.store.rows import FINAL_STATES, JobRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.planning import PendingBuild, Player
from unity_mlops_mcp.training.request import TrainingRequest


def player_for(settings: Settings, store: Store, *, build_id: str | None, env_path: str | None) -> Player:
    """What is trained on: a build with the trainer settings of its spec, a player of the user's own, or the Editor.

    Raises:
        NotFoundError: there is no such build.
        InvalidInputError: the player lies under no allowed root, or is not there.
    """
    if build_id is not None:
        job = unity_job(build_id, store)
        if job is not None and job.state not in FINAL_STATES:
            return _pending(settings, job)
        build = load_build(build_id, settings=settings, store=store)
        if build.target == "unity":
            return _unity(settings, build)
        saved = load_spec(settings.home, str(build.spec_id))
        return Player("sandbox", build=build, preset=saved.training, areas=saved.areas, spec=saved.spec)
    if env_path is not None:
        return Player("executable", env_path=executable_under_roots(settings, env_path))
    return Player("editor")


def _pending(settings: Settings, job: JobRow) -> Player:
    """A Unity build that is not made yet: the training waits for it."""
    pending, spec_id = PendingBuild(job.subject, job.id), job.request.get("spec_id")
    if spec_id is None:
        return Player("executable", pending=pending)
    saved = load_spec(settings.home, spec_id)
    areas = int(job.request["areas"])
    return Player("executable", preset=saved.training, spec=saved.spec, pending=pending, built_areas=areas)


def _unity(settings: Settings, build: PlayerBuild) -> Player:
    """A finished Unity build, with the trainer settings of its spec where it has one."""
    if build.facts and build.facts.build_target != own_target().name:
        raise InvalidInputError(
            f"Build {build.build_id} is for {build.facts.build_target}.",
            fix="Train it on such a machine, or build again without build_target.",
            cause="build_target",
        )
    facts = build.facts
    if build.spec_id is None:
        agents = facts.probe.agents if facts and facts.probe else 1
        return Player("executable", build=build, env_path=build.player, built_areas=max(1, agents))
    saved = load_spec(settings.home, build.spec_id)
    areas = (facts.areas if facts else None) or 1
    return Player(
        "executable",
        build=build,
        env_path=build.player,
        preset=saved.training,
        spec=saved.spec,
        built_areas=areas,
    )


def player_path(settings: Settings, store: Store, request: TrainingRequest, folder: RunFolder) -> Path | None:
    """The path for ``--env``; None for the Editor, which the trainer waits for.

    A sandbox player's launcher is written anew for each attempt, with the interpreter that runs now: the one that made
    the build may be gone.
    """
    if request.player == "editor":
        return None
    if request.player == "executable" and request.env_path is not None:
        return Path(request.env_path)
    if request.player == "executable":  # a build that was not made yet when the run was accepted
        return load_build(str(request.build_id), settings=settings, store=store).player
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
