"""Choose whom a part of the spec speaks of: the nearest, current or next instance of a group, or their mean."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.state import FAR, Rows, State
from unity_mlops_mcp.spec.observations import Pick

T = TypeVar("T", bound=np.generic)


def choose(state: State, of: str, pick: Pick, rows: Rows, subject: str | None = None) -> Floats:
    """(rows, 2) centre of the chosen instance, for each of these agents; FAR where none exists.

    Args:
        state: of the world.
        of: an entity, ``opponent`` or ``mate``.
        pick: which instance.
        rows: of the agents.
        subject: the entity from which the nearest one is looked for; None: the agent.
    """
    centres = _places(state, of, rows)
    if centres.shape[1] == 1:
        return centres[:, 0]
    if pick == "mean":
        return _mean(centres, centres, FAR)
    if pick != "nearest":
        return _taken(centres, _turn(state, of, pick, rows))
    return _taken(centres, _nearest(centres, origin(state, subject, rows)))


def choose_velocity(state: State, of: str, pick: Pick, rows: Rows) -> Floats:
    """(rows, 2) velocity of the chosen instance, m/s; zeros where none exists. Arguments as of ``choose``."""
    centres, velocities = _places(state, of, rows), _velocities(state, of, rows)
    if centres.shape[1] == 1 or pick == "mean":
        return _mean(centres, velocities, np.float32(0))
    index = _nearest(centres, state.position[rows]) if pick == "nearest" else _turn(state, of, pick, rows)
    velocity: Floats = _taken(velocities, index) * (_taken(centres, index)[:, :1] < FAR)
    return velocity


def origin(state: State, subject: str | None, rows: Rows) -> Floats:
    """(rows, 2) where the subject is: the agent itself, or the entity of which there is one."""
    if subject is None:
        return state.position[rows]
    return spread(state, state.centre[:, state.slots.of[subject].start], rows)


def spread(state: State, values: NDArray[T], rows: Rows) -> NDArray[T]:
    """What an array with a row per area says for these agents."""
    return values[rows] if state.crew.size == 1 else values[state.crew.area[rows]]


def _places(state: State, of: str, rows: Rows) -> Floats:
    """(rows, k, 2) centres of all instances."""
    if of in state.slots.of:
        return spread(state, state.centre[:, state.slots.of[of]], rows)
    group = state.crew.groups[of][rows]
    places = state.position[group]
    places[group == np.arange(len(state.position))[rows, None]] = FAR
    return places


def _velocities(state: State, of: str, rows: Rows) -> Floats:
    if of in state.slots.of:
        return spread(state, state.entity_velocity[:, state.slots.of[of]], rows)
    return state.velocity[state.crew.groups[of][rows]]


def _nearest(centres: Floats, place: Floats) -> NDArray[np.intp]:
    offset = centres - place[:, None]
    nearest: NDArray[np.intp] = (offset * offset).sum(axis=2).argmin(axis=1)
    return nearest


def _turn(state: State, of: str, pick: Pick, rows: Rows) -> NDArray[np.intp]:
    turn: NDArray[np.intp] = (state.visits[of][rows] + (pick == "next")) % spread(state, state.count[of], rows)
    return turn


def _taken(values: Floats, index: NDArray[np.intp]) -> Floats:
    chosen: Floats = np.take_along_axis(values, index[:, None, None], axis=1)[:, 0]
    return chosen


def _mean(centres: Floats, values: Floats, otherwise: np.float32) -> Floats:
    """(rows, 2) mean of the values of what exists."""
    there = centres[..., :1] < FAR
    count = there.sum(axis=1)
    total = np.where(there, values, np.float32(0)).sum(axis=1)
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), otherwise).astype(np.float32)
    return mean
