"""Both ends of the protocol in conversation: handshake, resets, steps, side channels, and every way it can end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.simulations import HYBRID, PLAIN, Recorder, assert_equal
from tests.stand_ins.player import write_player
from unity_mlops_mcp.errors import ExternalError, SetupError
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.agents import random_actions
from unity_mlops_mcp.protocol.player import serve
from unity_mlops_mcp.protocol.server import PlayerServer
from unity_mlops_mcp.protocol.side_channels import Sampler
from unity_mlops_mcp.protocol.simulation import BehaviorSpec, Handshake, Stat
from unity_mlops_mcp.protocol.trainer import Environment

REPOSITORY = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Served:
    """A Recorder that is served in a thread."""

    def __init__(self, port: int, plain: BehaviorSpec = PLAIN) -> None:
        self.simulation: Recorder | None = None
        self._plain = plain
        self.ending: Any = None
        self._thread = threading.Thread(target=self._serve, args=(port,), daemon=True)
        self._thread.start()

    def _make(self, handshake: Handshake) -> Recorder:
        self.simulation = Recorder(handshake, self._plain)
        return self.simulation

    def _serve(self, port: int) -> None:
        try:
            self.ending = serve(self._make, port=port, package_version="9.9.9", log=lambda _: None)
        except ExternalError as error:
            self.ending = error

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def connected(plain: BehaviorSpec = PLAIN, **options: Any) -> Iterator[tuple[Environment, Recorder, Served]]:
    """An Environment with a served Recorder."""
    port = free_port()
    served = Served(port, plain)
    with Environment(port=port, timeout_s=20, **options) as environment:
        assert served.simulation is not None
        yield environment, served.simulation, served
    served.join()


def test_the_handshake_carries_seed_and_areas_and_introduces_the_behaviors() -> None:
    with connected(seed=77, areas=3) as (environment, simulation, _):
        assert simulation.handshake == Handshake(areas=3, seed=77)
        assert environment.package_version == "9.9.9"
        environment.reset()
        assert environment.behaviors == {HYBRID.name: HYBRID, PLAIN.name: PLAIN}


@pytest.mark.parametrize("name", ["../../outside?team=0", "a/b", ".hidden", "n" * 101])
def test_a_player_whose_behavior_could_name_no_folder_is_refused(name: str) -> None:
    with (
        connected(plain=replace(PLAIN, name=name)) as (environment, _, _),
        pytest.raises(ExternalError, match="the behaviour's name") as caught,
    ):
        environment.reset()
    assert caught.value.cause == "behavior_name"


def test_what_the_simulation_reports_arrives_number_for_number() -> None:
    with connected(areas=4) as (environment, simulation, _):
        rng = np.random.default_rng(0)
        current = environment.reset()
        for _ in range(6):
            for name, expected in simulation.reported[-1].items():
                assert_equal(current[name], expected)
            current = environment.step(
                {
                    name: random_actions(environment.behaviors[name], step.decisions, rng)
                    for name, step in current.items()
                }
            )


def test_actions_arrive_number_for_number_and_a_behavior_left_out_does_nothing() -> None:
    with connected(areas=2) as (environment, simulation, _):
        current = environment.reset()
        sent = random_actions(HYBRID, current[HYBRID.name].decisions, np.random.default_rng(1))
        environment.step({HYBRID.name: sent})
        np.testing.assert_array_equal(simulation.acted[0][HYBRID.name].continuous, sent.continuous)
        np.testing.assert_array_equal(simulation.acted[0][HYBRID.name].discrete, sent.discrete)
        assert simulation.acted[0][PLAIN.name].continuous.tolist() == [[0.0]] * 4


def test_parameters_and_samplers_arrive_before_the_step_that_carries_them() -> None:
    with connected() as (environment, simulation, _):
        environment.set_parameter("half_extent", 4.5)
        environment.set_parameter("uniform", Sampler("uniform", (2.0, 6.0), seed=3))
        environment.reset()
        environment.set_parameter("gaussian", Sampler("gaussian", (1.0, 0.5), seed=4))
        environment.set_parameter("ranges", Sampler("multirangeuniform", (0.0, 1.0, 5.0, 8.0), seed=-1))
        environment.step({})
        found = dict(simulation.parameters)
        assert found["half_extent"] == 4.5
        assert found["uniform"].min() >= 2
        assert found["uniform"].max() <= 6
        assert abs(found["uniform"].mean() - 4) < 0.01
        assert abs(found["gaussian"].mean() - 1) < 0.02
        assert abs(found["gaussian"].std() - 0.5) < 0.02
        low = found["ranges"] <= 1
        assert abs(low.mean() - 0.25) < 0.01
        assert ((found["ranges"][~low] >= 5) & (found["ranges"][~low] <= 8)).all()


def test_stats_arrive_with_their_aggregation() -> None:
    with connected() as (environment, _, _):
        environment.reset()
        environment.step({})
        stats = environment.drain_stats()
        assert stats[-2:] == [Stat("Environment/Steps", 1.0, "most_recent"), Stat("Environment/Success", 0.5)]
        assert environment.drain_stats() == []


def test_the_player_leaves_when_the_trainer_closes() -> None:
    with connected() as (environment, _, served):
        environment.reset()
    assert served.ending == "quit"


def test_the_player_leaves_when_it_is_told_to_quit() -> None:
    server = PlayerServer()
    served = Served(server.port)
    welcome, quit_order = messages.packed_message(), messages.packed_message()
    welcome.unity_input.rl_initialization_input.communication_version = "1.0.0"
    quit_order.unity_input.rl_input.command = messages.QUIT
    for answer in (welcome, quit_order):
        server.receive(10)
        server.send(answer)
    served.join()
    server.close()
    assert served.ending == "quit"


def test_a_trainer_of_another_protocol_is_refused() -> None:
    server = PlayerServer()
    served = Served(server.port)
    welcome = messages.packed_message()
    welcome.unity_input.rl_initialization_input.communication_version = "2.0.0"
    server.receive(10)
    server.send(welcome)
    served.join()
    server.close()
    assert isinstance(served.ending, ExternalError)
    assert served.ending.cause == "protocol"


@pytest.mark.parametrize("listening", [False, True], ids=["nobody listens", "a mute listener"])
def test_without_a_trainer_the_player_gives_up_in_time(listening: bool) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if listening:
            mute.listen()
        start = time.monotonic()
        with pytest.raises(ExternalError) as caught:
            serve(Recorder, port=mute.getsockname()[1], connect_timeout_s=1.0, log=lambda _: None)
    assert caught.value.cause == "no_trainer"
    assert time.monotonic() - start < 5


_TRAINER = """
import sys, time
from unity_mlops_mcp.protocol.trainer import Environment
environment = Environment(port=int(sys.argv[1]), timeout_s=20)
environment.reset()
environment.step({})
print("stepping", flush=True)
time.sleep(600)
"""


def test_the_player_leaves_within_two_seconds_when_the_trainer_is_killed() -> None:
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    served = Served(port)
    with subprocess.Popen(
        [sys.executable, "-c", _TRAINER, str(port)], stdout=subprocess.PIPE, env=environment, text=True
    ) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "stepping\n"
        start = time.monotonic()
        trainer.send_signal(signal.SIGKILL)
        served.join()
    assert time.monotonic() - start < 2
    assert served.ending == "trainer_gone"


def test_a_port_in_use_is_told_before_anything_is_started() -> None:
    with connected() as (environment, _, _), pytest.raises(SetupError) as caught:
        Environment(port=environment.port)
    assert caught.value.cause == "port_in_use"


def _times_out(folder: Path) -> None:
    Environment([str(write_player(folder, "--fault", "noconnect"))], timeout_s=1.5)


def _exits(folder: Path) -> None:
    Environment([str(write_player(folder, "--fault", "crash"))], timeout_s=20)


def _hangs(folder: Path) -> None:
    with Environment([str(write_player(folder, "--fault", "hang@2"))], timeout_s=3) as environment:
        environment.reset()
        environment.step({})
        environment.step({})


def _dies(folder: Path) -> None:
    with Environment([str(write_player(folder, "--fault", "kill@2"))], timeout_s=20) as environment:
        environment.reset()
        environment.step({})
        environment.step({})


def _is_no_program(folder: Path) -> None:
    file = folder / "player.x86_64"
    file.write_text("no program")
    Environment([str(file)], timeout_s=20)


@pytest.mark.parametrize(
    ("attempt", "cause", "words"),
    [
        (_times_out, "player_timeout", "said nothing"),
        (_exits, "player_exited", "exit code 7"),
        (_hangs, "player_timeout", "said nothing"),
        (_dies, "player_exited", "exit code -9"),
        (_is_no_program, "player_start", "cannot be started"),
    ],
    ids=["never connects", "exits at start", "hangs", "is killed", "is no program"],
)
def test_a_player_that_fails_is_an_error_that_says_how(
    attempt: Callable[[Path], None], cause: str, words: str, tmp_path: Path
) -> None:
    start = time.monotonic()
    with pytest.raises(ExternalError) as caught:
        attempt(tmp_path)
    assert caught.value.cause == cause
    assert words in caught.value.message
    assert caught.value.fix
    assert time.monotonic() - start < 15
