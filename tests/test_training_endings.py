"""How runs end that are not simply trained to their last step: judged by what was reached, with the real trainer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stand_ins.player import write_player
from tests.training_home import finish, nav, small, the_trainer, until
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

GB = 10**9
EDITOR_PORT = 5004


def test_a_trainer_that_ends_early_without_an_error_has_failed(app: App, home: Path) -> None:
    build_id = app.build_environment(description="reach the target").build_id
    run_id = app.start_training(build_id=build_id, trainer_config=small(100_000)).run_id
    until(app, run_id, lambda status: (status.step or 0) >= 2000)
    os.kill(the_trainer(home).pid, signal.SIGINT)  # it saves, exports, and ends with code 0
    status = finish(app, run_id)
    assert status.state == "failed"
    assert status.failure is not None
    assert status.failure.cause == "stopped_early"
    assert f"resume_training('{run_id}')" in status.failure.fix
    assert "ReachTarget.onnx" in status.files


def test_a_port_that_is_taken_while_the_trainer_starts_costs_one_attempt(app: App) -> None:
    build_id = app.build_environment(description="reach the target").build_id
    run_id = app.start_training(build_id=build_id, trainer_config=small(2000)).run_id
    command = until(app, run_id, lambda status: status.command is not None).command or ""
    port = int(command.partition("--base-port=")[2].split()[0])
    with socket.socket() as other:
        other.bind(("", port))
        other.listen()
        status = finish(app, run_id)
    assert (status.state, status.attempts) == ("succeeded", 2)
    assert f"--base-port={port} " not in (status.command or "")


def test_a_policy_that_does_not_open_is_no_success(app: App, home: Path) -> None:
    build_id = app.build_environment(description="reach the target").build_id
    run_id = app.start_training(build_id=build_id, trainer_config=small(30_000)).run_id
    until(app, run_id, lambda status: (status.step or 0) >= 1000)
    (home / "runs" / run_id / "ReachTarget.onnx").symlink_to(os.devnull)  # what is written there is lost
    status = finish(app, run_id)
    assert status.state == "failed"
    assert status.failure is not None
    assert status.failure.cause == "onnx_broken"
    assert "resume_training" in status.failure.fix


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="runs only on systems that set disk space aside")
def test_a_run_stops_with_its_checkpoint_when_the_disk_becomes_full(
    app: App, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = app.build_environment(description="reach the target").build_id
    free = shutil.disk_usage(home).free
    if free < 8 * GB:
        pytest.skip("runs only on a disk with 8 GB free")
    monkeypatch.setenv("UNITY_MLOPS_WARN_FREE_GB", str((free + 2 * GB) / GB))
    monkeypatch.setenv("UNITY_MLOPS_MIN_FREE_GB", str((free - 2 * GB) / GB))
    config.settings.cache_clear()
    careful = App(config.settings())
    run_id = careful.start_training(build_id=build_id, trainer_config=small(1_000_000)).run_id
    assert any(note.startswith("disk:") for note in until(careful, run_id, lambda s: (s.step or 0) >= 2000).notes)
    with (tmp_path / "large").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 4 * GB)
        status = finish(careful, run_id)
    (tmp_path / "large").unlink()
    careful.close()
    assert status.state == "failed"
    assert status.failure is not None
    assert status.failure.cause == "disk_full"
    assert any(name.endswith("checkpoint.pt") for name in status.files)
    assert run_id in status.failure.fix


def test_the_editor_is_waited_for_until_play_is_pressed(app: App, tmp_path: Path) -> None:
    run_id = app.start_training(editor=True, trainer_config=nav(3000, timeout_wait=60)).run_id
    status = until(app, run_id, lambda status: "waiting for Play" in status.message)
    assert str(EDITOR_PORT) in status.message
    player = write_player(tmp_path / "project")
    with subprocess.Popen([player, "--mlagents-port", str(EDITOR_PORT)], stdout=sys.stderr) as playing:
        status = finish(app, run_id)
        assert playing.wait(timeout=30) == 0
    assert status.state == "succeeded", status.failure
    assert status.behavior_name == "Nav"
