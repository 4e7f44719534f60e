"""What can happen, what it is worth, and what ends an episode."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unity_mlops_mcp.spec.base import Name, Part
from unity_mlops_mcp.spec.observations import Pick

TIMEOUT = "timeout"
"""The ending cause of an episode that max_step cut off."""


class Enter(Part):
    """The agent's centre comes inside an instance of an entity; fires again only after it was outside."""

    kind: Literal["enter"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity."""


class Touch(Part):
    """The agent's body comes into contact with a solid entity; fires again only after they parted."""

    kind: Literal["touch"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which solid entity, or ``wall``."""


class Leave(Part):
    """The agent's centre leaves an arena without walls."""

    kind: Literal["leave"]
    name: Name
    """Unique among the events."""


class Visit(Part):
    """The agent's centre is inside the current instance of an ordered entity; the next one becomes current."""

    kind: Literal["visit"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which ordered entity."""


class Complete(Part):
    """All instances of an ordered entity were visited, so many laps."""

    kind: Literal["complete"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which ordered entity; a visit event of it stands before this one."""
    laps: int = Field(default=1, ge=1, le=100, description="Full rounds.")


Event = Annotated[Enter | Touch | Leave | Visit | Complete, Field(discriminator="kind")]


class EventReward(Part):
    """Given in the physics step in which an event fires."""

    when: Literal["event"]
    event: Name
    """Which event."""
    value: float
    """The reward."""
    shared_by: Name | None = None
    """Divide the value by the number of instances of this entity."""


class StepReward(Part):
    """Spread evenly over the episode: value / max_step in every physics step."""

    when: Literal["step"]
    value: float
    """The sum over an episode of full length; negative makes haste worth while."""


class Approach(Part):
    """Shaping: value * (distance before - distance after) / (2 * half_extent) in every physics step."""

    when: Literal["approach"]
    of: Name
    """Which entity."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    value: float
    """The reward for coming nearer by the arena's full width."""


Reward = Annotated[EventReward | StepReward | Approach, Field(discriminator="when")]


class Ending(Part):
    """An event that ends the episode; the first one in the list that fires is the cause."""

    event: Name
    """Which event."""
    result: Literal["success", "failure"]
    """What it means. Reaching max_step is always a failure, with the cause ``timeout``."""
