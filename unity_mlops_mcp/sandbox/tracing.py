"""Where agents and entities went in the first episodes of some areas, written down for whoever draws them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, BehaviorStep, Draw, Stat
from unity_mlops_mcp.sandbox.world import World

TRACED_AREAS = 12
_ENDING = "Environment/Ending/"
_MOVED = 1e-6


class TracedWorld:
    """A world that writes a file once the first episode of each traced area has ended.

    The file holds ``episodes``: of each its ``ending``, ``half_extent`` (m), ``agents`` (``team`` and ``points``, x and
    z in m at every decision) and ``entities`` (``name``, ``points``, ``radius`` or ``half`` sizes and ``yaw``).

    Args:
        world: what is simulated.
        file: where it is written.
        areas: how many areas the world has; the first dozen are traced.
    """

    def __init__(self, world: World, file: Path, *, areas: int) -> None:
        self._world, self._file = world, file
        self._areas = areas
        self._stats: list[Stat] = []
        self._ways: dict[int, list[Mapping[str, Any]]] = {}
        self._ended: dict[int, str] = {}
        self._written = False

    @property
    def behaviors(self) -> tuple[BehaviorSpec, ...]:
        """Those of the world."""
        return tuple(self._world.behaviors)

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin everywhere; what was traced of unfinished episodes is dropped."""
        steps = self._world.reset()
        self._ways = {area: [self._world.snapshot(area)] for area in range(min(self._areas, TRACED_AREAS))}
        self._ended = {}
        return steps

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Advance by one decision."""
        steps = self._world.step(actions)
        told = self._world.drain_stats()
        self._stats += told
        if not self._written:
            self._follow(steps, told)
        return steps

    def set_parameter(self, name: str, value: float) -> None:
        """As the world does."""
        self._world.set_parameter(name, value)

    def set_sampler(self, name: str, draw: Draw) -> None:
        """As the world does."""
        self._world.set_sampler(name, draw)

    def drain_stats(self) -> list[Stat]:
        """The world's statistics since the last call."""
        stats, self._stats = self._stats, []
        return stats

    def _follow(self, steps: Mapping[str, BehaviorStep], told: list[Stat]) -> None:
        endings = [stat.name.removeprefix(_ENDING) for stat in told if stat.name.startswith(_ENDING) and stat.value]
        for area, ending in zip(self._ended_areas(steps), endings, strict=True):
            if area in self._ways:
                self._ended.setdefault(area, ending)
        for area, way in self._ways.items():
            if area not in self._ended:
                way.append(self._world.snapshot(area))
        if self._ways.keys() == self._ended.keys():
            self._write()

    def _ended_areas(self, steps: Mapping[str, BehaviorStep]) -> list[int]:
        """The areas whose episode ended, in the order in which their statistics come."""
        agents = len(self._world.state.yaw)
        ids = next(iter(steps.values())).terminals.ids
        episodes = dict.fromkeys(zip((ids // agents).tolist(), (ids % agents).tolist(), strict=True))
        size = agents // self._areas
        return [area for _, area in dict.fromkeys((episode, row // size) for episode, row in episodes)]

    def _write(self) -> None:
        from unity_mlops_mcp.process.files import write_atomically  # brings psutil, which a training has no use for

        self._written = True
        episodes = [_episode(self._ended[area], way) for area, way in self._ways.items()]
        write_atomically(self._file, json.dumps({"episodes": episodes}, separators=(",", ":")).encode())
        self._ways = {}


def _episode(ending: str, way: list[Mapping[str, Any]]) -> dict[str, Any]:
    first = way[0]
    agents = [
        {"team": agent["team"] or "", "points": _points([moment["agents"][row]["position"] for moment in way])}
        for row, agent in enumerate(first["agents"])
    ]
    entities = [
        _entity(name, [moment["entities"][name]["instances"][index] for moment in way])
        for name, entity in first["entities"].items()
        for index, instance in enumerate(entity["instances"])
        if instance["there"]
    ]
    return {"ending": ending, "half_extent": first["half_extent"], "agents": agents, "entities": entities}


def _entity(name: str, moments: list[Mapping[str, Any]]) -> dict[str, Any]:
    there = [moment["centre"] for moment in moments if moment["there"]]
    points = _points(there)
    still = all(abs(a - b) < _MOVED for point in points for a, b in zip(point, points[0], strict=True))
    radius = float(moments[0]["radius"])
    shape: dict[str, Any] = {"radius": round(radius, 4)} if radius > 0 else {"half": _rounded(moments[0]["half"])}
    return {"name": name, "points": points[:1] if still else points, **shape, "yaw": round(moments[0]["yaw"], 4)}


def _points(positions: list[Any]) -> list[list[float]]:
    return [_rounded(position) for position in positions]


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 3) for value in values]
