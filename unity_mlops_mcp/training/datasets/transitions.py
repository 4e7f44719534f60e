"""Transitions as JSON lines, for experience that no Unity recorder wrote; ``docs/offline.md`` describes the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, Floats, ObservationSpec
from unity_mlops_mcp.training.datasets.records import Outcome, Trajectory, as_choices, require_behavior

SUFFIX = ".jsonl"
HEADER = '{"transitions": 1, "behavior": "ReachTarget", "observations": [[6]], "continuous": 2, "branches": []}'
_KEYS = {"episode", "observations", "continuous", "discrete", "reward", "done", "timeout", "next_observations"}


class Header(BaseModel):
    """The first line: whose transitions follow, and in which shapes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transitions: int = Field(ge=1, le=1, description="The version of the schema.")
    behavior: str = Field(description="The behaviour's name, without ?team=.")
    observations: tuple[tuple[int, ...], ...] = Field(description="The shape of each sensor, in order.")
    continuous: int = Field(default=0, ge=0, description="Number of continuous actions.")
    branches: tuple[int, ...] = Field(default=(), description="Size of each discrete branch.")

    @property
    def spec(self) -> BehaviorSpec:
        """The behaviour."""
        sensors = tuple(ObservationSpec(f"obs_{index}", shape) for index, shape in enumerate(self.observations))
        return BehaviorSpec(self.behavior, sensors, ActionSpec(self.continuous, self.branches))


def read_transitions(path: Path, content: bytes) -> tuple[BehaviorSpec, tuple[Trajectory, ...], tuple[str, ...]]:
    """The behaviour of a .jsonl file, its episodes, and what was passed over.

    Raises:
        InvalidInputError: a line is no transition, or of another shape; its number is told.
    """
    lines = content.decode("utf-8", "replace").splitlines()
    behavior = _header(path, lines)
    episodes = _Episodes(path, behavior)
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            episodes.take(number, line)
    trajectories = tuple(episodes.all())
    if not trajectories:
        raise _wrong(path, 2, "no transition follows the header")
    return behavior, trajectories, ()


def _header(path: Path, lines: list[str]) -> BehaviorSpec:
    try:
        return require_behavior(Header.model_validate_json(lines[0] if lines else "").spec)
    except ValueError as error:
        fault = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidInputError(
            f"The first line of {path} is no header of transitions: {fault}.",
            fix=f"Write one line before the others that says the version and the shapes, such as {HEADER}",
            cause="dataset",
        ) from error


@dataclass
class _Open:
    """The episode that is being read."""

    key: Any
    observations: list[tuple[Floats, ...]] = field(default_factory=list)
    continuous: list[list[float]] = field(default_factory=list)
    discrete: list[list[int]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    outcome: Outcome = "cut"
    last: tuple[Floats, ...] | None = None


class _Episodes:
    """Lines become episodes: one ends with ``done``, ``timeout``, or where another ``episode`` begins."""

    def __init__(self, path: Path, behavior: BehaviorSpec) -> None:
        self._path, self._behavior = path, behavior
        self._read: list[_Open] = []

    def take(self, number: int, line: str) -> None:
        """One line.

        Raises:
            InvalidInputError: it is no transition of this behaviour.
        """
        try:
            data = json.loads(line)
            self._add(data)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise _wrong(self._path, number, told) from error

    def _add(self, data: dict[str, Any]) -> None:
        if not isinstance(data, dict) or data.keys() - _KEYS:
            raise ValueError(f"it is no object with the keys {', '.join(sorted(_KEYS))}")
        known, action = self._read[-1] if self._read else None, self._behavior.action
        if known is None or known.key != data["episode"] or known.outcome != "cut":
            known = _Open(data["episode"])
            self._read.append(known)
        continuous, discrete = data.get("continuous", []), data.get("discrete", [])
        if len(continuous) != action.continuous or len(discrete) != len(action.branches):
            raise ValueError(f"{len(continuous)} continuous and {len(discrete)} discrete actions do not fit the header")
        known.observations.append(self._seen(data["observations"]))
        known.continuous.append([float(value) for value in continuous])
        known.discrete.append(as_choices(discrete, action.branches))
        known.rewards.append(float(data["reward"]))
        known.outcome = "timeout" if data.get("timeout") else "ended" if data.get("done") else "cut"
        known.last = self._seen(data["next_observations"]) if data.get("next_observations") else None

    def _seen(self, values: Any) -> tuple[Floats, ...]:
        sensors = self._behavior.observations
        if len(values) != len(sensors):
            raise ValueError(f"{len(values)} observations where the header names {len(sensors)}")
        seen = tuple(np.array(one, np.float32) for one in values)
        for sensor, one in zip(sensors, seen, strict=True):
            if one.shape != sensor.shape:
                raise ValueError(f"{sensor.name} has the shape {one.shape} where the header says {sensor.shape}")
        return seen

    def all(self) -> Iterator[Trajectory]:
        """The episodes, in their order."""
        size, branches = self._behavior.action.continuous, len(self._behavior.action.branches)
        for one in self._read:
            yield Trajectory(
                observations=tuple(map(np.stack, zip(*one.observations, strict=True))),
                actions=Actions(
                    np.array(one.continuous, np.float32).reshape(len(one.rewards), size),
                    np.array(one.discrete, np.int32).reshape(len(one.rewards), branches),
                ),
                rewards=np.array(one.rewards, np.float32),
                outcome=one.outcome,
                last=one.last,
            )


def _wrong(path: Path, number: int, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"Line {number} of {path} is no transition that can be used: {reason}.",
        fix='Write lines such as {"episode": 0, "observations": [[0.1, 0.2]], "continuous": [0.5], "discrete": [], '
        '"reward": 0.1, "done": false, "timeout": false}; docs/offline.md describes them.',
        cause="dataset",
    )
