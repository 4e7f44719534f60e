"""How a training through the launcher ends when it is interrupted, and when its player fails."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.matrix import Case
from tests.stand_ins.player import write_player
from tests.trainings import LAUNCHER, Training, environment, free_port, learn_command, train

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
REASON = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception): .+)$", re.MULTILINE)
ENDLESS = 10_000_000
PATIENCE_S = 90.0


def configuration_of(folder: Path, *, steps: int = ENDLESS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trainer.yaml"
    path.write_text(Case("failure", steps=steps).configuration(folder))
    return path


class Running:
    """A training that goes on; its output is read from a file."""

    def __init__(self, python: Path, mode: str, folder: Path, *player: str, prefix: Sequence[str] = ()) -> None:
        self.port = free_port()
        executable = write_player(folder, *player)
        options = [f"--base-port={self.port}", "--seed=3"]
        command = learn_command(python, mode, configuration_of(folder), executable, run="run", options=options)
        self.folder, self._log = folder / "results" / "run", folder / "log.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*prefix, *command], stdout=log, stderr=subprocess.STDOUT, env=environment(), start_new_session=True
            )

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output[-3000:]

    def wait(self) -> Training:
        return Training(self.folder, self.process.wait(PATIENCE_S), self.output)

    def players(self) -> list[psutil.Process]:
        """The living players of this training, known by their port."""
        return [process for process in psutil.process_iter() if f"--mlagents-port {self.port}" in command_of(process)]


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


@contextlib.contextmanager
def running(python: Path, mode: str, folder: Path, *player: str, prefix: Sequence[str] = ()) -> Iterator[Running]:
    training = Running(python, mode, folder, *player, prefix=prefix)
    try:
        yield training
    finally:
        training.process.kill()
        training.process.wait()
        for player_left in training.players():
            player_left.kill()


def assert_saved(training: Training) -> None:
    assert training.exit_code == 0, training.output[-3000:]
    assert "Learning was interrupted. Please wait while the graph is generated." in training.output
    assert {"Nav.onnx", "Nav/checkpoint.pt", "configuration.yaml", "run_logs/training_status.json"} <= set(
        training.files
    )


# Interrupts


@POSIX
@pytest.mark.parametrize("mode", ["fast", "compat"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupt_ends_with_everything_saved_and_no_player_left(
    mode: str, number: str, trainer_python: Path, tmp_path: Path
) -> None:
    with running(trainer_python, mode, tmp_path) as training:
        training.wait_for("Step: 1000.")
        training.process.send_signal(signal.Signals[number])
        assert_saved(training.wait())
        wait_until(lambda: not training.players())
        assert training.players() == []


@POSIX
def test_an_interrupt_works_although_the_parent_ignores_it(trainer_python: Path, tmp_path: Path) -> None:
    ignore = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    with running(trainer_python, "fast", tmp_path, prefix=(sys.executable, "-c", ignore)) as training:
        training.wait_for("Step: 1000.")
        training.process.send_signal(signal.SIGINT)
        assert_saved(training.wait())


@POSIX
def test_a_second_terminate_does_not_cut_the_saving_short(trainer_python: Path, tmp_path: Path) -> None:
    with running(trainer_python, "fast", tmp_path) as training:
        training.wait_for("Step: 1000.")
        training.process.send_signal(signal.SIGINT)
        training.wait_for("Learning was interrupted.")
        training.process.send_signal(signal.SIGTERM)
        training.process.send_signal(signal.SIGTERM)
        assert_saved(training.wait())


@POSIX
def test_an_interrupt_before_the_player_has_connected_leaves_nothing_behind(
    trainer_python: Path, tmp_path: Path
) -> None:
    with running(trainer_python, "fast", tmp_path, "--fault", "noconnect") as training:
        wait_until(lambda: bool(training.players()))
        interrupted = time.monotonic()
        training.process.send_signal(signal.SIGTERM)
        training.wait()
        assert time.monotonic() - interrupted < 20  # and not the 30 s for which it would have waited
        wait_until(lambda: not training.players())
        assert training.players() == []


@POSIX
def test_no_player_outlives_a_killed_fast_trainer(trainer_python: Path, tmp_path: Path) -> None:
    with running(trainer_python, "fast", tmp_path) as training:
        training.wait_for("Step: 1000.")
        assert training.players()
        training.process.kill()
        training.process.wait()
        wait_until(lambda: not training.players())
        assert training.players() == []


@POSIX
def test_a_spawned_environment_worker_is_patched_too(trainer_python: Path, tmp_path: Path) -> None:
    """As on Windows and macOS, where a worker starts as a new interpreter that imports the launcher again."""
    spawn = (
        "import multiprocessing, runpy, sys; multiprocessing.set_start_method('spawn'); sys.argv = sys.argv[1:];"
        f"runpy.run_path({str(LAUNCHER)!r}, run_name='__main__')"
    )
    player = write_player(tmp_path)
    options = [f"--base-port={free_port()}"]
    configuration = configuration_of(tmp_path, steps=600)
    command = learn_command(trainer_python, "compat", configuration, player, run="run", options=options)
    told = subprocess.run(
        [command[0], "-c", spawn, *command[1:]],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(),
        timeout=PATIENCE_S,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    assert (tmp_path / "results" / "run" / "Nav.onnx").exists()


# Players that fail


def failed(python: Path, folder: Path, fault: str, *options: str, mode: str = "fast") -> Training:
    player = write_player(folder, "--fault", fault)
    chosen = ("--seed=3", "--timeout-wait=5", "--max-lifetime-restarts=0", *options)
    training = train(python, mode, configuration_of(folder), player, run="run", options=chosen, timeout_s=PATIENCE_S)
    assert training.exit_code == 1, training.output[-3000:]
    assert "SubprocessEnvManager had workers" not in training.output
    return training


TIMED_OUT = "UnityTimeOutException: The Unity environment took too long to respond. Make sure that :"


@pytest.mark.parametrize(
    ("fault", "reason", "saved"),
    [
        ("exit@100", "UnityEnvironmentException: Environment shut down with return code 3.", True),
        pytest.param(
            "kill@100",
            "UnityEnvironmentException: Environment shut down with return code -9 (SIGKILL).",
            True,
            marks=POSIX,
        ),
        ("hang@100", TIMED_OUT, True),
        ("nan@100", "RuntimeError: The rewards provided had NaN values.", True),
        ("infobs@100", "RuntimeError: The observations provided had Infinite values.", True),
        ("crash", "UnityEnvironmentException: Environment shut down with return code 7.", False),
        ("noconnect", TIMED_OUT, False),
        (
            "badname",
            (
                "TrainerConfigError: The behavior name Wrong has not been specified in the trainer configuration. "
                "Please add an entry in the configuration file for Wrong, or set default_settings."
            ),
            False,
        ),
    ],
)
def test_a_player_that_fails_is_told_in_the_words_of_mlagents(
    fault: str, reason: str, saved: bool, trainer_python: Path, tmp_path: Path
) -> None:
    training = failed(trainer_python, tmp_path, fault)
    assert REASON.findall(training.output)[-1] == reason
    assert ("Nav/checkpoint.pt" in training.files) is saved
    assert "run_logs/training_status.json" in training.files
    if reason == TIMED_OUT:
        assert "\t The environment does not need user interaction to launch\n" in training.output
    if reason.startswith("RuntimeError"):
        line = "[ERROR] UnityEnvironment worker 0: environment raised an unexpected exception."
        assert line in training.output
    if fault in ("exit@100", "kill@100"):
        assert "[ERROR] Worker 0 exceeded the allowed number of restarts." in training.output
        assert "Learning was interrupted. Please wait while the graph is generated." in training.output


def test_a_missing_player_is_told_in_the_words_of_mlagents(trainer_python: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.x86_64"
    training = train(trainer_python, "fast", configuration_of(tmp_path), missing, run="run")
    assert training.exit_code == 1
    assert REASON.findall(training.output)[-1] == (
        f"UnityEnvironmentException: Couldn't launch the {missing.with_suffix('')} environment. "
        "Provided filename does not match any environments."
    )


def test_a_player_that_dies_is_restarted_within_the_limits_and_training_goes_on(
    trainer_python: Path, tmp_path: Path
) -> None:
    # the player dies after 100 steps of its 16 agents: 1600 experiences before each death
    limits = ("--max-lifetime-restarts=2", "--restarts-rate-limit-n=-1")
    training = failed(trainer_python, tmp_path, "exit@100", *limits)
    restarts = "[WARNING] Restarting worker[0] after 'Environment shut down with return code 3.'"
    assert training.output.count(restarts) == 2
    assert "Step: 4000." in training.output
    assert "[ERROR] Worker 0 exceeded the allowed number of restarts." in training.output


def test_a_player_that_hangs_is_replaced(trainer_python: Path, tmp_path: Path) -> None:
    training = failed(trainer_python, tmp_path, "hang@100", "--max-lifetime-restarts=1")
    assert training.output.count("[WARNING] Restarting worker[0] after 'The Unity environment took too long") == 1
    assert "Environment timed out shutting down. Killing..." in training.output
    assert "Step: 2000." in training.output


def test_one_of_two_players_is_restarted_while_the_other_lives(trainer_python: Path, tmp_path: Path) -> None:
    """The first that starts is told to die; what the other answers meanwhile must not hide it."""
    player = write_player(tmp_path, name="whole")
    dying = tmp_path / "player.x86_64"
    dying.write_text(
        f'#!/bin/sh\nmark={tmp_path}/once\nif mkdir "$mark" 2>/dev/null; then set -- "$@" --fault exit@60; fi\n'
        f'exec {player} "$@"\n'
    )
    dying.chmod(0o755)
    training = train(
        trainer_python,
        "fast",
        configuration_of(tmp_path, steps=4000),
        dying,
        run="run",
        environments=2,
        options=["--seed=3"],
    )
    assert training.exit_code == 0, training.output[-3000:]
    assert training.output.count("[WARNING] Restarting worker[") == 1
    assert "Nav.onnx" in training.files


def test_a_port_in_use_is_told_in_the_words_of_mlagents(trainer_python: Path, tmp_path: Path) -> None:
    import socket

    player, configuration = write_player(tmp_path), configuration_of(tmp_path)
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen(1)
        options = [f"--base-port={taken.getsockname()[1]}"]
        command = learn_command(trainer_python, "fast", configuration, player, run="run", options=options)
        told = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE_S, check=False
        )
    assert told.returncode == 1
    assert "UnityWorkerInUseException: Couldn't start socket communication because worker number 0" in told.stderr


def test_groups_that_appear_in_the_middle_of_a_run_are_trained_as_before(trainer_python: Path, tmp_path: Path) -> None:
    """The fast trainer hands what it kept as rows over to the stock way, and nothing is lost or changed."""
    results = []
    for mode in ("compat", "fast"):
        folder = tmp_path / mode
        player = write_player(folder, "--groups-from", "70", "--episode", "60")
        results.append(train(trainer_python, mode, configuration_of(folder, steps=2500), player, run="run"))
    compat, fast = results
    assert (compat.exit_code, fast.exit_code) == (0, 0)
    assert fast.summaries == compat.summaries != []
    assert fast.digests(trainer_python) == compat.digests(trainer_python)


def test_a_killed_training_goes_on_from_its_checkpoint(trainer_python: Path, tmp_path: Path) -> None:
    with running(trainer_python, "fast", tmp_path) as training:
        training.wait_for("Exported ")
        os.kill(training.process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        training.process.wait()
    configuration = configuration_of(tmp_path, steps=5000)
    player = write_player(tmp_path)
    command = learn_command(
        trainer_python, "fast", configuration, player, run="run", options=["--resume", f"--base-port={free_port()}"]
    )
    command.remove("--force")
    told = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE_S, check=False)
    assert told.returncode == 0, told.stderr[-3000:]
    assert re.search(r"^\[INFO\] Resuming training from step \d+\.$", told.stdout, re.MULTILINE)
    assert (tmp_path / "results" / "run" / "Nav.onnx").exists()
