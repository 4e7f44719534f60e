"""The agent's body and how it moves; the formulas are the contract between the sandbox and generated C#."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unity_mlops_mcp.spec.base import Name, Part, Quantity

AGENT_TAG = "agent"
"""What ray sensors see of other agents where there are no teams."""
OPPONENT, MATE = "opponent", "mate"
"""Names that stand for other agents where an entity's name may: those of the other team, and of the own one."""
DT = 0.02
"""Seconds per physics step: Unity's default fixed timestep."""


class Region(Part):
    """A rectangle in fractions of the arena's half-extent; (0, 0) is the middle, 1 the wall."""

    x: tuple[float, float] = Field(default=(-1.0, 1.0), description="Least and greatest x, each in -1..1.")
    z: tuple[float, float] = Field(default=(-1.0, 1.0), description="Least and greatest z, each in -1..1.")


class Spawn(Part):
    """Where something is put when an episode begins; what is not placed at random lies at fixed positions."""

    region: Region = Region()
    """The centre is drawn uniformly from this region, shrunk so that the body stays inside the arena."""
    min_distance: Quantity = 0.0
    """Least free distance in metres, surface to surface, to everything placed before (agent first, then entities
    in their order). When no try finds it, the roomiest one is taken; a solid body that would overlap is left out."""
    positions: tuple[tuple[float, float], ...] | None = None
    """Fixed (x, z) positions in fractions of the half-extent, one per instance, in place of the region."""


class Holonomic(Part):
    """Moves in any direction at once: position += speed * clip(action) * dt."""

    kind: Literal["holonomic"] = "holonomic"
    speed: Quantity = 4.0
    """Metres per second along each axis at full action."""


class Car(Part):
    """Drives and steers: yaw += turn * a1 * dt, then position += forward * speed * a0 * dt."""

    kind: Literal["car"] = "car"
    speed: Quantity = 4.0
    """Metres per second at full throttle (action 0), backwards when negative."""
    turn: Quantity = 180.0
    """Degrees per second at full steering (action 1), clockwise seen from above when positive."""


class Force(Part):
    """Is pushed: velocity += action * force / mass * dt, velocity *= 1 - damping * dt, position += velocity * dt."""

    kind: Literal["force"] = "force"
    force: Quantity = 12.0
    """Newtons along each axis at full action."""
    mass: Quantity = 1.0
    """Kilograms."""
    damping: Quantity = 3.0
    """Share of the velocity lost per second; the greatest speed is force / (mass * damping)."""


class Grid(Part):
    """Jumps from cell to cell, once per decision: position += cell * direction. Discrete actions only.

    (0, 0) is the middle of a cell; everything is placed on the middle of a cell, and a jump that would end inside
    something solid is taken back.
    """

    kind: Literal["grid"] = "grid"
    cell: Quantity = 1.0
    """Metres per jump."""


class Tilt(Part):
    """Tilts the ground under the body, which rolls.

    Each tilt angle += rate * action * dt, held within -most..most; velocity += gravity * sin(tilt) * dt, then
    position += velocity * dt. A positive tilt lets the body roll to +x, or +z.
    """

    kind: Literal["tilt"] = "tilt"
    rate: Quantity = 90.0
    """Degrees per second of each tilt angle at full action; every episode begins level."""
    most: Quantity = 20.0
    """Greatest tilt in degrees about each axis."""
    gravity: Quantity = 7.0
    """Metres per second squared on a vertical slope: 9.81 for a body that slides, 5/7 of it for a ball that rolls."""
    top_speed: Quantity = 5.0
    """Metres per second by which observed velocities are scaled; not a limit."""


Motion = Annotated[Holonomic | Car | Force | Grid | Tilt, Field(discriminator="kind")]


class Agent(Part):
    """The learning body: a circle on the ground plane (x to the right, z forward).

    Several agents in an area pass through each other; each observes, and is paid, for itself.
    """

    radius: float = Field(default=0.25, gt=0, description="Metres.")
    motion: Motion = Holonomic()
    """How actions move the body."""
    spawn: Spawn = Spawn()
    """Where an episode begins."""
    random_heading: bool = False
    """Begin with a random yaw; else the agent faces +z."""
    count: int = Field(
        default=1, ge=1, le=16, description="Agents in an area, all of one policy; 1 where teams are given."
    )


class Team(Part):
    """One side of a contest (self-play): its agents share the policy with the other side, under another team id."""

    name: Name
    """Unique; also the tag by which ray sensors see its agents."""
    count: int = Field(default=1, ge=1, le=16, description="Agents of this team in an area.")
    pace: Quantity = 1.0
    """Share of the actions' effect, 0..1, by which they are multiplied before they move the body: a slower side."""
    spawn: Spawn | None = None
    """Where its agents begin; left out: as ``agent.spawn`` says."""


class Arena(Part):
    """A square ground around (0, 0)."""

    half_extent: Quantity = 5.0
    """Metres from the middle to each side; observations are scaled by it."""
    walls: bool = True
    """Solid walls with the tag ``wall`` on all four sides; without them the agent can leave."""


class Actions(Part):
    """What the policy decides; the numbers of actions follow from the motion."""

    kind: Literal["continuous", "discrete"] = "continuous"
    """``continuous``: two actions in -1..1. ``discrete``: one branch of five, 0 = nothing, 1 and 2 = first axis
    plus and minus, 3 and 4 = second axis plus and minus."""


class Episode(Part):
    """How long an episode lasts at most, and how often the policy decides."""

    max_step: int = Field(default=1000, ge=1, le=1_000_000, description="Physics steps; then the episode is cut off.")
    decision_period: int = Field(default=5, ge=1, le=20, description="Physics steps per decision.")
