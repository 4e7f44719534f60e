"""register_model and list_models from outside: real files, real processes that register at once or are killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from tests.onnx_models import constant, counting, given, linear, node, result, write
from tests.test_cli import cli
from tests.training_home import finish, small
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError, NotFoundError
from unity_mlops_mcp.registry.naming import revision
from unity_mlops_mcp.registry.records import ModelVersion

ONE = """
import sys; from pathlib import Path
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
app = App(config.settings())
print(app.register_model(name="Nav Agent", onnx_path=sys.argv[1]).version)
app.close()
"""
DIES = """
import os, sys; from pathlib import Path
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
place = Path(os.path.realpath(config.settings().home)) / "models" / "nav"
died = {"renamed": "rename", "staged": "mkdir"}[sys.argv[2]]
def audit(event, arguments):
    if event == "os." + died and str(place) in str(arguments[0]):
        if died == "rename":
            sys.addaudithook(lambda event, _: os._exit(9) if event.startswith("sqlite3") or event == "open" else None)
        else:
            sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" else None)
sys.addaudithook(audit)
App(config.settings()).register_model(name="Nav", onnx_path=sys.argv[1])
"""


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    home.mkdir(parents=True)
    app = App(config.settings())
    yield app
    app.close()


@pytest.fixture
def nav(tmp_path: Path) -> Path:
    return linear(tmp_path / "Nav.onnx", [[1.0, 0.0]] * 6)


def other(tmp_path: Path, number: int) -> Path:
    return linear(tmp_path / f"policy {number}" / "Nav.onnx", [[1.0 + number, 0.0]] * 6)


def test_a_version_is_named_checked_and_kept_with_its_card(application: App, nav: Path) -> None:
    made = application.register_model(name="NavigationAgent", onnx_path=str(nav), description="the *first*")

    today = f"{datetime.now(timezone.utc):%Y%m%d}"
    assert made.version == f"unity-navigationagent-{today}-{made.sha256[:7]}-v001"
    assert (made.git_sha, made.git_sha_of, made.number, made.new) == (made.sha256[:7], "policy", 1, True)
    assert any("no git revision" in note.lower() for note in made.notes)
    assert set(made.files) == {"Nav.onnx", "card.md", "version.json"}
    kept = ModelVersion.model_validate_json((Path(made.folder) / "version.json").read_bytes())
    assert kept.policies[0].observations == ((6,),)
    assert kept.policies[0].continuous == 2
    card = application.model_card(made.version)
    assert "# NavigationAgent, version 1" in card
    assert "the \\*first\\*" in card
    assert made.sha256 in card
    assert application.model_card("navigationAGENT") == card


def test_the_same_policy_is_the_same_version_and_case_makes_no_other_model(
    application: App, nav: Path, tmp_path: Path
) -> None:
    first = application.register_model(name="NavigationAgent", onnx_path=str(nav))
    again = application.register_model(name="navigationagent", onnx_path=str(nav), description="again")
    second = application.register_model(name="NAVIGATIONAGENT", onnx_path=str(other(tmp_path, 1)))

    assert (again.version, again.new) == (first.version, False)
    assert any("never change" in note for note in again.notes)
    assert second.number == 2
    (model,) = application.list_models().models
    assert [line.version for line in model.versions] == [second.version, first.version]
    assert model.title == "NavigationAgent"
    assert [path.name for path in (application.settings.home / "models").iterdir()] == ["navigationagent"]


def foreign(path: Path) -> Path:
    """A classifier: an image in, scores out."""
    parts = [given("input", 12), constant("w", [[1.0]] * 12), node("MatMul", ["input", "w"], "scores")]
    return write(path, [*parts, result("scores", "batch", 1)])


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda path: path.write_bytes(b"not ONNX") and path, ExternalError, "does not open"),
        (lambda path: path.write_bytes(linear(path, [[1.0]] * 2).read_bytes()[:200]) and path, ExternalError, "open"),
        (foreign, InvalidInputError, "no policy of ML-Agents"),
        (lambda path: linear(path, [[1.0, 0.0]], version=2.0), InvalidInputError, "version_number 2"),
        (lambda path: linear(path, [[1.0, 0.0]], version=None), InvalidInputError, "no version_number"),
        (lambda path: linear(path, [[float("nan"), 0.0]]), InvalidInputError, "not numbers"),
        (lambda path: linear(path, [[1.0, 0.0]], opset=17), InvalidInputError, "opset is 17"),
    ],
    ids=["garbage", "cut", "foreign", "old", "no version", "nan", "opset"],
)
def test_what_unity_could_not_load_is_refused_with_the_reason(
    application: App, tmp_path: Path, make: Any, error: type[MlopsError], says: str
) -> None:
    with pytest.raises(error, match=says):
        application.register_model(name="Nav", onnx_path=str(make(tmp_path / "Nav.onnx")))
    assert application.list_models().models == []
    assert not list((application.settings.home / "models").glob("*/*"))


@pytest.mark.parametrize("opset", [9, 11, 15])
def test_policies_of_every_exporter_that_unity_takes_register(application: App, tmp_path: Path, opset: int) -> None:
    made = application.register_model(onnx_path=str(linear(tmp_path / "Nav.onnx", [[1.0, 0.0]] * 3, opset=opset)))
    assert made.name == "nav"
    memory = application.register_model(onnx_path=str(counting(tmp_path / "Memo.onnx")))
    assert [check.found for check in memory.checks if check.name == "version_number"] == ["3"]


def test_names_and_references_that_are_none_are_refused(application: App, nav: Path) -> None:
    with pytest.raises(InvalidInputError, match="no name"):
        application.register_model(name="///", onnx_path=str(nav))
    application.register_model(name="Nav", onnx_path=str(nav))
    with pytest.raises(NotFoundError, match="navv") as refused:
        application.list_models(name="navv")
    assert "Did you mean nav?" in refused.value.fix
    with pytest.raises(NotFoundError, match="no alias 'production'"):
        application.model_card("nav@production")
    with pytest.raises(InvalidInputError, match="exactly one"):
        application.register_model(name="Nav")


def test_processes_that_register_at_once_get_numbers_without_gap_or_repeat(
    application: App, home: Path, tmp_path: Path
) -> None:
    files = [other(tmp_path, number) for number in (0, 1, 2, 3, 4, 5, 6, 7, 8, 0)]
    command = [sys.executable, "-c", ONE]
    together = [
        subprocess.Popen([*command, str(file)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for file in files
    ]
    told = [process.communicate(timeout=120)[0].strip() for process in together]

    assert [process.returncode for process in together] == [0] * 10
    assert told[0] == told[9]
    assert sorted(line.number for line in application.list_models(name="nav-agent").models[0].versions) == list(
        range(1, 10)
    )
    folders = sorted(path.name for path in (home / "models" / "nav-agent").iterdir())
    assert folders == sorted(set(told))


@pytest.mark.parametrize("where", ["staged", "renamed"])
def test_a_kill_leaves_nothing_half_registered(application: App, home: Path, nav: Path, where: str) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(nav), where], cwd=REPOSITORY, timeout=120, check=False)
    assert died.returncode == 9
    assert application.list_models().models == []

    made = application.register_model(name="Nav", onnx_path=str(nav))
    assert made.number == 1
    whole = ModelVersion.model_validate_json((Path(made.folder) / "version.json").read_bytes())
    assert whole.version_id == made.version
    shown = [path.name for path in (home / "models" / "nav").iterdir() if not path.name.startswith(".")]
    assert shown == [made.version]


def test_the_revision_says_what_it_is_of() -> None:
    full = "a1b2c3d" + 33 * "0"
    assert revision(full, "unity project", "f" * 64) == ("a1b2c3d", "unity project", False)
    assert revision(f"{full}-dirty", "input folder", "f" * 64) == ("a1b2c3d", "input folder", True)
    assert revision(None, "unity project", "f" * 64) == ("fffffff", "policy", False)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_and_the_card_resource(era: Era, application: App, nav: Path) -> None:
    made = application.register_model(name="Nav", onnx_path=str(nav))
    async with in_memory(era) as client:
        again = structured(await client.call_tool("register_model", {"name": "nav", "onnx_path": str(nav)}))
        listed = structured(await client.call_tool("list_models", {"name": "Nav"}))
        refused = await client.call_tool("list_models", {"name": "nothing"})
        (card,) = (await client.read_resource(f"models://{made.version}")).contents
    assert (again["version"], again["new"]) == (made.version, False)
    assert listed["models"][0]["versions"][0]["version"] == made.version
    assert refused.is_error
    assert "Models: nav" in text(refused)
    assert made.sha256 in getattr(card, "text", "")


def test_the_commands_register_list_and_install_by_version(home: Path, nav: Path, tmp_path: Path) -> None:
    home.mkdir(parents=True)
    assert "registered" in cli(home, "register-model", "--onnx-path", str(nav), "--name", "Nav").stdout
    listed = cli(home, "list-models")
    version = re.search(r"unity-nav-\S+-v001", listed.stdout)
    assert version is not None
    project = tmp_path / "Game"
    (project / "Assets").mkdir(parents=True)
    (project / "ProjectSettings").mkdir()
    (project / "ProjectSettings" / "ProjectVersion.txt").write_text("m_EditorVersion: 6000.0.58f2\n")
    (project / "Packages").mkdir()
    (project / "Packages" / "manifest.json").write_text('{"dependencies": {"com.unity.ml-agents": "4.0.2"}}')
    done = cli(home, "install-model", str(project), "--model", version[0], "--json")
    assert json.loads(done.stdout)["files"][0]["path"] == "Assets/Models/Nav.onnx"


@pytest.mark.trainer
@pytest.mark.slow
def test_a_runs_version_carries_all_that_made_it(app: App) -> None:
    build = app.build_environment(description="reach the target")
    run = app.start_training(build_id=build.build_id, trainer_config=small(8000), seed=7)
    assert finish(app, run.run_id).state == "succeeded"
    evaluation = app.evaluate_model(run_id=run.run_id, episodes=10)
    assert finish(app, evaluation.job_id).state == "succeeded"
    child = app.start_training(build_id=build.build_id, trainer_config=small(8000), seed=8, initialize_from=run.run_id)
    finish(app, child.run_id)

    made = app.register_model(run_id=run.run_id)
    version = ModelVersion.model_validate_json((Path(made.folder) / "version.json").read_bytes())
    assert made.evaluation_id == evaluation.evaluation_id
    assert (version.seed, version.run_id, version.build_id) == (7, run.run_id, build.build_id)
    assert version.spec is not None
    assert version.metrics["steps"] >= 8000
    assert {"mlagents", "torch"} <= version.versions.keys()
    assert {"evaluation.json", "spec.json", "trainer.yaml", "ReachTarget.onnx"} <= set(made.files)
    assert version.git_sha_of == "input folder"
    second = app.register_model(run_id=child.run_id)
    kept = ModelVersion.model_validate_json((Path(second.folder) / "version.json").read_bytes())
    assert kept.parent == made.version
    by_model = app.evaluate_model(model="reachtarget", episodes=5)
    assert finish(app, by_model.job_id).evaluation is not None
