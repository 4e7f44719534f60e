"""A plan in the making: a preset as plain data that wishes may change, with the reasons they leave."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.archetypes import Archetype, SentenceRules
from unity_mlops_mcp.spec.entities import WALL_TAG, Entity
from unity_mlops_mcp.spec.language import vocabulary

Data = dict[str, Any]

AHEAD, AROUND = 5, 8
"""Rays to each side of a body that turns, and of one that moves any way without turning."""
RAY_LENGTH = 5.0
"""Metres: what is farther away need not be seen, and a hit then means that something is near."""
GOAL_RADIUS = 0.08
"""Greatest radius of what is to be reached, as a share of the arena's half-extent."""


@dataclass
class Draft:
    """The spec and the trainer settings as plain data.

    Attributes:
        data: the spec's fields.
        training: body of the behaviour in the trainer YAML.
        rules: how a sentence may change the preset.
        words: (words, what they led to).
        assumptions: what was left open, one sentence each.
    """

    data: Data
    training: Data
    rules: SentenceRules
    words: list[tuple[str, str]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, archetype: Archetype) -> Draft:
        """Begin with a preset."""
        return cls(archetype.spec.model_dump(mode="json"), copy.deepcopy(archetype.training), archetype.sentence)

    @property
    def half_extent(self) -> float:
        """Metres from the arena's middle to its side."""
        return float(self.data["arena"]["half_extent"])

    @property
    def motion(self) -> str:
        """How the body moves."""
        return str(self.data["agent"]["motion"]["kind"])

    @property
    def agents(self) -> int:
        """Agents in an area."""
        return sum(int(team["count"]) for team in self.data["teams"]) or int(self.data["agent"]["count"])

    def say(self, text: str, meaning: str) -> None:
        """Note what words led to."""
        self.words.append((text, meaning))

    def assume(self, sentence: str) -> None:
        """Note what was left open."""
        self.assumptions.append(sentence)

    def entity(self, name: str) -> Data | None:
        """An entity's fields, None when the spec has no such entity."""
        return next((entity for entity in self.data["entities"] if entity["name"] == name), None)

    def team(self, name: str) -> Data | None:
        """A team's fields, None when the spec has no such team."""
        return next((team for team in self.data["teams"] if team["name"] == name), None)

    def most(self, entity: Data) -> int:
        """How many instances of an entity there can be."""
        count = entity["count"]
        return int(self.data["parameters"][count]["maximum"] if isinstance(count, str) else count)

    def add(self, wish: str) -> None:
        """Add the parts that a wish needs."""
        addition = copy.deepcopy(vocabulary()["additions"][wish])
        self.lengthen(addition.pop("longer", 1.0))
        network = self.training["network_settings"]
        network["hidden_units"] = max(network["hidden_units"], addition.pop("hidden_units", 0))
        self.resize(max(self.half_extent, addition.pop("half_extent", 0.0)))
        self.data["parameters"] |= addition.pop("parameters", {})
        self.data["observations"]["vector"] += [self._framed(part) for part in addition.pop("observations", [])]
        self.data["endings"] += self._for_each_team(addition.pop("endings", []))
        entities = [Entity.model_validate(entity).model_dump(mode="json") for entity in addition.pop("entities", [])]
        self.data["entities"] += entities
        for name, parts in addition.items():
            self.data[name] += parts

    def drop(self, name: str) -> None:
        """Leave an entity away, with all that speaks of it."""
        entity = self.entity(name) or {}
        self.data["parameters"].pop(str(entity.get("count")), None)
        gone = {event["name"] for event in self.data["events"] if event.get("of") == name}
        self.data["entities"] = [other for other in self.data["entities"] if other["name"] != name]
        for parts in ("events", "rewards"):
            self.data[parts] = [part for part in self.data[parts] if part.get("of") != name]
        for parts in ("rewards", "endings"):
            self.data[parts] = [part for part in self.data[parts] if part.get("event") not in gone]
        vector = self.data["observations"]["vector"]
        self.data["observations"]["vector"] = [part for part in vector if part.get("of") != name]
        for ray in self.data["observations"]["rays"]:
            ray["tags"] = [tag for tag in ray["tags"] if tag != (entity.get("tag") or name)]

    def _for_each_team(self, endings: list[Data]) -> list[Data]:
        """Endings as each side's own, where there are sides."""
        teams = [team["name"] for team in self.data["teams"]]
        return [{**ending, "team": team} for ending in endings for team in teams] if teams else endings

    def _framed(self, part: Data) -> Data:
        """A part in the axes in which the body sees."""
        return {**part, "frame": vocabulary()["motions"].get(self.motion, {"frame": "world"})["frame"]}

    def lengthen(self, factor: float) -> None:
        """Train longer, with as many summaries and checkpoints as before."""
        for name in ("max_steps", "summary_freq", "checkpoint_interval"):
            self.training[name] = round(self.training[name] * factor)

    def set_rays(self, per_direction: int | None = None) -> None:
        """See every tag by rays: over the half circle ahead of a body that turns, all around one that does not.

        Args:
            per_direction: rays to each side; None takes what finds its way past obstacles.
        """
        turns = self.motion == "car"
        sides = per_direction or (AHEAD if turns else AROUND)
        degrees = 90.0 if turns else round(360.0 * sides / (2 * sides + 1), 1)
        tags = [entity.get("tag") or entity["name"] for entity in self.data["entities"]]
        tags += [team["name"] for team in self.data["teams"]]
        tags += [WALL_TAG] * self.data["arena"]["walls"]
        length = next((ray["length"] for ray in self.data["observations"]["rays"]), RAY_LENGTH)
        ray = {"name": "RayPerceptionSensor", "tags": tags, "rays_per_direction": sides}
        self.data["observations"]["rays"] = [{**ray, "max_degrees": degrees, "length": length}]

    def resize(self, half_extent: float) -> None:
        """Change the arena's size; goals stay small in it, and a larger one gets more time."""
        self.data["episode"]["max_step"] = round(
            self.data["episode"]["max_step"] * max(half_extent / self.half_extent, 1.0)
        )
        self.data["arena"]["half_extent"] = half_extent
        goal = self.entity(self.rules.goal or "")
        if goal and self.rules.small_goal:
            goal["shape"]["radius"] = min(goal["shape"]["radius"], GOAL_RADIUS * half_extent)


def contradiction(message: str, fix: str) -> InvalidInputError:
    """The error for wishes that exclude each other."""
    return InvalidInputError(message, fix=fix, cause="contradiction")
