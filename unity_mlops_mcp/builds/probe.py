"""Connect to a player without mlagents, and say what it is and how fast."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from unity_mlops_mcp.builds.paths import executable_of, player_path_problems
from unity_mlops_mcp.builds.records import ActionSize, Behavior, ProbeResult
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.protocol.agents import not_finite, random_actions
from unity_mlops_mcp.protocol.simulation import BehaviorSpec, BehaviorStep, Decisions
from unity_mlops_mcp.protocol.trainer import Environment


def probe(
    player: Path,
    *,
    steps: int = 200,
    timeout_s: float = 60.0,
    areas: int = 1,
    seed: int = 0,
    arguments: Sequence[str] = (),
    graphics: bool = False,
    log_folder: Path | None = None,
) -> ProbeResult:
    """Start a player, reset it, and step it with random actions.

    Args:
        player: its path, as ``--env`` takes it.
        steps: how many exchanges.
        timeout_s: for each of its answers.
        areas: how often it shall copy its training area.
        seed: of the player and of the actions.
        arguments: appended to its command line.
        graphics: let it open a window; camera sensors need it.
        log_folder: where its logs are kept; None: nowhere.

    Raises:
        NotFoundError: there is no player (cause ``player_missing``).
        ExternalError: it does not start, ends, hangs or speaks another protocol; the evidence is the end of its log.
    """
    executable = executable_of(player)
    with Environment(
        [str(executable)],
        areas=areas,
        seed=seed,
        arguments=arguments,
        graphics=graphics,
        log_folder=log_folder,
        timeout_s=timeout_s,
    ) as environment:
        return _measure(environment, executable, steps, seed, player_path_problems(player))


def _measure(environment: Environment, player: Path, steps: int, seed: int, problems: list[str]) -> ProbeResult:
    rng, tally = np.random.default_rng(seed), _Tally()
    current = environment.reset()
    _require_agents(environment)
    tally.add(current)
    tally.decisions = 0
    start = time.perf_counter()
    for _ in range(steps):
        actions = {
            name: random_actions(environment.behaviors[name], step.decisions, rng) for name, step in current.items()
        }
        current = environment.step(actions)
        tally.add(current)
    seconds = time.perf_counter() - start
    if tally.not_finite:
        problems.append(f"{tally.not_finite} observations or rewards were NaN or infinite, which stops a training.")
    if steps and not tally.decisions:
        problems.append("No agent asked for a decision: each needs a Decision Requester, or calls of RequestDecision.")
    return ProbeResult(
        player=player,
        name=environment.name,
        package_version=environment.package_version,
        behaviors=tuple(dict.fromkeys(behavior_record(spec) for spec in environment.behaviors.values())),
        steps=steps,
        agents=sum(len(step.decisions.ids) for step in current.values()),
        episodes=len(tally.returns),
        mean_return=float(np.mean(tally.returns)) if tally.returns else None,
        seconds=seconds,
        exchanges_per_second=steps / seconds,
        agent_steps_per_second=tally.decisions / seconds,
        not_finite=tally.not_finite,
        stats=tuple(sorted({stat.name for stat in environment.drain_stats()})),
        problems=tuple(problems),
    )


def _require_agents(environment: Environment) -> None:
    if not environment.behaviors:
        raise ExternalError(
            "The player connected, but none of its behaviours has an agent.",
            fix="Put at least one active agent with Behavior Type Default into its first scene.",
            cause="no_agents",
            evidence=environment.log_tail(),
        )


def behavior_record(spec: BehaviorSpec) -> Behavior:
    """A behaviour as records and results show it: the teams of a contest share one."""
    return Behavior(
        name=spec.name.partition("?")[0],
        observation_shapes=tuple(sensor.shape for sensor in spec.observations),
        action_spec=ActionSize(continuous=spec.action.continuous, branches=spec.action.branches),
    )


class _Tally:
    """What the steps of a probe add up to."""

    def __init__(self) -> None:
        self.decisions = self.not_finite = 0
        self.returns: list[float] = []
        self._running: defaultdict[tuple[str, int], float] = defaultdict(float)

    def add(self, steps: Mapping[str, BehaviorStep]) -> None:
        for name, step in steps.items():
            self.decisions += len(step.decisions.ids)
            self.not_finite += not_finite(step)
            for agent, reward in _earned(step.terminals):
                self.returns.append(self._running.pop((name, agent), 0.0) + reward)
            for agent, reward in _earned(step.decisions):
                self._running[name, agent] += reward


def _earned(agents: Decisions) -> Iterable[tuple[int, float]]:
    """Each agent's id, and its own reward with its group's."""
    return zip(agents.ids.tolist(), (agents.rewards + agents.group_rewards).tolist(), strict=True)
