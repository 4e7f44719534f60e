"""Distances and push-out: a moving circle against circles, boxes and walls on the ground plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats

Bools = NDArray[np.bool_]

SKIN = np.float32(1e-3)
"""Metres between two surfaces that still count as contact."""
PASSES = 4
"""How often the deepest overlap is resolved before the move is taken back."""
TINY = np.float32(1e-6)
"""Lengths below this have no direction."""


class Bodies(NamedTuple):
    """Circles and boxes as one shape: a rectangle grown by a radius; circles have no half size, boxes no radius."""

    centre: Floats
    """(n, e, 2)."""
    half: Floats
    """(n, e, 2) half sizes."""
    radius: Floats
    """(n, e)."""

    def rows(self, index: NDArray[np.intp] | tuple[NDArray[np.intp], NDArray[np.intp]]) -> Bodies:
        """The bodies of some areas, or one body for each of them."""
        return Bodies(self.centre[index], self.half[index], self.radius[index])


def gaps(point: Floats, bodies: Bodies) -> Floats:
    """(n, e) distance from (n, 2) points to the bodies' surfaces; 0 inside a box, negative inside a circle."""
    offset = np.abs(point[:, None] - bodies.centre)
    offset -= bodies.half
    np.maximum(offset, 0, out=offset)
    offset *= offset
    distance: Floats = np.sqrt(offset[..., 0] + offset[..., 1])
    distance -= bodies.radius
    return distance


def separations(one: Bodies, others: Bodies) -> Floats:
    """(n, e) distance between the surfaces of (n, 1) bodies and (n, e) others; negative where they overlap."""
    offset = np.abs(one.centre - others.centre) - one.half - others.half
    outside = np.maximum(offset, 0)
    apart = np.hypot(outside[..., 0], outside[..., 1]) + np.minimum(offset.max(axis=2), 0)
    distance: Floats = apart - one.radius - others.radius
    return distance


def push_out(
    position: Floats, before: Floats, reach: float, limit: Floats | None, solid: Bodies, *, passes: int = PASSES
) -> Bools:
    """Move circles out of the solid bodies and into the walls, in place.

    Up to ``passes`` times the deepest overlap is resolved along its normal and the position is held within the walls;
    where overlap remains, the circle goes back to where it was before.

    Args:
        position: (n, 2) centres after the move; changed in place.
        before: (n, 2) centres before the move, free of overlap.
        reach: the circles' radius.
        limit: (n,) greatest |x| and |z| of a centre, or None without walls.
        solid: what pushes.
        passes: 0 takes an overlapping move back at once, for bodies that stand on cells.

    Returns:
        (n, e) which bodies were in contact after the move, before the push.
    """
    hold(position, limit)
    if not solid.radius.size:
        return np.zeros(solid.radius.shape, bool)
    free = gaps(position, solid) - np.float32(reach)
    contact: Bools = free < SKIN
    rows = np.flatnonzero((free < 0).any(axis=1))
    for _ in range(passes):
        if not len(rows):
            break
        here, deepest = position[rows], free[rows].argmin(axis=1)
        here -= free[rows, deepest, None] * normals(here, solid.rows((rows, deepest)))
        hold(here, None if limit is None else limit[rows])
        position[rows] = here
        free[rows] = gaps(here, solid.rows(rows)) - np.float32(reach)
        rows = rows[(free[rows] < -SKIN / 10).any(axis=1)]
    if len(rows):
        position[rows] = before[rows]
    return contact


def hold(position: Floats, limit: Floats | None) -> None:
    """Hold (n, 2) positions within -limit..limit, in place; None leaves them."""
    if limit is not None:
        np.maximum(position, -limit[:, None], out=position)
        np.minimum(position, limit[:, None], out=position)


def normals(point: Floats, body: Bodies) -> Floats:
    """(n, 2) unit vectors out of one body each, (n, 2) and (n,); towards the nearer side from within a rectangle."""
    offset = point - body.centre
    outward = np.sign(offset) * np.maximum(np.abs(offset) - body.half, 0)
    length = np.hypot(outward[:, 0], outward[:, 1])
    inside = length < TINY
    if inside.any():
        axis = (body.half[inside] - np.abs(offset[inside])).argmin(axis=1)
        side = np.where(np.take_along_axis(offset[inside], axis[:, None], 1) < 0, -1, 1)
        outward[inside] = np.eye(2, dtype=np.float32)[axis] * side
        length[inside] = 1
    normals: Floats = outward / length[:, None]
    return normals
