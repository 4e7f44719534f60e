"""Policies play whole episodes on any player; what they reached, without favour for episodes that end early."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

import numpy as np

from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.evaluation.policy import Memories
from unity_mlops_mcp.protocol.agents import random_actions
from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, BehaviorStep, Decisions, Stat
from unity_mlops_mcp.protocol.trainer import Environment

SUCCESS = "Environment/Success"
ENDING = "Environment/Ending/"
TIMEOUT, ENDED = "timeout", "ended"
"""What ended an episode whose player names no ending: max_step, or anything else."""
_Ended = tuple[str, int, bool]
"""Behaviour, agent id, and whether max_step cut the episode off."""
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
        ending: the name that the player reported below ``Environment/Ending/``; else ``timeout`` or ``ended``.
        measures: its other statistics of this episode.
    """

    returns: Mapping[str, float]
    decisions: int
    cut_off: bool
    success: float | None
    ending: str = ENDED
    measures: Mapping[str, float] = field(default_factory=dict)


class Actor(Protocol):
    """Who acts: a trained policy, or a scripted expert."""

    def require_fit(self, behavior: BehaviorSpec) -> None:
        """Do nothing where it can play the behaviour; raises `InvalidInputError` where it cannot."""

    def begin(self, seed: int) -> None:
        """Start whatever noise it has anew."""

    def act(self, decisions: Decisions, memories: Memories) -> Actions:
        """What the agents do."""
        ...


class Watch(Protocol):
    """Who looks on while policies play."""

    def decided(self, behavior: str, decisions: Decisions, actions: Actions, seconds: float) -> None:
        """A behaviour (full name) chose its actions in so many seconds."""

    def counted(self, episodes: int, stats: Sequence[Stat]) -> None:
        """An exchange is over: so many episodes count by now, and these statistics belong to no episode.

        What it raises ends the play.
        """


class Nobody:
    """A watch that looks at nothing."""

    def decided(self, behavior: str, decisions: Decisions, actions: Actions, seconds: float) -> None:
        """Nothing."""

    def counted(self, episodes: int, stats: Sequence[Stat]) -> None:
        """Nothing."""


def play(
    environment: Environment,
    policies: Mapping[str, Actor],
    *,
    episodes: int,
    seed: int = 0,
    watch: Watch | None = None,
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
        watch: is told of every choice and exchange.

    Raises:
        InvalidInputError: a policy does not fit its behaviour (both shapes are told), or there is no such behaviour.
        ExternalError: the player failed, or an episode does not end.
    """
    steps = environment.reset()
    watcher: Watch = watch or Nobody()
    actors = _Actors(environment, policies, seed, watcher)
    played: list[Episode] = []
    while len(played) < episodes:
        played += _Round(environment, actors, steps, watcher, len(played)).play()[: episodes - len(played)]
        steps = environment.reset() if len(played) < episodes else {}
    return tuple(played)


def success_rate(episodes: Sequence[Episode]) -> float | None:
    """Share of successful episodes, 0 to 1; None where the player reports no success."""
    told = [episode.success for episode in episodes if episode.success is not None]
    return fmean(told) if told else None


class _Actors:
    """Who acts for which behaviour."""

    def __init__(self, environment: Environment, policies: Mapping[str, Actor], seed: int, watch: Watch) -> None:
        self._environment, self._watch = environment, watch
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
        began = time.perf_counter()
        if policy is None:
            chosen = random_actions(self._environment.behaviors[name], step.decisions, self._random)
        else:
            chosen = policy.act(step.decisions, memories)
        self._watch.decided(name, step.decisions, chosen, time.perf_counter() - began)
        return chosen


def _policy_of(name: str, policies: Mapping[str, Actor]) -> Actor | None:
    return policies.get(name) or policies.get(name.partition("?")[0])


@dataclass
class _Agent:
    """One agent's episode so far; ``place`` is its row when the round began, None for a later episode's."""

    place: tuple[str, int] | None
    reward: float = 0.0
    decisions: int = 0


class _Round:
    """From a reset until the first episode of every agent has ended."""

    def __init__(
        self,
        environment: Environment,
        actors: _Actors,
        steps: Mapping[str, BehaviorStep],
        watch: Watch,
        before: int,
    ) -> None:
        self._environment, self._actors, self._steps = environment, actors, steps
        self._watch, self._before = watch, before
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
        stats = self._environment.drain_stats()
        ended = {name: _ended(name, step) for name, step in self._steps.items() if len(step.terminals.ids)}
        groups, others = _split(stats, ended)
        for group, told in groups:
            self._end(group, told)
        self._watch.counted(self._before + len(self._ended), others)

    def _end(self, group: list[_Ended], told: Mapping[str, float]) -> None:
        agents = {(name, agent): self._agents.pop((name, agent)) for name, agent, _ in group}
        self._open -= agents.keys()
        places = [agent.place for agent in agents.values() if agent.place is not None]
        if not places:
            return
        returns: dict[str, list[float]] = defaultdict(list)
        for (name, _), agent in agents.items():
            returns[name].append(agent.reward)
        cut_off = all(interrupted for *_, interrupted in group)
        episode = Episode(
            returns={name: fmean(rewards) for name, rewards in returns.items()},
            decisions=max(agent.decisions for agent in agents.values()),
            cut_off=cut_off,
            success=told.get(SUCCESS),
            ending=_ending(told, cut_off=cut_off),
            measures={name: value for name, value in told.items() if name != SUCCESS and not name.startswith(ENDING)},
        )
        self._ended.append((min(places), episode))


def _split(
    stats: Sequence[Stat], ended: Mapping[str, Sequence[_Ended]]
) -> tuple[list[tuple[list[_Ended], dict[str, float]]], list[Stat]]:
    """The episodes that ended in one exchange, each with its agents and what was told of it; and the other statistics.

    A player that tells one success for each area that ended tells them in the order in which it ends the agents, as the
    sandbox and generated C# do; its other statistics of that number are those of the areas too. From any other player
    each agent is an episode, with success and ending as they were told on average.
    """
    values: dict[str, list[float]] = defaultdict(list)
    for stat in stats:
        values[stat.name].append(stat.value)
    areas = len(values.get(SUCCESS, ()))
    if areas and all(len(agents) % areas == 0 for agents in ended.values()):
        groups = [
            [agent for agents in ended.values() for agent in _share(agents, area, areas)] for area in range(areas)
        ]
    else:
        groups = [[agent] for agents in ended.values() for agent in agents]
        averaged = {name for name in values if name == SUCCESS or name.startswith(ENDING)}
        values |= {name: [fmean(values[name])] * len(groups) for name in averaged}
    whole = {name for name, every in values.items() if groups and len(every) == len(groups)}
    told = [{name: values[name][place] for name in whole} for place in range(len(groups))]
    return list(zip(groups, told, strict=True)), [stat for stat in stats if stat.name not in whole]


def _share(agents: Sequence[_Ended], area: int, areas: int) -> Sequence[_Ended]:
    each = len(agents) // areas
    return agents[area * each : (area + 1) * each]


def _ending(told: Mapping[str, float], *, cut_off: bool) -> str:
    named = {name: value for name, value in told.items() if name.startswith(ENDING) and value > 0}
    if not named:
        return TIMEOUT if cut_off else ENDED
    return max(named, key=lambda name: named[name]).removeprefix(ENDING)


def _ended(name: str, step: BehaviorStep) -> list[_Ended]:
    terminals = step.terminals
    return [
        (name, agent, cut) for agent, cut in zip(terminals.ids.tolist(), terminals.interrupted.tolist(), strict=True)
    ]
