"""Recordings for tests: episodes of a scripted body in the sandbox."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unity_mlops_mcp.protocol.simulation import Actions
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.training.datasets.demo import write_demo
from unity_mlops_mcp.training.datasets.records import Trajectory

ACROSS = 10.0
"""What the offset to the target is divided by: twice the half extent."""
STEP = 0.4
"""Metres in one decision at full speed."""


def record_reach(path: Path, episodes: int, *, seed: int = 1) -> list[Trajectory]:
    """Write so many episodes of a body that goes straight to its target as a .demo file."""
    world = World(load_archetype("reach_target").spec, areas=1, seed=seed)
    behavior, done = world.behaviors[0], list[Trajectory]()
    step = world.reset()[behavior.name]
    seen, acted, paid = [], [], []
    while len(done) < episodes:
        seen.append(step.decisions.observations[0][0])
        acted.append(np.clip(seen[-1][2:4] * ACROSS / STEP, -1, 1).astype(np.float32))
        step = world.step({behavior.name: Actions(acted[-1][None], np.zeros((1, 0), np.int32))})[behavior.name]
        over = len(step.terminals.ids) > 0
        paid.append(float((step.terminals if over else step.decisions).rewards[0]))
        if over:
            actions = Actions(np.stack(acted), np.zeros((len(acted), 0), np.int32))
            last = (step.terminals.observations[0][0],)
            done.append(Trajectory((np.stack(seen),), actions, np.array(paid, np.float32), "ended", last))
            seen, acted, paid = [], [], []
    write_demo(path, behavior, done)
    return done
