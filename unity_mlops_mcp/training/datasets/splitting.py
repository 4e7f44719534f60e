"""A dataset as arrays in files: episodes to learn from, and others to judge by."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.protocol.simulation import Actions
from unity_mlops_mcp.training.datasets.records import Dataset, Trajectory

VALIDATION_SHARE = 0.15
OUTCOMES = ("ended", "timeout", "cut")
TRAINING, VALIDATION = "training.npz", "validation.npz"


def split(dataset: Dataset, *, seed: int) -> tuple[list[Trajectory], list[Trajectory]]:
    """Whole episodes to learn from and to judge by; of a single episode its end is judged by."""
    episodes = list(dataset.trajectories)
    if len(episodes) == 1:
        return _cut(episodes[0])
    order = np.random.default_rng(seed).permutation(len(episodes)).tolist()
    held = set(order[: max(1, math.ceil(VALIDATION_SHARE * len(episodes)))])
    return (
        [one for index, one in enumerate(episodes) if index not in held],
        [one for index, one in enumerate(episodes) if index in held],
    )


def _cut(episode: Trajectory) -> tuple[list[Trajectory], list[Trajectory]]:
    place = min(len(episode) - 1, max(1, round(len(episode) * (1 - VALIDATION_SHARE))))
    if place < 1:
        return [episode], [episode]
    return [_part(episode, slice(0, place))], [_part(episode, slice(place, None))]


def _part(episode: Trajectory, rows: slice) -> Trajectory:
    return Trajectory(
        observations=tuple(values[rows] for values in episode.observations),
        actions=Actions(episode.actions.continuous[rows], episode.actions.discrete[rows]),
        rewards=episode.rewards[rows],
        outcome="cut",
    )


def write_arrays(path: Path, episodes: Sequence[Trajectory]) -> None:
    """Write episodes as ``trainer_env/cloning.py`` reads them; whole or not at all."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {
        f"observation_{index}": np.concatenate([one.observations[index] for one in episodes])
        for index in range(len(episodes[0].observations))
    }
    np.savez(
        content,
        lengths=np.array([len(one) for one in episodes], np.int64),
        outcomes=np.array([OUTCOMES.index(one.outcome) for one in episodes], np.int64),
        continuous=np.concatenate([one.actions.continuous for one in episodes]),
        discrete=np.concatenate([one.actions.discrete for one in episodes]),
        rewards=np.concatenate([one.rewards for one in episodes]),
        **arrays,
    )
    write_atomically(path, content.getvalue())
