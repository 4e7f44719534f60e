"""Agents as any player sends them, Unity's too, read into arrays: the trainer's side of the codec."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.codec import row_layout
from unity_mlops_mcp.protocol.images import decode_image
from unity_mlops_mcp.protocol.rows import RowLayout
from unity_mlops_mcp.protocol.simulation import (
    Actions,
    ActionSpec,
    BehaviorSpec,
    BehaviorStep,
    Decisions,
    Floats,
    Groups,
    ObservationSpec,
    Terminals,
)

_ID_SHIFTS = np.array([0, 7, 14, 21, 28], np.int64)


def behavior_of(parameters: Any, content: bytes) -> BehaviorSpec | None:
    """A behaviour from its BrainParameters and its first ListAgentInfo; None while it has no agent."""
    agents = messages.ListAgentInfo.FromString(content).value
    if not agents:
        return None
    observations = tuple(
        ObservationSpec(sensor.name or f"obs_{index}", tuple(sensor.shape))
        for index, sensor in enumerate(agents[0].observations)
    )
    return BehaviorSpec(parameters.brain_name, observations, action_spec_of(parameters))


def action_spec_of(parameters: Any) -> ActionSpec:
    """The actions that BrainParameters tell of."""
    spec = parameters.action_spec
    if spec.num_continuous_actions or spec.num_discrete_actions:
        return ActionSpec(spec.num_continuous_actions, tuple(spec.discrete_branch_sizes))
    # Players older than communicator 1.3 say it in the deprecated fields.
    sizes = tuple(parameters.vector_action_size_deprecated)
    if parameters.vector_action_space_type_deprecated == messages.SPACE_CONTINUOUS:
        return ActionSpec(sizes[0] if sizes else 0)
    return ActionSpec(0, sizes)


def empty_step(spec: BehaviorSpec) -> BehaviorStep:
    """No agent at all."""
    ids, rewards = np.zeros(0, np.int64), np.zeros(0, np.float32)
    observations = tuple(np.zeros((0, *sensor.shape), np.float32) for sensor in spec.observations)
    return BehaviorStep(
        Decisions(ids, observations, rewards), Terminals(ids, observations, rewards, interrupted=np.zeros(0, bool))
    )


def decode_agents(spec: BehaviorSpec, content: bytes) -> BehaviorStep:
    """One behaviour's ListAgentInfo.

    Raises:
        ValueError: an agent's observations have another shape than the behaviour's first agent had.
    """
    for masked in (False, True) if spec.action.branches else (False,):
        step = _rows(spec, row_layout(spec, masked=masked), content)
        if step:
            return step
    return _objects(spec, content)


def _rows(spec: BehaviorSpec, layout: RowLayout, content: bytes) -> BehaviorStep | None:
    """Read rows that our own codec wrote; None when they are anything else."""
    size = layout.record.itemsize
    if not content or len(content) % size:
        return None
    raw = np.frombuffer(content, np.uint8).reshape(-1, size)
    if not (raw[:, layout.constant] == layout.template[layout.constant]).all():
        return None
    rows = np.frombuffer(content, layout.record)
    ended = rows["done"] != 0
    last, asking = rows[ended], rows[~ended]
    masks = asking["mask"] != 0 if "mask" in (layout.record.names or ()) else None
    return BehaviorStep(
        Decisions(*_columns(spec, layout, asking), masks=masks),
        Terminals(*_columns(spec, layout, last), interrupted=last["interrupted"] != 0),
    )


def _columns(
    spec: BehaviorSpec, layout: RowLayout, rows: NDArray[np.void]
) -> tuple[NDArray[np.int64], tuple[Floats, ...], Floats]:
    ids = ((rows["id"].astype(np.int64) & 0x7F) << _ID_SHIFTS).sum(1)
    observations = tuple(
        rows[name].astype(np.float32).reshape(len(rows), *sensor.shape)
        for name, sensor in zip(layout.observations, spec.observations, strict=True)
    )
    return ids, observations, rows["reward"].astype(np.float32)


def _objects(spec: BehaviorSpec, content: bytes) -> BehaviorStep:
    agents = messages.ListAgentInfo.FromString(content).value
    asking = [agent for agent in agents if not agent.done]
    last = [agent for agent in agents if agent.done]
    return BehaviorStep(
        Decisions(*_fields(spec, asking), masks=_masks(spec.action, asking), groups=_groups(asking)),
        Terminals(
            *_fields(spec, last),
            interrupted=np.array([agent.max_step_reached for agent in last], bool),
            groups=_groups(last),
        ),
    )


def _fields(spec: BehaviorSpec, agents: Sequence[Any]) -> tuple[NDArray[np.int64], tuple[Floats, ...], Floats]:
    ids = np.array([agent.id for agent in agents], np.int64)
    observations = tuple(sensor_values(sensor, index, agents) for index, sensor in enumerate(spec.observations))
    return ids, observations, np.array([agent.reward for agent in agents], np.float32)


def sensor_values(spec: ObservationSpec, index: int, agents: Sequence[Any]) -> Floats:
    """What one sensor of some agents (AgentInfo) saw, (agents, *shape).

    Raises:
        ValueError: an observation has another shape.
    """
    seen = [agent.observations[index] for agent in agents]
    if all(one.compression_type == messages.COMPRESSION_NONE for one in seen):
        return _numbers(spec, seen)
    return np.stack([_one(spec, one) for one in seen])


def _one(spec: ObservationSpec, seen: Any) -> Floats:
    if seen.compression_type == messages.COMPRESSION_NONE:
        values: Floats = _numbers(spec, [seen])[0]
        return values
    return decode_image(seen.compressed_data, spec.shape, tuple(seen.compressed_channel_mapping))


def _numbers(spec: ObservationSpec, seen: Sequence[Any]) -> Floats:
    """Numbers as they were sent. Room is made for what is there, not for what a shape claims."""
    size, numbers = math.prod(spec.shape), array("f")
    for one in seen:
        values = one.float_data.data
        if len(values) != size:
            raise ValueError(f"{spec.name} has {len(values)} numbers where its shape {spec.shape} says {size}")
        numbers.extend(values)
    return np.array(numbers, np.float32).reshape(len(seen), *spec.shape)


def _masks(spec: ActionSpec, agents: Sequence[Any]) -> NDArray[np.bool_] | None:
    size = sum(spec.branches)
    if not any(len(agent.action_mask) for agent in agents):
        return None
    masks = np.zeros((len(agents), size), bool)
    for row, agent in enumerate(agents):
        if len(agent.action_mask) == size:
            masks[row] = agent.action_mask
    return masks


def _groups(agents: Sequence[Any]) -> Groups | None:
    if not any(agent.group_id or agent.group_reward for agent in agents):
        return None
    ids = np.array([agent.group_id for agent in agents], np.int64)
    return Groups(ids, np.array([agent.group_reward for agent in agents], np.float32))


def random_actions(spec: BehaviorSpec, decisions: Decisions, rng: np.random.Generator) -> Actions:
    """Uniform actions for every agent; a masked choice is never drawn where another one is allowed."""
    count = len(decisions.ids)
    continuous = rng.uniform(-1, 1, (count, spec.action.continuous)).astype(np.float32)
    discrete = np.zeros((count, len(spec.action.branches)), np.int32)
    start = 0
    for branch, size in enumerate(spec.action.branches):
        weights = rng.random((count, size))
        if decisions.masks is not None:
            weights -= decisions.masks[:, start : start + size]
        discrete[:, branch] = weights.argmax(1)
        start += size
    return Actions(continuous, discrete)


def not_finite(step: BehaviorStep) -> int:
    """How many numbers of a step are NaN or infinite: each stops a training."""
    arrays = (
        step.decisions.rewards,
        step.terminals.rewards,
        step.decisions.group_rewards,
        step.terminals.group_rewards,
        *step.decisions.observations,
        *step.terminals.observations,
    )
    return sum(int(np.count_nonzero(~np.isfinite(array))) for array in arrays)
