"""The conversation with a player, without pickling between threads and without a Python object per number."""

from __future__ import annotations

import functools
import math
import queue
from collections.abc import Callable
from typing import Any

import numpy as np
from mlagents_envs import rpc_communicator, rpc_utils
from mlagents_envs.communicator_objects.command_pb2 import STEP
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
from mlagents_envs.communicator_objects.unity_to_external_pb2_grpc import UnityToExternalProtoServicer

PATIENCE_S = 0.5  # how often a wait for a player looks whether it still lives


class TrainerEnd:
    """The trainer's end of the conversation, with the methods of a Connection that the communicator calls."""

    def __init__(self, requests: queue.SimpleQueue[Any], replies: queue.SimpleQueue[Any]) -> None:
        self._requests, self._replies = requests, replies
        self._peeked: list[Any] = []

    def send(self, message: Any) -> None:
        """Answer the player's request, now or when it comes."""
        self._replies.put(message)

    def recv(self) -> Any:
        """The player's next request; waits for it."""
        return self._peeked.pop() if self._peeked else self._requests.get()

    def poll(self, timeout: float) -> bool:
        """Whether a request is there, after at most ``timeout`` seconds, and no more than PATIENCE_S."""
        if not self._peeked:
            try:
                self._peeked.append(self._requests.get(timeout=min(max(timeout, 0.05), PATIENCE_S)))
            except queue.Empty:
                return False
        return True

    def close(self) -> None:
        """Nothing to close: what was sent last is still to be delivered."""


class QueueServicer(UnityToExternalProtoServicer):  # type: ignore[misc]
    """The gRPC service that players call, over two queues in this process.

    Attributes:
        parent_conn: the trainer's end.
        arrived: called from the gRPC thread when a request has come; None while somebody waits at parent_conn.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.parent_conn = TrainerEnd(self._requests, self._replies)
        self.arrived: Callable[[], None] | None = None

    def Exchange(self, request: Any, _context: object) -> Any:  # noqa: N802 - the name in the protocol
        """What the player reports, for what it is to do next."""
        self._requests.put(request)
        if self.arrived is not None:
            self.arrived()
        return self._replies.get()


def _initialize(self: Any, inputs: Any, poll_callback: Any = None) -> Any:
    """RpcCommunicator.initialize, which would wait for ever for a player that dies after its first message."""
    connection = self.unity_to_external.parent_conn
    self.poll_for_timeout(poll_callback)
    parameters = connection.recv().unity_output
    message = UnityMessageProto()
    message.header.status = 200
    message.unity_input.CopyFrom(inputs)
    connection.send(message)
    self.poll_for_timeout(poll_callback)
    connection.recv()
    return parameters


def step_message(env: Any) -> Any:
    """The message that UnityEnvironment.step would send for the actions that were set."""
    message = UnityMessageProto()
    message.header.status = 200
    step = message.unity_input.rl_input
    for name, action in env._env_actions.items():
        count = len(env._env_state[name][0])
        if count:
            _add_actions(step.agent_actions[name].value, action, count)
            step.command = STEP
    step.side_channel = bytes(env._side_channel_manager.generate_side_channel_messages())
    return message


def _add_actions(target: Any, action: Any, count: int) -> None:
    nothing: list[Any] = [()] * count
    continuous = nothing if action.continuous is None else action.continuous.tolist()
    discrete = nothing if action.discrete is None else action.discrete.tolist()
    for floats, branches in zip(continuous, discrete, strict=True):
        target.add(vector_actions_deprecated=[*floats, *branches], continuous_actions=floats, discrete_actions=branches)


@functools.cache
def _packed_header(floats: int) -> bytes:
    """How protobuf begins a message whose field 1 holds so many packed floats: its tag, then 4 * floats as a varint."""
    header, size = bytearray(b"\x0a"), 4 * floats
    while size > 0x7F:  # noqa: PLR2004 - seven bits to a byte of a varint
        header.append(size & 0x7F | 0x80)
        size >>= 7
    header.append(size)
    return bytes(header)


def read_vectors(index: int, shape: tuple[int, ...], agents: Any) -> Any:
    """Observation ``index`` of all agents as (n, *shape) float32; None where one of them has another size."""
    size = math.prod(shape)
    header = np.frombuffer(_packed_header(size), np.uint8)
    packed = b"".join([agent.observations[index].float_data.SerializeToString() for agent in agents])
    if size == 0 or len(packed) != len(agents) * (len(header) + 4 * size):
        return None
    rows = np.frombuffer(packed, np.uint8).reshape(len(agents), -1)
    if not (rows[:, : len(header)] == header).all():
        return None
    floats = np.ascontiguousarray(rows[:, len(header) :]).view("<f4")
    return floats.astype(np.float32, copy=False).reshape((len(agents), *shape))


def talk_over_queues() -> None:
    """Let the communicator hand messages over in this process instead of through a pipe."""
    rpc_communicator.UnityToExternalServicerImplementation = QueueServicer
    rpc_communicator.RpcCommunicator.initialize = _initialize


def read_observations_as_bytes() -> None:
    """Let vector observations be read from their bytes; the original still reads, or refuses, what is not uniform."""
    original = rpc_utils._process_rank_one_or_two_observation

    @functools.wraps(original)
    def process(obs_index: int, observation_spec: Any, agent_info_list: Any) -> Any:
        if len(agent_info_list) == 0:
            return original(obs_index, observation_spec, agent_info_list)
        vectors = read_vectors(obs_index, tuple(observation_spec.shape), agent_info_list)
        if vectors is None:
            return original(obs_index, observation_spec, agent_info_list)
        rpc_utils._raise_on_nan_and_inf(vectors, "observations")
        return vectors

    rpc_utils._process_rank_one_or_two_observation = process
