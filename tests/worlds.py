"""Small worlds for the sandbox tests, and ways to drive them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Actions, BehaviorStep, Floats
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.environment import EnvironmentSpec


def spec_of(**changes: Any) -> EnvironmentSpec:
    """A holonomic body at (0, 0) and a target at (4, 0) in a 10 m arena; every part can be replaced."""
    data: dict[str, Any] = {
        "name": "Test",
        "agent": {"spawn": {"positions": [[0, 0]]}},
        "entities": [
            {"name": "target", "shape": {"kind": "circle", "radius": 0.5}, "spawn": {"positions": [[4 / 4.5, 0]]}}
        ],
        "observations": {"vector": [{"kind": "position"}]},
        "events": [{"kind": "enter", "name": "reached", "of": "target"}],
        "rewards": [{"when": "event", "event": "reached", "value": 1.0}],
        "endings": [{"event": "reached", "result": "success"}],
        "episode": {"max_step": 100, "decision_period": 5},
    }
    return EnvironmentSpec.from_data({**data, **changes})


def act(world: World, action: NDArray[Any] | list[float] | int) -> BehaviorStep:
    """One decision of every agent, and what the first behaviour reports; arguments as of ``act_all``."""
    return act_all(world, action)[world.behaviors[0].name]


def act_all(world: World, action: NDArray[Any] | list[float] | int) -> Mapping[str, BehaviorStep]:
    """One decision; a list or number is the same for all agents, an array has a row for each agent of ``State``."""
    side, agents = world.state.crew.side, len(world.state.yaw)
    discrete = bool(world.behaviors[0].action.branches)
    moves, choices = np.zeros((agents, 0), np.float32), np.zeros((agents, 0), np.int32)
    if discrete:
        choices = np.broadcast_to(np.array(action, np.int32).reshape(-1, 1), (agents, 1))
    else:
        moves = np.broadcast_to(np.array(action, np.float32), (agents, 2))
    teams = len(world.behaviors) > 1
    return world.step(
        {
            behavior.name: Actions(moves[side == team], choices[side == team]) if teams else Actions(moves, choices)
            for team, behavior in enumerate(world.behaviors)
        }
    )


def random_actions(world: World, decisions: int, seed: int = 0) -> list[Floats | NDArray[np.int32]]:
    """Uniform actions for every agent and decision."""
    rng = np.random.default_rng(seed)
    agents = len(world.state.yaw)
    if world.behaviors[0].action.branches:
        return [rng.integers(0, 5, (agents, 1)).astype(np.int32) for _ in range(decisions)]
    return [rng.uniform(-1, 1, (agents, 2)).astype(np.float32) for _ in range(decisions)]
