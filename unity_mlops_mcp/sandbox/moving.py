"""Motion models: each turns actions into new positions, one physics step at a time (see ``spec/body.py``)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.state import State
from unity_mlops_mcp.spec.body import DT, Car, Force, Grid, Holonomic, Motion, Tilt

MOVES = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
"""What each discrete action stands for, as continuous actions."""


Rows = NDArray[np.intp] | slice


class Mover(Protocol):
    """A motion model over all agents."""

    @property
    def top_speed(self) -> Floats:
        """(agents,) metres per second by which velocities are scaled."""

    def snap(self, position: Floats, rows: Rows) -> Floats:
        """(len(rows), ...) positions in these areas moved towards the middle, to where a body can stand."""

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:
        """Move all agents by one physics step; ``first`` is True in the first one after a decision."""


class Free:
    """A body can stand anywhere."""

    def snap(self, position: Floats, rows: Rows) -> Floats:  # noqa: ARG002
        """The positions as they are."""
        return position


class HolonomicMover(Free):
    """Position += speed * action * dt."""

    def __init__(self, motion: Holonomic, quantities: Quantities) -> None:
        self.top_speed = quantities.of_agents(motion.speed)

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:  # noqa: ARG002
        """Move by one physics step."""
        state.position += action * (self.top_speed[:, None] * np.float32(DT))


class CarMover(Free):
    """Turn, then drive ahead."""

    def __init__(self, motion: Car, quantities: Quantities) -> None:
        self.top_speed, self._turn = quantities.of_agents(motion.speed), quantities.of_agents(motion.turn)

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:  # noqa: ARG002
        """Move by one physics step."""
        state.yaw += self._turn * action[:, 1] * np.float32(np.radians(DT))
        state.yaw %= np.float32(2 * np.pi)
        way = self.top_speed * action[:, 0] * np.float32(DT)
        state.position[:, 0] += np.sin(state.yaw) * way
        state.position[:, 1] += np.cos(state.yaw) * way


class ForceMover(Free):
    """Accelerate, damp, drift."""

    def __init__(self, motion: Force, quantities: Quantities) -> None:
        self._force, self._mass = quantities.of_agents(motion.force), quantities.of_agents(motion.mass)
        self._damping = quantities.of_agents(motion.damping)

    @property
    def top_speed(self) -> Floats:
        """(agents,) speed at which damping eats the force."""
        return self._force / (self._mass * self._damping)

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:  # noqa: ARG002
        """Move by one physics step."""
        gain = self._force / self._mass * np.float32(DT)
        kept = np.maximum(1 - self._damping * np.float32(DT), 0)
        state.position += (state.velocity + action * gain[:, None]) * (kept * np.float32(DT))[:, None]


class TiltMover(Free):
    """Tilt the ground; the body rolls."""

    def __init__(self, motion: Tilt, quantities: Quantities) -> None:
        self.top_speed = quantities.of_agents(motion.top_speed)
        self._rate, self._most = quantities.of_agents(motion.rate), quantities.of_agents(motion.most)
        self._gravity = quantities.of_agents(motion.gravity)

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:  # noqa: ARG002
        """Move by one physics step."""
        most = np.radians(self._most)[:, None]
        state.tilt += action * (self._rate * np.float32(np.radians(DT)))[:, None]
        np.clip(state.tilt, -most, most, out=state.tilt)
        gain = np.sin(state.tilt) * (self._gravity * np.float32(DT))[:, None]
        state.position += (state.velocity + gain) * np.float32(DT)


class GridMover:
    """One jump per decision."""

    def __init__(self, motion: Grid, quantities: Quantities) -> None:
        self.top_speed = quantities.of_agents(1.0)
        self._cell = quantities.of(motion.cell)
        self._jump = quantities.of_agents(motion.cell)

    def __call__(self, state: State, action: Floats, *, first: bool) -> None:
        """Move by one physics step; only the first one after a decision jumps."""
        if first:
            state.position += np.rint(action) * self._jump[:, None]

    def snap(self, position: Floats, rows: Rows) -> Floats:
        """The middles of cells; (0, 0) is one."""
        cell = self._cell[rows].reshape(-1, *[1] * (position.ndim - 1))
        snapped: Floats = np.trunc(position / cell) * cell
        return snapped


def mover(motion: Motion, quantities: Quantities) -> Mover:
    """The mover of a motion model."""
    if isinstance(motion, Holonomic):
        return HolonomicMover(motion, quantities)
    if isinstance(motion, Car):
        return CarMover(motion, quantities)
    if isinstance(motion, Force):
        return ForceMover(motion, quantities)
    if isinstance(motion, Tilt):
        return TiltMover(motion, quantities)
    return GridMover(motion, quantities)
