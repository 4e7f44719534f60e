"""Starts real trainings for tests, through the launcher or without it, and reads what they left."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

TRAINER_ENV = REPOSITORY / "unity_mlops_mcp" / "trainer_env"
LAUNCHER = TRAINER_ENV / "launcher.py"
DIGEST = REPOSITORY / "tests" / "stand_ins" / "digest.py"
SUMMARY = re.compile(r"^\[INFO\] \S+\. Step: \d+\. Time Elapsed: .*$", re.MULTILINE)


def free_port(count: int = 1) -> int:
    """The first of some consecutive ports that nobody listens on now."""
    while True:
        with socket.socket() as first:
            first.bind(("localhost", 0))
            port = int(first.getsockname()[1])
        if port + count < 2**16 and all(_free(port + offset) for offset in range(count)):
            return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("localhost", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        folder: its run folder.
        exit_code: of mlagents-learn.
        output: what it printed, errors too.
    """

    folder: Path
    exit_code: int
    output: str

    @property
    def summaries(self) -> list[str]:
        """The summary lines without the time."""
        return [re.sub(r"Time Elapsed: [\d.]+ s\. ", "", line) for line in SUMMARY.findall(self.output)]

    @property
    def files(self) -> list[str]:
        """The files of the run, relative to its folder; the event file without its time and host."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return sorted(re.sub(r"(events\.out\.tfevents).*", r"\1", name) for name in found)

    def digests(self, python: Path, behavior: str = "Nav") -> dict[str, str]:
        """The md5 of the tensors of each module of the last checkpoint."""
        command = [str(python), str(DIGEST), str(self.folder / behavior / "checkpoint.pt")]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        digests: dict[str, str] = json.loads(answer.stdout)
        return digests


def learn_command(
    python: Path, mode: str, configuration: Path, player: Path, *, run: str, options: Sequence[str]
) -> list[str]:
    """The command line of a training through the launcher; its results folder is beside the configuration."""
    return [
        str(python),
        str(LAUNCHER),
        *("--mode", mode, "--"),
        str(configuration),
        f"--run-id={run}",
        f"--results-dir={configuration.parent / 'results'}",
        f"--env={player.with_suffix('')}",
        "--no-graphics",
        "--force",
        "--timeout-wait=30",
        *options,
    ]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment with some variables set; hashing is fixed, so that self-play is repeatable."""
    return {**os.environ, "PYTHONHASHSEED": "0", **variables}


def train(
    python: Path,
    mode: str,
    configuration: Path,
    player: Path,
    *,
    run: str,
    options: Sequence[str] = ("--seed=3", "--max-lifetime-restarts=0"),
    environments: int = 1,
    arguments: Sequence[str] = (),
    timeout_s: float = 240,
) -> Training:
    """Run a training to its end; ``arguments`` are for the player."""
    ports = [f"--base-port={free_port(environments)}", f"--num-envs={environments}"]
    player_arguments = ["--env-args", *arguments] if arguments else []
    chosen = [*options, *ports, *player_arguments]
    command = learn_command(python, mode, configuration, player, run=run, options=chosen)
    ended: subprocess.CompletedProcess[Any] = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment(),
        timeout=timeout_s,
        check=False,
    )
    return Training(configuration.parent / "results" / run, ended.returncode, ended.stdout)
