"""The agent's body and how it moves; the formulas are the contract between the sandbox and generated C#."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unity_mlops_mcp.spec.base import Part, Quantity

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


Motion = Annotated[Holonomic | Car | Force | Grid, Field(discriminator="kind")]


class Agent(Part):
    """The learning body: a circle on the ground plane (x to the right, z forward)."""

    radius: float = Field(default=0.25, gt=0, description="Metres.")
    motion: Motion = Holonomic()
    """How actions move the body."""
    spawn: Spawn = Spawn()
    """Where an episode begins."""
    random_heading: bool = False
    """Begin with a random yaw; else the agent faces +z."""


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
