"""Programs written for ``mlops_unity_pipeline`` run unchanged, over the same store as every other face."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from mlops_unity_pipeline import (
    RLTrainingConfig,
    TrainingJob,
    TrainingSchedule,
    TrainingScheduler,
    UnityAssetSpec,
    UnityMLOpsOrchestrator,
    __all__,
)

from tests.job_worlds import eventually, lookouts
from tests.receivers import receiver
from tests.training_home import finish
from unity_mlops_mcp import config
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.store.rows import FiringRow

SINGLE = """
import asyncio
from mlops_unity_pipeline import *

async def main():
    orchestrator = UnityMLOpsOrchestrator()
    asset = UnityAssetSpec(
        asset_id="test-001", name="SimpleAgent", asset_type="behavior", description="{description}",
    )
    config = RLTrainingConfig(algorithm="PPO", max_steps={steps})
    job = TrainingJob(job_id="test-job", asset_spec=asset, rl_config=config)
    result = await orchestrator.execute_training_job(job)
    print(f"Model: {{result.trained_model_path}}")

asyncio.run(main())
"""
NAVIGATION = """
import asyncio
from mlops_unity_pipeline import *

async def main():
    orchestrator = UnityMLOpsOrchestrator(dry_run={dry_run})
    asset = UnityAssetSpec(
        asset_id="nav-001",
        name="NavigationAgent",
        asset_type="behavior",
        description="Navigate around obstacles to a target",
        observation_space={{"raycast": 8, "velocity": 2}},
        action_space={{"type": "continuous", "size": 2}},
    )
    config = RLTrainingConfig(algorithm="PPO", max_steps={steps}, num_envs=8, time_scale=20.0)
    result = await orchestrator.execute_training_job(TrainingJob("nav-job", asset, config))
    print(f"Complete! Status: {{result.status}} Model: {{result.trained_model_path}}")

asyncio.run(main())
"""
ALWAYS = """
import asyncio
from mlops_unity_pipeline import *

async def run_forever():
    scheduler = TrainingScheduler(UnityMLOpsOrchestrator(dry_run=True), max_concurrent_jobs=4)
    scheduler.add_schedule(
        TrainingSchedule(
            schedule_id="nightly",
            cron_expression="0 2 * * *",
            asset_specs=[UnityAssetSpec(asset_id="a", name="Patrol", asset_type="behavior", description="patrol")],
            rl_config=RLTrainingConfig(max_steps=1000),
        )
    )
    print("waiting", flush=True)
    await scheduler.run_forever()

asyncio.run(run_forever())
"""


def run(folder: Path, program: str, **values: object) -> subprocess.CompletedProcess[str]:
    """Run a program from a folder of its own, as its author does."""
    file = folder / "program.py"
    file.write_text(program.format(**values) if values else program)
    return subprocess.run(
        [sys.executable, str(file)], cwd=folder, capture_output=True, text=True, timeout=250, check=False
    )


def test_the_names_are_all_there() -> None:
    assert {"UnityAssetSpec", "RLTrainingConfig", "TrainingJob", "UnityMLOpsOrchestrator"} <= set(__all__)
    assert {"TrainingSchedule", "TrainingScheduler", "MlopsError"} <= set(__all__)
    assert UnityMLOpsOrchestrator.train_rl_agent is UnityMLOpsOrchestrator.train_with_mlagents


@pytest.mark.trainer
@pytest.mark.slow
def test_a_single_job_trains_registers_and_prints_its_policy(app: Any, home: Path) -> None:
    done = run(home.parent, SINGLE, description="Reach target position", steps=2000)
    assert done.returncode == 0, done.stderr
    policy = Path(done.stdout.strip().removeprefix("Model: "))
    assert policy.name == "SimpleAgent.onnx"
    assert policy.stat().st_size > 1000
    (model,) = app.list_models().models
    assert (model.name, len(model.versions)) == ("simpleagent", 1)
    again = run(home.parent, SINGLE, description="Reach target position", steps=2000)
    assert again.stdout == done.stdout  # the same job again trains nothing twice
    assert len(app.list_runs().runs) == 1


@pytest.mark.trainer
@pytest.mark.slow
def test_an_agent_with_sizes_of_its_own_trains(app: Any, home: Path) -> None:
    done = run(home.parent, NAVIGATION, dry_run=False, steps=2000)
    assert done.returncode == 0, done.stderr
    assert "Status: completed Model: /" in done.stdout.replace("\\", "/")
    assert [run.behavior_name for run in app.list_runs(asset="nav-001").runs] == ["NavigationAgent"]


def test_a_job_that_cannot_be_done_ends_the_program_with_an_exit_code(home: Path) -> None:
    done = run(home.parent, SINGLE, description="bake a cake", steps=2000)
    assert done.returncode != 0
    assert "InvalidInputError" in done.stderr


def test_a_dry_run_writes_checks_and_says_that_it_trained_nothing(home: Path) -> None:
    done = run(home.parent, NAVIGATION, dry_run=True, steps=2000)
    assert done.returncode == 0, done.stderr
    assert "Status: dry_run Model: None" in done.stdout
    assert list((home / "scripts").rglob("NavigationAgentAgent.cs")) or list((home / "scripts").rglob("*.cs"))
    assert not (home / "runs").exists()


def test_the_scheduler_starts_idles_and_ends_cleanly(home: Path) -> None:
    file = home.parent / "program.py"
    file.write_text(ALWAYS)
    with subprocess.Popen(
        [sys.executable, str(file)], cwd=home.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "waiting\n"
            eventually(lambda: lookouts(home))  # it has looked once: interrupted earlier it would be importing still
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=60)
        finally:
            program.kill()
    assert said.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert "never retrieved" not in said
    assert lookouts(home) == 0  # another process of ours need not wait for its lease to run out


@pytest.mark.usefixtures("home")
def test_it_fires_by_its_clock_tells_a_webhook_and_keeps_its_firings() -> None:
    moment = [datetime.now(timezone.utc)]
    with receiver() as made:
        orchestrator = UnityMLOpsOrchestrator(dry_run=True)
        scheduler = TrainingScheduler(orchestrator, webhook_url=made.url, clock=lambda: moment[0])
        asset = UnityAssetSpec(asset_id="a-1", name="Patrol", description="patrol three waypoints")
        schedule = TrainingSchedule("nightly", "0 2 * * *", [asset, asset.model_copy(update={"asset_id": "a-2"})])
        added = scheduler.add_schedule(schedule)
        moment[0] = datetime.fromisoformat(added.next_firings[0]) + timedelta(seconds=1)
        asyncio.run(scheduler.run_once())
        (now,) = scheduler.list_schedules()
        assert now.last is not None
        for job in now.last.jobs:
            finish(orchestrator.app, job)
        asyncio.run(scheduler.run_once())
        again = TrainingScheduler(orchestrator, webhook_url=made.url).add_schedule(schedule)  # the program starts anew
        assert again.schedule_id == added.schedule_id
        assert again.last is not None
        assert (again.last.state, len(again.last.jobs)) == ("succeeded", 2)
        orchestrator.app.notify()
        assert len(made.taken) == 6
        orchestrator.close()


@pytest.mark.usefixtures("home")
def test_it_is_cancelled_without_leaving_anything_behind() -> None:
    async def cancelled() -> None:
        looked = asyncio.Event()

        def clock() -> datetime:
            loop.call_soon_threadsafe(looked.set)
            return datetime.now(timezone.utc)

        loop = asyncio.get_running_loop()
        scheduler = TrainingScheduler(UnityMLOpsOrchestrator(dry_run=True), every_s=0.05, clock=clock)
        going = asyncio.ensure_future(scheduler.run_forever())
        await asyncio.wait_for(looked.wait(), timeout=20)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going

    asyncio.run(cancelled())


async def _while_it_runs(scheduler: TrainingScheduler, seen: Callable[[], bool]) -> None:
    """Let it run until something was seen."""
    going = asyncio.ensure_future(scheduler.run_forever())
    try:
        await asyncio.to_thread(eventually, lambda: seen() or going.done())
        assert not going.done()
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going


@pytest.mark.usefixtures("home")
def test_it_goes_on_whatever_one_look_came_to(caplog: pytest.LogCaptureFixture) -> None:
    looks: list[datetime] = []

    def clock() -> datetime:
        looks.append(datetime.now(timezone.utc))
        if len(looks) == 1:
            raise RuntimeError("the clock stands still")
        return looks[-1]

    scheduler = TrainingScheduler(UnityMLOpsOrchestrator(dry_run=True), every_s=0.01, clock=clock)
    asyncio.run(_while_it_runs(scheduler, lambda: len(looks) > 1))
    assert "the clock stands still" in caplog.text


@pytest.mark.usefixtures("home")
def test_no_schedule_waits_for_a_receiver_that_stalls() -> None:
    looks: list[int] = []

    def clock() -> datetime:
        looks.append(len(made.taken))
        return datetime.now(timezone.utc)

    with receiver(0) as made:
        orchestrator = UnityMLOpsOrchestrator(dry_run=True)
        scheduler = TrainingScheduler(orchestrator, webhook_url=made.url, every_s=0.01, clock=clock)
        now = datetime.now(timezone.utc)
        orchestrator.app.store.schedules.add_firing(FiringRow("s.1", "s", now, "missed", now))

        def seen() -> bool:
            found = looks.count(1) > 1  # it looked twice while the receiver held what it was sent
            if found:
                made.release.set()
            return found

        asyncio.run(_while_it_runs(scheduler, seen))


def test_the_older_spelling_of_demonstrations_means_a_hybrid_training() -> None:
    old = RLTrainingConfig.model_validate({"use_offline_demonstrations": True, "demonstration_path": "demos"})
    assert (old.training_mode, old.offline_dataset_path) == ("hybrid", "demos")
    assert old.run_settings() == {"training_mode": "hybrid", "offline_dataset_path": "demos"}
    assert RLTrainingConfig().run_settings() == {}


def test_wrong_rules_and_settings_are_refused_where_they_are_given(home: Path) -> None:
    scheduler = TrainingScheduler(UnityMLOpsOrchestrator(dry_run=True))
    asset = UnityAssetSpec(description="patrol")
    with pytest.raises(InvalidInputError, match="out of range"):
        scheduler.add_schedule(TrainingSchedule("x", "61 * * * *", [asset]))
    with pytest.raises(InvalidInputError, match="bake"):
        scheduler.add_schedule(TrainingSchedule("x", "nightly", [UnityAssetSpec(description="bake a cake")]))
    with pytest.raises(ValueError, match="time_scale"):
        RLTrainingConfig(time_scale=1000)
    assert scheduler.list_schedules() == []
    assert config.settings().home == home


@pytest.mark.usefixtures("home")
def test_a_job_in_an_output_folder_leaves_its_files_there(tmp_path: Path) -> None:
    orchestrator = UnityMLOpsOrchestrator(dry_run=True)
    out = tmp_path / "out"
    job = TrainingJob("j", UnityAssetSpec(name="Guard", description="patrol"), output_dir=str(out))
    result = asyncio.run(orchestrator.execute_training_job(job))
    assert {Path(path).suffix for path in result.code_paths} == {".cs"}
    assert all(Path(path).is_file() and out in Path(path).parents for path in result.code_paths)
    orchestrator.close()
