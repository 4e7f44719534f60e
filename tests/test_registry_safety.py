"""What a registry must survive: processes killed at any moment, a disk that is full, files that were changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.onnx_models import constant, counting, given, linear, node, result, write
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, NotFoundError
from unity_mlops_mcp.registry.records import Facts
from unity_mlops_mcp.registry.versions import register
from unity_mlops_mcp.store.store import Store

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`

KILLED = """
import os, signal, sys
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.registry import versions
app, left = App(config.settings()), int(sys.argv[2])
app.list_models()
place = str(config.settings().home.resolve() / "models")
def audit(event, arguments):
    global left
    if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"} and place in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(audit)
app.register_model(name="Nav", onnx_path=sys.argv[1])
print(left)
"""
FULL = """
import json, os, subprocess, sys
from pathlib import Path
from tests.onnx_models import linear
home = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", home], check=True)
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.store.store import Store
store = Store(home)
app, ballast, told = App(config.settings()), home / "ballast", []
app.register_model(name="Nav", onnx_path=str(linear(home.parent / "first" / "Nav.onnx", [[0.5, 0.0]] * 6)))
for pages in range(0, 30):
    disk = os.statvfs(home)
    ballast.write_bytes(b"0" * max(0, disk.f_bavail * disk.f_frsize - 4096 * pages))
    one = linear(home.parent / f"policy {pages}" / "Nav.onnx", [[1.0 + pages, 0.0]] * 6)
    try:
        outcome = app.register_model(name="Nav", onnx_path=str(one)).version
    except (MlopsError, OSError) as error:
        outcome = type(error).__name__
    ballast.unlink()
    known = sorted(row.version_id for row in store.models.versions("nav"))
    told.append([outcome, known, sorted(path.name for path in (home / "models" / "nav").iterdir())])
print(json.dumps(told))
"""


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    home.mkdir(parents=True)
    app = App(config.settings())
    yield app
    app.close()


def policy(folder: Path, number: float = 1.0) -> Path:
    return linear(folder / f"{number}" / "Nav.onnx", [[number, 0.0]] * 6)


def test_a_kill_at_any_file_it_touches_leaves_whole_versions_only(application: App, home: Path, tmp_path: Path) -> None:
    application.register_model(name="Nav", onnx_path=str(policy(tmp_path, 0.5)))
    for moment in range(1, 60):
        file = policy(tmp_path, 1.0 + moment)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(file), str(moment)], cwd=REPOSITORY, timeout=120, check=False
        )
        known = [line.version for line in application.list_models(name="nav").models[0].versions]
        for version in known:
            assert application.model_card(version)
        if done.returncode == 0:
            break
        assert done.returncode == -9
    else:
        pytest.fail("it was never left alone")
    assert moment > 8
    made = application.register_model(name="Nav", onnx_path=str(policy(tmp_path, 99.0)))
    numbers = [line.number for line in application.list_models(name="nav").models[0].versions]
    assert numbers == list(range(made.number, 0, -1))
    shown = {path.name for path in (home / "models" / "nav").iterdir() if not path.name.startswith(".")}
    assert shown == {line.version for line in application.list_models(name="nav").models[0].versions}


def test_a_full_disk_registers_whole_versions_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a small disk is mounted in a namespace of its own: this test runs only on systems that give one")
    small = tmp_path / "small disk"
    small.mkdir()
    monkeypatch.setenv("UNITY_MLOPS_HOME", str(small))
    monkeypatch.setenv("UNITY_MLOPS_ROOTS", str(tmp_path))
    done = subprocess.run(
        [*alone, sys.executable, "-c", FULL, str(small)], cwd=REPOSITORY, timeout=300, check=True, capture_output=True
    )
    told = json.loads(done.stdout)

    refused = [outcome for outcome, _, _ in told if not outcome.startswith("unity-nav")]
    assert refused
    assert len(refused) < len(told)
    for _, known, folders in told:
        assert folders == known
    versions = told[-1][1]
    assert sorted(version[-3:] for version in versions) == [f"{number:03}" for number in range(1, 1 + len(versions))]


def test_what_was_left_without_a_row_is_put_away_by_the_next_registration(
    application: App, home: Path, tmp_path: Path
) -> None:
    left = home / "models" / "nav" / "unity-nav-20260101-abcdef0-v001"
    left.mkdir(parents=True)
    (left / "version.json").write_text("{}")
    made = application.register_model(name="Nav", onnx_path=str(policy(tmp_path)))
    assert [path.name for path in left.parent.iterdir()] == [made.version]
    assert [path.name for path in (home / ".replaced").rglob("version.json")] == ["version.json"]


def test_a_version_whose_file_was_changed_or_removed_is_not_used(application: App, tmp_path: Path) -> None:
    made = application.register_model(name="Nav", onnx_path=str(policy(tmp_path)))
    kept = Path(made.folder) / "Nav.onnx"
    kept.write_bytes(policy(tmp_path, 2.0).read_bytes())
    with pytest.raises(ConflictError, match="not the file that was registered"):
        application.evaluate_model(model=made.version, env_path=str(kept), episodes=1)
    kept.unlink()
    with pytest.raises(NotFoundError, match="is gone"):
        application.evaluate_model(model=made.version, env_path=str(kept), episodes=1)


def test_several_behaviours_are_one_version_with_a_policy_for_each(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "Broken.onnx"
    broken.write_bytes(b"nothing")
    striker, goalie = linear(tmp_path / "Striker.onnx", [[1.0, 0.0]] * 3), counting(tmp_path / "Goalie.onnx")
    with Store(home) as store:
        first = register(store, {"Striker": striker, "Goalie": goalie}, Facts(title="Soccer"))
        again = register(store, {"Goalie": goalie, "Striker": striker}, Facts(title="soccer"))
        alone = register(store, {"Goalie": goalie}, Facts(title="Soccer"))
        with pytest.raises(ExternalError, match="does not open"):
            register(store, {"Striker": striker, "Broken": broken}, Facts(title="Soccer"))
        numbers = [row.number for row in store.models.versions("soccer")]

    assert (again.new, again.version) == (False, first.version)
    assert {one.behavior: one.file for one in first.version.policies} == {
        "Striker": "Striker.onnx",
        "Goalie": "Goalie.onnx",
    }
    assert first.version.policy_sha256 not in {one.sha256 for one in first.version.policies}
    assert (alone.version.number, numbers) == (2, [2, 1])


def _wrong(path: Path, **values: Any) -> Path:
    """A policy of 2 actions over 3 floats that says something else of itself."""
    said = {"size": 2.0, "memory": 0.0, "observation": "obs_0", **values}
    parts = [
        given(said["observation"], 3),
        constant("weights", [[1.0, 0.0]] * 3),
        constant("version_number", [3.0]),
        constant("memory_size", [said["memory"]]),
        constant("continuous_action_output_shape", [said["size"]]),
        node("MatMul", [said["observation"], "weights"], "continuous_actions"),
        result("continuous_actions", "batch", 2),
    ]
    names = ("version_number", "memory_size", "continuous_action_output_shape")
    return write(path, [*parts, *(result(name, 1) for name in names)])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"size": 5.0}, "continuous_action_output_shape is 5, but it gives 2 numbers"),
        ({"size": float("nan")}, "continuous_action_output_shape is -1"),
        ({"memory": 128.0}, "memory_size is 128, but recurrent_in takes 0 floats"),
        ({"observation": "obs_1"}, "numbered 1, not from 0"),
        ({"observation": "vector_observation"}, "a policy of ML-Agents 1"),
    ],
    ids=["actions", "no number", "memory", "gap", "first format"],
)
def test_a_policy_whose_parts_do_not_fit_each_other_is_refused(
    application: App, tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        application.register_model(name="Nav", onnx_path=str(_wrong(tmp_path / "Nav.onnx", **values)))
    assert application.list_models().models == []


def test_the_consistent_one_registers_and_barracudas_own_format_is_named(application: App, tmp_path: Path) -> None:
    assert application.register_model(name="Nav", onnx_path=str(_wrong(tmp_path / "Nav.onnx"))).new
    old = tmp_path / "Nav.nn"
    old.write_bytes(b"\x13\x00\x00\x00Nav")
    with pytest.raises(ExternalError, match="does not open") as refused:
        application.register_model(name="Nav", onnx_path=str(old))
    assert "mlagents 0.28" in refused.value.fix
    assert "onnxruntime_src" not in str(refused.value)


def test_a_long_list_of_versions_comes_in_pages_of_bounded_size(application: App, tmp_path: Path) -> None:
    with Store(application.settings.home) as store:
        for number in range(45):
            facts = Facts(title="Nav", description="wider corridors " * 100)
            register(store, {"Nav": policy(tmp_path, 1.0 + number)}, facts)
    overview = application.list_models()
    assert [len(model.versions) for model in overview.models] == [3]
    assert overview.models[0].versions_left_out == 42
    numbers, cursor = [], None
    for _ in range(3):
        page = application.list_models(name="nav", cursor=cursor)
        assert len(page.model_dump_json()) < 20_000
        numbers += [line.number for line in page.models[0].versions]
        cursor = page.next_cursor
    assert (numbers, cursor) == (list(range(45, 0, -1)), None)
    with pytest.raises(InvalidInputError, match="not a cursor"):
        application.list_models(name="nav", cursor="nonsense")
