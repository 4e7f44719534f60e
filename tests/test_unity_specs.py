"""A sentence or a spec becomes C# in a complete project, or in a copy of the user's own, built headless and trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.stand_ins.unity_editor import install_editor
from tests.training_home import finish
from tests.unity_worlds import VERSION, needs_a_shell, own_project, set_editor, snapshot, with_stand_in
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.codegen.generate import generate_script
from unity_mlops_mcp.codegen.library import save_script
from unity_mlops_mcp.codegen.versions import resolve_versions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.results.builds import BuildResult
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.library import SavedSpec, save_spec

pytestmark = [needs_a_shell, pytest.mark.slow]

FOREIGN = """using System.IO;
using Unity.MLAgents;

public class ReachTargetAgent : Agent
{
    public override void Initialize()
    {
        File.Delete("/tmp/precious");
    }
}
"""


@pytest.fixture
def app(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    home.mkdir()
    application = with_stand_in(monkeypatch, tmp_path, unity_retry_s=0)
    yield application
    application.close()


def built(app: App, found: BuildResult) -> Path:
    """The copy that a build of a spec was made in, once it is made."""
    status = finish(app, found.build_id)
    assert status.state == "succeeded", status.failure
    (copy,) = [path for path in (app.settings.home / "projects").iterdir() if path.is_dir()]
    return copy


def test_a_sentence_becomes_a_complete_project_and_a_player(app: App, home: Path) -> None:
    found = app.build_environment(description="reach the target", target="unity", areas=5)
    assert (found.state != "succeeded", found.archetype, found.spec_id is not None) == (True, "reach_target", True)
    copy = built(app, found)
    dependencies = json.loads((copy / "Packages" / "manifest.json").read_text())["dependencies"]
    assert dependencies["com.unity.ml-agents"] == "2.0.1"
    assert (copy / "ProjectSettings" / "ProjectVersion.txt").read_text() == f"m_EditorVersion: {VERSION}\n"
    assert (copy / "Assets" / "ReachTarget" / "ReachTargetAgent.cs").exists()
    assert (copy / "Assets" / "ReachTarget" / "Editor" / "ReachTargetScene.cs").exists()
    status = app.get_run(found.build_id)
    expected = load_archetype("reach_target").spec
    assert [behavior.name for behavior in status.behaviors] == ["ReachTarget"]
    assert status.behaviors[0].observation_shapes == [list(shape) for _, shape in expected.sensors()]
    assert status.probe is not None
    assert status.probe.agents == 5
    again = app.build_environment(description="reach the target", target="unity", areas=5)
    assert finish(app, again.build_id).build_id == found.build_id
    assert json.loads((home / "builds" / found.build_id / "spec.json").read_text())["name"] == "ReachTarget"


@pytest.mark.parametrize("archetype", ["chase_evade", "collect_items", "navigate_obstacles"])
def test_a_player_is_held_against_its_spec(archetype: str, app: App) -> None:
    spec = load_archetype(archetype).spec
    found = app.build_environment(spec=spec.to_yaml(), target="unity", areas=2)
    status = finish(app, found.build_id)
    assert status.state == "succeeded", status.failure
    assert [behavior.name for behavior in status.behaviors] == [spec.name], "two teams are one behaviour"


def test_a_player_of_another_environment_is_refused(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_UNITY", "another_environment")
    status = finish(app, app.build_environment(description="reach the target", target="unity").build_id)
    assert status.failure is not None
    assert status.failure.cause == "shape_mismatch"
    assert "expected ReachTarget" in status.failure.message
    assert "found Nav" in status.failure.message


def test_a_spec_is_built_in_a_copy_of_the_users_project(app: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    before = snapshot(project)
    found = app.build_environment(description="reach the target", project_path=str(project))
    copy = built(app, found)
    assert (copy / "Assets" / "Scripts" / "RollerAgent.cs").exists()
    assert (copy / "Assets" / "ReachTarget" / "ReachTargetAgent.cs").exists()
    assert snapshot(project) == before
    plain = app.build_environment(project_path=str(project))
    assert finish(app, plain.build_id).behaviors[0].name == "Roller"
    assert not (copy / "Assets" / "ReachTarget").exists(), "the next build of the project as it is has none of it"
    with pytest.raises(InvalidInputError, match="brings its own training scene"):
        app.build_environment(description="reach the target", project_path=str(project), scenes="Arena")


def test_versions_that_do_not_go_together_are_told_before_a_job_is_made(app: App, tmp_path: Path) -> None:
    project = own_project(tmp_path)
    manifest = project / "Packages" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"2.0.1"', '"4.0.2"'))
    with pytest.raises(InvalidInputError, match=r"needs Unity 6000\.0"):
        app.build_environment(description="reach the target", project_path=str(project))
    assert not app.jobs.open()


@pytest.fixture
def foreign(app: App, home: Path) -> SavedSpec:
    """A spec whose agent somebody else wrote."""
    saved = save_spec(home, load_archetype("reach_target").spec, archetype="reach_target", training=None)
    script = generate_script(saved.spec, resolve_versions(VERSION, "2.0.1"), agent_source=FOREIGN)
    save_script(app.settings.home, saved.spec_id, script)
    return saved


def test_code_of_others_is_built_only_when_it_is_allowed(app: App, foreign: SavedSpec) -> None:
    with pytest.raises(InvalidInputError, match="written by somebody else") as caught:
        app.build_environment(spec_id=foreign.spec_id, target="unity")
    assert caught.value.cause == "foreign_code"
    assert any("SEC" in line and "ReachTargetAgent.cs:8" in line for line in caught.value.evidence)
    assert "confirm=true" in caught.value.fix
    assert not app.jobs.page(kind="build_unity").rows
    copy = built(app, app.build_environment(spec_id=foreign.spec_id, target="unity", confirm=True))
    assert (copy / "Assets" / "ReachTarget" / "ReachTargetAgent.cs").read_text() == FOREIGN


@pytest.mark.trainer
@pytest.mark.usefixtures("trainer_python")
def test_a_sentence_is_built_in_unity_and_trained(
    home: Path, tmp_path: Path, trainer_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(trainer_python))
    set_editor(monkeypatch, install_editor(tmp_path / "Editors", VERSION))
    application = App(config.settings())
    build = application.build_environment(description="reach the target", target="unity")
    short = yaml.safe_dump({"max_steps": 3000, "summary_freq": 1000, "checkpoint_interval": 1000})
    run = application.start_training(build_id=build.build_id, trainer_config=short)
    assert run.state == "queued"
    status = finish(application, run.run_id)
    assert status.state == "succeeded", status.failure
    assert (home / "runs" / run.run_id / "ReachTarget.onnx").stat().st_size > 1000
    record = json.loads((home / "runs" / run.run_id / "run.json").read_text())
    assert record["spec"]["name"] == "ReachTarget"
    body = record["configuration"]["behaviors"]["ReachTarget"]
    assert (
        body["network_settings"]["hidden_units"]
        == load_archetype("reach_target").training["network_settings"]["hidden_units"]
    )
    application.close()
