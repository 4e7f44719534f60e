"""A test player: reach a target, with the observations, actions, teams and groups that the sandbox lacks, and faults.

Run it as a script under our interpreter; ``write_player`` makes the executable that ``mlagents-learn --env`` starts.

    python player.py --mlagents-port N [--agents 16] [--observations vector|image|png]
        [--actions continuous|discrete|hybrid] [--teams 1|2] [--groups] [--episode 200] [--behavior Nav] [--fault FAULT]

A fault strikes at step K, counted over the player's life: ``exit@K`` (code 3), ``kill@K``, ``nan@K`` (a reward),
``infobs@K`` (an observation), ``hang@K``; or from the start: ``crash`` (code 7), ``noconnect``, ``badname`` (the
behaviour is called Wrong), ``slow@MS`` (each step takes so many milliseconds). With ``--groups-from K`` agents join
their groups at step K. Arguments after ``--env-args`` of mlagents-learn add to those of the executable, and the last of
a kind counts.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
BRANCHES = (3, 3)
IMAGE = (3, 20, 20)
SIZE = 4  # of the vector observation: position and the way to the target
GROUP = 4  # agents in a group
FOREVER_S = 3600.0


def write_player(folder: Path, *options: str, python: str = sys.executable, name: str = "player") -> Path:
    """Make the executable ``name.x86_64`` in a folder; the path to give to ``--env``."""
    folder.mkdir(parents=True, exist_ok=True)
    command = shlex.join([python, str(Path(__file__).resolve()), *options])
    path = folder / f"{name}.x86_64"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY))} exec {command} "$@"\n')
    path.chmod(0o755)
    return path


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; what mlagents adds for Unity (-nographics, -logFile, …) is ignored."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--mlagents-port", type=int, default=5005)
    parser.add_argument("--agents", type=int, default=16)
    parser.add_argument("--observations", choices=("vector", "image", "png"), default="vector")
    parser.add_argument("--actions", choices=("continuous", "discrete", "hybrid"), default="continuous")
    parser.add_argument("--teams", type=int, default=1)
    parser.add_argument("--groups", action="store_const", const=0, dest="groups_from")
    parser.add_argument("--groups-from", type=int)
    parser.add_argument("--episode", type=int, default=200)
    parser.add_argument("--behavior", default="Nav")
    parser.add_argument("--fault", default="")
    return parser.parse_known_args(arguments)[0]


class World:
    """Agents on a plane, each with a target of its own."""

    def __init__(self, agents: int, seed: int, episode: int) -> None:
        self.agents, self.episode = agents, episode
        self._random = np.random.default_rng(seed)
        self.position = np.zeros((agents, 2), np.float32)
        self.target = np.zeros((agents, 2), np.float32)
        self.age = np.zeros(agents, np.int32)
        self.ids = np.zeros(agents, np.int64)
        self._next_id = 0
        self.begin(np.ones(agents, bool))

    def begin(self, chosen: Any) -> None:
        """New episodes, under new ids, for the chosen agents."""
        count = int(chosen.sum())
        self.position[chosen], self.age[chosen] = 0, 0
        self.target[chosen] = self._random.uniform(-4, 4, (count, 2))
        self.ids[chosen] = np.arange(self._next_id, self._next_id + count)
        self._next_id += count

    def observe(self) -> Any:
        """Position and the way to the target, (agents, SIZE)."""
        return np.concatenate([self.position, self.target - self.position], 1) * np.float32(0.25)

    def move(self, actions: Any) -> tuple[Any, Any, Any]:
        """One step; rewards, which episodes ended, and which of these were cut off."""
        before = np.linalg.norm(self.position - self.target, axis=1)
        self.position += np.clip(actions, -1, 1) * np.float32(0.25)
        self.age += 1
        after = np.linalg.norm(self.position - self.target, axis=1)
        reached = after < 0.5
        cut = (self.age >= self.episode) & ~reached
        rewards = ((before - after) * 0.2 - 0.002 + reached).astype(np.float32)
        return rewards, reached | cut, cut


class Player:
    """The world in conversation with a trainer."""

    def __init__(self, options: argparse.Namespace, areas: int, seed: int) -> None:
        self._options = options
        fault, _, number = options.fault.partition("@")
        self._fault, self._number = fault, int(number or 0)
        self._steps = 0
        self._world = World(options.agents * areas, seed, options.episode)
        name = "Wrong" if fault == "badname" else options.behavior
        view = () if options.observations == "vector" else (ObservationSpec("view", IMAGE),)
        sensors = (ObservationSpec("vector", (SIZE,)), *view)
        action = ActionSpec(
            0 if options.actions == "discrete" else 2, () if options.actions == "continuous" else BRANCHES
        )
        self.behaviors = [BehaviorSpec(f"{name}?team={team}", sensors, action) for team in range(options.teams)]
        self._introduced = False

    def answer(self, order: Any) -> Any:
        """Do what a PackedRLInput orders; the message that reports it."""
        message = messages.packed_message()
        world = self._world
        if order.command == messages.RESET:
            world.begin(np.ones(world.agents, bool))
            rewards = np.zeros(world.agents, np.float32)
            ended = cut = np.zeros(world.agents, bool)
        else:
            rewards, ended, cut = world.move(self._actions(order.agent_actions))
            self._steps += 1
            self._strike(rewards)
        last = (world.ids.copy(), world.observe(), rewards.copy())
        world.begin(ended)
        rewards[ended] = 0
        observations = world.observe()
        if self._fault == "infobs" and self._steps == self._number:
            observations[0, 0] = np.inf
        for team, slots in enumerate(np.array_split(np.arange(world.agents), self._options.teams)):
            content = self._encode(slots[ended[slots]], *last, interrupted=cut)
            content += self._encode(slots, world.ids, observations, rewards, interrupted=None)
            message.unity_output.rl_output.agentInfos[self.behaviors[team].name] = content
        if not self._introduced:
            self._introduce(message)
        return message

    def _introduce(self, message: Any) -> None:
        self._introduced = True
        for behavior in self.behaviors:
            parameters = message.unity_output.rl_initialization_output.brain_parameters.add()
            parameters.brain_name, parameters.is_training = behavior.name, True
            parameters.action_spec.num_continuous_actions = behavior.action.continuous
            parameters.action_spec.num_discrete_actions = len(behavior.action.branches)
            parameters.action_spec.discrete_branch_sizes.extend(behavior.action.branches)

    def _actions(self, sent: Any) -> Any:
        moves = []
        for behavior, slots in zip(
            self.behaviors, np.array_split(np.arange(self._world.agents), self._options.teams), strict=True
        ):
            actions = decode_actions(behavior.action, sent.get(behavior.name, b""), len(slots))
            moves.append(actions.continuous if behavior.action.continuous else actions.discrete - 1)
        return np.concatenate(moves).astype(np.float32)

    def _strike(self, rewards: Any) -> None:
        if self._fault == "slow":
            time.sleep(self._number / 1000)
        if self._steps != self._number:
            return
        if self._fault == "exit":
            os._exit(3)
        if self._fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault == "nan":
            rewards[0] = np.nan
        if self._fault == "hang":
            time.sleep(FOREVER_S)

    def _encode(self, slots: Any, ids: Any, observations: Any, rewards: Any, *, interrupted: Any) -> bytes:
        """A ListAgentInfo of the agents in some slots; interrupted is None while their episodes go on."""
        plain = self._options.observations == "vector" and self._options.groups_from is None
        if plain and self._options.actions != "discrete":
            return self._rows(slots, ids, observations, rewards, interrupted)
        agents = messages.ListAgentInfo()
        for slot in slots.tolist():
            agent = agents.value.add(id=int(ids[slot]), reward=float(rewards[slot]))
            if interrupted is not None:
                agent.done, agent.max_step_reached = True, bool(interrupted[slot])
            elif self._options.actions == "discrete":
                agent.action_mask.extend([False, False, slot % 7 == 0] * len(BRANCHES))
            if self._grouped():
                agent.group_id, agent.group_reward = 1 + slot // GROUP, float(rewards[slot])
            agent.observations.extend(self._sensors(observations[slot]))
        return bytes(agents.SerializeToString())

    def _grouped(self) -> bool:
        return self._options.groups_from is not None and self._steps >= self._options.groups_from

    def _rows(self, slots: Any, ids: Any, observations: Any, rewards: Any, interrupted: Any) -> bytes:
        nobody = Terminals(ids[:0], (observations[:0],), rewards[:0], interrupted=np.zeros(0, bool))
        some = (ids[slots], (observations[slots],), rewards[slots])
        if interrupted is None:
            step = BehaviorStep(Decisions(*some), nobody)
        else:
            step = BehaviorStep(nobody, Terminals(*some, interrupted=interrupted[slots]))
        return encode_agents(self.behaviors[0], step, described=not self._introduced)

    def _sensors(self, vector: Any) -> Iterator[Any]:
        yield messages.Observation(
            name="vector", shape=(SIZE,), dimension_properties=(1,), float_data={"data": vector.tolist()}
        )
        # the picture shows the target's direction, so that it differs from step to step
        shades = [0.5 + vector[2] / 4, 0.5 + vector[3] / 4, 0.5]
        kind = {"name": "view", "shape": IMAGE, "dimension_properties": (1, 2, 2)}
        if self._options.observations == "image":
            yield messages.Observation(**kind, float_data={"data": np.repeat(shades, IMAGE[1] * IMAGE[2]).tolist()})
        elif self._options.observations == "png":
            yield messages.Observation(**kind, compression_type=messages.COMPRESSION_PNG, compressed_data=_png(shades))


def _png(shades: list[float]) -> bytes:
    """An image of one colour as a PNG file, written by hand: the machine that tests may lack Pillow."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    _, height, width = IMAGE
    pixel = bytes(int(np.clip(shade, 0, 1) * 255) for shade in shades)
    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    out.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    out.write(chunk(b"IDAT", zlib.compress((b"\0" + pixel * width) * height)))
    out.write(chunk(b"IEND", b""))
    return out.getvalue()


def converse(options: argparse.Namespace) -> None:
    """Connect to the trainer and answer it until it says stop."""
    channel = grpc.insecure_channel(
        f"localhost:{options.mlagents_port}",
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    grpc.channel_ready_future(channel).result(60)
    exchange = channel.unary_unary(
        messages.METHOD,
        request_serializer=messages.PackedMessage.SerializeToString,
        response_deserializer=messages.PackedMessage.FromString,
    )
    hello = messages.packed_message()
    introduction = hello.unity_output.rl_initialization_output
    introduction.name, introduction.package_version = "test player", "3.0.0"
    introduction.communication_version = messages.COMMUNICATION_VERSION
    for capability in messages.CAPABILITIES:
        setattr(introduction.capabilities, capability, True)
    welcome = exchange(hello).unity_input.rl_initialization_input
    player = Player(options, max(1, welcome.num_areas), welcome.seed)
    reply = exchange(messages.packed_message())
    while reply.header.status == messages.STATUS_OK and reply.unity_input.rl_input.command != messages.QUIT:
        reply = exchange(player.answer(reply.unity_input.rl_input))


def main(arguments: list[str]) -> None:
    """Play until the trainer says stop, or is gone."""
    options = parse(arguments)
    if options.fault == "crash":
        sys.exit(7)
    if options.fault == "noconnect":
        time.sleep(FOREVER_S)
    try:
        converse(options)
    except grpc.RpcError as error:
        sys.stderr.write(f"the trainer is gone: {error}\n")


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import grpc  # noqa: E402 - after the folder of this script, with its general names, has left the path
import numpy as np  # noqa: E402

from unity_mlops_mcp.protocol import messages  # noqa: E402
from unity_mlops_mcp.protocol.codec import decode_actions, encode_agents  # noqa: E402
from unity_mlops_mcp.protocol.simulation import (  # noqa: E402
    ActionSpec,
    BehaviorSpec,
    BehaviorStep,
    Decisions,
    ObservationSpec,
    Terminals,
)

if __name__ == "__main__":
    main(sys.argv[1:])
