"""Archetypes: preset environment specs with trainer settings and a goal, one YAML file each."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import yaml
from pydantic import Field, model_validator

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec


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
