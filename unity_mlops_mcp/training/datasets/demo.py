"""ML-Agents' demonstration files: what its Demonstration Recorder writes and its trainer reads.

A file is DemonstrationMeta, BrainParameters from byte 33 on, then one AgentInfoActionPair per decision; each message
stands after its length as a varint. A pair's reward is that of the action before it; the last pair of an episode has
``done``, and its action means nothing (``mlagents/trainers/demo_loader.py`` of ML-Agents 1.1.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.agents import action_spec_of, sensor_values
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, Floats, ObservationSpec
from unity_mlops_mcp.protocol.wire import delimited, varint
from unity_mlops_mcp.training.datasets.records import Outcome, Trajectory, as_choices, require_behavior

SUFFIX = ".demo"
_META_ROOM = 33
_NAME_ROOM = 8
"""Letters of the name that surely leave room for the other figures of the metadata."""
_VERSION = 1
_DIMENSION_NONE, _DIMENSION_TRANSLATED = 1, 2
_CLOSED_STEPS = 10_000_000
"""More steps than one file holds: a figure beyond it comes from damage."""


def read_demo(path: Path, content: bytes) -> tuple[BehaviorSpec, tuple[Trajectory, ...], tuple[str, ...]]:
    """The behaviour of a .demo file, its episodes, and what was passed over.

    Raises:
        InvalidInputError: it is no demonstration, or holds no decision.
    """
    remarks: list[str] = []
    try:
        parameters, pairs = _messages(content, remarks)
        behavior = _behavior(parameters, pairs[0].agent_info)
        episodes = tuple(_trajectories(behavior, pairs))
    except (DecodeError, IndexError, ValueError) as error:
        raise _foreign(path, str(error) or "it does not follow the format") from error
    return behavior, episodes, tuple(f"{path.name}: {told}" for told in remarks)


def _behavior(parameters: Any, first: Any) -> BehaviorSpec:
    """From BrainParameters and the first AgentInfo, which alone knows the sensors."""
    sensors = tuple(
        ObservationSpec(sensor.name or f"obs_{index}", tuple(sensor.shape))
        for index, sensor in enumerate(first.observations)
    )
    name = parameters.brain_name.partition("?")[0]
    return require_behavior(BehaviorSpec(name, sensors, action_spec_of(parameters)))


def _messages(content: bytes, remarks: list[str]) -> tuple[Any, list[Any]]:
    """The behaviour and all pairs; a recording that was cut off ends at its last whole pair."""
    first = next(delimited(content, 0), None)
    if first is None:
        raise ValueError("it is empty")
    meta = messages.DemonstrationMeta.FromString(content[first[0] : first[1]])
    if meta.api_version not in (0, _VERSION):
        raise ValueError(f"its version is {meta.api_version}")
    rest = delimited(content, _META_ROOM)
    second = next(rest, None)
    if second is None:
        raise ValueError("it ends before the behaviour")
    parameters = messages.BrainParameters.FromString(content[second[0] : second[1]])
    most = meta.number_steps if 0 < meta.number_steps < _CLOSED_STEPS else _CLOSED_STEPS
    pairs, end = _decisions(content, islice(rest, most))
    if meta.number_steps and len(pairs) < meta.number_steps:
        remarks.append(f"it was cut off: {len(pairs)} of {meta.number_steps} decisions are there")
    elif not meta.number_steps:
        remarks.append("its recording was not closed; what is there was read")
        if end < len(content):
            remarks.append("its last decision is incomplete and was left out")
    return parameters, pairs


def _decisions(content: bytes, places: Iterator[tuple[int, int]]) -> tuple[list[Any], int]:
    """The pairs, and where the last one ends; zeros, which a crash can leave at the end of a file, are none."""
    pairs: list[Any] = []
    last = 0
    for start, end in takewhile(lambda place: place[0] < place[1], places):
        pairs.append(messages.AgentInfoActionPair.FromString(content[start:end]))
        counts = [len(pair.agent_info.observations) for pair in (pairs[0], pairs[-1])]
        if counts[0] != counts[1] or not counts[0]:
            raise ValueError(f"decision {len(pairs)} has {counts[1]} observations, the first {counts[0]}")
        last = end
    if not pairs:
        raise ValueError("it holds no decision")
    return pairs, last


def _trajectories(behavior: BehaviorSpec, pairs: Sequence[Any]) -> Iterator[Trajectory]:
    start = 0
    for index, pair in enumerate(pairs):
        info = pair.agent_info
        if info.done or index == len(pairs) - 1:
            outcome: Outcome = "cut" if not info.done else "timeout" if info.max_step_reached else "ended"
            if index > start:
                yield _trajectory(behavior, pairs[start : index + 1], outcome)
            start = index + 1


def _trajectory(behavior: BehaviorSpec, pairs: Sequence[Any], outcome: Outcome) -> Trajectory:
    infos = [pair.agent_info for pair in pairs]
    seen = tuple(sensor_values(sensor, index, infos) for index, sensor in enumerate(behavior.observations))
    return Trajectory(
        observations=tuple(values[:-1] for values in seen),
        actions=_actions(behavior.action, [pair.action_info for pair in pairs[:-1]]),
        rewards=np.array([info.reward + info.group_reward for info in infos[1:]], np.float32),
        outcome=outcome,
        last=tuple(values[-1] for values in seen),
    )


def _actions(spec: ActionSpec, pairs: Sequence[Any]) -> Actions:
    """What was done, from AgentActions."""
    chosen = [_parts(spec, action) for action in pairs]
    continuous = np.array([one for one, _ in chosen], np.float32)
    discrete = np.array([as_choices(one, spec.branches) for _, one in chosen], np.int32)
    return Actions(continuous.reshape(len(chosen), spec.continuous), discrete.reshape(len(chosen), len(spec.branches)))


def _parts(spec: ActionSpec, action: Any) -> tuple[list[float], list[float]]:
    """Continuous and discrete parts; recorders older than communicator 1.3 know one list for either."""
    if len(action.continuous_actions) or len(action.discrete_actions):
        return list(action.continuous_actions), list(action.discrete_actions)
    old = list(action.vector_actions_deprecated)
    return (old, []) if spec.continuous else ([], old)


def write_demo(path: Path, behavior: BehaviorSpec, trajectories: Sequence[Trajectory], *, gain: float = 1.0) -> None:
    """Write a .demo file that mlagents and Unity read; it appears whole or not at all.

    Args:
        path: where; its name without suffix is the demonstration's name.
        behavior: whose decisions they are.
        trajectories: the episodes.
        gain: what continuous actions are multiplied by.
    """
    pairs = [pair for trajectory in trajectories for pair in _pairs(behavior, trajectory, gain)]
    returns = [float(trajectory.rewards.sum()) for trajectory in trajectories]
    meta = messages.DemonstrationMeta(
        api_version=_VERSION,
        demonstration_name="".join(letter for letter in path.stem if letter.isalnum())[:_NAME_ROOM],
        number_steps=len(pairs),
        number_episodes=len(trajectories),
        mean_reward=float(np.mean(returns)) if returns else 0.0,
    )
    parameters = messages.BrainParameters(brain_name=behavior.name.partition("?")[0], is_training=True)
    parameters.action_spec.num_continuous_actions = behavior.action.continuous
    parameters.action_spec.num_discrete_actions = len(behavior.action.branches)
    parameters.action_spec.discrete_branch_sizes.extend(behavior.action.branches)
    head = _delimited(meta).ljust(_META_ROOM, b"\0")
    write_atomically(path, head + b"".join(map(_delimited, (parameters, *pairs))))


def _delimited(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return varint(len(content)) + content


def _pairs(behavior: BehaviorSpec, trajectory: Trajectory, gain: float) -> Iterator[Any]:
    """One message per decision, and one for the end, which mlagents needs to see that the episode is over."""
    count = len(trajectory)
    for index in range(count + 1):
        over = index == count
        pair = messages.AgentInfoActionPair()
        info, action = pair.agent_info, pair.action_info
        info.reward = float(trajectory.rewards[index - 1]) if index else 0.0
        info.done = over
        info.max_step_reached = over and trajectory.outcome == "timeout"
        last = trajectory.last or tuple(values[-1] for values in trajectory.observations)
        seen = last if over else tuple(values[index] for values in trajectory.observations)
        for sensor, values in zip(behavior.observations, seen, strict=True):
            info.observations.append(_observation(sensor, values))
        chosen = min(index, count - 1)
        continuous = (trajectory.actions.continuous[chosen] * gain).tolist()
        discrete = trajectory.actions.discrete[chosen].tolist()
        action.continuous_actions.extend(continuous)
        action.discrete_actions.extend(discrete)
        action.vector_actions_deprecated.extend(continuous or map(float, discrete))
        yield pair


def _observation(sensor: ObservationSpec, values: Floats) -> Any:
    image = len(sensor.shape) == 3  # noqa: PLR2004 - channels, height, width
    kinds = (_DIMENSION_NONE, _DIMENSION_TRANSLATED, _DIMENSION_TRANSLATED) if image else ()
    message = messages.Observation(name=sensor.name, shape=sensor.shape)
    message.dimension_properties.extend(kinds or (_DIMENSION_NONE,) * len(sensor.shape))
    message.float_data.data.extend(values.ravel().tolist())
    return message


def _foreign(path: Path, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"{path} is no demonstration that can be read: {reason}.",
        fix="Record it anew with the Demonstration Recorder or record_demonstrations, and let the recording end.",
        cause="dataset",
    )
