"""What the policy sees: one vector of parts, and ray sensors laid out as ML-Agents lays them out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from unity_mlops_mcp.spec.base import Name, Part

Frame = Literal["world", "agent"]
Pick = Literal["nearest", "current", "next", "mean"]
"""Which instance of a group: the nearest to whoever looks, the current or next one of an ordered entity, or the mean of
all that exist."""


class Position(Part):
    """2 floats: the agent's own (x, z) / half_extent."""

    kind: Literal["position"]


class Relative(Part):
    """2 floats: (entity - subject) / (2 * half_extent); zeros when there is no such entity."""

    kind: Literal["relative"]
    of: Name
    """Which entity, or ``opponent`` or ``mate`` for other agents."""
    subject: Name | None = None
    """Seen from this entity, of which there is one; left out: from the agent."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    frame: Frame = "world"
    """Axes of the world, or of the agent (x to its right, z ahead)."""


class Bearing(Part):
    """3 floats: the unit vector from the subject to the entity, then distance / (2 * half_extent)."""

    kind: Literal["bearing"]
    of: Name
    """Which entity, or ``opponent`` or ``mate`` for other agents."""
    subject: Name | None = None
    """Seen from this entity, of which there is one; left out: from the agent."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    frame: Frame = "agent"
    """Axes of the agent (x to its right, z ahead), or of the world."""


class Velocity(Part):
    """2 floats: displacement of the last physics step / dt / the agent's greatest speed."""

    kind: Literal["velocity"]
    of: Name | None = None
    """Of which entity, or of ``opponent`` or ``mate``; left out: the agent's own."""
    pick: Pick = "nearest"
    """Which instance; ``current`` and ``next`` need an ordered entity."""
    frame: Frame = "world"
    """Axes of the world, or of the agent (x to its right, z ahead)."""


class Heading(Part):
    """2 floats: sine and cosine of the yaw; (0, 1) faces +z."""

    kind: Literal["heading"]


class WallDistance(Part):
    """4 floats: distance to the walls at +x, -x, +z, -z / (2 * half_extent)."""

    kind: Literal["wall_distance"]


class TimeLeft(Part):
    """1 float: from 1 at the start of the episode to 0 at max_step."""

    kind: Literal["time_left"]


class Progress(Part):
    """1 float: visited instances of an ordered entity in this lap / their number."""

    kind: Literal["progress"]
    of: Name
    """Which ordered entity."""


class OneHot(Part):
    """As many floats as instances at most: 1 at the current instance of an ordered entity, else 0."""

    kind: Literal["one_hot"]
    of: Name
    """Which ordered entity."""


class Remaining(Part):
    """1 float: instances of an entity that are still there / those that the episode began with; 0 without any."""

    kind: Literal["remaining"]
    of: Name
    """Which entity."""


class TiltAngles(Part):
    """2 floats: the ground's tilt towards +x and +z / its greatest tilt; tilt motion only."""

    kind: Literal["tilt"]


class TeamRole(Part):
    """As many floats as teams: 1 at the agent's own team, else 0."""

    kind: Literal["team"]


VectorPart = Annotated[
    Position
    | Relative
    | Bearing
    | Velocity
    | Heading
    | WallDistance
    | TimeLeft
    | Progress
    | OneHot
    | Remaining
    | TiltAngles
    | TeamRole,
    Field(discriminator="kind"),
]

PART_SIZES = {
    "position": 2,
    "relative": 2,
    "bearing": 3,
    "velocity": 2,
    "heading": 2,
    "wall_distance": 4,
    "time_left": 1,
    "progress": 1,
    "remaining": 1,
    "tilt": 2,
}
"""Floats of each vector part of fixed size; ``one_hot`` has one for each possible instance, ``team`` for each team."""


class RaySensor(Part):
    """ML-Agents' RayPerceptionSensorComponent3D with thin rays (SphereCastRadius 0), in the agent's frame.

    (tags + 2) * (2 * rays_per_direction + 1) floats. The angles alternate: 90, 90 - d, 90 + d, 90 - 2d, ... with
    d = max_degrees / rays_per_direction; 90 is straight ahead, smaller is to the right. Each ray gives a one-hot of
    the tag that was hit, then 1 if nothing was hit, then the hit distance / length (1 if nothing was hit). Things
    without a listed tag block the ray but set no tag; a ray does not see what it starts inside of.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$")] = "RayPerceptionSensor"
    """Unique among the sensors; observations are ordered by sensor name."""
    tags: tuple[Name, ...] = Field(min_length=1, description="Entity tags, and `wall`, in one-hot order.")
    rays_per_direction: int = Field(default=3, ge=1, le=50, description="Rays to each side of the one ahead.")
    max_degrees: float = Field(
        default=70.0, gt=0, le=180, description="Angle from straight ahead to the outermost ray."
    )
    length: float = Field(default=20.0, gt=0, description="Metres.")

    @property
    def rays(self) -> int:
        """Number of rays."""
        return 2 * self.rays_per_direction + 1

    @property
    def size(self) -> int:
        """Number of floats."""
        return (len(self.tags) + 2) * self.rays

    @property
    def angles(self) -> tuple[float, ...]:
        """Degrees of each ray in order; 90 is straight ahead, 0 to the right."""
        delta = self.max_degrees / self.rays_per_direction
        sides = [90 + sign * i * delta for i in range(1, self.rays_per_direction + 1) for sign in (-1, 1)]
        return (90.0, *sides)


class Observations(Part):
    """All that the policy sees."""

    vector: tuple[VectorPart, ...] = ()
    """Parts of the one vector observation, in order."""
    rays: tuple[RaySensor, ...] = ()
    """Ray sensors."""
