"""A player in conversation whose episodes are kept as they are played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, BehaviorStep, Floats
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.training.datasets.records import Trajectory

_Key = tuple[str, int]
"""Behaviour (full name) and agent id."""


@dataclass
class _Open:
    """An agent's episode so far."""

    observations: list[tuple[Floats, ...]] = field(default_factory=list)
    continuous: list[Floats] = field(default_factory=list)
    discrete: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)


class RecordingEnvironment(Environment):
    """Keeps, of every round since a reset, the first episode of each agent, whenever it ends.

    Those that end first alone would be the short ones. Arguments as of `Environment`, and:

    Args:
        noise: standard deviation of what disturbs continuous actions on their way to the player. What is kept is what
            was meant, so that a clone learns how to come back from where a disturbance leads (Laskey et al. 2017,
            "DART: Noise Injection for Robust Imitation Learning").
        seed: of the player and of the noise.
    """

    def __init__(self, *arguments: Any, noise: float = 0.0, seed: int = 0, **options: Any) -> None:
        self._noise, self._random = noise, np.random.default_rng(seed)
        self._open: dict[_Key, _Open] = {}
        self._asked: Mapping[str, BehaviorStep] = {}
        self._round: list[tuple[_Key, Trajectory]] = []
        self._done: dict[str, list[Trajectory]] = {}
        super().__init__(*arguments, seed=seed, **options)

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin a round; see `Environment.reset`."""
        self._settle()
        self._asked = super().reset()
        self._open = {
            (name, agent): _Open() for name, step in self._asked.items() for agent in step.decisions.ids.tolist()
        }
        return self._asked

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Act, and note what was seen, done and paid; see `Environment.step`."""
        for name, chosen in actions.items():
            self._note(name, self._asked[name], chosen)
        self._asked = super().step({name: self._disturbed(chosen) for name, chosen in actions.items()})
        for name, step in self._asked.items():
            self._pay(name, step)
        return self._asked

    def trajectories(self, behavior: str) -> tuple[BehaviorSpec, tuple[Trajectory, ...]]:
        """A behaviour (without team) and its episodes, in the order of rounds and agents."""
        self._settle()
        found = [name for name in self.behaviors if name.partition("?")[0] == behavior]
        spec = self.behaviors[found[0]]
        whole = tuple(one for name in found for one in self._done.get(name, ()))
        return BehaviorSpec(behavior, spec.observations, spec.action), whole

    def _disturbed(self, chosen: Actions) -> Actions:
        if not self._noise:
            return chosen
        away = self._random.normal(0, self._noise, chosen.continuous.shape)
        return Actions(np.clip(chosen.continuous + away, -1, 1).astype(np.float32), chosen.discrete)

    def _note(self, name: str, step: BehaviorStep, chosen: Actions) -> None:
        for row, agent in enumerate(step.decisions.ids.tolist()):
            episode = self._open.get((name, agent))
            if episode is not None:
                episode.observations.append(tuple(values[row] for values in step.decisions.observations))
                episode.continuous.append(chosen.continuous[row])
                episode.discrete.append(chosen.discrete[row])

    def _pay(self, name: str, step: BehaviorStep) -> None:
        asking, last = step.decisions, step.terminals
        paid = (asking.rewards + asking.group_rewards).tolist()
        for agent, reward in zip(asking.ids.tolist(), paid, strict=True):
            episode = self._open.get((name, agent))
            if episode is not None and episode.observations:
                episode.rewards.append(reward)
        for row, agent in enumerate(last.ids.tolist()):
            ended = self._open.pop((name, agent), None)
            if ended is not None and ended.observations:
                ended.rewards.append(float(last.rewards[row] + last.group_rewards[row]))
                seen = tuple(values[row] for values in last.observations)
                self._round.append(((name, agent), _whole(ended, seen, interrupted=bool(last.interrupted[row]))))

    def _settle(self) -> None:
        """End a round: its episodes in the order of their agents, which says nothing about how they went."""
        for (name, _), trajectory in sorted(self._round, key=lambda one: one[0]):
            self._done.setdefault(name, []).append(trajectory)
        self._round, self._open = [], {}


def _whole(episode: _Open, last: tuple[Floats, ...], *, interrupted: bool) -> Trajectory:
    return Trajectory(
        observations=tuple(map(np.stack, zip(*episode.observations, strict=True))),
        actions=Actions(np.stack(episode.continuous), np.stack(episode.discrete)),
        rewards=np.array(episode.rewards, np.float32),
        outcome="timeout" if interrupted else "ended",
        last=last,
    )
