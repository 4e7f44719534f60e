"""Training on Unity builds with the real trainer: a project of the user's own, and one that is not built yet."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.stand_ins.unity_editor import install_editor
from tests.training_home import finish, until
from tests.unity_worlds import build_now, needs_a_shell, own_project, set_editor
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App

pytestmark = [pytest.mark.trainer, pytest.mark.slow, needs_a_shell]

SHORT = yaml.safe_dump({"max_steps": 2000, "summary_freq": 500, "checkpoint_interval": 1000})


@pytest.fixture
def unity(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """The application, with an Editor."""
    set_editor(monkeypatch, install_editor(tmp_path / "Editors", "2022.3.62f3"), unity_retry_s=0)
    application = App(config.settings())
    app.close()
    return application


def test_a_project_of_ones_own_is_built_probed_and_trained(unity: App, home: Path, tmp_path: Path) -> None:
    job = build_now(unity, own_project(tmp_path))
    assert job.state == "succeeded", job.failure
    run = unity.start_training(build_id=job.subject, trainer_config=SHORT)
    status = finish(unity, run.run_id)
    assert status.state == "succeeded", status.failure
    assert (status.behavior_name, status.build_id) == ("Roller", job.subject)
    assert (home / "runs" / run.run_id / "Roller.onnx").stat().st_size > 1000
    assert "MyGame.x86_64" in (status.command or "")
    assert set(yaml.safe_load(status.configuration or "")["behaviors"]) == {"Roller"}
    unity.close()


def test_a_training_waits_for_the_build_it_is_for(unity: App, home: Path, tmp_path: Path) -> None:
    build = unity.build_environment(project_path=str(own_project(tmp_path)))
    run = unity.start_training(build_id=build.build_id, trainer_config=SHORT)
    assert run.state == "queued"
    assert run.waiting_for is not None
    assert build.job_id in run.waiting_for
    status = finish(unity, run.run_id)
    assert status.state == "succeeded", status.failure
    assert unity.get_run(build.build_id).state == "succeeded"
    assert (home / "runs" / run.run_id / "Roller.onnx").stat().st_size > 1000
    unity.close()


def test_a_training_fails_with_the_cause_of_its_build(unity: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    (project / "Assets" / "Broken.cs").write_text("#error not yet\n")
    build = unity.build_environment(project_path=str(project))
    run = unity.start_training(build_id=build.build_id)
    status = finish(unity, run.run_id)
    assert status.failure is not None
    assert status.failure.cause == "unity_compile"
    assert "Assets/Broken.cs:1" in status.failure.message
    assert "Broken.cs" in status.failure.fix
    unity.close()


def test_a_build_that_joins_another_is_trained_as_that_one(unity: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    first = build_now(unity, project)
    second = unity.build_environment(project_path=str(project))
    run = unity.start_training(build_id=second.build_id, trainer_config=SHORT)
    status = until(unity, run.run_id, lambda status: status.command is not None)
    assert f"builds/{first.subject}/player" in (status.command or "")
    unity.stop_training(run.run_id)
    finish(unity, run.run_id)
    unity.close()
