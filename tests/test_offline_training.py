"""Trainings that learn from recorded experience: refused before they start, cloned without a player, resumed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.demonstrations import record_reach
from tests.test_datasets import MIXED, REACH, episode
from tests.training_home import finish, kill, processes_of, small, the_supervisor, until
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings, settings
from unity_mlops_mcp.errors import InvalidInputError, SetupError
from unity_mlops_mcp.evaluation.model import read_model
from unity_mlops_mcp.protocol.simulation import ActionSpec
from unity_mlops_mcp.training.datasets.demo import write_demo

LOADER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import launcher
launcher.adopt_package()
from importlib import import_module
import_module(launcher.PACKAGE + ".start").prepare("compat")
from mlagents.trainers.demo_loader import demo_to_buffer, load_demonstration
from mlagents.trainers.buffer import BufferKey
spec, pairs, expected = load_demonstration(sys.argv[2])
_, buffer = demo_to_buffer(sys.argv[2], 1)
print(json.dumps({"pairs": len(pairs), "expected": expected, "shapes": [list(o.shape) for o in spec.observation_specs],
    "continuous": spec.action_spec.continuous_size, "branches": list(spec.action_spec.discrete_branches),
    "rewards": float(sum(buffer[BufferKey.ENVIRONMENT_REWARDS])), "dones": float(sum(buffer[BufferKey.DONE]))}))
"""


@pytest.fixture
def bare(tmp_path: Path) -> App:
    """An application over a fresh home without a trainer, and a good dataset beside it."""
    write_demo(tmp_path / "reach.demo", REACH, [episode(REACH, 10, seed=seed) for seed in range(10)])
    return App(Settings(home=tmp_path / "home", roots=(tmp_path,)))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"training_mode": "offline"}, "needs a dataset"),
        ({"training_mode": "offline", "offline_dataset_path": "nowhere.demo"}, "There is no dataset"),
        ({"offline_dataset_path": "reach.demo"}, "goes with training_mode offline or hybrid"),
        ({"demonstration_signals": "gail"}, "goes with training_mode offline or hybrid"),
        ({"training_mode": "offline", "offline_dataset_path": "reach.demo", "algorithm": "sac"}, "policies of PPO"),
        (
            {"training_mode": "offline", "offline_dataset_path": "reach.demo", "demonstration_signals": "gail"},
            "are for training_mode=hybrid",
        ),
        (
            {"training_mode": "hybrid", "offline_dataset_path": "reach.demo", "initialize_from": "x"},
            "begins with what it clones",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(bare: App, tmp_path: Path, arguments: dict[str, str], told: str) -> None:
    build = bare.build_environment(description="reach the target").build_id
    given = {name: str(tmp_path / value) if value.endswith(".demo") else value for name, value in arguments.items()}
    with pytest.raises(InvalidInputError, match=told):
        bare.start_training(build_id=build, **given)  # type: ignore[arg-type]
    assert bare.list_runs().runs == []


def test_a_hybrid_training_needs_a_player(bare: App, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="exactly one of build_id, env_path, editor"):
        bare.start_training(training_mode="hybrid", offline_dataset_path=str(tmp_path / "reach.demo"))


@pytest.mark.parametrize("mode", ["offline", "hybrid"])
def test_a_foreign_dataset_is_refused_with_both_shapes(bare: App, tmp_path: Path, mode: str) -> None:
    build = bare.build_environment(description="patrol four waypoints").build_id
    with pytest.raises(InvalidInputError, match=r"observations are \(6\), the behaviour's \(9\)") as caught:
        bare.start_training(build_id=build, training_mode=mode, offline_dataset_path=str(tmp_path / "reach.demo"))  # type: ignore[arg-type]
    assert caught.value.cause == "dataset_mismatch"
    assert bare.list_runs().runs == []


def test_a_dataset_with_nan_is_refused(bare: App, tmp_path: Path) -> None:
    broken = episode(REACH, 10)
    broken.rewards[3] = float("nan")
    write_demo(tmp_path / "nan.demo", REACH, [broken])
    with pytest.raises(InvalidInputError, match="1 numbers are NaN or infinite"):
        bare.start_training(training_mode="offline", offline_dataset_path=str(tmp_path / "nan.demo"))


@pytest.mark.trainer
@pytest.mark.parametrize("behavior", [REACH, MIXED], ids=["continuous", "mixed"])
def test_mlagents_reads_our_demonstrations(trainer_python: Path, tmp_path: Path, behavior: object) -> None:
    chosen = REACH if behavior is REACH else MIXED
    written = [episode(chosen, count, seed=count) for count in (3, 5, 2)]
    path = tmp_path / "ours.demo"
    write_demo(path, chosen, written)
    program = [trainer_python, "-c", LOADER, Path(__file__).parents[1] / "unity_mlops_mcp" / "trainer_env", path]
    done = subprocess.run([str(word) for word in program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["pairs"], found["expected"], found["dones"]) == (13, 13, 3)
    assert found["shapes"] == [list(sensor.shape) for sensor in chosen.observations]
    assert (found["continuous"], found["branches"]) == (chosen.action.continuous, list(chosen.action.branches))
    assert found["rewards"] == pytest.approx(sum(float(one.rewards.sum()) for one in written), abs=1e-4)


@pytest.mark.trainer
@pytest.mark.slow
def test_a_policy_is_cloned_without_a_player(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 30)
    build = app.build_environment(description="reach the target").build_id
    started = app.start_training(
        build_id=build, training_mode="offline", offline_dataset_path=str(dataset), max_steps=1500, seed=1
    )
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    assert status.onnx is not None
    assert status.step == 1500
    assert {"ReachTarget.onnx", "ReachTarget/checkpoint.pt", "run.json", "trainer.yaml"} <= set(status.files)
    metrics = app.get_metrics(started.run_id)
    assert {"Losses/Pretraining Loss", "Losses/Validation Loss"} <= set(metrics.available_tags)
    assert metrics.summary.reason.startswith("It learns from a dataset, without a player")
    assert processes_of(home, "--mlagents-port") == []
    evaluated = finish(app, app.evaluate_model(run_id=started.run_id, episodes=64).job_id)
    assert evaluated.evaluation is not None
    assert evaluated.evaluation.success is not None
    assert evaluated.evaluation.success.mean > 0.7
    assert app.register_model(run_id=started.run_id).version
    again = app.resume_training(started.run_id, extra_steps=500)
    assert again.from_step == 1500
    resumed = finish(app, started.run_id)
    assert (resumed.state, resumed.step) == ("succeeded", 2000)


@pytest.mark.trainer
@pytest.mark.slow
def test_transitions_are_cloned_without_a_build(app: App, home: Path) -> None:
    lines = (Path(__file__).parents[1] / "examples" / "transitions.jsonl").read_text("utf-8")
    dataset = home.parent / "transitions.jsonl"
    dataset.write_text(lines, "utf-8")
    started = app.start_training(training_mode="offline", offline_dataset_path=str(dataset), max_steps=600, seed=1)
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    assert status.behavior_name == "ReachTarget"
    assert yaml.safe_load((home / "runs" / started.run_id / "trainer.yaml").read_text("utf-8"))["behaviors"]


@pytest.mark.trainer
@pytest.mark.slow
def test_a_killed_cloning_goes_on_from_its_checkpoint(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 30)
    started = app.start_training(training_mode="offline", offline_dataset_path=str(dataset), max_steps=4000, seed=1)
    until(app, started.run_id, lambda status: any(file.endswith("-2000.onnx") for file in status.files))
    for process in processes_of(home, "offline.py"):
        kill(process)
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    record = json.loads((home / "runs" / started.run_id / "run.json").read_text("utf-8"))
    assert [attempt["from_step"] for attempt in record["attempts"]] == [0, 2000]
    assert settings().max_attempts > 1


@pytest.mark.trainer
@pytest.mark.slow
def test_a_stopped_cloning_keeps_its_policy(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 30)
    started = app.start_training(training_mode="offline", offline_dataset_path=str(dataset), seed=1)
    until(app, started.run_id, lambda status: (status.step or 0) >= 500)
    app.stop_training(started.run_id)
    status = finish(app, started.run_id)
    assert status.state == "cancelled"
    assert status.onnx is not None


@pytest.mark.trainer
@pytest.mark.slow
def test_a_hybrid_training_begins_with_what_it_cloned(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 40)
    build = app.build_environment(description="reach the target").build_id
    started = app.start_training(
        build_id=build,
        training_mode="hybrid",
        offline_dataset_path=str(dataset),
        demonstration_signals="gail, cloning",
        trainer_config=small(4000),
        seed=1,
    )
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    folder = home / "runs" / started.run_id
    assert f"Initializing from {folder}/pretraining/ReachTarget/checkpoint.pt" in (folder / "trainer.log").read_text()
    first = app.get_metrics(started.run_id, tags="Environment/Cumulative Reward").series[0].values[0]
    assert first > 1.0  # an untrained policy's is near 0
    written = yaml.safe_load((folder / "trainer.yaml").read_text("utf-8"))["behaviors"]["ReachTarget"]
    demonstration = str(folder / "demonstrations" / "online.demo")
    assert written["reward_signals"]["gail"]["demo_path"] == demonstration
    assert written["behavioral_cloning"] == {"strength": 0.5, "steps": 2000, "demo_path": demonstration}
    tags = app.get_metrics(started.run_id).available_tags
    assert {"Losses/GAIL Loss", "Losses/Pretraining Loss"} <= set(tags)
    record = json.loads((folder / "run.json").read_text("utf-8"))
    assert ["offline.py" in " ".join(attempt["command"]) for attempt in record["attempts"]] == [True, False]


@pytest.mark.trainer
@pytest.mark.slow
def test_a_hybrid_training_that_is_killed_while_it_clones_is_finished(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 40)
    build = app.build_environment(description="reach the target").build_id
    started = app.start_training(
        build_id=build,
        training_mode="hybrid",
        offline_dataset_path=str(dataset),
        trainer_config=small(3000),
        seed=1,
    )
    until(app, started.run_id, lambda status: "cloning" in status.message)
    kill(the_supervisor(home))
    for process in processes_of(home, "offline.py"):
        kill(process)
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    assert status.attempts > 1
    assert (home / "runs" / started.run_id / "pretraining" / "ReachTarget.onnx").is_file()


@pytest.mark.trainer
@pytest.mark.slow
def test_a_dataset_that_was_changed_before_the_start_is_refused(app: App, home: Path) -> None:
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 10)
    blocker = app.start_training(training_mode="offline", offline_dataset_path=str(dataset), seed=1)
    others = [
        app.start_training(training_mode="offline", offline_dataset_path=str(dataset), seed=seed) for seed in (2, 3)
    ]
    assert others[-1].state == "queued"
    record_reach(dataset, 11)
    for run in (blocker, others[0]):
        app.stop_training(run.run_id)
    status = finish(app, others[-1].run_id)
    assert status.failure is not None
    assert status.failure.cause == "dataset_changed"


@pytest.fixture(scope="session")
def rewards_python() -> Path:
    """An interpreter that has d3rlpy."""
    named = os.environ.get("UNITY_MLOPS_TEST_OFFLINE_RL")
    if not named:
        pytest.skip(
            "no environment with d3rlpy: set UNITY_MLOPS_TEST_OFFLINE_RL; this test runs only on such a machine"
        )
    return Path(named)


def test_learning_from_rewards_is_refused_without_its_environment(bare: App, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="needs d3rlpy") as caught:
        bare.start_training(training_mode="offline", algorithm="iql", offline_dataset_path=str(tmp_path / "reach.demo"))
    assert "unity-mlops trainer install --offline-rl" in caught.value.fix


def test_learning_from_rewards_is_offline_and_of_vectors(bare: App, tmp_path: Path) -> None:
    build = bare.build_environment(description="reach the target").build_id
    with pytest.raises(InvalidInputError, match="learns from a dataset alone"):
        bare.start_training(build_id=build, algorithm="iql")
    write_demo(tmp_path / "mixed.demo", MIXED, [episode(MIXED, 10)])
    with pytest.raises(InvalidInputError, match="needs vector observations and continuous actions"):
        bare.start_training(training_mode="offline", algorithm="iql", offline_dataset_path=str(tmp_path / "mixed.demo"))


@pytest.mark.trainer
@pytest.mark.slow
def test_a_policy_learns_from_the_rewards_in_a_dataset(app: App, home: Path, rewards_python: Path) -> None:
    (home / "offline-rl").symlink_to(rewards_python.parent.parent)
    dataset = home.parent / "reach.demo"
    record_reach(dataset, 60)
    build = app.build_environment(description="reach the target").build_id
    started = app.start_training(
        build_id=build,
        training_mode="offline",
        offline_dataset_path=str(dataset),
        algorithm="iql",
        max_steps=600,
        seed=1,
    )
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    assert status.onnx is not None
    model = read_model(Path(status.onnx))
    assert (model.version_number, model.opset, model.observations) == (3, 9, ((6,),))
    assert model.action == ActionSpec(2)
    assert (model.contradictions, model.finite) == ((), True)
    evaluated = finish(app, app.evaluate_model(run_id=started.run_id, episodes=64).job_id)
    assert evaluated.evaluation is not None
    assert evaluated.evaluation.success is not None
    assert evaluated.evaluation.success.mean > 0.5
    with pytest.raises(InvalidInputError, match="no ML-Agents training can begin with"):
        app.start_training(build_id=build, initialize_from=started.run_id)
    assert app.resume_training(started.run_id, extra_steps=100).from_step == 600
    assert finish(app, started.run_id).state == "succeeded"
