"""Archetypes: preset environment specs with trainer settings and a goal, one YAML file each."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.spec.base import Name, Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.observations import Pick


class Goal(Part):
    """What a policy trained with the preset must reach."""

    success: float | None = Field(
        default=None, gt=0, le=1, description="Least success rate over the last 100 or more training episodes."
    )
    win_rate: float | None = Field(
        default=None, gt=0, le=1, description="Self-play: least share of 200 episodes won against the first checkpoint."
    )

    @model_validator(mode="after")
    def _one_goal(self) -> Goal:
        if (self.success is None) == (self.win_rate is None):
            raise ValueError("give either success or win_rate")
        return self

    @property
    def share(self) -> float:
        """The least share of episodes, successful or won."""
        return self.success or self.win_rate or 0.0


class Counted(Part):
    """How many of an entity a sentence may ask for."""

    concept: Name
    """What the sentence names, as in ``language.yaml``."""
    entity: Name
    """The entity, or the team."""
    least: int = 1
    """Fewest; with 0 there are none unless the sentence names them."""
    most: int = 1
    """Most that the rules take on."""
    steps: int | None = None
    """Physics steps of an episode for each of them; None leaves the episode as it is."""


class SentenceRules(Part):
    """What the rule-based planner has to know of a preset to change it as a sentence asks."""

    goal: Name | None = None
    """The entity (or ``opponent``) that is to be reached or kept to; the policy has to see it."""
    pick: Pick = "nearest"
    """Which instance of the goal."""
    small_goal: bool = False
    """The goal stays small beside the arena."""
    counts: tuple[Counted, ...] = ()
    """What a number in the sentence counts."""
    most_agents: int = 1
    """Agents of one policy in an area, at most."""
    motions: tuple[Literal["holonomic", "car", "force", "grid", "tilt"], ...] = ("holonomic", "car", "force", "grid")
    """Ways in which the body may move; where it is one, the sentence's words about it mean something else."""
    crash_ends: bool = True
    """Touching an obstacle is a failure; else it only costs."""
    half_extent: tuple[float, float] = (3.0, 20.0)
    """Smallest and largest arena, metres from the middle to a side."""


class Archetype(Part):
    """A preset: an environment spec, the body of its ``behaviors`` entry in the trainer YAML, and a goal."""

    name: str
    """The archetype's name, such as ``reach_target``."""
    description: str
    """One line that says what the agent learns."""
    spec: EnvironmentSpec
    """The environment."""
    training: dict[str, Any]
    """Body of ``behaviors.<name>`` in the trainer YAML (ML-Agents 1.1.0, settings.py), tuned for ``areas`` areas."""
    areas: int = Field(default=64, ge=1, description="Areas in one player that `training` was tuned for.")
    goal: Goal
    """What training must reach."""
    sentence: SentenceRules = SentenceRules()
    """How a sentence may change it."""


def archetype_names() -> tuple[str, ...]:
    """All archetypes, in alphabetical order."""
    folder = files(__package__) / "archetypes"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".yaml")))


def archetype_text(name: str) -> str:
    """The YAML of an archetype as it was written, notes included.

    Raises:
        NotFoundError: there is no such archetype; the fix names the ones there are.
    """
    if name not in archetype_names():
        raise NotFoundError(f"There is no archetype {name!r}.", fix=f"Use one of: {', '.join(archetype_names())}.")
    return (files(__package__) / "archetypes" / f"{name}.yaml").read_text(encoding="utf-8")


@functools.cache
def load_archetype(name: str) -> Archetype:
    """Read one archetype.

    Raises:
        NotFoundError: there is no such archetype; the fix names the ones there are.
    """
    return Archetype.model_validate({"name": name, **yaml.safe_load(archetype_text(name))})
