"""The whole way in one job, with the real trainer: to its end, through kills, stops and failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.stand_ins.pipeline_supervisor import MORTAL, SUPERVISOR
from tests.training_home import finish, kill, processes_of, until
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.pipeline.stages import stages_of
from unity_mlops_mcp.results.runs import Status

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

ALL = [stage.name for stage in stages_of(Wanted())]
SMALL = '{"summary_freq": 1000, "checkpoint_interval": 1000, "seed": 3}'


def states(status: Status) -> dict[str, str]:
    """The stages' states by name."""
    return {stage.name: stage.state for stage in status.stages}


def saved(status: Status, name: str) -> dict[str, Any]:
    """A stage's result as it lies in the job's folder."""
    return dict(json.loads((Path(status.folder or "") / f"{name}.json").read_text()))


def test_a_sentence_becomes_a_policy_and_every_stage_leaves_its_result(app: App) -> None:
    started = app.run_pipeline(request="patrol three waypoints", max_steps=3000, training=SMALL)
    assert [stage.stage for stage in started.plan] == ALL
    status = finish(app, started.job_id)
    assert (status.state, status.failure) == ("succeeded", None)
    assert states(status) == dict.fromkeys(ALL, "done")
    assert {f"{name}.json" for name in ALL} <= set(status.files)
    assert Path(status.onnx or "").stat().st_size > 1000
    assert status.progress == 1.0
    assert any("3 waypoints" in note for note in status.notes)
    (run,) = app.list_runs().runs
    assert (run.run_id, run.state) == (status.run_id, "succeeded")
    assert saved(status, "measure")["summary"]["steps"] >= 3000
    assert saved(status, "summarise")["run_id"] == run.run_id
    assert "--seed=3" in (app.get_run(run.run_id).command or "")


def test_it_is_killed_in_every_stage_and_still_trains_once(
    app: App, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for one job only: the pipeline itself takes no place that its training needs."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    settings = config.settings().model_copy(update={"max_jobs": 1, "max_attempts": 20})
    jobs = Jobs(app.store, settings, kinds=MORTAL, supervisor=SUPERVISOR)
    request = {"request": "reach the target", "max_steps": 2000, "training": json.loads(SMALL)}
    job = jobs.submit("pipeline", request, subject="killed")
    while not jobs.get(job.id).done:
        jobs.tend()
    status = app.get_run(job.id)
    assert (status.state, status.failure) == ("succeeded", None)
    assert status.attempts == len(ALL) + 1
    folder = home / "artifacts" / job.id
    assert {file.name for file in folder.glob("killed-*")} == {f"killed-{name}" for name in ALL}
    (run,) = app.list_runs().runs
    assert app.get_run(run.run_id).attempts == 1
    assert len(jobs.page(kind="training").rows) == len(jobs.page(kind="build").rows) == 1


def test_killed_while_it_trains_it_finds_its_run_again(app: App, home: Path) -> None:
    job_id = app.run_pipeline(request="reach the target", max_steps=30_000, training=SMALL).job_id
    until(app, job_id, lambda status: (status.step or 0) >= 1000)
    (supervisor,) = processes_of(home, "supervise", job_id)
    kill(supervisor)
    status = finish(app, job_id)
    assert (status.state, status.attempts) == ("succeeded", 2)
    (run,) = app.list_runs().runs
    assert (run.state, app.get_run(run.run_id).attempts) == ("succeeded", 1)


def test_a_stop_ends_the_training_too_and_says_what_is_kept(app: App) -> None:
    job_id = app.run_pipeline(request="reach the target", max_steps=500_000, training=SMALL).job_id
    running = until(app, job_id, lambda status: (status.step or 0) >= 2000)
    assert states(running)["train"] == "running"
    assert 0 < (next(stage.progress for stage in running.stages if stage.name == "train") or 0) < 0.1
    app.stop_training(job_id)
    status = finish(app, job_id)
    assert status.state == "cancelled"
    assert states(status)["train"] == "cancelled"
    run = app.get_run(status.run_id or "")
    assert run.state == "cancelled"
    assert any(file.endswith("checkpoint.pt") for file in run.files)
    assert any(note.startswith("Kept: ") and run.id in note for note in status.notes)
    assert f"resume_training({run.id!r})" in status.next


def test_a_training_that_is_stopped_on_its_own_fails_the_pipeline_with_the_way_on(app: App) -> None:
    job_id = app.run_pipeline(request="reach the target", max_steps=500_000, training=SMALL).job_id
    run_id = until(app, job_id, lambda status: status.run_id is not None).run_id or ""
    app.stop_training(run_id)
    failure = finish(app, job_id).failure
    assert failure is not None
    assert failure.cause == "training_stopped"
    assert f"resume_training({run_id!r})" in failure.fix


def test_a_stage_that_fails_says_which_and_how_to_mend_it(app: App) -> None:
    wrong = '{"batch_size": 4096, "buffer_size": 512}'
    status = finish(app, app.run_pipeline(request="reach the target", training=wrong).job_id)
    assert status.failure is not None
    assert "The stage 'train' failed: " in status.failure.message
    assert "buffer_size" in status.failure.message
    assert status.failure.fix
    assert states(status)["build"] == "done"
    assert states(status)["train"] == "failed"
    assert app.list_runs().runs == []
