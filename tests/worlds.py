"""Small worlds for the sandbox tests, and ways to drive them."""

from __future__ import annotations

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
    """One decision; a list or number is the same for all areas."""
    behavior = world.behaviors[0]
    areas = len(world.state.step)
    if behavior.action.branches:
        discrete = np.broadcast_to(np.array(action, np.int32).reshape(-1, 1), (areas, 1))
        actions = Actions(np.zeros((areas, 0), np.float32), discrete)
    else:
        continuous = np.broadcast_to(np.array(action, np.float32), (areas, 2))
        actions = Actions(continuous, np.zeros((areas, 0), np.int32))
    return world.step({behavior.name: actions})[behavior.name]


def random_actions(world: World, decisions: int, seed: int = 0) -> list[Floats | NDArray[np.int32]]:
    """Uniform actions for every area and decision."""
    rng = np.random.default_rng(seed)
    areas = len(world.state.step)
    if world.behaviors[0].action.branches:
        return [rng.integers(0, 5, (areas, 1)).astype(np.int32) for _ in range(decisions)]
    return [rng.uniform(-1, 1, (areas, 2)).astype(np.float32) for _ in range(decisions)]
