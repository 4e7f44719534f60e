"""Policies play whole episodes on any player; what they reached, without favour for episodes that end early."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.evaluation.policy import Memories, Policy
from unity_mlops_mcp.protocol.agents import random_actions
from unity_mlops_mcp.protocol.simulation import Actions, BehaviorStep
from unity_mlops_mcp.protocol.trainer import Environment

SUCCESS = "Environment/Success"
LONGEST = 100_000
"""Decisions after which an episode is taken for endless."""


@dataclass(frozen=True)
class Episode:
    """One episode of one training area; of one agent where the player does not report success area by area.

    Attributes:
        returns: by behaviour (full name), the summed reward, as the mean over its agents.
        decisions: how many its longest agent made.
        cut_off: whether max_step ended it.
        success: what the player reported as ``Environment/Success``, of the first team where there are two; None where
            it reports none.
    """

    returns: Mapping[str, float]
    decisions: int
    cut_off: bool
    success: float | None


def play(
    environment: Environment, policies: Mapping[str, Policy], *, episodes: int, seed: int = 0
) -> tuple[Episode, ...]:
    """Let policies play.

    All areas begin together and each one's first episode counts, in as many rounds as it takes: whoever counted the
    episodes that end first would count too many short ones.

    Args:
        environment: a player in conversation; the same one, freshly started with the same seed, plays the same.
        policies: by behaviour, its full name or the part before ``?team=``; a behaviour that is left out acts at
            random.
        episodes: how many.
        seed: of the policies' noise and of random actions.

    Raises:
        InvalidInputError: a policy does not fit its behaviour (both shapes are told), or there is no such behaviour.
        ExternalError: the player failed, or an episode does not end.
    """
    steps = environment.reset()
    actors = _Actors(environment, policies, seed)
    played: list[Episode] = []
    while len(played) < episodes:
        played += _Round(environment, actors, steps).play()[: episodes - len(played)]
        steps = environment.reset() if len(played) < episodes else {}
    return tuple(played)


def success_rate(episodes: Sequence[Episode]) -> float | None:
    """Share of successful episodes, 0 to 1; None where the player reports no success."""
    told = [episode.success for episode in episodes if episode.success is not None]
    return fmean(told) if told else None


class _Actors:
    """Who acts for which behaviour."""

    def __init__(self, environment: Environment, policies: Mapping[str, Policy], seed: int) -> None:
        self._environment = environment
        self._random = np.random.default_rng(seed)
        self._policies = {name: _policy_of(name, policies) for name in environment.behaviors}
        self._memories: dict[str, Memories] = defaultdict(dict)
        unknown = policies.keys() - {part for name in self._policies for part in (name, name.partition("?")[0])}
        if unknown:
            raise InvalidInputError(
                f"The player has no behaviour {', '.join(sorted(unknown))}.",
                fix=f"Its behaviours: {', '.join(self._policies)}.",
                cause="no_such_behavior",
            )
        for offset, (name, policy) in enumerate(self._policies.items()):
            if policy:
                policy.require_fit(environment.behaviors[name])
                policy.begin(seed + offset)

    def act(self, steps: Mapping[str, BehaviorStep]) -> dict[str, Actions]:
        """The actions of all who ask."""
        return {name: self._choose(name, step) for name, step in steps.items() if len(step.decisions.ids)}

    def _choose(self, name: str, step: BehaviorStep) -> Actions:
        policy, memories = self._policies.get(name), self._memories[name]
        for agent in step.terminals.ids.tolist():
            memories.pop(agent, None)
        if policy is None:
            return random_actions(self._environment.behaviors[name], step.decisions, self._random)
        return policy.act(step.decisions, memories)


def _policy_of(name: str, policies: Mapping[str, Policy]) -> Policy | None:
    return policies.get(name) or policies.get(name.partition("?")[0])


@dataclass
class _Agent:
    """One agent's episode so far; ``place`` is its row when the round began, None for a later episode's."""

    place: tuple[str, int] | None
    reward: float = 0.0
    decisions: int = 0


class _Round:
    """From a reset until the first episode of every agent has ended."""

    def __init__(self, environment: Environment, actors: _Actors, steps: Mapping[str, BehaviorStep]) -> None:
        self._environment, self._actors, self._steps = environment, actors, steps
        environment.drain_stats()
        self._agents = {
            (name, agent): _Agent((name, row))
            for name, step in steps.items()
            for row, agent in enumerate(step.decisions.ids.tolist())
        }
        self._open = set(self._agents)
        self._ended: list[tuple[tuple[str, int], Episode]] = []
        if not self._open:
            raise ExternalError(
                "No agent asks for a decision after the reset.",
                fix="Give each agent a Decision Requester; `unity-mlops probe` shows what a player offers.",
                cause="no_agents",
            )

    def play(self) -> list[Episode]:
        """The episodes, in the order of the agents' rows, which says nothing about how they went."""
        for _ in range(LONGEST):
            self._count_decisions()
            self._steps = self._environment.step(self._actors.act(self._steps))
            self._settle()
            if not self._open:
                return [episode for _, episode in sorted(self._ended, key=lambda ended: ended[0])]
        raise ExternalError(
            f"{len(self._open)} episodes had not ended after {LONGEST:,} decisions.",
            fix="Give the agents a Max Step, or let EndEpisode be called.",
            cause="endless_episode",
        )

    def _count_decisions(self) -> None:
        for name, step in self._steps.items():
            for agent in step.decisions.ids.tolist():
                self._agents.setdefault((name, agent), _Agent(None)).decisions += 1

    def _settle(self) -> None:
        """Add up the rewards of one exchange, and note the episodes that ended in it."""
        for name, step in self._steps.items():
            for part in (step.decisions, step.terminals):
                for agent, reward in zip(part.ids.tolist(), (part.rewards + part.group_rewards).tolist(), strict=True):
                    self._agents.setdefault((name, agent), _Agent(None)).reward += reward
        told = [stat.value for stat in self._environment.drain_stats() if stat.name == SUCCESS]
        for group, success in _areas(self._steps, told):
            self._end(group, success)

    def _end(self, group: list[tuple[str, int, bool]], success: float | None) -> None:
        agents = {(name, agent): self._agents.pop((name, agent)) for name, agent, _ in group}
        self._open -= agents.keys()
        places = [agent.place for agent in agents.values() if agent.place is not None]
        if not places:
            return
        returns: dict[str, list[float]] = defaultdict(list)
        for (name, _), agent in agents.items():
            returns[name].append(agent.reward)
        episode = Episode(
            returns={name: fmean(rewards) for name, rewards in returns.items()},
            decisions=max(agent.decisions for agent in agents.values()),
            cut_off=all(interrupted for *_, interrupted in group),
            success=success,
        )
        self._ended.append((min(places), episode))


def _areas(
    steps: Mapping[str, BehaviorStep], told: Sequence[float]
) -> Iterator[tuple[list[tuple[str, int, bool]], float | None]]:
    """The agents that ended in one exchange, area by area, with what was told of each area's success.

    A player that tells one success for each area that ended tells them in the order in which it ends the agents, as the
    sandbox and generated C# do. From any other one each agent is an area, with what was told on average.
    """
    ended = {name: _ended(name, step) for name, step in steps.items() if len(step.terminals.ids)}
    if told and all(len(agents) % len(told) == 0 for agents in ended.values()):
        for area, success in enumerate(told):
            shares = ((agents, len(agents) // len(told)) for agents in ended.values())
            yield [agent for agents, share in shares for agent in agents[area * share : (area + 1) * share]], success
        return
    for agents in ended.values():
        for agent in agents:
            yield [agent], fmean(told) if told else None


def _ended(name: str, step: BehaviorStep) -> list[tuple[str, int, bool]]:
    terminals: Any = step.terminals
    return [
        (name, agent, cut) for agent, cut in zip(terminals.ids.tolist(), terminals.interrupted.tolist(), strict=True)
    ]
