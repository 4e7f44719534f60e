"""What can happen, what it is worth, and what ends an episode."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unity_mlops_mcp.spec.base import Name, Part, Quantity
from unity_mlops_mcp.spec.observations import Pick

TIMEOUT = "timeout"
"""The ending cause of an episode that max_step cut off."""


class Enter(Part):
    """The subject's centre comes inside an instance of an entity; fires again only after it was outside."""

    kind: Literal["enter"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity."""
    subject: Name | None = None
    """The entity, of which there is one, that has to come inside; left out: the agent."""


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


class Collect(Part):
    """The agent's centre is inside instances of an entity, which are then gone; fires once in a step with any."""

    kind: Literal["collect"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity."""
    respawn: bool = False
    """Put it somewhere else in its region at once, without looking for free room, instead of taking it away."""


class Cleared(Part):
    """No instance of an entity is left; fires once, in the first step where there never was one."""

    kind: Literal["cleared"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity; a collect event of it without respawn stands before this one."""


class Near(Part):
    """The nearest of a group is at most a distance away, centre to centre; fires again only after it was farther."""

    kind: Literal["near"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity, or ``opponent`` or ``mate``."""
    distance: Quantity
    """Metres."""


class Far(Part):
    """The nearest of a group is farther than a distance, centre to centre; fires again only after it was nearer.

    Nothing is far while there is none.
    """

    kind: Literal["far"]
    name: Name
    """Unique among the events."""
    of: Name
    """Which entity, or ``opponent`` or ``mate``."""
    distance: Quantity
    """Metres."""


class Timeout(Part):
    """The episode reaches max_step. As an ending it is one that counts, in place of the cut-off that says nothing."""

    kind: Literal["timeout"]
    name: Name
    """Unique among the events."""


Event = Annotated[
    Enter | Touch | Leave | Visit | Complete | Collect | Cleared | Near | Far | Timeout, Field(discriminator="kind")
]


class EventReward(Part):
    """Given in the physics step in which an event fires."""

    when: Literal["event"]
    event: Name
    """Which event."""
    value: float
    """The reward."""
    shared_by: Name | None = None
    """Divide the value by the number of instances of this entity that the episode began with."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


class StepReward(Part):
    """Spread evenly over the episode: value / max_step in every physics step."""

    when: Literal["step"]
    value: float
    """The sum over an episode of full length; negative makes haste worth while."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


class Approach(Part):
    """Shaping: value * (distance before - distance after) / (2 * half_extent) in every physics step.

    Both distances are to where the entity is after the step, so only the subject's own way is paid for.
    """

    when: Literal["approach"]
    of: Name
    """Which entity, or ``opponent`` or ``mate``."""
    subject: Name | None = None
    """The entity, of which there is one, that has to come nearer; left out: the agent."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    value: float
    """The reward for coming nearer by the arena's full width."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


class Keep(Part):
    """Keep a distance: value / max_step * exp(-((distance now - distance) / width) ** 2) in every physics step."""

    when: Literal["keep"]
    of: Name
    """Which entity, or ``opponent`` or ``mate``; nothing is paid while there is none."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    distance: Quantity
    """Metres, centre to centre."""
    width: Quantity = 1.0
    """Metres off the distance at which about a third is still paid."""
    value: float
    """The sum over an episode of full length at exactly that distance."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


class Align(Part):
    """Move the same way: value / max_step * (v . u) / max(|v| |u|, 0.01) in every physics step, velocities in m/s."""

    when: Literal["align"]
    of: Name
    """Which entity, or ``opponent`` or ``mate``; nothing is paid while there is none."""
    pick: Pick = "nearest"
    """Which instance; ``mean`` takes the mean of their velocities."""
    value: float
    """The sum over an episode of full length in perfect step."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


class Within(Part):
    """Be near: value / max_step in every physics step in which the distance is smaller, centre to centre."""

    when: Literal["within"]
    of: Name
    """Which entity, or ``opponent`` or ``mate``."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    distance: Quantity
    """Metres."""
    value: float
    """The sum over an episode of full length; negative keeps apart."""
    team: Name | None = None
    """Only agents of this team are paid; left out: all."""


Reward = Annotated[EventReward | StepReward | Approach | Keep | Align | Within, Field(discriminator="when")]


class Ending(Part):
    """An event that ends the episode of all agents in the area; the first one in the list that fires is the cause."""

    event: Name
    """Which event."""
    result: Literal["success", "failure"]
    """What it means. Being cut off at max_step is always a failure, with the cause ``timeout``."""
    team: Name | None = None
    """Whose event and result it is; the other team's result is the opposite. Left out: any agent's event, and the first
    team's result. Success in the statistics is the first team's."""
