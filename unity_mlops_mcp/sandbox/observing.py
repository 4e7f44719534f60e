"""Fill the vector observation: each kind of part is one function of the state (see ``spec/observations.py``)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.choosing import choose, choose_velocity, origin, spread
from unity_mlops_mcp.sandbox.moving import Mover
from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.rays import RayCaster
from unity_mlops_mcp.sandbox.state import FAR, Rows, State
from unity_mlops_mcp.spec import observations as parts
from unity_mlops_mcp.spec.body import Tilt
from unity_mlops_mcp.spec.environment import EnvironmentSpec


class Observer:
    """Everything that the policies see, sensor by sensor in ML-Agents' order."""

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities, mover: Mover) -> None:
        self._spec, self._state, self._mover = spec, state, mover
        motion = spec.agent.motion
        self._most_tilt = quantities.of_agents(motion.most) if isinstance(motion, Tilt) else np.ones(0, np.float32)
        casters = {ray.name: RayCaster(ray, state, spec).cast for ray in spec.observations.rays}
        self._sensors = [casters.get(name, self._vector) for name, _ in spec.sensors()]

    def observe(self, rows: Rows) -> tuple[Floats, ...]:
        """One (rows, size) array per sensor, freshly allocated."""
        return tuple(sensor(rows) for sensor in self._sensors)

    def _vector(self, rows: Rows) -> Floats:
        return np.concatenate([PARTS[part.kind](self, part, rows) for part in self._spec.observations.vector], axis=1)

    def _position(self, part: parts.Position, rows: Rows) -> Floats:  # noqa: ARG002
        return self._state.position[rows] / self._state.extent[rows, None]

    def _relative(self, part: parts.Relative, rows: Rows) -> Floats:
        offset, exists = self._offset(part, rows)
        return offset / (2 * self._state.extent[rows, None]) * exists

    def _bearing(self, part: parts.Bearing, rows: Rows) -> Floats:
        offset, exists = self._offset(part, rows)
        distance = np.hypot(offset[:, 0], offset[:, 1])[:, None]
        direction = offset / np.maximum(distance, np.float32(1e-6))
        return np.concatenate([direction, distance / (2 * self._state.extent[rows, None])], axis=1) * exists

    def _offset(self, part: parts.Relative | parts.Bearing, rows: Rows) -> tuple[Floats, NDArray[np.bool_]]:
        centre = choose(self._state, part.of, part.pick, rows, part.subject)
        seen_from = origin(self._state, part.subject, rows)
        exists = centre[:, :1] < FAR
        if part.subject:
            exists = exists & (seen_from[:, :1] < FAR)
        return self._framed(centre - seen_from, part.frame, rows), exists

    def _velocity(self, part: parts.Velocity, rows: Rows) -> Floats:
        state = self._state
        velocity = choose_velocity(state, part.of, part.pick, rows) if part.of else state.velocity[rows]
        return self._framed(velocity / self._mover.top_speed[rows, None], part.frame, rows)

    def _framed(self, vector: Floats, frame: parts.Frame, rows: Rows) -> Floats:
        if frame == "world":
            return vector
        sin, cos = np.sin(self._state.yaw[rows]), np.cos(self._state.yaw[rows])
        x, z = vector[:, 0], vector[:, 1]
        return np.stack([x * cos - z * sin, x * sin + z * cos], axis=1)

    def _heading(self, part: parts.Heading, rows: Rows) -> Floats:  # noqa: ARG002
        yaw = self._state.yaw[rows]
        return np.stack([np.sin(yaw), np.cos(yaw)], axis=1)

    def _wall_distance(self, part: parts.WallDistance, rows: Rows) -> Floats:  # noqa: ARG002
        position, extent = self._state.position[rows], self._state.extent[rows, None]
        sides = np.stack([position[:, 0], -position[:, 0], position[:, 1], -position[:, 1]], axis=1)
        return (extent - sides) / (2 * extent)

    def _time_left(self, part: parts.TimeLeft, rows: Rows) -> Floats:  # noqa: ARG002
        left = 1 - spread(self._state, self._state.step, rows)[:, None] / self._spec.episode.max_step
        return left.astype(np.float32)

    def _progress(self, part: parts.Progress, rows: Rows) -> Floats:
        count = spread(self._state, self._state.count[part.of], rows)
        share = self._state.current(part.of)[rows, None] / count[:, None]
        return share.astype(np.float32)

    def _one_hot(self, part: parts.OneHot, rows: Rows) -> Floats:
        return np.eye(self._spec.most(part.of), dtype=np.float32)[self._state.current(part.of)[rows]]

    def _remaining(self, part: parts.Remaining, rows: Rows) -> Floats:
        state = self._state
        share = state.there(part.of).sum(axis=1) / np.maximum(state.count[part.of], 1)
        return spread(state, share.astype(np.float32), rows)[:, None]

    def _tilt(self, part: parts.TiltAngles, rows: Rows) -> Floats:  # noqa: ARG002
        share: Floats = self._state.tilt[rows] / (self._most_tilt[rows, None] * np.float32(np.pi / 180))
        return share

    def _team(self, part: parts.TeamRole, rows: Rows) -> Floats:  # noqa: ARG002
        return np.eye(len(self._spec.teams), dtype=np.float32)[self._state.crew.side[rows]]


PARTS: dict[str, Callable[..., Floats]] = {
    kind: getattr(Observer, f"_{kind}") for kind in (*parts.PART_SIZES, "one_hot", "team")
}
"""Kind of vector part -> what computes it."""
