"""The trainer side: drive any player, Unity's too, by resets and steps."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.agents import behavior_of, decode_agents, empty_step
from unity_mlops_mcp.protocol.codec import encode_actions, no_actions
from unity_mlops_mcp.protocol.launching import PlayerProcess
from unity_mlops_mcp.protocol.server import PlayerServer
from unity_mlops_mcp.protocol.side_channels import (
    STATS,
    Engine,
    Parameter,
    Sampler,
    decode_stat,
    encode_engine,
    encode_parameter,
    messages_in,
)
from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, BehaviorStep, Stat, require_behavior_name

if TYPE_CHECKING:
    from typing_extensions import Self

_LEAVE_S = 5.0


class Environment:
    """A player in conversation: started (or awaited), asked to reset and step, and closed.

    A context manager; what it starts, it ends.

    Args:
        command: the player and its first arguments; None awaits one that is started elsewhere, such as the Editor's
            Play, which connects to port 5004.
        port: where to listen; 0 takes any free one.
        seed: sent in the handshake.
        areas: how often the player shall copy its training area, sent in the handshake.
        arguments: appended to the command.
        graphics: let a Unity player open a window; camera sensors need it.
        time_scale: how much faster than real time Unity shall run; nothing to the sandbox.
        log_folder: where ``player.log`` and ``player.out`` are written; None: a temporary folder.
        timeout_s: for each answer of the player, the first included.

    Attributes:
        behaviors: by full name, such as ``ReachTarget?team=0``; known after the first reset.
        name: what the player calls itself.
        package_version: of the player's ML-Agents package.
        port: where the player connects.

    Raises:
        SetupError: the port is in use.
        ExternalError: the player cannot be started (cause ``player_start``), ended (``player_exited``), said nothing in
            time (``player_timeout``), broke the connection (``player_gone``), speaks another protocol (``protocol``) or
            has a behaviour whose name could name no folder (``behavior_name``).
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        areas: int = 1,
        arguments: Sequence[str] = (),
        graphics: bool = False,
        time_scale: float = 20.0,
        log_folder: Path | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.behaviors: dict[str, BehaviorSpec] = {}
        self.name = self.package_version = ""
        self._timeout_s = timeout_s
        self._parameters: dict[str, Any] = {}
        self._steps: dict[str, BehaviorStep] = {}
        self._stats: list[Stat] = []
        self._process: PlayerProcess | None = None
        self._patience_s = _LEAVE_S
        self._server = PlayerServer(port)
        self.port = self._server.port
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._outbox = _first_settings(time_scale)
        try:
            if command is not None:
                folder = log_folder or self._make_temporary()
                self._process = PlayerProcess(
                    command, port=self.port, arguments=arguments, graphics=graphics, folder=folder
                )
            self._shake_hands(seed, areas)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make_temporary(self) -> Path:
        self._temporary = tempfile.TemporaryDirectory(prefix="unity-mlops-")
        return Path(self._temporary.name)

    def _check(self) -> None:
        if self._process:
            self._process.check()

    def log_tail(self) -> tuple[str, ...]:
        """The last lines that the player wrote, when we started it."""
        return self._process.log_tail() if self._process else ()

    def _receive(self) -> Any:
        try:
            return self._server.receive(self._timeout_s, check=self._check)
        except ExternalError as error:
            # A player that hung or broke off will not leave when asked.
            self._patience_s = 0.0
            if error.evidence:
                raise
            raise ExternalError(error.message, fix=error.fix, cause=error.cause, evidence=self.log_tail()) from error

    def _shake_hands(self, seed: int, areas: int) -> None:
        hello = self._receive().unity_output.rl_initialization_output
        self.name, self.package_version = hello.name, hello.package_version
        if hello.communication_version.partition(".")[0] != messages.COMMUNICATION_VERSION.partition(".")[0]:
            raise ExternalError(
                f"The player speaks communicator version {hello.communication_version or 'unknown'} "
                f"(package {hello.package_version or 'unknown'}).",
                fix=f"Build it with com.unity.ml-agents 2.0 or newer, which speaks {messages.COMMUNICATION_VERSION}.",
                cause="protocol",
            )
        message = messages.packed_message()
        welcome = message.unity_input.rl_initialization_input
        welcome.seed, welcome.num_areas = seed, areas
        welcome.communication_version, welcome.package_version = messages.COMMUNICATION_VERSION, __version__
        for capability in messages.CAPABILITIES:
            setattr(welcome.capabilities, capability, True)
        self._server.send(message)
        self._receive()

    def set_parameter(self, name: str, value: float | Sampler) -> None:
        """Send an environment parameter with the next reset or step."""
        self._outbox += encode_parameter(Parameter(name, value))

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Begin an episode everywhere; by behaviour name, who asks for actions.

        Raises:
            ExternalError: as at construction.
        """
        message = messages.packed_message()
        message.unity_input.rl_input.command = messages.RESET
        return self._exchange(message)

    def step(self, actions: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Act, and see what became of it; a behaviour that is left out does nothing.

        Args:
            actions: by behaviour name, a row for each agent of its last Decisions.

        Raises:
            ExternalError: as at construction.
        """
        message = messages.packed_message()
        for name, step in self._steps.items():
            count = len(step.decisions.ids)
            if count:
                chosen = actions.get(name) or no_actions(self.behaviors[name].action, count)
                message.unity_input.rl_input.agent_actions[name] = encode_actions(chosen)
        return self._exchange(message)

    def _exchange(self, message: Any) -> Mapping[str, BehaviorStep]:
        message.unity_input.rl_input.side_channel, self._outbox = self._outbox, b""
        self._server.send(message)
        report = self._receive()
        if report.header.status != messages.STATUS_OK:
            raise ExternalError(
                "The player ended the conversation.",
                fix="Look at the end of the player's log.",
                cause="player_gone",
                evidence=self.log_tail(),
            )
        return self._read(report.unity_output)

    def _read(self, output: Any) -> Mapping[str, BehaviorStep]:
        agents = output.rl_output.agentInfos
        for item in output.rl_initialization_output.brain_parameters:
            self._parameters[_behavior_name(item)] = item
        for name in [name for name in self._parameters if name in agents]:
            spec = behavior_of(self._parameters[name], agents[name])
            if spec:
                self.behaviors[name] = spec
                del self._parameters[name]
        for channel, content in messages_in(output.rl_output.side_channel):
            if channel == STATS:
                self._stats.append(decode_stat(content))
        self._steps = {
            name: decode_agents(spec, agents[name]) if name in agents else empty_step(spec)
            for name, spec in self.behaviors.items()
        }
        return self._steps

    def drain_stats(self) -> list[Stat]:
        """The statistics that the player sent since the last call."""
        stats, self._stats = self._stats, []
        return stats

    def close(self) -> None:
        """End the conversation and the player; harmless when repeated."""
        self._server.close()
        if self._process:
            self._process.stop(grace_s=self._patience_s)
        if self._temporary:
            self._temporary.cleanup()


def _behavior_name(parameters: Any) -> str:
    try:
        return require_behavior_name(parameters.brain_name)
    except ValueError as error:
        raise ExternalError(
            f"The player has a behaviour that cannot be trained: {error}.",
            fix="Rename it in the agent's Behavior Parameters, and build the player anew.",
            cause="behavior_name",
        ) from error


def _first_settings(time_scale: float) -> bytes:
    # What mlagents-learn sends first: physics as fast as it goes, at a fixed frame length.
    settings = (
        Engine("time_scale", (time_scale,)),
        Engine("target_frame_rate", (-1,)),
        Engine("capture_frame_rate", (60,)),
    )
    return b"".join(map(encode_engine, settings))
