"""Analytic rays against circles, boxes and walls, laid out as ML-Agents' RayPerceptionSensor lays them out."""

from __future__ import annotations

import numpy as np

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.state import Rows, State
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.observations import RaySensor

MISS = np.float32(1e9)
"""The distance to what a ray does not meet."""
PARALLEL = np.float32(1e-9)
"""Stands for a direction component of 0 where one divides by it."""


class RayCaster:
    """One ray sensor over all areas."""

    def __init__(self, sensor: RaySensor, state: State, spec: EnvironmentSpec) -> None:
        self._sensor, self._state, self._walls = sensor, state, spec.arena.walls
        self._reach = np.float32(spec.agent.radius)
        angles = np.radians(np.array(sensor.angles))
        self._right, self._ahead = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        slots = state.slots
        agents = [side.name for side in spec.sides for _ in range(side.count)] if spec.agents_per_area > 1 else []
        seen = [*slots.tags[slots.circles], *slots.tags[slots.boxes], *agents, *[WALL_TAG] * self._walls]
        # Row i: what a ray that hits body i reports. A tag that the sensor does not list blocks the ray unseen.
        self._one_hot = np.array([[tag == own for tag in sensor.tags] for own in seen], np.float32)

    def cast(self, rows: Rows) -> Floats:
        """(rows, (tags + 2) * rays) observations of the agents in these areas."""
        distances = self._distances(rows)
        tags, length = len(self._sensor.tags), np.float32(self._sensor.length)
        out = np.zeros((*distances.shape[:2], tags + 2), np.float32)
        out[..., tags:] = 1
        if distances.shape[2]:
            distance = distances.min(axis=2)
            hit = distance <= length
            out[..., :tags] = self._one_hot[distances.argmin(axis=2)] * hit[..., None]
            out[..., tags] = ~hit
            out[..., tags + 1] = np.minimum(distance / length, 1)
        return out.reshape(len(out), -1)

    def _distances(self, rows: Rows) -> Floats:
        """(rows, rays, bodies) distance along each ray to circles, boxes, agents and walls."""
        state, slots = self._state, self._state.slots
        x, z = self._directions(state.yaw[rows])
        origin = state.position[rows]
        areas = rows if state.crew.size == 1 else state.crew.area[rows]
        offset = state.centre[areas] - origin[:, None]
        circles, boxes = offset[:, slots.circles], offset[:, slots.boxes]
        parts = [_to_circles(x, z, circles, state.radius[areas][:, slots.circles])]
        if boxes.size:
            parts.append(_to_boxes(x, z, boxes, state.half[areas][:, slots.boxes]))
        if state.crew.size > 1:
            # Its own body is among them, and is not seen, as the rays start inside of it.
            bodies = state.position.reshape(-1, state.crew.size, 2)[areas] - origin[:, None]
            parts.append(_to_circles(x, z, bodies, np.full((len(bodies), 1), self._reach)))
        if self._walls:
            parts.append(_to_walls(x, z, origin, state.extent[rows]))
        return np.concatenate(parts, axis=2)

    def _directions(self, yaw: Floats) -> tuple[Floats, Floats]:
        """(rows, rays, 1) x and z of the rays' unit directions in the world."""
        cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
        x = self._right * cos + self._ahead * sin
        z = self._ahead * cos - self._right * sin
        return x[..., None], z[..., None]


def _to_circles(x: Floats, z: Floats, offset: Floats, radius: Floats) -> Floats:
    """(n, rays, c) distance to where directions (n, rays, 1) enter circles at (n, c, 2); none from inside."""
    right, ahead = offset[:, None, :, 0], offset[:, None, :, 1]
    along = x * right + z * ahead
    aside = x * ahead - z * right
    aside *= aside
    chord = (radius * radius)[:, None] - aside
    along -= np.sqrt(np.maximum(chord, 0))
    along[(chord < 0) | (along < 0)] = MISS
    return along


def _to_boxes(x: Floats, z: Floats, offset: Floats, half: Floats) -> Floats:
    """(n, rays, b) distance to where directions (n, rays, 1) enter boxes at (n, b, 2) (slab method)."""
    near, far = -MISS, MISS
    for axis, direction in enumerate((x, z)):
        inverse = 1 / _nonzero(direction)
        first = (offset[:, None, :, axis] - half[:, None, :, axis]) * inverse
        second = (offset[:, None, :, axis] + half[:, None, :, axis]) * inverse
        near, far = np.maximum(near, np.minimum(first, second)), np.minimum(far, np.maximum(first, second))
    distance: Floats = np.where((near <= far) & (near >= 0), near, MISS)
    return distance


def _to_walls(x: Floats, z: Floats, origin: Floats, half_extent: Floats) -> Floats:
    """(n, rays, 1) distance to the inner side of the nearest wall ahead."""
    extent = half_extent[:, None, None]
    to_x = (np.copysign(extent, x) - origin[:, None, :1]) / _nonzero(x)
    to_z = (np.copysign(extent, z) - origin[:, None, 1:]) / _nonzero(z)
    distance: Floats = np.minimum(to_x, to_z)
    return distance


def _nonzero(direction: Floats) -> Floats:
    return np.where(np.abs(direction) < PARALLEL, PARALLEL, direction)
