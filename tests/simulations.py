"""A simulation whose every number can be told, for tests of the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unity_mlops_mcp.protocol.simulation import (
    Actions,
    ActionSpec,
    BehaviorSpec,
    BehaviorStep,
    Decisions,
    Draw,
    Handshake,
    ObservationSpec,
    Stat,
    Terminals,
)

HYBRID = BehaviorSpec(
    "Hybrid?team=0",
    (ObservationSpec("rays", (5,)), ObservationSpec("things", (2, 3))),
    ActionSpec(continuous=2, branches=(3, 200)),
)
PLAIN = BehaviorSpec("Plain?team=1", (ObservationSpec("vector", (4,)),), ActionSpec(continuous=1))


def some_agents(spec: BehaviorSpec, count: int, rng: np.random.Generator, *, masked: bool = False) -> Decisions:
    """Agents with random numbers."""
    return Decisions(
        rng.integers(0, 2**31, count),
        tuple(rng.normal(size=(count, *sensor.shape)).astype(np.float32) for sensor in spec.observations),
        rng.normal(size=count).astype(np.float32),
        masks=rng.random((count, sum(spec.action.branches))) < 0.3 if masked else None,
    )


def some_step(spec: BehaviorSpec, asking: int, ended: int, rng: np.random.Generator, *, masked: bool) -> BehaviorStep:
    """A step with agents that ask and agents whose episode ended."""
    last = some_agents(spec, ended, rng)
    terminals = Terminals(last.ids, last.observations, last.rewards, interrupted=rng.random(ended) < 0.5)
    return BehaviorStep(some_agents(spec, asking, rng, masked=masked), terminals)


def assert_equal(found: BehaviorStep, expected: BehaviorStep) -> None:
    """Both say the same of every agent."""
    for got, wanted in ((found.decisions, expected.decisions), (found.terminals, expected.terminals)):
        np.testing.assert_array_equal(got.ids, wanted.ids)
        np.testing.assert_array_equal(got.rewards, wanted.rewards)
        for got_sensor, wanted_sensor in zip(got.observations, wanted.observations, strict=True):
            np.testing.assert_array_equal(got_sensor, wanted_sensor)
    np.testing.assert_array_equal(found.terminals.interrupted, expected.terminals.interrupted)
    if expected.decisions.masks is None:
        assert found.decisions.masks is None
    else:
        assert found.decisions.masks is not None
        np.testing.assert_array_equal(found.decisions.masks, expected.decisions.masks)


class Recorder:
    """Two behaviours with random observations; keeps all that the trainer asked of it."""

    def __init__(self, handshake: Handshake, plain: BehaviorSpec = PLAIN) -> None:
        self._plain = plain
        self.handshake = handshake
        self.resets = 0
        self.reported: list[Mapping[str, BehaviorStep]] = []
        self.acted: list[Mapping[str, Actions]] = []
        self.parameters: list[tuple[str, Any]] = []
        self._rng = np.random.default_rng(handshake.seed)

    @property
    def behaviors(self) -> Sequence[BehaviorSpec]:
        return (HYBRID, self._plain)

    def reset(self) -> Mapping[str, BehaviorStep]:
        self.resets += 1
        return self._report(ended=0)

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        self.acted.append(actions)
        return self._report(ended=len(self.acted) % 3)

    def _report(self, ended: int) -> Mapping[str, BehaviorStep]:
        areas = self.handshake.areas
        steps = {
            HYBRID.name: some_step(HYBRID, areas, ended, self._rng, masked=len(self.reported) % 2 == 1),
            self._plain.name: some_step(self._plain, 2 * areas, 0, self._rng, masked=False),
        }
        self.reported.append(steps)
        return steps

    def set_parameter(self, name: str, value: float) -> None:
        self.parameters.append((name, value))

    def set_sampler(self, name: str, draw: Draw) -> None:
        self.parameters.append((name, draw(np.linspace(0, 1, 1000, endpoint=False, dtype=np.float32))))

    def drain_stats(self) -> list[Stat]:
        return [Stat("Environment/Steps", float(len(self.acted)), "most_recent"), Stat("Environment/Success", 0.5)]
