"""The player side: serve a simulation to whatever trainer listens on a port, as a Unity player would."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

import grpc

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.codec import decode_actions, encode_agents
from unity_mlops_mcp.protocol.side_channels import (
    ENGINE,
    PARAMETERS,
    Parameter,
    Sampler,
    decode_engine,
    decode_parameter,
    encode_stats,
    messages_in,
)
from unity_mlops_mcp.protocol.simulation import (
    Actions,
    BehaviorSpec,
    BehaviorStep,
    Handshake,
    Simulation,
    SimulationFactory,
)

Ending = Literal["quit", "trainer_gone"]
Exchange = Callable[[Any], Any]
Log = Callable[[str], None]

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A proxy in the environment must never come between two processes of one machine.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


def serve(
    factory: SimulationFactory,
    *,
    port: int,
    name: str = "unity-mlops sandbox",
    package_version: str = f"unity-mlops-mcp-{__version__}",
    connect_timeout_s: float = 30.0,
    log: Log = print,
) -> Ending:
    """Connect to the trainer, shake hands, and answer resets and steps until it ends the conversation.

    Args:
        factory: makes the simulation once the trainer has said its seed and number of areas.
        port: where the trainer listens, on this machine.
        name: what the player calls itself.
        package_version: shown by the trainer as the version of the Unity package; one word.
        connect_timeout_s: how long to wait for the trainer.
        log: takes a line of text now and then.

    Returns:
        How it ended: the trainer said so, or it is gone (within about a second of its death).

    Raises:
        ExternalError: no trainer answers on the port in time (cause ``no_trainer``), or it speaks another protocol
            (cause ``protocol``).
    """
    with _connection(port, connect_timeout_s) as exchange:
        try:
            return _converse(exchange, factory, name=name, package_version=package_version, log=log)
        except grpc.RpcError as error:
            log(f"The trainer on port {port} is gone ({_reason(error)}).")
            return "trainer_gone"


def _reason(error: grpc.RpcError) -> str:
    return error.code().name.lower() if isinstance(error, grpc.Call) else str(error)


@contextmanager
def _connection(port: int, timeout_s: float) -> Iterator[Exchange]:
    """A function that sends a message to the trainer and gives its reply."""
    with grpc.insecure_channel(f"localhost:{port}", options=_CHANNEL_OPTIONS) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout_s)
        except grpc.FutureTimeoutError:
            raise ExternalError(
                f"No trainer answered on port {port} within {timeout_s:g} s.",
                fix=f"Start this player through mlagents-learn --env, or start a trainer that listens on port {port}.",
                cause="no_trainer",
            ) from None
        yield channel.unary_unary(
            messages.METHOD,
            request_serializer=messages.PackedMessage.SerializeToString,
            response_deserializer=messages.PackedMessage.FromString,
        )


def _converse(exchange: Exchange, factory: SimulationFactory, *, name: str, package_version: str, log: Log) -> Ending:
    reply = exchange(_hello(name, package_version))
    if reply.header.status != messages.STATUS_OK:
        return "quit"
    welcome = reply.unity_input.rl_initialization_input
    _check_version(welcome.communication_version)
    handshake = Handshake(areas=max(1, welcome.num_areas), seed=welcome.seed)
    log(f"Connected to trainer {welcome.package_version}: {handshake.areas} areas, seed {handshake.seed}.")
    session = _Session(factory(handshake), log)
    # ML-Agents expects one empty message between the handshake and the first order, and throws it away.
    reply = exchange(messages.packed_message())
    while reply.header.status == messages.STATUS_OK and reply.unity_input.rl_input.command != messages.QUIT:
        reply = exchange(session.answer(reply.unity_input.rl_input))
    log("The trainer ended the conversation.")
    return "quit"


def _hello(name: str, package_version: str) -> Any:
    message = messages.packed_message()
    introduction = message.unity_output.rl_initialization_output
    introduction.name = name
    introduction.communication_version = messages.COMMUNICATION_VERSION
    introduction.package_version = package_version
    for capability in messages.CAPABILITIES:
        setattr(introduction.capabilities, capability, True)
    return message


def _check_version(version: str) -> None:
    if version.partition(".")[0] != messages.COMMUNICATION_VERSION.partition(".")[0]:
        raise ExternalError(
            f"The trainer speaks communicator version {version or 'unknown'}, which this player does not.",
            fix=f"Use a trainer that speaks {messages.COMMUNICATION_VERSION}: ML-Agents 0.28 to 1.1.0.",
            cause="protocol",
        )


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (ValueError, struct.error) as error:
        raise ExternalError(
            f"The trainer's message cannot be used: {error}.",
            fix="Use a trainer of ML-Agents 0.28 to 1.1.0.",
            cause="protocol",
        ) from error


class _Session:
    """A simulation in conversation: turns orders into answers."""

    def __init__(self, simulation: Simulation, log: Log) -> None:
        self._simulation = simulation
        self._behaviors = {behavior.name: behavior for behavior in simulation.behaviors}
        self._asked = dict.fromkeys(self._behaviors, 0)
        self._introduced = False
        self._log = log

    def answer(self, order: Any) -> Any:
        """Do what a PackedRLInput orders; the PackedMessage that reports it.

        Raises:
            ExternalError: the order cannot be read.
        """
        with _readable():
            settings = [self._setting(channel, content) for channel, content in messages_in(order.side_channel)]
            actions = {} if order.command == messages.RESET else self._actions(order.agent_actions)
        for parameter in settings:
            if parameter:
                self._set(parameter)
        if order.command == messages.RESET:
            return self._report(self._simulation.reset())
        return self._report(self._simulation.step(actions))

    def _setting(self, channel: UUID, content: bytes) -> Parameter | None:
        if channel == PARAMETERS:
            return decode_parameter(content)
        if channel == ENGINE:
            engine = decode_engine(content)
            self._log(f"Engine setting {engine.setting} = {engine.values}: nothing to do in a simulation.")
        return None

    def _actions(self, sent: Mapping[str, bytes]) -> dict[str, Actions]:
        return {
            name: decode_actions(self._behaviors[name].action, sent.get(name, b""), count)
            for name, count in self._asked.items()
        }

    def _set(self, parameter: Parameter) -> None:
        self._log(f"Environment parameter {parameter.name} = {parameter.value}.")
        if isinstance(parameter.value, Sampler):
            self._simulation.set_sampler(parameter.name, parameter.value.draw)
        else:
            self._simulation.set_parameter(parameter.name, parameter.value)

    def _report(self, steps: Mapping[str, BehaviorStep]) -> Any:
        message = messages.packed_message()
        output = message.unity_output.rl_output
        for name, step in steps.items():
            self._asked[name] = len(step.decisions.ids)
            agents = encode_agents(self._behaviors[name], step, described=not self._introduced)
            if agents:
                output.agentInfos[name] = agents
        output.side_channel = encode_stats(self._simulation.drain_stats())
        if not self._introduced:
            introduction = message.unity_output.rl_initialization_output
            introduction.brain_parameters.extend(_parameters(behavior) for behavior in self._behaviors.values())
            self._introduced = True
        return message


def _parameters(behavior: BehaviorSpec) -> Any:
    parameters = messages.BrainParameters(brain_name=behavior.name, is_training=True)
    parameters.action_spec.num_continuous_actions = behavior.action.continuous
    parameters.action_spec.num_discrete_actions = len(behavior.action.branches)
    parameters.action_spec.discrete_branch_sizes.extend(behavior.action.branches)
    return parameters
