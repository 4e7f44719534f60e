"""Distances and push-out: a moving circle against circles, boxes and walls on the ground plane.

Circles and boxes are one shape, a rectangle of half size ``half`` grown by ``radius``: a circle has no half size, a
box no radius.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats

SKIN = np.float32(1e-3)
"""Metres between two surfaces that still count as contact."""
PASSES = 4
"""How often the deepest overlap is resolved before the move is taken back."""


def gaps(point: Floats, centre: Floats, half: Floats, radius: Floats) -> Floats:
    """(n, e) distance from points to the surfaces of e bodies; -radius at most where the point is deep inside.

    Args:
        point: (n, 2).
        centre: (n, e, 2).
        half: (n, e, 2) half sizes.
        radius: (n, e).
    """
    outside = np.maximum(np.abs(point[:, None] - centre) - half, 0)
    x, z = outside[..., 0], outside[..., 1]
    distance: Floats = np.sqrt(x * x + z * z) - radius
    return distance


def push_out(
    position: Floats, before: Floats, body: float, limit: Floats | None, centre: Floats, half: Floats, radius: Floats
) -> NDArray[np.bool_]:
    """Move circles out of the solid bodies and into the walls, in place.

    Up to ``PASSES`` times the deepest overlap is resolved along its normal and the position is held within the walls;
    where overlap remains, the circle goes back to where it was before.

    Args:
        position: (n, 2) centres after the move; changed in place.
        before: (n, 2) centres before the move, free of overlap.
        body: the circles' radius.
        limit: (n,) greatest |x| and |z| of a centre, or None without walls.
        centre: (n, e, 2) of the solid bodies.
        half: (n, e, 2) half sizes.
        radius: (n, e).

    Returns:
        (n, e) which bodies were in contact after the move, before the push.
    """
    hold(position, limit)
    free = gaps(position, centre, half, radius) - body
    contact = free < SKIN
    rows = np.flatnonzero((free < 0).any(axis=1)) if contact.any() else ()
    for _ in range(PASSES):
        if not len(rows):
            return contact
        deepest = free[rows].argmin(axis=1)
        here, push = position[rows], -free[rows, deepest]
        here += push[:, None] * _normals(here, centre[rows, deepest], half[rows, deepest])
        hold(here, None if limit is None else limit[rows])
        position[rows] = here
        free[rows] = gaps(here, centre[rows], half[rows], radius[rows]) - body
        rows = rows[(free[rows] < -SKIN / 10).any(axis=1)]
    position[rows] = before[rows]
    return contact


def hold(position: Floats, limit: Floats | None) -> None:
    """Hold (n, 2) positions within -limit..limit, in place; None leaves them."""
    if limit is not None:
        np.clip(position, -limit[:, None], limit[:, None], out=position)


def _normals(point: Floats, centre: Floats, half: Floats) -> Floats:
    """(n, 2) unit vectors out of one body each; +x or the nearer side where the point is inside the rectangle."""
    offset = point - centre
    outward = np.sign(offset) * np.maximum(np.abs(offset) - half, 0)
    length = np.hypot(outward[:, 0], outward[:, 1])
    inside = length < 1e-6
    if inside.any():
        depth = half[inside] - np.abs(offset[inside])
        axis = depth.argmin(axis=1)
        side = np.where(np.take_along_axis(offset[inside], axis[:, None], 1)[:, 0] < 0, -1, 1)
        outward[inside] = np.eye(2, dtype=np.float32)[axis] * side[:, None]
        length[inside] = 1
    normals: Floats = outward / length[:, None]
    return normals
