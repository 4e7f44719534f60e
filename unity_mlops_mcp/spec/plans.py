"""A plan: the environment that shall be built and how it is trained, who made it, and why."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec

Planner = Literal["spec", "llm", "client", "rules"]
"""Who made a plan: the caller's own spec, the configured language model, the chat client's model, or the rules."""


class Word(Part):
    """Words of the description, and what they led to."""

    text: str
    """As the planner read them."""
    meaning: str
    """What they led to."""


class Plan(Part):
    """What shall be built and how it is trained, with the reasons."""

    spec: EnvironmentSpec
    """The environment."""
    archetype: str | None
    """The preset it began as; None for a spec that the caller or a model wrote."""
    training: dict[str, Any] = Field(description="Body of `behaviors.<name>` in the trainer YAML.")
    areas: int = Field(ge=1, description="Areas in one player that `training` was tuned for.")
    planner: Planner = "rules"
    """Who made the plan."""
    model: str | None = None
    """The language model that wrote the spec, where one did."""
    prompt_sha256: str | None = None
    """Sha256 (hex) of the instructions that the model followed, where one did."""
    words: tuple[Word, ...] = ()
    """Which words led to what."""
    assumptions: tuple[str, ...] = ()
    """What the description left open."""
    left_out: tuple[str, ...] = ()
    """What the description asked for that the plan does not hold."""
