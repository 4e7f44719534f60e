"""Agents to wire rows and actions back, by arrays: what makes a player in Python as fast as the transport allows.

Every AgentInfo of a behaviour has the same length when its id is a padded 5-byte varint, which all protobuf parsers
accept. So a row is a numpy record with the constant bytes filled in once, and an exchange overwrites columns. Actions
come back as rows of equal length and are read the same way; where they are not equal, as protobuf objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.rows import RowLayout, RowWriter
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, BehaviorStep, Decisions
from unity_mlops_mcp.protocol.wire import FIXED32, LENGTH, VARINT, block, fields, tag, varint

_PADDED_ID = b"\x80\x80\x80\x80\x00"
_ID_SHIFTS = np.array([0, 7, 14, 21, 28], np.int64)
_ID_MORE = np.array([0x80, 0x80, 0x80, 0x80, 0], np.int64)
_ID_LIMIT = 0x7FFFFFFF
_ONE_BYTE = 128

# ML-Agents' DimensionProperty by rank: vectors have none, rank 2 is a list of variable length, rank 3 an image.
_DIMENSIONS = {1: (1,), 2: (4, 1), 3: (1, 2, 2)}


def _observation(index: int, name: str, shape: tuple[int, ...], *, described: bool) -> RowWriter:
    size = int(np.prod(shape))
    data, sensor = RowWriter(), RowWriter()
    data.column(f"observation{index}", ("<f4", (size,)), tag(1, LENGTH) + varint(4 * size), bytes(4 * size))
    sensor.content = block(1, b"".join(map(varint, shape)))
    sensor.wrap(4, data)
    if described:
        sensor.content += block(6, bytes(_DIMENSIONS.get(len(shape), (0,) * len(shape)))) + block(8, name.encode())
    return sensor


@lru_cache(maxsize=64)
def row_layout(spec: BehaviorSpec, *, described: bool = False, masked: bool = False) -> RowLayout:
    """The record of one agent, as an element of ListAgentInfo.value.

    Args:
        spec: the behaviour.
        described: also say each sensor's name and dimension properties, which trainers read only from the message that
            introduces the behaviour.
        masked: with a mask of the discrete actions.
    """
    row, info = RowWriter(), RowWriter()
    info.column("reward", "<f4", tag(7, FIXED32), bytes(4))
    info.column("done", "u1", tag(8, VARINT), b"\0")
    info.column("interrupted", "u1", tag(9, VARINT), b"\0")
    info.column("id", ("u1", (5,)), tag(10, VARINT), _PADDED_ID)
    if masked:
        size = sum(spec.action.branches)
        info.column("mask", ("u1", (size,)), tag(11, LENGTH) + varint(size), bytes(size))
    for index, sensor in enumerate(spec.observations):
        info.wrap(13, _observation(index, sensor.name, sensor.shape, described=described))
    row.wrap(1, info)
    return row.layout()


def _rows(layout: RowLayout, agents: Decisions) -> NDArray[np.void]:
    count = len(agents.ids)
    rows = layout.copies(count)
    rows["reward"] = agents.rewards
    rows["id"] = (agents.ids[:, None] & _ID_LIMIT) >> _ID_SHIFTS & 0x7F | _ID_MORE
    for name, values in zip(layout.observations, agents.observations, strict=True):
        rows[name] = values.reshape(count, -1)
    return rows


def encode_agents(spec: BehaviorSpec, step: BehaviorStep, *, described: bool = False) -> bytes:
    """One behaviour's ListAgentInfo: first the agents that ended, then those that decide."""
    parts = []
    if len(step.terminals.ids):
        ended = _rows(row_layout(spec, described=described), step.terminals)
        ended["done"] = 1
        ended["interrupted"] = step.terminals.interrupted
        parts.append(ended.tobytes())
    if len(step.decisions.ids):
        masks = step.decisions.masks
        rows = _rows(row_layout(spec, described=described, masked=masks is not None), step.decisions)
        if masks is not None:
            rows["mask"] = masks
        parts.append(rows.tobytes())
    return b"".join(parts)


def no_actions(spec: ActionSpec, count: int) -> Actions:
    """All zeros: what an agent does for which the trainer sent nothing."""
    return Actions(np.zeros((count, spec.continuous), np.float32), np.zeros((count, len(spec.branches)), np.int32))


def decode_actions(spec: ActionSpec, content: bytes, count: int) -> Actions:
    """The actions in a ListAgentAction, one row per agent.

    Raises:
        ValueError: the number of agents or of actions is not the one asked for.
    """
    if not content:
        return no_actions(spec, count)
    return _equal_rows(spec, content, count) or _objects(spec, content, count)


def _equal_rows(spec: ActionSpec, content: bytes, count: int) -> Actions | None:
    """Read rows that are laid out as the first one is; None when they are not."""
    size, ragged = divmod(len(content), count) if count else (0, 1)
    (_, start, end) = next(fields(content, 0, len(content)))
    if ragged or end != size:
        return None
    where = {number: (first, last) for number, first, last in fields(content, start, end)}
    continuous, discrete = where.get(6, (0, 0)), where.get(7, (0, 0))
    sizes = (continuous[1] - continuous[0], discrete[1] - discrete[0])
    if sizes != (4 * spec.continuous, len(spec.branches)):
        return None
    rows = np.frombuffer(content, np.uint8).reshape(count, size)
    choices = rows[:, slice(*discrete)]
    if not _same_layout(rows, (where.get(1, (0, 0)), continuous, discrete)) or (choices >= _ONE_BYTE).any():
        return None
    values = np.ascontiguousarray(rows[:, slice(*continuous)]).view("<f4").reshape(count, -1)
    return Actions(values.astype(np.float32, copy=False), choices.astype(np.int32))


def _same_layout(rows: NDArray[np.uint8], values: Sequence[tuple[int, int]]) -> bool:
    """Whether all bytes outside of the values, the tags and lengths, are the same in every row."""
    constant = np.ones(rows.shape[1], bool)
    for first, last in values:
        constant[first:last] = False
    frame = rows[:, constant]
    return bool((frame == frame[0]).all())


def _objects(spec: ActionSpec, content: bytes, count: int) -> Actions:
    agents = messages.ListAgentAction.FromString(content).value
    if len(agents) != count:
        raise ValueError(f"the trainer sent actions for {len(agents)} agents, where {count} asked for a decision")
    continuous = np.array([agent.continuous_actions for agent in agents], np.float32)
    discrete = np.array([agent.discrete_actions for agent in agents], np.int32)
    return Actions(
        continuous.reshape(count, spec.continuous),
        discrete.reshape(count, len(spec.branches)),
    )


@lru_cache(maxsize=64)
def _action_layout(continuous: int, discrete: int) -> RowLayout:
    """The record of one agent's actions, as an element of ListAgentAction.value; each choice takes one byte."""
    both = continuous + discrete
    row, action = RowWriter(), RowWriter()
    action.column("both", ("<f4", (both,)), tag(1, LENGTH) + varint(4 * both), bytes(4 * both))
    if continuous:
        action.column(
            "continuous", ("<f4", (continuous,)), tag(6, LENGTH) + varint(4 * continuous), bytes(4 * continuous)
        )
    if discrete:
        action.column("discrete", ("u1", (discrete,)), tag(7, LENGTH) + varint(discrete), bytes(discrete))
    row.wrap(1, action)
    return row.layout()


def encode_actions(actions: Actions) -> bytes:
    """A ListAgentAction, with the deprecated field filled as ML-Agents does, for players older than 1.3."""
    if (actions.discrete >= _ONE_BYTE).any():
        return _encode_objects(actions)
    count, continuous = actions.continuous.shape
    layout = _action_layout(continuous, actions.discrete.shape[1])
    rows = layout.copies(count)
    rows["both"] = np.concatenate([actions.continuous, actions.discrete], 1, dtype=np.float32)
    for name in layout.record.names or ():
        if name != "both":
            rows[name] = getattr(actions, name)
    return rows.tobytes()


def _encode_objects(actions: Actions) -> bytes:
    agents = messages.ListAgentAction()
    for continuous, discrete in zip(actions.continuous.tolist(), actions.discrete.tolist(), strict=True):
        agents.value.add(
            vector_actions_deprecated=continuous + discrete, continuous_actions=continuous, discrete_actions=discrete
        )
    content: bytes = agents.SerializeToString()
    return content
