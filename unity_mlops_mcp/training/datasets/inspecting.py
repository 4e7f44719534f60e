"""What is in a dataset: returns, what was seen and done, and what would spoil a training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.training.datasets.records import Dataset, Trajectory

BINS = 10
FEW_EPISODES = 10
"""Fewer leave too little for a validation split that says something."""
MANY_DUPLICATES = 0.2
MANY_CUT = 0.5
BEYOND = 1.0 + 1e-4


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Spread(_Record):
    """Some figures: the mean, and from where to where."""

    mean: float
    low: float
    high: float


class SensorContent(_Record):
    """What one sensor saw.

    Attributes:
        coverage: share of ten equal steps between low and high that hold data, averaged over the sensor's numbers.
        constant: numbers that never changed.
    """

    sensor: str
    shape: tuple[int, ...]
    low: float
    high: float
    coverage: float
    constant: int
    not_finite: int


class ActionContent(_Record):
    """How one action was used; ``shares`` of a discrete branch's choices."""

    action: str
    low: float | None = None
    high: float | None = None
    at_limit: float | None = None
    shares: tuple[float, ...] = ()


class DatasetFinding(_Record):
    """Something to know before a training; an error stops one."""

    severity: str = Field(description="error, warning or hint")
    what: str
    fix: str


class Contents(_Record):
    """All that can be said of a dataset without a player."""

    episodes: int
    steps: int
    returns: Spread
    lengths: Spread
    outcomes: dict[str, int]
    sensors: tuple[SensorContent, ...]
    actions: tuple[ActionContent, ...]
    not_finite: int
    duplicate_steps: int
    duplicate_episodes: int
    findings: tuple[DatasetFinding, ...]


def inspect(dataset: Dataset) -> Contents:
    """Look at a dataset."""
    every = dataset.trajectories
    sensors = tuple(_sensors(dataset))
    keys = [_step_keys(one) for one in every]
    # What the sensors do not count; mlagents' own signals read what was seen last, too.
    beside = [part for one in every for part in (one.rewards, one.actions.continuous, *(one.last or ()))]
    outcomes = {name: sum(one.outcome == name for one in every) for name in ("ended", "timeout", "cut")}
    contents = Contents(
        episodes=len(every),
        steps=dataset.steps,
        returns=_spread([float(one.rewards.sum()) for one in every]),
        lengths=_spread([float(len(one)) for one in every]),
        outcomes=outcomes,
        sensors=sensors,
        actions=tuple(_actions(dataset)),
        not_finite=sum(map(_not_finite, beside)) + sum(sensor.not_finite for sensor in sensors),
        duplicate_steps=dataset.steps - len({key for one in keys for key in one}),
        duplicate_episodes=len(every) - len(set(map(b"".join, keys))),
        findings=(),
    )
    return contents.model_copy(update={"findings": tuple(_findings(dataset, contents))})


def _not_finite(values: Floats) -> int:
    return int((~np.isfinite(values)).sum())


def _spread(values: Sequence[float]) -> Spread:
    fine = [value for value in values if np.isfinite(value)] or [0.0]
    return Spread(mean=round(fmean(fine), 6), low=round(min(fine), 6), high=round(max(fine), 6))


def _sensors(dataset: Dataset) -> Iterator[SensorContent]:
    for index, sensor in enumerate(dataset.behavior.observations):
        seen = np.concatenate([one.observations[index] for one in dataset.trajectories]).reshape(dataset.steps, -1)
        fine = np.isfinite(seen)
        kept = np.where(fine, seen, 0).astype(np.float32)
        yield SensorContent(
            sensor=sensor.name,
            shape=sensor.shape,
            low=float(kept.min()),
            high=float(kept.max()),
            coverage=round(_coverage(kept), 4),
            constant=int((np.ptp(kept, axis=0) == 0).sum()),
            not_finite=int((~fine).sum()),
        )


def _coverage(seen: Floats) -> float:
    """Share of the ten steps of each column's own range that hold data, averaged over the columns that vary."""
    low, width = seen.min(axis=0), np.ptp(seen, axis=0)
    varying = width > 0
    if not varying.any():
        return 0.0
    places = ((seen[:, varying] - low[varying]) / width[varying] * BINS).astype(np.int64).clip(0, BINS - 1)
    return fmean(len(np.unique(column)) / BINS for column in places.T)


def _actions(dataset: Dataset) -> Iterator[ActionContent]:
    continuous = np.concatenate([one.actions.continuous for one in dataset.trajectories])
    for index, column in enumerate(continuous.T):
        at_limit = float((np.abs(column) >= 1 - 1e-3).mean())
        yield ActionContent(
            action=f"continuous {index}", low=float(column.min()), high=float(column.max()), at_limit=round(at_limit, 4)
        )
    discrete = np.concatenate([one.actions.discrete for one in dataset.trajectories])
    for branch, size in enumerate(dataset.behavior.action.branches):
        counts: NDArray[np.intp] = np.bincount(discrete[:, branch], minlength=size)
        yield ActionContent(action=f"branch {branch}", shares=tuple(np.round(counts / len(discrete), 4).tolist()))


def _step_keys(trajectory: Trajectory) -> list[bytes]:
    """What is equal for equal decisions: of the same observations and actions."""
    parts = [values.reshape(len(trajectory), -1) for values in trajectory.observations]
    rows = np.concatenate(
        [*parts, trajectory.actions.continuous, trajectory.actions.discrete], axis=1, dtype=np.float32
    )
    return [hashlib.blake2b(row.tobytes(), digest_size=12).digest() for row in rows]


def _findings(dataset: Dataset, found: Contents) -> Iterator[DatasetFinding]:
    yield from (_finding("warning", remark, "Record it to its end next time.") for remark in dataset.remarks)
    if found.not_finite:
        yield _finding(
            "error",
            f"{found.not_finite} numbers are NaN or infinite",
            "Find what divides by zero in the environment, and record anew; a policy learns nothing from them.",
        )
    beyond = [one for one in found.actions if one.low is not None and max(-one.low, one.high or 0.0) > BEYOND]
    if beyond:
        yield _finding(
            "error",
            f"{beyond[0].action} reaches from {beyond[0].low:g} to {beyond[0].high:g}",
            "Scale continuous actions to -1..1, which is all that a player is ever sent.",
        )
    yield from _doubts(found)


def _doubts(found: Contents) -> Iterator[DatasetFinding]:
    if found.episodes < FEW_EPISODES:
        yield _finding(
            "warning",
            f"there are {found.episodes} episodes only",
            f"Record {FEW_EPISODES} or more; 50 is a good number.",
        )
    if found.duplicate_steps > MANY_DUPLICATES * found.steps:
        yield _finding(
            "warning",
            f"{found.duplicate_steps} of {found.steps} decisions are there more than once",
            "Leave copies of files out; a validation split that holds copies says nothing.",
        )
    elif found.duplicate_episodes:
        yield _finding("warning", f"{found.duplicate_episodes} episodes are copies of others", "Leave copies out.")
    if found.outcomes["cut"] > MANY_CUT * found.episodes:
        yield _finding(
            "hint", "most episodes were cut off", "Let episodes end: learning from rewards needs their ends."
        )
    for sensor in found.sensors:
        if sensor.constant:
            count = int(np.prod(sensor.shape))
            yield _finding(
                "hint",
                f"{sensor.constant} of the {count} numbers of {sensor.sensor} never change",
                "Vary what they tell, or a policy cannot learn to use them.",
            )
    for one in found.actions:
        if one.low is not None and one.low == one.high:
            yield _finding("warning", f"{one.action} is always {one.low:g}", "Record somebody who uses it.")


def _finding(severity: str, what: str, fix: str) -> DatasetFinding:
    return DatasetFinding(severity=severity, what=what, fix=fix)
