"""How fast the sandbox is, over the protocol and in process, beside what the transport itself allows.

    python bench/sandbox_speed.py [--archetype reach_target] [--areas 1 16 64 256] [--seconds 3]

Everything is measured in one run, interleaved, medians of the rounds; only ratios are to be compared between machines.
Wall times suffer from whatever else runs; the player's processor time per exchange hardly does, so both are shown.

- ceiling: a player whose world does nothing, answering constants with our codec, against a gRPC server that answers
  every message with the same bytes: what the transport allows.
- objects: the same with a protobuf object per agent instead of our codec.
- sandbox: the sandbox against the same server.
- in process: the sandbox's world alone, stepped with the same actions.
- floor (in the ratios): the ceiling's time and the world's added up, which nothing but overlap could beat.
"""

from __future__ import annotations

import argparse
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.protocol import messages, player
from unity_mlops_mcp.protocol.agents import empty_step
from unity_mlops_mcp.protocol.codec import encode_actions, no_actions
from unity_mlops_mcp.protocol.simulation import (
    Actions,
    BehaviorSpec,
    BehaviorStep,
    Decisions,
    Draw,
    Stat,
)
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec

REPOSITORY = Path(__file__).resolve().parents[1]
WARM_UP = 50


Crew = Mapping[BehaviorSpec, int]
"""The behaviours of a world, and how many agents of each live in an area."""


def crew_of(spec: EnvironmentSpec) -> Crew:
    """The behaviours of a spec's world."""
    world = World(spec, areas=1, seed=0)
    return {one: len(world.reset()[one.name].decisions.ids) for one in world.behaviors}


def no_actions_of(crew: Crew, areas: int) -> dict[str, Actions]:
    """Zeros for every agent, by behaviour."""
    return {behavior.name: no_actions(behavior.action, agents * areas) for behavior, agents in crew.items()}


class Still:
    """A world in which nothing ever changes."""

    def __init__(self, crew: Crew, areas: int) -> None:
        rng = np.random.default_rng(0)
        self._behaviors = tuple(crew)
        self._steps: dict[str, BehaviorStep] = {}
        for behavior, agents in crew.items():
            count = agents * areas
            sensors = tuple(rng.normal(size=(count, *one.shape)).astype(np.float32) for one in behavior.observations)
            asking = Decisions(np.arange(count), sensors, np.zeros(count, np.float32))
            self._steps[behavior.name] = BehaviorStep(asking, empty_step(behavior).terminals)

    @property
    def behaviors(self) -> Sequence[BehaviorSpec]:
        """The behaviours."""
        return self._behaviors

    def reset(self) -> Mapping[str, BehaviorStep]:
        """Always the same."""
        return self._steps

    def step(self, _: Mapping[str, Actions]) -> Mapping[str, BehaviorStep]:
        """Always the same."""
        return self._steps

    def set_parameter(self, name: str, value: float) -> None:
        """Nothing."""

    def set_sampler(self, name: str, draw: Draw) -> None:
        """Nothing."""

    def drain_stats(self) -> list[Stat]:
        """Nothing."""
        return []


def encode_as_objects(spec: BehaviorSpec, step: BehaviorStep, *, described: bool = False) -> bytes:
    """What the codec writes, by a protobuf object per agent."""
    agents = messages.ListAgentInfo()
    group = step.decisions
    for row, (agent_id, reward) in enumerate(zip(group.ids.tolist(), group.rewards.tolist(), strict=True)):
        agent = agents.value.add(id=agent_id, reward=reward)
        for sensor, values in zip(spec.observations, group.observations, strict=True):
            observation = agent.observations.add(shape=sensor.shape, name=sensor.name if described else "")
            observation.float_data.data.extend(values[row].ravel().tolist())
    content: bytes = agents.SerializeToString()
    return content


@dataclass(frozen=True)
class Rate:
    """Exchanges per second, and the player's processor time per exchange in seconds."""

    per_second: float
    cpu_s: float


class Server:
    """A trainer that answers every message with the same step, as fast as gRPC goes."""

    def __init__(self, crew: Crew, areas: int, seconds: float) -> None:
        self._seconds, self._count, self._start = seconds, 0, 0.0
        self._cpu, self.pid = 0.0, 0
        self._done: queue.SimpleQueue[Rate] = queue.SimpleQueue()
        welcome, reset, step, stop = (messages.packed_message() for _ in range(4))
        welcome.unity_input.rl_initialization_input.num_areas = areas
        welcome.unity_input.rl_initialization_input.communication_version = messages.COMMUNICATION_VERSION
        reset.unity_input.rl_input.command = messages.RESET
        for name, actions in no_actions_of(crew, areas).items():
            step.unity_input.rl_input.agent_actions[name] = encode_actions(actions)
        stop.header.status = messages.STATUS_STOP
        self._opening: list[bytes] = [welcome.SerializeToString(), reset.SerializeToString()]
        self._step: bytes = step.SerializeToString()
        self._stop: bytes = stop.SerializeToString()
        self._server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", -1)])
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._answer)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(messages.SERVICE, {"Exchange": handler}),)
        )
        self.port = self._server.add_insecure_port("localhost:0")
        self._server.start()

    def _answer(self, _: bytes, __: grpc.ServicerContext) -> bytes:
        self._count += 1
        if self._opening:
            return self._opening.pop(0)
        now = time.perf_counter()
        if self._count == WARM_UP:
            self._start, self._cpu = now, self._player_cpu()
        if self._count > WARM_UP and now - self._start > self._seconds:
            count = self._count - WARM_UP
            self._done.put(Rate(count / (now - self._start), (self._player_cpu() - self._cpu) / count))
            return self._stop
        return self._step

    def _player_cpu(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def rate(self) -> Rate:
        """What was measured, once it is."""
        rate = self._done.get(timeout=60 + self._seconds)
        self._server.stop(1).wait()
        return rate


def over_protocol(command: Sequence[str], crew: Crew, areas: int, seconds: float) -> Rate:
    """A player process against the constant server."""
    server = Server(crew, areas, seconds)
    options = ["--mlagents-port", str(server.port)]
    variables = environment(PYTHONPATH=str(REPOSITORY))
    with subprocess.Popen([*command, *options], env=variables, stderr=subprocess.DEVNULL) as process:
        server.pid = process.pid
        return server.rate()


def in_process(spec: EnvironmentSpec, areas: int, seconds: float) -> Rate:
    """The world alone."""
    world = World(spec, areas=areas, seed=0)
    world.reset()
    actions = no_actions_of(crew_of(spec), areas)
    start, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(10):
            world.step(actions)
        world.drain_stats()
        count += 10
    return Rate(count / (time.perf_counter() - start), (time.process_time() - cpu) / count)


def play_still(arguments: argparse.Namespace, spec: EnvironmentSpec) -> None:
    """The player process of the ceilings."""
    crew = crew_of(spec)
    if arguments.still == "objects":
        changed: Any = player
        changed.encode_agents = encode_as_objects
    player.serve(lambda shake: Still(crew, shake.areas), port=arguments.mlagents_port, log=lambda _: None)


def measure(spec: EnvironmentSpec, archetype: str, areas: int, seconds: float, rounds: int) -> dict[str, Rate]:
    """The medians of each way."""
    crew = crew_of(spec)
    still = [sys.executable, __file__, "--archetype", archetype, "--still"]
    found: dict[str, list[Rate]] = {"ceiling": [], "objects": [], "sandbox": [], "in process": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spec.json"
        file.write_text(spec.to_json(), "utf-8")
        sandbox = [sys.executable, "-m", "unity_mlops_mcp.sandbox", str(file)]
        for _ in range(rounds):
            found["ceiling"].append(over_protocol([*still, "codec"], crew, areas, seconds))
            found["objects"].append(over_protocol([*still, "objects"], crew, areas, seconds))
            found["sandbox"].append(over_protocol(sandbox, crew, areas, seconds))
            found["in process"].append(in_process(spec, areas, seconds))
    return {name: _median(rates) for name, rates in found.items()}


def _median(rates: Sequence[Rate]) -> Rate:
    return Rate(statistics.median(rate.per_second for rate in rates), statistics.median(rate.cpu_s for rate in rates))


def show(areas: int, agents: int, rates: Mapping[str, Rate]) -> None:
    """One row: agent steps per second and processor time per exchange of each way, then the ratios."""
    ceiling, objects, sandbox, alone = rates.values()
    cells = [f"{agents * rate.per_second:,.0f} ({1e6 * rate.cpu_s:,.0f})" for rate in rates.values()]
    floor = 1 / (1 / ceiling.per_second + 1 / alone.per_second)
    compared = (
        objects.cpu_s / ceiling.cpu_s,
        sandbox.per_second / ceiling.per_second,
        sandbox.per_second / floor,
        sandbox.cpu_s / (ceiling.cpu_s + alone.cpu_s),
    )
    print("|", " | ".join([str(areas), *cells, *(f"{ratio:.2f}" for ratio in compared)]), "|", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--archetype", default="reach_target")
    parser.add_argument("--areas", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--still", choices=("codec", "objects"), help=argparse.SUPPRESS)
    parser.add_argument("--mlagents-port", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    spec = load_archetype(arguments.archetype).spec
    if arguments.still:
        play_still(arguments, spec)
        return
    print(f"{arguments.archetype}: agent steps/s (player CPU, us per exchange), {arguments.rounds} rounds")
    ratios = ("CPU objects / ceiling", "sandbox / ceiling", "sandbox / floor", "CPU sandbox / floor")
    print("|", " | ".join(("areas", "ceiling", "objects", "sandbox", "in process", *ratios)), "|")
    print("|---" * 9 + "|")
    for areas in arguments.areas:
        show(
            areas,
            areas * spec.agents_per_area,
            measure(spec, arguments.archetype, areas, arguments.seconds, arguments.rounds),
        )


if __name__ == "__main__":
    main()
