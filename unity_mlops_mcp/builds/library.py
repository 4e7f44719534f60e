"""The builds of a home by their id, whichever target they were made for."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.builds.paths import executable_of
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, ExternalError, MlopsError, NotFoundError
from unity_mlops_mcp.store.rows import FINAL_STATES, BuildRow, JobRow
from unity_mlops_mcp.store.store import Store

UNITY_KIND = "build_unity"
"""The kind of job that makes Unity builds; its subject is the id of the build that was asked for."""


def load_build(build_id: str, *, settings: Settings, store: Store) -> PlayerBuild:
    """The build of this id, or the equal one that it turned out to be.

    Raises:
        NotFoundError: there is none, or its files are gone or changed; the fix names the newest ones.
        ConflictError: it is not made yet (cause ``build_not_ready``).
        ExternalError: making it failed; with that cause.
    """
    row = store.builds.get(build_id)
    job = None if row else unity_job(build_id, store)
    if job is not None:
        row = _made_by(job, store)
    build = record_of(row, settings.home) if row else None
    if build is not None and _is_there(build):
        return build
    there = ", ".join(row.build_id for row in store.builds.page(limit=5).rows) or "none yet"
    found = f"The files of build {build_id} are gone or were changed." if build else f"There is no build {build_id}."
    raise NotFoundError(
        found, fix=f"Use one of: {there}; or call build_environment, which makes it anew.", cause="no_such_build"
    )


def unity_job(build_id: str, store: Store) -> JobRow | None:
    """The job that makes, made or failed to make the Unity build of this id; None when there is none."""
    job = store.jobs.latest(build_id)
    return job if job is not None and job.kind == UNITY_KIND else None


def _made_by(job: JobRow, store: Store) -> BuildRow | None:
    if job.state not in FINAL_STATES:
        raise ConflictError(
            f"Build {job.subject} is {job.state}.",
            fix=f"Call wait_for({job.subject!r}) until done is true, then this again.",
            cause="build_not_ready",
        )
    if job.state == "failed" and job.failure is not None:
        why = job.failure
        raise ExternalError(
            f"Build {job.subject} failed: {why['message']}",
            fix=why["fix"],
            cause=why["cause"],
            evidence=why["evidence"],
        )
    made = (job.result or {}).get("build_id")
    return store.builds.get(made) if made else None


def record_of(row: BuildRow, home: Path) -> PlayerBuild:
    """The build of a row."""
    folder = home / "builds" / row.build_id
    player = row.data.get("player")
    return PlayerBuild(
        build_id=row.build_id,
        target=row.target,
        digest=row.digest,
        spec_id=row.spec_id,
        archetype=row.archetype,
        behaviors=row.data["behaviors"],
        folder=folder,
        player=folder / player if player else None,
        facts=row.data.get("facts"),
        created_at=row.created_at,
    )


def _is_there(build: PlayerBuild) -> bool:
    from unity_mlops_mcp.builds.sandbox import is_intact

    if build.target == "sandbox":
        return is_intact(build)
    return build.player is not None and is_startable(build.player)


def is_startable(player: Path) -> bool:
    """Whether there is an executable at a player's path."""
    try:
        executable_of(player)
    except MlopsError:
        return False
    return True
