"""Runs from start to end, through the application, with the real trainer and real players."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import yaml

from tests.stand_ins.player import write_player
from tests.training_home import (
    finish,
    kill,
    nav,
    processes_of,
    small,
    the_supervisor,
    the_trainer,
    until,
)
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError, SetupError
from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec

pytestmark = [pytest.mark.trainer, pytest.mark.slow]


@pytest.fixture
def build_id(app: App) -> str:
    return app.build_environment(description="reach the target").build_id


def test_a_run_ends_with_a_policy_and_all_that_a_stranger_needs_to_repeat_it(
    app: App, build_id: str, home: Path
) -> None:
    started = app.start_training(build_id=build_id, trainer_config=small(), seed=7, num_envs=2)
    assert "became" in started.notes[0]
    status = finish(app, started.run_id)
    assert (status.state, status.failure) == ("succeeded", None)
    assert status.step is not None
    assert status.step >= 6000
    assert status.onnx is not None
    assert Path(status.onnx).is_file()
    record = json.loads((home / "runs" / started.run_id / "run.json").read_text())
    assert record["request"]["seed"] == 7
    assert record["spec"]["name"] == "ReachTarget"
    assert record["versions"]["mlagents"] == "1.1.0"
    assert record["attempts"][0]["environment"] == {"PYTHONHASHSEED": "0"}
    assert shlex.split(status.command or "") == record["attempts"][0]["command"]
    assert len((status.command or "").split()) > len(record["attempts"][0]["command"])  # the home has a space
    assert yaml.safe_load(status.configuration or "")["behaviors"]["ReachTarget"]["max_steps"] == 6000
    metrics = app.get_metrics(started.run_id, max_points=20)
    assert metrics.summary.success is not None
    assert metrics.series[0].tag == "Environment/Cumulative Reward"
    assert (home / "runs" / started.run_id / "run_logs" / "Player-0.log").read_text()
    assert "Step: 6000" in app.read_log(started.run_id)


def test_a_stopped_run_keeps_its_checkpoint_and_goes_on_past_its_old_end(app: App, build_id: str) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(60_000), run_id="stopped-one").run_id
    until(app, run_id, lambda status: (status.step or 0) >= 3000)
    with pytest.raises(ConflictError, match="running"):
        app.resume_training(run_id)
    app.stop_training(run_id)
    status = finish(app, run_id)
    assert status.state == "cancelled"
    assert any(file.endswith("checkpoint.pt") for file in status.files)
    assert "ReachTarget.onnx" in status.files
    app.tend()
    assert app.get_run(run_id).state == "cancelled", "a stopped run is never resumed by itself"
    before = status.step or 0
    with pytest.raises(ConflictError, match="already"):
        app.start_training(build_id=build_id, run_id=run_id)
    app.store.runs.attach_job(run_id, status.job_id)
    resumed = app.resume_training(run_id, extra_steps=1000)
    assert resumed.from_step >= before
    app.stop_training(run_id)
    finish(app, run_id)


def test_curves_of_a_resumed_run_are_joined(app: App, build_id: str) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(3000), seed=1).run_id
    finish(app, run_id)
    with pytest.raises(InvalidInputError, match="has reached step"):
        app.resume_training(run_id)
    resumed = app.resume_training(run_id, extra_steps=3000)
    assert resumed.from_step >= 3000
    status = finish(app, run_id)
    assert status.state == "succeeded"
    assert (status.step or 0) >= 6000
    reward = app.get_metrics(run_id).series[0]
    assert list(reward.steps) == sorted(set(reward.steps))
    assert reward.steps[0] <= 3000
    assert reward.steps[-1] >= 6000


def test_an_asset_and_a_training_request_become_a_run_that_is_found_by_the_asset(app: App) -> None:
    asset = UnityAssetSpec(asset_id="npc-7", name="gate guard", description="reach the target")
    training = RLTrainingConfig(algorithm="SAC", max_steps=2000, gamma=0.9, buffer_init_steps=500, num_envs=4, seed=5)
    started = app.train(asset, training)
    assert "num_envs=4 became" in started.notes[0]
    assert [run.run_id for run in app.list_runs(asset="npc-7").runs] == [started.run_id]
    assert app.list_runs(asset="npc-8").runs == []
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    body = yaml.safe_load(status.configuration or "")["behaviors"]["GateGuard"]
    assert (body["trainer_type"], body["max_steps"], body["hyperparameters"]["buffer_init_steps"]) == ("sac", 2000, 500)
    assert body["reward_signals"]["extrinsic"]["gamma"] == 0.9
    assert "--seed=5" in (status.command or "")


def test_a_run_is_not_lost_when_its_start_or_resume_is_killed_between_two_writes(app: App, build_id: str) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(2000), run_id="whole").run_id
    before = finish(app, run_id).job_id
    row = app.runs.row(run_id)
    request = {**row.configuration, "run_id": "half"}
    app.store.runs.add(replace(row, run_id="half", configuration=request, job_id=None, job=None))
    resumed = app.resume_training(run_id, extra_steps=1000)
    app.store.runs.attach_job(run_id, before)
    app.tend()
    assert app.get_run(run_id).job_id == resumed.job_id
    assert finish(app, "half").state == finish(app, run_id).state == "succeeded"


def test_a_forced_start_moves_the_old_run_and_deletes_nothing(app: App, build_id: str, home: Path) -> None:
    first = app.start_training(build_id=build_id, trainer_config=small(2000), run_id="again")
    finish(app, first.run_id)
    second = app.start_training(build_id=build_id, trainer_config=small(2000), run_id="again", force=True)
    assert second.job_id != first.job_id
    assert finish(app, "again").state == "succeeded"
    (kept,) = (home / ".replaced").iterdir()
    assert (kept / "ReachTarget.onnx").is_file()


def test_a_run_can_begin_with_the_weights_of_another(app: App, build_id: str) -> None:
    source = app.start_training(build_id=build_id, trainer_config=small(2000)).run_id
    finish(app, source)
    with pytest.raises(NotFoundError, match="no run 'nobody'"):
        app.start_training(build_id=build_id, initialize_from="nobody")
    second = app.start_training(build_id=build_id, trainer_config=small(2000), initialize_from=source).run_id
    finish(app, second)
    assert "Initializing from" in app.read_log(second, tail=400)


def test_a_killed_trainer_goes_on_from_its_checkpoint_by_itself(app: App, build_id: str, home: Path) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(40_000)).run_id
    until(app, run_id, lambda status: (status.step or 0) >= 4000)
    kill(the_trainer(home))
    status = finish(app, run_id)
    assert (status.state, status.attempts) == ("succeeded", 2)
    assert "Resuming training from step" in app.read_log(run_id, tail=2000)


def test_a_killed_supervisor_is_replaced_and_no_second_trainer_runs_beside(app: App, build_id: str, home: Path) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(40_000)).run_id
    until(app, run_id, lambda status: (status.step or 0) >= 4000)
    before = the_trainer(home)
    kill(the_supervisor(home))
    until(app, run_id, lambda status: status.attempts == 2)
    until(app, run_id, lambda status: status.state == "running")
    assert not before.is_running() or before.status() == psutil.STATUS_ZOMBIE
    status = finish(app, run_id)
    assert (status.state, status.attempts) == ("succeeded", 2)


def test_a_killed_player_is_started_again(app: App, build_id: str, home: Path) -> None:
    run_id = app.start_training(build_id=build_id, trainer_config=small(40_000)).run_id
    until(app, run_id, lambda status: (status.step or 0) >= 2000)
    (player,) = processes_of(home, "unity_mlops_mcp.sandbox")
    kill(player)
    status = finish(app, run_id)
    assert status.state == "succeeded"
    assert any("restarted" in note for note in status.notes)


def test_a_training_outlives_the_process_that_started_it(app: App, build_id: str) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "unity_mlops_mcp", "start-training", "--build-id", build_id, "--trainer-config",
         small(3000), "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert finish(app, json.loads(started.stdout)["run_id"]).state == "succeeded"


def test_two_processes_with_one_key_start_one_run(app: App, build_id: str) -> None:
    command = [sys.executable, "-m", "unity_mlops_mcp", "start-training", "--build-id", build_id, "--json",
               "--trainer-config", small(2000), "--idempotency-key", "tonight"]  # fmt: skip
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in racing]
    assert len({answer["run_id"] for answer in answers}) == 1
    assert len({answer["job_id"] for answer in answers}) == 1
    assert [run.run_id for run in app.list_runs().runs] == [answers[0]["run_id"]]
    finish(app, answers[0]["run_id"])


def test_parallel_runs_have_ports_of_their_own_and_a_third_waits_with_a_reason(app: App, build_id: str) -> None:
    runs = [app.start_training(build_id=build_id, trainer_config=small(8000)) for _ in range(3)]
    assert runs[2].state == "queued"
    assert runs[2].queue_position == 1
    assert runs[0].run_id in (runs[2].waiting_for or "")
    statuses = [finish(app, run.run_id) for run in runs]
    assert [status.state for status in statuses] == ["succeeded"] * 3
    ports = [next(word for word in (s.command or "").split() if "--base-port" in word) for s in statuses[:2]]
    assert ports[0] != ports[1]


FAULTS = {
    "crash": ("player_crashed", "code 7"),
    "nan@20": ("nan", "NaN"),
    "badname": ("behavior", "Wrong"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_player_is_told_with_cause_evidence_and_fix(app: App, tmp_path: Path, fault: str) -> None:
    player = write_player(tmp_path / "user players", "--fault", fault, name="Nav")
    run_id = app.start_training(env_path=str(player), trainer_config=nav(max_lifetime_restarts=0)).run_id
    status = finish(app, run_id)
    assert status.state == "failed"
    assert status.failure is not None
    cause, told = FAULTS[fault]
    assert cause in status.failure.cause
    assert told in f"{status.failure.message} {status.failure.evidence}"
    assert "start_training(" in status.failure.fix or "resume_training(" not in status.failure.fix


def test_any_player_under_an_allowed_root_is_trained(app: App, tmp_path: Path) -> None:
    player = write_player(tmp_path / "players", name="Nav")
    run_id = app.start_training(env_path=str(player), max_steps=2000, seed=3).run_id
    status = finish(app, run_id)
    assert status.state == "succeeded", status.failure
    assert status.behavior_name == "Nav"


def test_bad_input_is_refused_before_anything_starts(
    app: App, build_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[tuple[dict[str, object], str]] = [
        ({}, "exactly one"),
        ({"build_id": "nothing"}, "no build"),
        ({"env_path": "/usr/bin/true"}, "outside the allowed folders"),
        ({"env_path": str(tmp_path / "absent")}, "absent"),
        ({"build_id": build_id, "trainer_config": "behaviors: {ReachTarget: {batchsize: 3}}"}, "batchsize"),
        ({"build_id": build_id, "trainer_config": "checkpoint_settings: {run_id: mine}"}, "run_id"),
        ({"build_id": build_id, "run_id": "../escape"}, "cannot be a folder"),
        ({"build_id": build_id, "env_args": "'open"}, "quotation"),
    ]
    for arguments, told in refusals:
        with pytest.raises((InvalidInputError, NotFoundError), match=told):
            app.start_training(**arguments)  # type: ignore[arg-type]
    monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(tmp_path / "no-python"))
    config.settings.cache_clear()
    with pytest.raises(SetupError):
        App(config.settings()).start_training(build_id=build_id)
    assert app.list_runs().runs == []
