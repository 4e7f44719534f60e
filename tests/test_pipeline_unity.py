"""The whole way through the Unity path: a project of the user's own, and a sentence, with the stand-in Editor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stand_ins.unity_editor import install_editor
from tests.test_pipeline_runs import SMALL, saved, states
from tests.test_training_revision import git
from tests.training_home import finish, kill, processes_of, until
from tests.unity_worlds import VERSION, needs_a_shell, own_project, set_editor
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import SetupError

pytestmark = [pytest.mark.trainer, pytest.mark.slow, needs_a_shell]

OURS = {"describe", "write", "check"}
"""The stages that a project of the user's own has no need of."""
FOREIGN = """\
using Unity.MLAgents;

public class ReachTargetAgent : Agent
{
    public override void Initialize()
    {
        System.IO.File.Delete("/tmp/precious");
    }
}
"""


@pytest.fixture
def editor(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Another application over the same home, with an Editor; what it leaves running, the first one stops."""
    assert app.settings.trainer is not None
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    set_editor(monkeypatch, install_editor(tmp_path / "Editors", VERSION), unity_retry_s=0)
    application = App(config.settings())
    yield application
    application.close()


def test_a_project_of_ones_own_is_built_trained_and_measured_as_it_is(editor: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "begin")
    head = git(project, "rev-parse", "HEAD")
    started = editor.run_pipeline(project_path=str(project), max_steps=2000, training=SMALL)
    assert [stage.stage for stage in started.plan] == [
        "build",
        "train",
        "measure",
        "evaluate",
        "report",
        "register",
        "summarise",
    ]
    status = finish(editor, started.job_id)
    assert (status.state, status.failure) == ("succeeded", None)
    assert {name for name, state in states(status).items() if state == "skipped"} == OURS
    assert saved(status, "build")["target"] == "unity"
    assert status.behavior_name == "Roller"
    (run,) = editor.list_runs().runs
    assert (run.run_id, run.behavior_name, run.state) == (status.run_id, "Roller", "succeeded")
    card = editor.model_card("roller")
    assert f"revision `{head[:7]}` of the unity project" in card


def test_a_sentence_is_written_for_the_editor_that_builds_it(editor: App, home: Path) -> None:
    started = editor.run_pipeline(request="reach the target", target="unity", max_steps=2000, training=SMALL)
    until(editor, started.job_id, lambda status: states(status).get("build") == "running")
    (supervisor,) = processes_of(home, "supervise", started.job_id)
    kill(supervisor)
    status = finish(editor, started.job_id)
    assert (status.state, status.failure, status.attempts) == ("succeeded", None, 2)
    assert saved(status, "write")["script"]["versions"]["unity"] == VERSION
    (job,) = editor.jobs.page(kind="build_unity").rows
    assert (job.id, job.attempt) == (saved(status, "build")["job_id"], 1)
    written = Path(status.folder or "") / "scripts" / "Assets" / "ReachTarget" / "ReachTargetAgent.cs"
    (copy,) = [path for path in (home / "projects").iterdir() if path.is_dir()]
    assert (copy / "Assets" / "ReachTarget" / "ReachTargetAgent.cs").read_text() == written.read_text()


def test_a_project_that_does_not_compile_ends_at_its_place(editor: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    (project / "Assets" / "Broken.cs").write_text("#error not yet\n")
    status = finish(editor, editor.run_pipeline(project_path=str(project)).job_id)
    assert status.failure is not None
    assert status.failure.cause == "unity_compile"
    assert "The stage 'build' failed: " in status.failure.message
    assert "Assets/Broken.cs:1" in status.failure.message
    assert states(status)["build"] == "failed"


def test_a_stop_ends_the_build_too(editor: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_UNITY", "hang")
    job_id = editor.run_pipeline(project_path=str(own_project(tmp_path))).job_id
    until(editor, job_id, lambda _: any(job.state == "running" for job in editor.jobs.open(kind="build_unity")))
    editor.stop_training(job_id)
    status = finish(editor, job_id)
    assert (status.state, states(status)["build"]) == ("cancelled", "cancelled")
    (build,) = editor.jobs.page(kind="build_unity").rows
    assert build.state == "cancelled"


def test_somebody_elses_code_is_built_only_with_consent(editor: App) -> None:
    made = editor.generate_behavior_script(description="reach the target", source=FOREIGN)
    spec = editor.generate_behavior_script(spec_id=made.spec_id, source=FOREIGN)
    assert spec.foreign
    status = finish(editor, editor.run_pipeline(request="reach the target", target="unity").job_id)
    assert status.failure is not None
    assert status.failure.cause == "foreign_code"
    assert "confirm=true" in status.failure.fix
    assert not editor.jobs.page(kind="build_unity").rows


def test_a_dry_run_of_a_project_only_looks_at_it(editor: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    status = finish(editor, editor.run_pipeline(project_path=str(project), dry_run=True).job_id)
    assert status.state == "succeeded"
    assert {name for name, state in states(status).items() if state == "done"} == {"summarise"}
    assert not editor.jobs.page(kind="build_unity").rows


def test_without_an_editor_it_says_so_before_anything_is_started(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    with pytest.raises(SetupError, match="Editor"):
        app.run_pipeline(project_path=str(own_project(tmp_path)))
    assert app.jobs.page().rows == ()
