"""Things in the arena: targets, obstacles, waypoints."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from unity_mlops_mcp.spec.base import Name, Part, Quantity
from unity_mlops_mcp.spec.body import Spawn

WALL_TAG = "wall"
"""The tag of the arena's walls."""


class Circle(Part):
    """A disc on the ground plane (in Unity a cylinder)."""

    kind: Literal["circle"] = "circle"
    radius: Quantity = 0.5
    """Metres."""


class Box(Part):
    """A rectangle with sides along x and z."""

    kind: Literal["box"] = "box"
    size: tuple[Quantity, Quantity] = (1.0, 1.0)
    """Metres along x and z."""


Shape = Annotated[Circle | Box, Field(discriminator="kind")]


class Static(Part):
    """Stays where it was put."""

    kind: Literal["static"] = "static"


class Roam(Part):
    """Moves by itself and never leaves the arena.

    Each episode draws a heading and a phase. In every physics step yaw += turn * cos(2 pi t / period + phase) * dt,
    with t the seconds of the steps before it, then position += speed * (sin yaw, cos yaw) * dt; where the centre would
    pass half_extent less the own half size or radius it is held there, with walls or without, and the heading is
    mirrored: yaw = -yaw at the sides of x, pi - yaw at those of z. Other bodies are passed through.
    """

    kind: Literal["roam"] = "roam"
    speed: Quantity = 2.0
    """Metres per second."""
    turn: Quantity = 0.0
    """Greatest degrees per second by which it weaves; 0 goes straight on."""
    period: Quantity = 4.0
    """Seconds of one weave."""


class Pushable(Part):
    """Gives way to agents: it moves out of their overlap along the contact normal, and does not rotate.

    It is held within the walls; where it would overlap another solid thing (two boxes: by the smaller of their overlaps
    in x and z) by more than 0.1 mm it stays, and the agent is pushed out.
    """

    kind: Literal["pushable"] = "pushable"


EntityMotion = Annotated[Static | Roam | Pushable, Field(discriminator="kind")]


class Entity(Part):
    """A group of equal things; events, observations and rewards speak of it by its name."""

    name: Name
    """Unique among the entities."""
    tag: Name | Literal[""] = ""
    """What ray sensors see; the name where it is left out."""
    count: Annotated[int, Field(ge=0, le=64)] | Name = 1
    """How many: a whole number, or a parameter's name (then rounded, and room is kept for its maximum)."""
    shape: Shape = Circle()
    """Circle or box."""
    spawn: Spawn = Spawn()
    """Where the instances are put when an episode begins."""
    motion: EntityMotion = Static()
    """Static, roaming by itself, or pushed by agents; a bare kind such as ``static`` will do."""
    solid: bool = False
    """Solid things push the agent out; others can be entered. Ray sensors see both."""
    ordered: bool = False
    """The instances are to be visited in order; then one of them is the ``current`` one."""

    @field_validator("motion", mode="before")
    @classmethod
    def _by_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @property
    def seen_as(self) -> str:
        """The tag, or the name where no tag was given."""
        return self.tag or self.name
