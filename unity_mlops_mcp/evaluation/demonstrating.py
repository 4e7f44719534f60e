"""The job that records demonstrations: a policy or a scripted expert plays, and its episodes become a .demo file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.builds.library import load_build
from unity_mlops_mcp.builds.paths import executable_of
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.builds.sandbox import write_launcher
from unity_mlops_mcp.errors import ConflictError, ExternalError
from unity_mlops_mcp.evaluation.experts import expert_for
from unity_mlops_mcp.evaluation.model import read_bytes
from unity_mlops_mcp.evaluation.playing import Actor, Episode, Nobody, play, success_rate
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.evaluation.recording import RecordingEnvironment
from unity_mlops_mcp.evaluation.records import RECORDINGS, PolicyUsed
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.protocol.simulation import Stat
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.training.datasets.demo import write_demo

KIND = "recording"
AREAS = 16


class RecordingRequest(BaseModel):
    """Everything that decides one recording."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    behavior: str = Field(description="Whose episodes are kept.")
    policies: tuple[PolicyUsed, ...] = Field(default=(), description="Who plays; none: the scripted expert.")
    build_id: str | None = None
    env_path: str | None = None
    episodes: int = Field(ge=1, le=100_000)
    seed: int = Field(default=1, ge=0, lt=2**31)
    noise: float = Field(default=0.0, ge=0, le=1, description="What disturbs continuous actions; see `recording`.")
    areas: int = Field(default=AREAS, ge=1, le=4096)
    name: str = Field(description="Of the file, without its suffix.")

    def path(self, home: Path) -> Path:
        """The file that is written."""
        return home / RECORDINGS / f"{self.name}.demo"


async def record(context: JobContext) -> dict[str, Any]:
    """Record to the end; a stop, or an attempt that was cut off, leaves no file.

    Returns:
        ``path``, ``episodes``, ``steps``, ``mean_return``, ``success`` (None where the player tells none), ``sha256``.

    Raises:
        ConflictError: a policy's file was changed since the recording was asked for.
        InvalidInputError: a policy does not fit the player.
        ExternalError: the player failed.
    """
    request = RecordingRequest.model_validate(context.job.request)
    try:
        return await anyio.to_thread.run_sync(_Recording(context, request).do)
    except StoppedError:
        return {}


class _Watch(Nobody):
    """Tells how many episodes have ended; ends the play when the job is stopped."""

    def __init__(self, context: JobContext, episodes: int) -> None:
        self._context, self._episodes = context, episodes

    def counted(self, episodes: int, stats: Sequence[Stat]) -> None:  # noqa: ARG002
        """Pass it on."""
        self._context.require_going()
        done = min(episodes, self._episodes)
        self._context.progress(message=f"{done:,} of {self._episodes:,} episodes", step=done, total=self._episodes)


class _Recording:
    """One attempt; all of it in one thread."""

    def __init__(self, context: JobContext, request: RecordingRequest) -> None:
        self._context, self._asked = context, request
        self._folder = context.settings.home / "artifacts" / context.job.id

    def do(self) -> dict[str, Any]:
        """Play, and write what was played."""
        self._folder.mkdir(parents=True, exist_ok=True)
        asked = self._asked
        actors = self._actors()
        with self._player() as environment:
            watch = _Watch(self._context, asked.episodes)
            episodes = play(environment, actors, episodes=asked.episodes, seed=asked.seed, watch=watch)
            behavior, found = environment.trajectories(asked.behavior)
        if not found:
            raise ExternalError(
                f"No episode of {asked.behavior} was played.", fix="`unity-mlops probe` shows what the player offers."
            )
        kept = found[: asked.episodes]
        path = asked.path(self._context.settings.home)
        path.parent.mkdir(exist_ok=True)
        write_demo(path, behavior, kept)
        return self._told(path, episodes, [float(one.rewards.sum()) for one in kept], sum(map(len, kept)))

    def _told(self, path: Path, episodes: tuple[Episode, ...], returns: list[float], steps: int) -> dict[str, Any]:
        success, mean = success_rate(episodes), fmean(returns)
        told = "" if success is None else f", success {success:.0%}"
        self._context.progress(message=f"{len(returns)} episodes, mean return {mean:.3f}{told}: {path}", progress=1.0)
        return {
            "path": str(path),
            "episodes": len(returns),
            "steps": steps,
            "mean_return": mean,
            "success": success,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }

    def _actors(self) -> dict[str, Actor]:
        if not self._asked.policies:
            spec = EnvironmentSpec.from_text((self._build().folder / "spec.json").read_text("utf-8"))
            return {self._asked.behavior: expert_for(spec)}
        return {used.behavior: _opened(used) for used in self._asked.policies}

    def _build(self) -> PlayerBuild:
        return load_build(str(self._asked.build_id), settings=self._context.settings, store=self._context.store)

    def _player(self) -> RecordingEnvironment:
        asked = self._asked
        if asked.build_id is None:
            player = Path(str(asked.env_path))
        else:
            build = self._build()
            player = build.player or write_launcher(build, self._folder / "player")
        return RecordingEnvironment(
            [str(executable_of(player))],
            noise=asked.noise,
            seed=asked.seed,
            areas=asked.areas,
            log_folder=self._folder / "player logs",
        )


def _opened(used: PolicyUsed) -> Policy:
    path = Path(used.path)
    if hashlib.sha256(read_bytes(path)).hexdigest() != used.sha256:
        raise ConflictError(
            f"The policy {path} was changed since the recording was asked for.",
            fix="Call record_demonstrations again; let a training end first.",
            cause="policy_changed",
        )
    return Policy(path)
