"""Runs with the user's own trainer: found, started as it is, and judged by what it reached, never by its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stand_ins.stock_trainer import make_stock_trainer
from tests.training_home import finish, nothing_is_left, processes_of, small, until
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.training.trainer.environment import find_trainer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="runs only on a Python below 3.12, as stock trainers do"),
]

Open = Callable[..., App]


@pytest.fixture
def open_app(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the application with a stock trainer: set, or only on the PATH."""
    opened: list[App] = []

    def make(*, version: str = "1.1.0", fault: str = "", on_path: bool = False) -> App:
        script = make_stock_trainer(tmp_path / "my trainer", version=version, fault=fault)
        if on_path:
            monkeypatch.delenv("UNITY_MLOPS_TRAINER", raising=False)
            monkeypatch.setenv("PATH", os.pathsep.join((str(script.parent), os.environ["PATH"])))
        else:
            monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(script))
        config.settings.cache_clear()
        opened.append(App(config.settings()))
        return opened[0]

    yield make
    for application in opened:
        for run in application.list_runs(limit=50).runs:
            application.stop_training(run.run_id)
        application.close()
    assert nothing_is_left(home)


def start(app: App, steps: int = 4000) -> str:
    """Start a run in the sandbox; its id."""
    build_id = app.build_environment(description="reach the target").build_id
    return app.start_training(build_id=build_id, trainer_config=small(steps)).run_id


def failed(app: App) -> Status:
    """How a run ended that must have failed."""
    status = finish(app, start(app))
    assert status.state == "failed"
    assert status.failure is not None
    return status


@pytest.mark.parametrize(("version", "on_path"), [("0.28.0", False), ("1.1.0", True)])
def test_a_stock_trainer_is_started_as_it_is_and_its_run_succeeds(
    open_app: Open, home: Path, tmp_path: Path, version: str, on_path: bool
) -> None:
    app = open_app(version=version, on_path=on_path)
    assert find_trainer(app.settings).kind == "stock"
    run_id = start(app)
    status = finish(app, run_id)
    assert (status.state, status.failure) == ("succeeded", None)
    assert status.step == 4000
    assert status.onnx == str(home / "runs" / run_id / "ReachTarget.onnx")
    record = json.loads((home / "runs" / run_id / "run.json").read_text())
    assert record["trainer"]["kind"] == "stock"
    words = record["attempts"][-1]["command"]
    assert words[0] == str(tmp_path / "my trainer" / "bin" / "mlagents-learn")
    assert not [word for word in words if "launcher.py" in word or word == "--mode"]
    assert app.get_metrics(run_id).summary.last_reward == pytest.approx(1.0)


def test_a_stopped_stock_trainer_leaves_its_checkpoint_and_policy_and_goes_on_from_there(open_app: Open) -> None:
    app = open_app()
    run_id = start(app, 400_000)
    reached = until(app, run_id, lambda status: (status.step or 0) >= 3000).step or 0
    app.stop_training(run_id)
    stopped = finish(app, run_id)
    assert stopped.state == "cancelled"
    assert {"ReachTarget.onnx", "ReachTarget/checkpoint.pt"} <= set(stopped.files)
    app.resume_training(run_id)
    on = until(app, run_id, lambda status: (status.step or 0) > (stopped.step or 0))
    assert (on.step or 0) > reached


def test_a_stock_trainer_that_hangs_can_be_stopped(open_app: Open, home: Path) -> None:
    app = open_app(fault="hang@2000")
    run_id = start(app)
    until(app, run_id, lambda status: (status.step or 0) >= 1000)
    app.stop_training(run_id)
    assert finish(app, run_id).state == "cancelled"
    assert not processes_of(home, "mlagents-learn")


def test_an_exit_code_of_one_after_all_steps_and_a_policy_is_a_success(open_app: Open) -> None:
    app = open_app(fault="exit1")
    status = finish(app, start(app))
    assert (status.state, status.failure, status.step) == ("succeeded", None, 4000)


def test_an_exit_code_of_zero_before_the_last_step_is_a_failure(open_app: Open) -> None:
    status = failed(open_app(fault="exit0@3000"))
    assert status.failure is not None
    assert status.failure.cause == "stopped_early"
    assert "ReachTarget/checkpoint.pt" in status.files
    assert "resume_training" in status.failure.fix


@pytest.mark.parametrize(
    ("fault", "cause", "said"),
    [
        ("noonnx", "onnx_missing", "left no policy"),
        ("cutonnx", "onnx_broken", "does not open"),
        ("crash@2000", "nan_from_player", "NaN"),
    ],
)
def test_a_stock_trainer_without_a_usable_policy_has_failed_and_the_cause_is_told(
    open_app: Open, fault: str, cause: str, said: str
) -> None:
    failure = failed(open_app(fault=fault)).failure
    assert failure is not None
    assert failure.cause == cause
    assert said in failure.message
    assert failure.fix
