"""Things in the arena: targets, obstacles, waypoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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
    motion: Literal["static"] = "static"
    """Static things stay where they were put."""
    solid: bool = False
    """Solid things push the agent out; others can be entered. Ray sensors see both."""
    ordered: bool = False
    """The instances are to be visited in order; then one of them is the ``current`` one."""

    @property
    def seen_as(self) -> str:
        """The tag, or the name where no tag was given."""
        return self.tag or self.name
