"""Writing and checking C# through the doors: a chat client and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype

WRONG = "public class PushBlockAgent : Unity.MLAgents.Agent { public void OnEpisodeBegin() { } }"


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(Settings(home=tmp_path / "home", roots=(tmp_path / "open",)))


@pytest.mark.parametrize("name", archetype_names())
def test_the_script_of_an_archetype_is_written_and_clean(app: App, name: str) -> None:
    made = app.generate_behavior_script(spec=load_archetype(name).spec.to_yaml())
    assert [file.kind for file in made.files] == ["agent", "area", "scene"]
    assert not [finding for finding in made.findings if finding.severity != "info"]
    assert made.observation_size == load_archetype(name).spec.vector_size
    text = app.script_text(str(made.spec_id), Path(made.files[0].path).name)
    assert f"class {made.behavior_name}Agent : Agent" in text


def test_a_sentence_becomes_files_in_a_project(app: App, tmp_path: Path) -> None:
    project = tmp_path / "open" / "my project"
    made = app.generate_behavior_script(description="push the crate into the goal", output_path=str(project))
    assert (made.archetype, made.planner) == ("push_block", "rules")
    assert (project / made.files[0].path).is_file()
    assert app.check_behavior_script(path=str(project), spec_id=made.spec_id).ok
    again = app.generate_behavior_script(description="push the crate into the goal", output_path=str(project))
    assert again.files == made.files


def test_a_changed_file_is_kept_when_it_is_replaced(app: App, tmp_path: Path) -> None:
    project = tmp_path / "open"
    made = app.generate_behavior_script(description="reach a target", output_path=str(project))
    agent = project / made.files[0].path
    agent.write_text("// mine\n")
    with pytest.raises(ConflictError, match="force=true"):
        app.generate_behavior_script(description="reach a target", output_path=str(project))
    assert agent.read_text() == "// mine\n"
    app.generate_behavior_script(description="reach a target", output_path=str(project), force=True)
    kept = app.settings.home / ".replaced"
    assert [path.read_text() for path in kept.rglob("*.cs.*")] == ["// mine\n"]
    assert not (project / ".replaced").exists()


def test_code_from_elsewhere_goes_through_rules_and_guard(app: App) -> None:
    made = app.generate_behavior_script(description="push the block to the goal", source=WRONG)
    assert made.foreign
    assert "MLA007" in {finding.id for finding in made.findings}
    assert "source" in made.next
    guarded = app.check_behavior_script(source=WRONG.replace("{ }", '{ System.IO.File.Delete("x"); }', 1))
    assert not guarded.ok
    assert "SEC001" in {finding.id for finding in guarded.findings}


def test_the_schema_and_an_example_are_given_without_writing(app: App) -> None:
    made = app.generate_behavior_script(schema_only=True)
    assert "properties" in (made.spec_schema or {})
    assert app.generate_behavior_script(spec=made.example).behavior_name == "ReachTarget"


def test_versions_decide_what_is_written(app: App) -> None:
    made = app.generate_behavior_script(description="reach a target", unity_version="2022.3.11f1")
    assert (made.unity_version, made.ml_agents_version) == ("2022.3.11f1", "2.0.1")
    with pytest.raises(InvalidInputError, match="6000"):
        app.generate_behavior_script(description="reach a target", unity_version="2022.3", ml_agents_version="4.0.2")


def test_bad_input_writes_nothing(app: App, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="outside the allowed folders"):
        app.generate_behavior_script(description="reach a target", output_path=str(tmp_path / "closed"))
    with pytest.raises(InvalidInputError):
        app.generate_behavior_script(description="make me a sandwich")
    with pytest.raises(InvalidInputError):
        app.generate_behavior_script()
    with pytest.raises(NotFoundError, match="C# file"):
        app.check_behavior_script(path=str(tmp_path / "open" / "none.cs"))
    with pytest.raises(NotFoundError, match="generate_behavior_script"):
        app.script_text("nothing", "A.cs")
    assert not (tmp_path / "closed").exists()
