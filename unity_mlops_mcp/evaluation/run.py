"""The job that evaluates: policies play on a player of their own, and the figures are kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio.to_thread

from unity_mlops_mcp.builds.library import load_build
from unity_mlops_mcp.builds.paths import executable_of
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.builds.sandbox import write_launcher
from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.evaluation.figures import (
    behaviors_of,
    columns_of,
    endings_of,
    measures_of,
    success_of,
    sweep_point,
)
from unity_mlops_mcp.evaluation.library import FILE, TRAJECTORIES, folder_of, load_evaluation, save_evaluation
from unity_mlops_mcp.evaluation.model import read_bytes
from unity_mlops_mcp.evaluation.normaliser import usual_observations
from unity_mlops_mcp.evaluation.playing import Episode, play
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.evaluation.records import Evaluation, PolicyUsed, SweepPoint
from unity_mlops_mcp.evaluation.request import EvaluationRequest
from unity_mlops_mcp.evaluation.tally import Tally
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.metrics.statistics import mean_interval
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.sandbox.player import TRAJECTORIES as TRACE
from unity_mlops_mcp.store.ids import utc_now

_FAR_OUT_SHARE = 0.01


async def evaluate(context: JobContext) -> dict[str, Any]:
    """Run an evaluation to its end, or until it is stopped; an attempt that was cut off is begun anew.

    Returns:
        ``evaluation_id``; empty when it was stopped.

    Raises:
        ConflictError: a policy's file was changed since the evaluation was asked for.
        InvalidInputError: a policy does not fit the player.
        ExternalError: the player failed.
    """
    work = _Work(context, EvaluationRequest.model_validate(context.job.request))
    try:
        return await anyio.to_thread.run_sync(work.do)
    except StoppedError:
        return {}


class _Work:
    """One attempt; all of it in one thread."""

    def __init__(self, context: JobContext, request: EvaluationRequest) -> None:
        self._context, self._asked = context, request
        self._home = context.settings.home
        self._folder = folder_of(self._home, context.job.id)
        self._done, self._began = 0, time.monotonic()

    def do(self) -> dict[str, Any]:
        """Play, work the figures out, keep them."""
        if (self._folder / FILE).is_file():  # an earlier attempt was cut off between its file and its end
            save_evaluation(self._context.store, load_evaluation(self._home, self._context.job.id))
            return {"evaluation_id": self._context.job.id}
        files = self._keep_policies()
        policies = {name: Policy(path, deterministic=self._asked.deterministic) for name, path in files.items()}
        evaluation = self._evaluate(policies, {name: usual_observations(read_bytes(p)) for name, p in files.items()})
        save_evaluation(self._context.store, evaluation)
        self._context.progress(message=evaluation.told(), progress=1.0)
        return {"evaluation_id": evaluation.evaluation_id}

    def _keep_policies(self) -> dict[str, Path]:
        """Our own copies: a training that goes on writes its policy anew."""
        folder = self._folder / "policies"
        folder.mkdir(parents=True, exist_ok=True)
        return {used.behavior: _kept(used, folder) for used in self._asked.policies}

    def _evaluate(self, policies: Mapping[str, Policy], usual: Mapping[str, Any]) -> Evaluation:
        tally = Tally(usual, self._counted)
        with self._player(trace=True) as environment:
            episodes = self._play(environment, policies, tally)
            behaviors, name = dict(environment.behaviors), f"{environment.name} {environment.package_version}"
        columns = columns_of(episodes)
        by_policy = {full for full in behaviors if {full, full.partition("?")[0]} & policies.keys()}
        figures = behaviors_of(behaviors, columns, tally, by_policy=by_policy)
        traced = (self._folder / TRAJECTORIES).is_file()
        asked = self._asked
        return Evaluation(
            evaluation_id=self._context.job.id,
            created_at=utc_now(),
            policies=asked.policies,
            run_id=asked.run_id,
            version_id=asked.version_id,
            build_id=asked.build_id,
            player=asked.env_path or ("sandbox" if self._build is None or not self._build.player else "unity"),
            player_name=name.strip(),
            seed=asked.seed,
            areas=asked.areas,
            deterministic=asked.deterministic,
            episodes=len(episodes),
            behaviors=figures,
            success=success_of(columns.success),
            endings=endings_of(columns.endings),
            measures=measures_of(columns, tally.others),
            decisions=mean_interval(columns.decisions),
            parameters=asked.parameters,
            sweeps=tuple(self._sweep(policies)),
            columns=columns,
            trajectories=TRAJECTORIES if traced else None,
            seconds=round(time.monotonic() - self._began, 3),
            notes=tuple(_notes(figures, columns.success, traced=traced)),
        )

    def _sweep(self, policies: Mapping[str, Policy]) -> Iterator[SweepPoint]:
        """Play with each parameter held at each value, on a fresh player each time, so that points are alike."""
        for parameter, values in self._asked.sweeps.items():
            for value in values:
                with self._player() as environment:
                    environment.set_parameter(parameter, value)
                    episodes = self._play(environment, policies, Tally({}, self._counted))
                yield sweep_point(parameter, value, episodes)

    def _play(self, environment: Environment, policies: Mapping[str, Policy], tally: Tally) -> tuple[Episode, ...]:
        for name, value in self._asked.parameters.items():
            environment.set_parameter(name, value)
        asked = self._asked
        episodes = play(environment, policies, episodes=asked.episodes, seed=asked.seed, watch=tally)
        self._done += asked.episodes
        return episodes

    @cached_property
    def _build(self) -> PlayerBuild | None:
        if self._asked.build_id is None:
            return None
        return load_build(self._asked.build_id, settings=self._context.settings, store=self._context.store)

    @contextmanager
    def _player(self, *, trace: bool = False) -> Iterator[Environment]:
        asked, build = self._asked, self._build
        arguments = list(asked.env_args)
        if build is not None and build.player is None:
            player = write_launcher(build, self._folder / "player")
            arguments += [TRACE, str(self._folder / TRAJECTORIES)] if trace else []
        else:
            player = build.player if build is not None and build.player else Path(str(asked.env_path))
        with Environment(
            [str(executable_of(player))],
            seed=asked.seed,
            areas=asked.areas,
            arguments=arguments,
            graphics=asked.graphics,
            log_folder=self._folder / "player logs",
            timeout_s=asked.timeout_s,
        ) as environment:
            yield environment

    def _counted(self, episodes: int) -> None:
        """Say how far it is; ends the play when somebody asked for it."""
        self._context.require_going()
        done = self._done + min(episodes, self._asked.episodes)
        share = done / self._asked.plays
        spent = time.monotonic() - self._began
        self._context.progress(
            message=f"{done:,} of {self._asked.plays:,} episodes",
            progress=round(share, 4),
            eta_s=round(spent / share - spent, 1) if share else None,
        )


def _kept(used: PolicyUsed, folder: Path) -> Path:
    """A copy of the policy as it was when the evaluation was asked for.

    Raises:
        ConflictError: it is another one by now.
    """
    copy = folder / f"{used.behavior}.onnx"
    content = copy.read_bytes() if copy.is_file() else read_bytes(Path(used.path))
    if hashlib.sha256(content).hexdigest() != used.sha256:
        raise ConflictError(
            f"The policy {used.path} was changed since the evaluation was asked for.",
            fix="Call evaluate_model again; let a training end first.",
            cause="policy_changed",
        )
    if not copy.is_file():
        write_atomically(copy, content)
    return copy


def _notes(figures: Any, success: Any, *, traced: bool) -> Iterator[str]:
    if success is None:
        yield "The player reports no Environment/Success, so that success is not told; judge by return and endings."
    if not traced:
        yield "The player cannot tell positions: there is no picture of trajectories."
    for behavior in figures:
        for sensor in behavior.sensors:
            if sensor.not_finite:
                yield f"{sensor.sensor} of {behavior.behavior} gave {sensor.not_finite} values that are no numbers."
            if sensor.outside is not None and sensor.outside > _FAR_OUT_SHARE:
                yield (
                    f"{sensor.outside:.1%} of what {sensor.sensor} of {behavior.behavior} saw lies outside the range "
                    "of the training."
                )
