"""A trained policy on its way into a Unity project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from tests.onnx_models import counting, linear
from tests.test_cli import cli
from tests.training_home import finish
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, MlopsError, NotFoundError
from unity_mlops_mcp.results.models import InstalledModel

MakeProject = Callable[..., Path]
OLD = b"an older policy"
META = "guid: 0123456789abcdef0123456789abcdef"


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    """An application without a trainer."""
    home.mkdir(parents=True)
    app = App(config.settings())
    yield app
    app.close()


@pytest.fixture
def project(tmp_path: Path) -> MakeProject:
    """Makes a Unity project; ``lock`` is what packages-lock.json says of each package."""

    def made(ml_agents: str | None = "4.0.2", lock: dict[str, Any] | None = None, **packages: str) -> Path:
        folder = tmp_path / "My Game"
        (folder / "Assets").mkdir(parents=True)
        (folder / "ProjectSettings").mkdir()
        (folder / "ProjectSettings" / "ProjectVersion.txt").write_text("m_EditorVersion: 6000.0.58f2\n")
        (folder / "Packages").mkdir()
        wanted = {**({"com.unity.ml-agents": ml_agents} if ml_agents else {}), **packages}
        (folder / "Packages" / "manifest.json").write_text(json.dumps({"dependencies": wanted}))
        if lock is not None:
            (folder / "Packages" / "packages-lock.json").write_text(json.dumps({"dependencies": lock}))
        return folder

    return made


@pytest.fixture
def onnx(tmp_path: Path) -> Path:
    """A policy of the behaviour Nav, as a checkpoint is named."""
    return linear(tmp_path / "results" / "Nav-5000.onnx", [[1.0, 0.0]] * 6)


def values(result: InstalledModel) -> dict[str, str]:
    """What to set, by the field's last name."""
    return {row.field.rpartition(" > ")[2]: row.value for row in result.inspector}


def test_a_new_policy_becomes_an_asset_and_the_answer_says_what_to_set(
    application: App, project: MakeProject, onnx: Path
) -> None:
    folder = project()
    result = application.install_model(onnx_path=str(onnx), project_path=str(folder))
    (file,) = result.files
    assert (file.path, file.change, file.backup) == ("Assets/Models/Nav.onnx", "added", None)
    assert (folder / file.path).read_bytes() == onnx.read_bytes()
    assert file.sha256 == hashlib.sha256(onnx.read_bytes()).hexdigest()
    assert [path.name for path in (folder / "Assets" / "Models").iterdir()] == ["Nav.onnx"], "no .meta, no leftovers"
    assert result.inference_package == "com.unity.ai.inference 2.2.1"
    told = values(result)
    assert (told["Behavior Name"], told["Space Size"], told["Continuous Actions"]) == ("Nav", "6", "2")
    assert told["Model"] == "Assets/Models/Nav.onnx (ModelAsset)"
    assert told["Discrete Branches"] == "0"
    assert "Deterministic Inference" in told
    again = application.install_model(onnx_path=str(onnx), project_path=str(folder))
    assert [file.change for file in again.files] == ["unchanged"]


def test_a_behaviour_with_a_folder_of_its_own_gets_its_policy_there(
    application: App, project: MakeProject, tmp_path: Path
) -> None:
    folder = project("2.0.1")
    (folder / "Assets" / "Count").mkdir()
    policy = counting(tmp_path / "Count.onnx")
    result = application.install_model(onnx_path=str(policy), project_path=str(folder))
    assert [file.path for file in result.files] == ["Assets/Count/Count.onnx"]
    told = values(result)
    assert (told["Discrete Branches"], told["Branch 0 Size"]) == ("1", "3")
    assert told["Model"].endswith("(NNModel)")
    assert "Deterministic Inference" not in told, "ML-Agents 2.0 has no such field"


def test_another_policy_is_replaced_only_when_confirmed_and_then_kept(
    application: App, project: MakeProject, onnx: Path, home: Path
) -> None:
    folder = project()
    old = folder / "Assets" / "Enemies" / "Brains" / "Nav.onnx"
    old.parent.mkdir(parents=True)
    old.write_bytes(OLD)
    meta = old.with_name("Nav.onnx.meta")
    meta.write_text(META)
    with pytest.raises(ConflictError, match=r"replace Assets/Enemies/Brains/Nav\.onnx \(15 bytes\)") as refused:
        application.install_model(onnx_path=str(onnx), project_path=str(folder))
    assert (refused.value.cause, "confirm=true" in refused.value.fix) == ("would_replace", True)
    assert old.read_bytes() == OLD
    result = application.install_model(onnx_path=str(onnx), project_path=str(folder), confirm=True)
    (file,) = result.files
    assert (file.path, file.change) == ("Assets/Enemies/Brains/Nav.onnx", "replaced")
    assert old.read_bytes() == onnx.read_bytes()
    assert Path(file.backup or "").read_bytes() == OLD
    assert home / ".replaced" in Path(file.backup or "").parents
    assert meta.read_text() == META
    assert sorted(path.name for path in old.parent.iterdir()) == ["Nav.onnx", "Nav.onnx.meta"]


def test_several_files_of_that_name_are_not_guessed_between(application: App, project: MakeProject, onnx: Path) -> None:
    folder = project()
    for place in ("A", "B"):
        (folder / "Assets" / place).mkdir()
        (folder / "Assets" / place / "Nav.onnx").write_bytes(OLD)
    with pytest.raises(ConflictError, match=r"Assets/A/Nav\.onnx, Assets/B/Nav\.onnx"):
        application.install_model(onnx_path=str(onnx), project_path=str(folder), confirm=True)


BARRACUDA = {"com.unity.ml-agents": {"version": "2.0.1", "dependencies": {"com.unity.barracuda": "2.0.0"}}}
GIT = "https://github.com/Unity-Technologies/ml-agents.git?path=com.unity.ml-agents#release_22"
SENTIS = {
    "com.unity.ml-agents": {"version": GIT, "source": "git", "dependencies": {"com.unity.sentis": "2.1.0"}},
    "com.unity.sentis": {"version": "2.1.3"},
}


@pytest.mark.parametrize(
    ("ml_agents", "lock", "packages", "expected"),
    [
        ("2.0.1", None, {}, "com.unity.barracuda 2.0.0"),
        ("2.0.1", BARRACUDA | {"com.unity.barracuda": {"version": "3.0.1"}}, {}, "com.unity.barracuda 3.0.1"),
        ("2.3.0-exp.3", None, {}, "com.unity.barracuda 3.0.0"),
        ("3.0.0-exp.1", None, {}, "com.unity.sentis 1.2.0-exp.2"),
        ("3.0.0", None, {"com.unity.sentis": "2.1.2"}, "com.unity.sentis 2.1.2"),
        ("4.0.2", None, {"com.unity.barracuda": "3.0.0"}, "com.unity.ai.inference 2.2.1"),
        ("4.7.1", None, {}, "com.unity.ai.inference 2.2.1"),
        (GIT, SENTIS, {}, "com.unity.sentis 2.1.3"),
        (GIT, None, {"com.unity.sentis": "2.1.0"}, "com.unity.sentis 2.1.0"),
        ("file:../../ml-agents", None, {}, "com.unity.sentis 2.1.0"),
    ],
)
def test_the_inference_package_is_the_one_that_the_projects_ml_agents_uses(
    application: App,
    project: MakeProject,
    onnx: Path,
    tmp_path: Path,
    *,
    ml_agents: str,
    lock: dict[str, Any] | None,
    packages: dict[str, str],
    expected: str,
) -> None:
    folder = project(ml_agents, lock, **packages)
    (tmp_path / "ml-agents").mkdir()
    (tmp_path / "ml-agents" / "package.json").write_text('{"version": "3.0.0"}')
    assert application.install_model(onnx_path=str(onnx), project_path=str(folder)).inference_package == expected


@pytest.mark.parametrize(
    ("ml_agents", "cause", "fix"),
    [
        (None, "no_ml_agents", "Package Manager"),
        ("1.9.1-preview", "ml_agents_too_old", "Update it to 2.0.1"),
        (GIT, "no_inference_package", "packages-lock.json"),
    ],
)
def test_a_project_that_cannot_run_models_is_refused_with_the_way_out(
    application: App, project: MakeProject, onnx: Path, *, ml_agents: str | None, cause: str, fix: str
) -> None:
    folder = project(ml_agents)
    with pytest.raises(InvalidInputError) as refused:
        application.install_model(onnx_path=str(onnx), project_path=str(folder))
    assert refused.value.cause == cause
    assert fix in refused.value.fix
    assert list((folder / "Assets").iterdir()) == []


def _renamed(path: Path, before: bytes, after: bytes) -> Path:
    path.write_bytes(path.read_bytes().replace(before, after))
    return path


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: linear(path, [[1.0, 0.0]], version=2.0), "onnx_version"),
        (lambda path: linear(path, [[1.0, 0.0]], version=None), "onnx_version"),
        (lambda path: linear(path, [[1.0, 0.0]], opset=13), "onnx_opset"),
        (lambda path: linear(path, [[1.0, float("nan")]]), "onnx_not_finite"),
        (lambda path: _renamed(linear(path, [[1.0, 0.0]]), b"memory_size", b"memory_sice"), "onnx_names"),
        (lambda path: _renamed(linear(path, [[1.0, 0.0]]), b"obs_0", b"old_0"), "no_policy"),
    ],
)
def test_a_policy_that_unity_would_refuse_is_refused_here(
    application: App, project: MakeProject, tmp_path: Path, *, make: Callable[[Path], Path], cause: str
) -> None:
    folder = project("2.0.1")
    policy = make(tmp_path / "Nav.onnx")
    with pytest.raises(MlopsError) as refused:
        application.install_model(onnx_path=str(policy), project_path=str(folder))
    assert refused.value.cause == cause
    assert list((folder / "Assets").iterdir()) == []
    if cause == "onnx_opset":
        assert "7 to 9" in refused.value.message
        assert application.install_model(onnx_path=str(policy), project_path=str(folder), confirm=True).files


def test_a_broken_file_and_paths_outside_are_refused(
    application: App, project: MakeProject, onnx: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = project()
    broken = tmp_path / "Broken.onnx"
    broken.write_bytes(onnx.read_bytes()[:100])
    with pytest.raises(ExternalError, match="does not open"):
        application.install_model(onnx_path=str(broken), project_path=str(folder))
    with pytest.raises(InvalidInputError, match="is no Unity project"):
        application.install_model(onnx_path=str(onnx), project_path=str(tmp_path))
    outside = tmp_path_factory.mktemp("outside")
    (folder / "Assets" / "Models").symlink_to(outside, target_is_directory=True)
    with pytest.raises(InvalidInputError, match="outside the allowed folders"):
        application.install_model(onnx_path=str(onnx), project_path=str(folder))
    with pytest.raises(InvalidInputError, match="outside the allowed folders"):
        application.install_model(onnx_path=str(outside / "Nav.onnx"), project_path=str(folder))
    with pytest.raises(NotFoundError, match="no run 'nobody'"):
        application.install_model(run_id="nobody", project_path=str(folder))
    with pytest.raises(InvalidInputError, match="exactly one of run_id, model, onnx_path"):
        application.install_model(project_path=str(folder))
    assert list(outside.iterdir()) == []


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("home")
async def test_the_tool_installs_and_asks_before_it_replaces(era: Era, project: MakeProject, onnx: Path) -> None:
    folder = project()
    (folder / "Assets" / "Nav.onnx").write_bytes(OLD)
    arguments = {"onnx_path": str(onnx), "project_path": str(folder)}
    async with in_memory(era) as client:
        refused = await client.call_tool("install_model", arguments)
        assert refused.is_error
        assert "confirm=true" in text(refused)
        done = structured(await client.call_tool("install_model", {**arguments, "confirm": True}))
    assert done["files"][0]["change"] == "replaced"
    assert done["inspector"][0] == {"field": "Behavior Parameters > Behavior Name", "value": "Nav"}


@pytest.mark.slow
def test_the_command_says_what_to_set(home: Path, project: MakeProject, onnx: Path, tmp_path: Path) -> None:
    folder = project()
    done = cli(home, "install-model", str(folder), "--onnx-path", str(onnx), UNITY_MLOPS_ROOTS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Assets/Models/Nav.onnx" in done.stdout
    assert "Behavior Parameters > Behavior Name: Nav" in done.stdout
    assert (folder / "Assets" / "Models" / "Nav.onnx").is_file()


@pytest.mark.trainer
@pytest.mark.slow
def test_a_runs_own_policy_is_installed_with_what_its_spec_says(app: App, project: MakeProject) -> None:
    folder = project("3.0.0")
    build = app.build_environment(description="drive to the target past obstacles").build_id
    body = "NavigateObstacles: {summary_freq: 500, checkpoint_interval: 1000, max_steps: 1500}"
    run_id = app.start_training(build_id=build, trainer_config=f"behaviors: {{{body}}}").run_id
    with pytest.raises(NotFoundError, match="no finished policy yet") as refused:
        app.install_model(run_id=run_id, project_path=str(folder))
    assert "wait_for" in refused.value.fix
    assert finish(app, run_id).state == "succeeded"
    result = app.install_model(run_id=run_id, project_path=str(folder))
    assert [file.path for file in result.files] == ["Assets/Models/NavigateObstacles.onnx"]
    told = values(result)
    assert (told["Behavior Name"], told["Space Size"]) == ("NavigateObstacles", "5")
    assert (told["Detectable Tags"], told["Rays Per Direction"]) == ("target, obstacle, wall", "5")
    assert told["Decision Period"] == "5"
