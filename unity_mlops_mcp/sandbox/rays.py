"""Analytic rays against circles, boxes and walls, laid out as ML-Agents' RayPerceptionSensor lays them out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.state import State
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.observations import RaySensor

INFINITE = np.float32(1e9)

Rows = NDArray[np.intp] | slice


class RayCaster:
    """One ray sensor over all areas."""

    def __init__(self, sensor: RaySensor, state: State, *, walls: bool) -> None:
        self._sensor, self._state, self._walls = sensor, state, walls
        angles = np.radians(np.array(sensor.angles))
        self._right, self._ahead = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        slots = state.slots
        seen = [slots.tags[i] for i in (*slots.circles, *slots.boxes)] + [WALL_TAG] * walls
        # Row i is what a ray that hits body i reports; tags that the sensor does not list block it unseen.
        self._one_hot = np.array([[float(tag == own) for tag in sensor.tags] for own in seen], np.float32)

    def cast(self, rows: Rows) -> Floats:
        """(rows, (tags + 2) * rays) observations of the agents in these areas."""
        distances = self._distances(rows)
        out = np.zeros((*distances.shape[:2], len(self._sensor.tags) + 2), np.float32)
        if distances.shape[2]:
            nearest = distances.argmin(axis=2)
            distance = np.take_along_axis(distances, nearest[..., None], 2)[..., 0]
            hit = distance <= self._sensor.length
            out[..., :-2] = self._one_hot[nearest] * hit[..., None]
            out[..., -2] = ~hit
            out[..., -1] = np.where(hit, distance / np.float32(self._sensor.length), 1)
        else:
            out[..., -2:] = 1
        return out.reshape(len(out), -1)

    def _distances(self, rows: Rows) -> Floats:
        """(rows, rays, bodies) distance along each ray to each body; infinite where it misses."""
        state, slots = self._state, self._state.slots
        yaw, origin = state.yaw[rows], state.position[rows]
        cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
        x = self._right * cos + self._ahead * sin
        z = self._ahead * cos - self._right * sin
        parts = []
        if len(slots.circles):
            offset = state.centre[rows][:, slots.circles] - origin[:, None]
            parts.append(_to_circles(x[..., None], z[..., None], offset, state.radius[rows][:, slots.circles]))
        if len(slots.boxes):
            offset = state.centre[rows][:, slots.boxes] - origin[:, None]
            parts.append(_to_boxes(x[..., None], z[..., None], offset, state.half[rows][:, slots.boxes]))
        if self._walls:
            parts.append(_to_walls(x, z, origin, state.half_extent[rows])[..., None])
        return np.concatenate(parts, axis=2) if parts else np.zeros((*x.shape, 0), np.float32)


def _to_circles(x: Floats, z: Floats, offset: Floats, radius: Floats) -> Floats:
    """Distance to where (n, rays, 1) unit directions enter circles at (n, c, 2) from the origin."""
    right, ahead = offset[:, None, :, 0], offset[:, None, :, 1]
    along = x * right + z * ahead
    aside = x * ahead - z * right
    chord = radius[:, None] ** 2 - aside * aside
    distance = along - np.sqrt(np.maximum(chord, 0))
    return np.where((chord >= 0) & (distance >= 0), distance, INFINITE)


def _to_boxes(x: Floats, z: Floats, offset: Floats, half: Floats) -> Floats:
    """Distance to where (n, rays, 1) unit directions enter boxes at (n, b, 2) from the origin (slab method)."""
    near, far = -INFINITE, INFINITE
    for axis, along in enumerate((x, z)):
        inverse = 1 / np.where(np.abs(along) < 1e-9, np.float32(1e-9), along)
        first = (offset[:, None, :, axis] - half[:, None, :, axis]) * inverse
        second = (offset[:, None, :, axis] + half[:, None, :, axis]) * inverse
        near, far = np.maximum(near, np.minimum(first, second)), np.minimum(far, np.maximum(first, second))
    return np.where((near <= far) & (near >= 0), near, INFINITE)


def _to_walls(x: Floats, z: Floats, origin: Floats, half_extent: Floats) -> Floats:
    """Distance to the inner side of the nearest wall ahead; infinite from outside of the arena."""
    distances = []
    for axis, along in enumerate((x, z)):
        along = np.where(np.abs(along) < 1e-9, np.float32(1e-9), along)
        room = np.copysign(half_extent[:, None], along) - origin[:, axis, None]
        distances.append(room / along)
    distance = np.minimum(*distances)
    return np.where(distance >= 0, distance, INFINITE)
