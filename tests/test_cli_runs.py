"""The command line with the real trainer: one sentence to a policy, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp_clients import REPOSITORY, server_environment
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.pipeline.stages import stages_of

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "unity_mlops_mcp", *arguments]


def cli(home: Path, trainer_python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=REPOSITORY,
        env=server_environment(home, UNITY_MLOPS_TRAINER=str(trainer_python)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


def test_one_command_shows_every_stage_and_ends_with_a_policy_and_what_to_type_next(
    home: Path, trainer_python: Path
) -> None:
    done = cli(home, trainer_python, "run", "a robot reaches the target", "--max-steps", "3000")
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert not CONTROL.search(said)
    for stage in stages_of(Wanted()):
        assert re.search(rf"^{stage.name} +done: ", said, re.MULTILINE), stage.name
    for part in ("Trainer: mlagents 1.1.0", "planned by: rules", "understood", "assumed", "Success", " episodes"):
        assert part in said
    policy = re.search(r"Policy \(ONNX\)\s+(\S.*\.onnx)$", said, re.MULTILINE)
    assert policy is not None
    assert Path(policy[1]).stat().st_size > 1000
    assert "connect claude-desktop" in said
    assert re.search(r'run "patrol', said)


def test_a_dry_run_needs_no_trainer_and_prints_the_last_status(home: Path) -> None:
    done = cli(home, home / "no trainer", "run", "patrol four waypoints", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    assert {stage["name"] for stage in status["stages"] if stage["state"] == "skipped"} >= {"build", "train"}
    assert "nothing was built or trained" in status["message"]
    refused = cli(home, home / "no trainer", "run", "patrol four waypoints", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["fix"]


def test_train_with_json_prints_the_last_status_and_nothing_else(home: Path, trainer_python: Path) -> None:
    done = cli(home, trainer_python, "train", "reach the target", "--max-steps", "2000", "--json")
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    assert status["state"] == "succeeded"
    assert status["step"] >= 2000
    watched = cli(home, trainer_python, "watch", status["run_id"], "--json")
    assert json.loads(watched.stdout)["step"] == status["step"]
    shown = cli(home, trainer_python, "get-run", status["run_id"])
    assert shown.returncode == 0
    assert "succeeded" in shown.stdout
    metrics = cli(home, trainer_python, "get-metrics", status["run_id"], "--json")
    assert json.loads(metrics.stdout)["summary"]["steps"] >= 2000


@pytest.mark.skipif(sys.platform == "win32", reason="runs only on systems with POSIX signals")
def test_ctrl_c_leaves_a_run_that_goes_on_from_its_checkpoint(home: Path, trainer_python: Path) -> None:
    with subprocess.Popen(
        command("train", "reach the target", "--max-steps", "400000"),
        cwd=REPOSITORY,
        env=server_environment(home, UNITY_MLOPS_TRAINER=str(trainer_python), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as looking_on:
        assert looking_on.stdout is not None
        assert any("reward" in line for line in looking_on.stdout)
        os.kill(looking_on.pid, signal.SIGINT)
        rest = looking_on.stdout.read()
        assert looking_on.wait(timeout=120) == 130
    resume = re.search(r"resume-training (\S+)", rest)
    assert resume is not None, rest
    assert "its checkpoint is kept" in rest
    resumed = cli(home, trainer_python, "resume-training", resume[1], "--json")
    assert resumed.returncode == 0, resumed.stdout
    assert json.loads(resumed.stdout)["from_step"] > 0
    running = cli(home, trainer_python, "wait-for", resume[1], "--until", "running", "--timeout-s", "60", "--json")
    assert running.returncode == 0, running.stdout
    stopped = cli(home, trainer_python, "stop-training", resume[1], "--json")
    assert stopped.returncode == 0
    ended = cli(home, trainer_python, "wait-for", resume[1], "--timeout-s", "90", "--json")
    assert ended.returncode == 1, "a cancelled run did not succeed"
    assert json.loads(ended.stdout)["state"] == "cancelled"


def test_a_detached_training_is_waited_for_from_another_process(home: Path, trainer_python: Path) -> None:
    started = cli(home, trainer_python, "train", "reach the target", "--max-steps", "2000", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    run_id = json.loads(started.stdout)["run_id"]
    early = cli(home, trainer_python, "wait-for", run_id, "--timeout-s", "0", "--json")
    assert early.returncode == 1
    assert json.loads(early.stdout)["done"] is False
    ended = cli(home, trainer_python, "wait-for", run_id, "--timeout-s", "180", "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["done"] is True
