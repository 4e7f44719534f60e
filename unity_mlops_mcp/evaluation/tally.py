"""What is counted while policies play: how actions were used, what the sensors saw, how long choosing took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.evaluation.normaliser import Usual
from unity_mlops_mcp.evaluation.records import ActionFigures, SensorRange
from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, Decisions, Floats, Stat

FAR_OUT = 4.0
"""Standard deviations of the training's values, beyond which one is called outside its range."""
_AT_LIMIT = 0.999


@dataclass
class _Sensor:
    """Running figures of one sensor."""

    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    values: int = 0
    not_finite: int = 0
    outside: int = 0

    def add(self, seen: Floats, usual: Usual | None) -> None:
        """Take in the observations of some agents, (n, *shape)."""
        fine = np.isfinite(seen)
        self.not_finite += int(seen.size - fine.sum())
        if fine.any():
            finite = seen[fine]
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
            self.total, self.values = self.total + float(finite.sum(dtype=np.float64)), self.values + finite.size
        if usual is not None:
            away = np.abs(seen.reshape(len(seen), -1) - usual.mean) > FAR_OUT * usual.sd
            self.outside += int(away.sum())


@dataclass
class _Chosen:
    """Running figures of a behaviour's actions, and the time that choosing took."""

    count: int = 0
    sums: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 1)))
    """(3, actions): values, their squares, and how often they were at a limit."""
    branches: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    times_us: list[float] = field(default_factory=list)

    def add(self, actions: Actions, seconds: float) -> None:
        """Take in one choice of some agents."""
        wide = actions.continuous.astype(np.float64)
        self.sums = self.sums + np.stack([wide, wide * wide, np.abs(wide) >= _AT_LIMIT]).sum(axis=1)
        for branch in range(actions.discrete.shape[1]):
            self.branches[branch].update(actions.discrete[:, branch].tolist())
        count = max(len(actions.continuous), len(actions.discrete))
        self.count += count
        self.times_us.append(1e6 * seconds / max(1, count))


class Tally:
    """A watch that counts.

    Args:
        usual: full behaviour name, or the part before ``?team=`` → what the training saw, by observation.
        counted: called with the number of episodes that count so far; what it raises ends the play.
    """

    def __init__(self, usual: Mapping[str, Mapping[int, Usual]], counted: Callable[[int], None]) -> None:
        self._usual, self._tell = usual, counted
        self._sensors: dict[str, dict[int, _Sensor]] = defaultdict(lambda: defaultdict(_Sensor))
        self._chosen: dict[str, _Chosen] = defaultdict(_Chosen)
        self._others: dict[str, list[float]] = defaultdict(list)

    def decided(self, behavior: str, decisions: Decisions, actions: Actions, seconds: float) -> None:
        """Count one choice."""
        usual = self._usual_of(behavior)
        for index, seen in enumerate(decisions.observations):
            self._sensors[behavior][index].add(seen, usual.get(index))
        self._chosen[behavior].add(actions, seconds)

    def counted(self, episodes: int, stats: Sequence[Stat]) -> None:
        """Count the statistics that belong to no episode, and pass the number of episodes on."""
        for stat in stats:
            self._others[stat.name].append(stat.value)
        self._tell(episodes)

    @property
    def others(self) -> Mapping[str, Sequence[float]]:
        """Statistics that belong to no single episode: name → all values."""
        return self._others

    def decisions(self, behavior: str) -> int:
        """How often the behaviour's agents chose."""
        return self._chosen[behavior].count

    def times_us(self, behavior: str) -> Sequence[float]:
        """Microseconds for one agent's decision, one value for each exchange but the first, which warms up."""
        return self._chosen[behavior].times_us[1:] or self._chosen[behavior].times_us

    def actions(self, spec: BehaviorSpec) -> tuple[ActionFigures, ...]:
        """How each action of a behaviour was used."""
        chosen = self._chosen[spec.name]
        return (*_continuous(chosen), *(_branch(chosen, *branch) for branch in enumerate(spec.action.branches)))

    def sensors(self, spec: BehaviorSpec) -> tuple[SensorRange, ...]:
        """What each sensor of a behaviour saw."""
        usual = self._usual_of(spec.name)
        return tuple(
            _range(sensor.name, sensor.shape, self._sensors[spec.name][index], usual.get(index))
            for index, sensor in enumerate(spec.observations)
        )

    def _usual_of(self, behavior: str) -> Mapping[int, Usual]:
        return self._usual.get(behavior) or self._usual.get(behavior.partition("?")[0]) or {}


def _continuous(chosen: _Chosen) -> list[ActionFigures]:
    if not chosen.count:
        return []
    mean, squares, at_limit = chosen.sums / chosen.count
    sd = np.sqrt(np.maximum(squares - mean * mean, 0))
    return [
        ActionFigures(name=f"continuous {index}", mean=float(m), sd=float(s), at_limit=float(limit))
        for index, (m, s, limit) in enumerate(zip(mean, sd, at_limit, strict=True))
    ]


def _branch(chosen: _Chosen, index: int, size: int) -> ActionFigures:
    taken, count = chosen.branches[index], max(1, chosen.count)
    most = max([size, *(choice + 1 for choice in taken)])
    return ActionFigures(name=f"branch {index}", shares=tuple(taken[choice] / count for choice in range(most)))


def _range(name: str, shape: tuple[int, ...], seen: _Sensor, usual: Usual | None) -> SensorRange:
    told = usual is not None and seen.values > 0
    return SensorRange(
        sensor=name,
        shape=shape,
        low=seen.low if seen.values else 0.0,
        high=seen.high if seen.values else 0.0,
        mean=seen.total / seen.values if seen.values else 0.0,
        not_finite=seen.not_finite,
        trained_low=float((usual.mean - FAR_OUT * usual.sd).min()) if usual is not None else None,
        trained_high=float((usual.mean + FAR_OUT * usual.sd).max()) if usual is not None else None,
        outside=seen.outside / (seen.values + seen.not_finite) if told else None,
    )
