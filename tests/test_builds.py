"""Sandbox builds: found again by what went in, started by any interpreter, on paths that ML-Agents can take."""

from __future__ import annotations

import io
import json
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from tests.ml_agents import ask_ml_agents
from unity_mlops_mcp.builds.launchers import Target, linux, macos, windows
from unity_mlops_mcp.builds.library import load_build
from unity_mlops_mcp.builds.paths import executable_of, player_path_problems
from unity_mlops_mcp.builds.probe import probe
from unity_mlops_mcp.builds.sandbox import build_sandbox, write_launcher
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.library import load_spec, save_spec
from unity_mlops_mcp.store.store import Store

REPOSITORY = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def spec() -> EnvironmentSpec:
    return load_archetype("reach_target").spec


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as opened:
        yield opened


def test_a_build_is_data_that_says_what_it_is(spec: EnvironmentSpec, settings: Settings, store: Store) -> None:
    build = build_sandbox(spec, archetype="reach_target", settings=settings, store=store, job_id=None, now=NOW)
    assert build.build_id.startswith("sandbox-reachtarget-")
    assert not build.cached
    assert build.folder == settings.home / "builds" / build.build_id
    assert sorted(file.name for file in build.folder.iterdir()) == ["build.json", "spec.json"]
    assert EnvironmentSpec.from_text((build.folder / "spec.json").read_text("utf-8")) == spec
    written = json.loads((build.folder / "build.json").read_text("utf-8"))
    assert (written["digest"], written["archetype"]) == (build.digest, "reach_target")
    assert sys.prefix not in (build.folder / "build.json").read_text("utf-8")
    assert load_build(build.build_id, settings=settings, store=store) == build


def test_equal_inputs_are_one_build_and_others_another(spec: EnvironmentSpec, settings: Settings, store: Store) -> None:
    first = build_sandbox(spec, archetype="reach_target", settings=settings, store=store, job_id=None)
    same = EnvironmentSpec.from_text(spec.to_yaml())
    again = build_sandbox(same, archetype=None, settings=settings, store=store, job_id=None)
    assert again == first.model_copy(update={"cached": True})
    longer = spec.model_copy(update={"episode": spec.episode.model_copy(update={"max_step": 777})})
    other = build_sandbox(longer, archetype=None, settings=settings, store=store, job_id=None)
    assert other.build_id != first.build_id
    assert not other.cached


def test_damaged_files_are_told_and_made_anew(spec: EnvironmentSpec, settings: Settings, store: Store) -> None:
    build = build_sandbox(spec, archetype=None, settings=settings, store=store, job_id=None)
    (build.folder / "spec.json").write_text("{}")
    with pytest.raises(NotFoundError, match="gone or were changed"):
        load_build(build.build_id, settings=settings, store=store)
    assert build_sandbox(spec, archetype=None, settings=settings, store=store, job_id=None).build_id == build.build_id
    assert load_build(build.build_id, settings=settings, store=store).digest == build.digest
    with pytest.raises(NotFoundError, match="no build nothing") as caught:
        load_build("nothing", settings=settings, store=store)
    assert build.build_id in caught.value.fix


def test_a_launcher_starts_the_build_from_a_path_with_spaces_and_quotes(
    spec: EnvironmentSpec, settings: Settings, store: Store, home: Path
) -> None:
    build = build_sandbox(spec, archetype=None, settings=settings, store=store, job_id=None)
    player = write_launcher(build, home / "runs" / 'it\'s "here" $HOME `x`')
    assert player_path_problems(player) == []
    assert player.is_relative_to(home)
    assert executable_of(player).stat().st_mode & stat.S_IXUSR
    found = probe(player, steps=20, areas=4)
    assert found.behaviors == build.behaviors
    assert found.agents == 4
    assert found.problems == ()


def test_where_ml_agents_could_not_find_the_launcher_it_goes_elsewhere(
    spec: EnvironmentSpec, settings: Settings, store: Store, home: Path
) -> None:
    build = build_sandbox(spec, archetype=None, settings=settings, store=store, job_id=None)
    for folder in ("my.apps", "runs [old]"):
        player = write_launcher(build, home / folder)
        assert player_path_problems(player) == []
        assert not player.is_relative_to(home)
        assert probe(player, steps=1).agents == 1
        shutil.rmtree(player.parent)


_BUILD_ELSEWHERE = """
from pathlib import Path
from unity_mlops_mcp.builds.sandbox import build_sandbox, write_launcher
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.store.store import Store
with Store(settings().home) as store:
    build = build_sandbox(
        load_archetype("reach_target").spec, archetype=None, settings=settings(), store=store, job_id=None
    )
    print(build.build_id)
"""


@pytest.mark.parametrize(("name", "agents"), [("chase_evade", 4), ("follow_leader_flock", 10)])
def test_a_contest_or_a_flock_is_one_behavior_of_its_build(
    name: str, agents: int, settings: Settings, tmp_path: Path
) -> None:
    spec = load_archetype(name).spec
    with Store(settings.home) as store:
        build = build_sandbox(spec, archetype=name, settings=settings, store=store, job_id=None)
    assert [behavior.name for behavior in build.behaviors] == [spec.behavior_name]
    found = probe(write_launcher(build, tmp_path / "player"), steps=5, areas=2)
    assert found.behaviors == build.behaviors
    assert (found.agents, found.problems) == (agents, ())


def test_a_build_outlives_the_environment_that_made_it(settings: Settings, home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "environment"
    venv.create(elsewhere, with_pip=False)
    packages = next(elsewhere.glob("lib*/python*/site-packages"))
    (packages / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{REPOSITORY}\n")
    made = subprocess.run(
        [elsewhere / "bin" / "python", "-c", _BUILD_ELSEWHERE], capture_output=True, text=True, check=True, timeout=60
    )
    assert str(elsewhere) not in "".join(file.read_text("utf-8") for file in (home / "builds").rglob("*.json"))
    shutil.rmtree(elsewhere)
    with Store(home) as store:
        build = load_build(made.stdout.strip(), settings=settings, store=store)
    assert probe(write_launcher(build, home / "runs"), steps=5, areas=2).agents == 2


SPEC = PurePosixPath("/home/o'neil/my builds/spec.json")
TARGET = Target(PurePosixPath("/opt/my python/bin/python3"), PurePosixPath("/opt/lib"), SPEC)
SCRIPT = """#!/bin/sh
unset PYTHONHOME
PYTHONPATH=/opt/lib
export PYTHONPATH
exec '/opt/my python/bin/python3' -m unity_mlops_mcp.sandbox '/home/o'"'"'neil/my builds/spec.json' "$@"
"""


def test_linux_and_macos_launchers_are_shell_scripts_where_ml_agents_looks() -> None:
    assert linux("Reach", TARGET).content == macos("Reach", TARGET).content == SCRIPT.encode()
    assert (linux("Reach", TARGET).path, linux("Reach", TARGET).player) == ("Reach.x86_64", "Reach.x86_64")
    assert macos("Reach", TARGET).path == "Reach.app/Contents/MacOS/Reach"
    assert macos("Reach", TARGET).player == "Reach.app"


@pytest.mark.parametrize(("machine", "stub"), [("AMD64", "t64.exe"), ("ARM64", "t64-arm.exe"), ("x86", "t32.exe")])
def test_the_windows_launcher_is_a_stub_an_interpreter_line_and_a_zip_file(machine: str, stub: str) -> None:
    target = Target(
        PureWindowsPath(r"C:\Program Files\Python\python.exe"),
        PureWindowsPath(r"C:\lib"),
        PureWindowsPath(r"C:\Users\Ann O'Neil\spec.json"),
    )
    file = windows("Reach", target, machine=machine)
    assert (file.path, file.player) == ("Reach.exe", "Reach.exe")
    head = files("distlib").joinpath(stub).read_bytes()
    line = b'#!"C:\\Program Files\\Python\\python.exe"\r\n'
    assert file.content.startswith(b"MZ")
    assert file.content.startswith(head + line + b"PK")
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.namelist() == ["__main__.py"]
        code = archive.read("__main__.py").decode()
    compile(code, "__main__.py", "exec")
    assert r"'C:\\lib'" in code
    assert windows("Reach", target, machine=machine).content == file.content


def test_what_the_windows_launcher_hands_to_python_is_the_player(spec: EnvironmentSpec, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(spec.to_json(), "utf-8")
    file = windows("Reach", Target(Path(sys.executable), REPOSITORY, tmp_path / "spec.json"))
    (tmp_path / file.path).write_bytes(file.content)
    # Windows' stub runs the interpreter with itself as argument: Python finds the zip file at its end.
    with Environment([sys.executable, str(tmp_path / file.path)], timeout_s=30) as environment:
        assert len(environment.reset()) == 1


def test_the_macos_bundle_is_found_and_starts(spec: EnvironmentSpec, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(spec.to_json(), "utf-8")
    file = macos("Reach", Target(Path(sys.executable), REPOSITORY, tmp_path / "spec.json"))
    script = tmp_path / file.path
    script.parent.mkdir(parents=True)
    script.write_bytes(file.content)
    script.chmod(0o755)
    assert executable_of(tmp_path / file.player) == script
    assert executable_of(tmp_path / "Reach") == script
    assert probe(tmp_path / file.player, steps=2).agents == 1


GOOD = ("plain/Game", "plain/Game.x86_64", "with space/Game", "dots.in.it/v1.2/Game", "quote's/Game", "round(1)/Game")
BAD = ("my.apps/Game", "x.exercise/Game", "a.x86_64/Game", "[old]/Game", "star*/Game", "what?/Game", "Game.exe.x86_64")


@pytest.mark.parametrize("path", GOOD)
def test_good_paths_have_no_problem(path: str, tmp_path: Path) -> None:
    assert player_path_problems(tmp_path / path) == []


@pytest.mark.parametrize("path", BAD)
def test_paths_that_ml_agents_breaks_have_one_problem(path: str, tmp_path: Path) -> None:
    assert len(player_path_problems(tmp_path / path)) == 1


_THEIRS = """
from mlagents_envs.env_utils import validate_environment_path
answer = [validate_environment_path(path) for path in given]
"""


@pytest.mark.trainer
def test_ml_agents_itself_agrees_on_every_path(trainer_python: Path, tmp_path: Path) -> None:
    asked = {}
    for path in (*GOOD, *BAD):
        given = tmp_path / path
        file = given if given.suffix == ".x86_64" else given.with_name(f"{given.name}.x86_64")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        asked[str(given)] = str(file)
    found = dict(zip(asked, ask_ml_agents(trainer_python, _THEIRS, list(asked)), strict=True))
    for given_path, wanted in asked.items():
        # A pattern may match its own wanted by chance ("star*"); what is promised is that good paths are found.
        if not player_path_problems(given_path):
            assert found[given_path] == wanted
            assert executable_of(Path(given_path)) == Path(wanted)
        elif not set("*?") & set(given_path):
            assert found[given_path] != wanted


def test_a_damaged_kept_spec_is_told_with_the_way_out(home: Path) -> None:
    saved = save_spec(home, load_archetype("reach_target").spec, archetype="reach_target", training=None)
    (home / "specs" / f"{saved.spec_id}.json").write_text("{")
    with pytest.raises(InvalidInputError, match="damaged"):
        load_spec(home, saved.spec_id)
