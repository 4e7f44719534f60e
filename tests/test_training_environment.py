"""A trainer is found in its order, described in one short process, and started by an argument list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from unity_mlops_mcp.config import Settings, settings
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.training.command import learn_command
from unity_mlops_mcp.training.records import Trainer, TrainerKind, TrainerVersions
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.training.trainer.environment import (
    TRAINER_ENV,
    find_trainer,
    interpreter_of,
    managed_folder,
    opened_cache,
)
from unity_mlops_mcp.training.trainer.pitfalls import check_versions

MODERN = {
    "mlagents": "1.1.0",
    "mlagents-envs": "1.1.0",
    "torch": "2.13.0",
    "numpy": "2.4.6",
    "protobuf": "7.36.2",
    "onnx": "1.23.2",
}
OLD = {
    "mlagents": "0.28.0",
    "mlagents-envs": "0.28.0",
    "torch": "1.13.1",
    "numpy": "1.23.5",
    "protobuf": "3.20.3",
    "onnx": "1.12.0",
    "setuptools": "65.5.0",
}
NOW = datetime(2026, 11, 21, 11, 30, tzinfo=timezone.utc)

MakeTrainer = Callable[..., Path]


@pytest.fixture
def make_trainer(tmp_path: Path) -> MakeTrainer:
    """Makes an environment whose packages are listed but empty, with an mlagents-learn; its interpreter."""

    def make(name: str, packages: dict[str, str], *, marked: bool = False) -> Path:
        folder = tmp_path / name
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
        site = next(iter([*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]))
        for package, version in packages.items():
            info = site / f"{package.replace('-', '_')}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        python = interpreter_of(folder)
        script = python.parent / "mlagents-learn"
        script.write_text(f"#!{python}\nprint('learning')\n")
        script.chmod(0o755)
        if marked:
            mark(folder)
        return python

    return make


def mark(folder: Path, *, digest: str | None = None) -> None:
    """Mark an environment as ours."""
    marker = pins.Marker(list_name="modern", pins=digest or pins.digest("modern"), made_at=NOW.isoformat(), product="1")
    pins.write_marker(folder, marker)


@pytest.fixture
def alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fresh home, with no mlagents-learn on the PATH."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    assert not (home / "trainer").exists()
    return settings()


def with_trainer(found: Settings, trainer: Path) -> Settings:
    """The same settings with a trainer that is set."""
    return found.model_copy(update={"trainer": trainer})


def test_without_any_trainer_the_error_gives_the_command_that_makes_one(alone: Settings) -> None:
    with pytest.raises(SetupError) as refused:
        find_trainer(alone)
    assert refused.value.cause == "no_trainer"
    assert "unity-mlops trainer install" in refused.value.fix


def test_the_set_trainer_comes_before_the_managed_one_and_that_before_the_path(
    alone: Settings, make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make_trainer("on path", OLD)
    monkeypatch.setenv("PATH", str(on_path.parent))
    found = find_trainer(alone)
    assert (found.python, found.kind, found.versions.mlagents) == (on_path, "stock", "0.28.0")
    assert found.prefix("fast") == (str(on_path.parent / "mlagents-learn"),)

    make_trainer(str(managed_folder(alone).relative_to(tmp_path)), MODERN, marked=True)
    found = find_trainer(alone)
    assert (found.python, found.kind) == (interpreter_of(managed_folder(alone)), "managed")
    assert found.prefix("fast") == (str(found.python), str(TRAINER_ENV / "launcher.py"), "--mode", "fast", "--")
    assert found.problems == ()

    explicit = make_trainer("explicit", OLD)
    assert find_trainer(with_trainer(alone, explicit)).python == explicit


def test_a_trainer_may_be_named_by_its_interpreter_its_script_or_its_folder(
    alone: Settings, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    python = make_trainer("explicit", OLD)
    script = python.parent / "mlagents-learn"
    link = tmp_path / "mlagents-learn"
    link.symlink_to(script)
    for named in (python, script, python.parent.parent, link):
        assert find_trainer(with_trainer(alone, named)).python == python


def test_an_interpreter_that_we_marked_is_a_managed_one_wherever_it_lies(
    alone: Settings, make_trainer: MakeTrainer
) -> None:
    python = make_trainer("elsewhere", MODERN, marked=True)
    assert find_trainer(with_trainer(alone, python)).kind == "managed"
    mark(python.parent.parent, digest="of an older list")
    assert "older list" in find_trainer(with_trainer(alone, python)).problems[0]


@pytest.mark.parametrize("named", ["nothing here", "a text"])
def test_a_set_trainer_that_cannot_be_used_is_an_error_and_no_other_is_taken(
    alone: Settings, make_trainer: MakeTrainer, tmp_path: Path, named: str
) -> None:
    make_trainer(str(managed_folder(alone).relative_to(tmp_path)), MODERN, marked=True)
    (tmp_path / "a text").write_text("no interpreter")
    with pytest.raises(SetupError) as refused:
        find_trainer(with_trainer(alone, tmp_path / named))
    assert refused.value.cause == "trainer_unusable"
    assert "UNITY_MLOPS_TRAINER" in refused.value.fix


def test_an_interpreter_without_mlagents_is_no_trainer(alone: Settings, make_trainer: MakeTrainer) -> None:
    with pytest.raises(SetupError, match="has no mlagents"):
        find_trainer(with_trainer(alone, make_trainer("bare", {})))


def test_a_managed_trainer_whose_python_went_away_is_to_be_repaired(
    alone: Settings, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    python = make_trainer(str(managed_folder(alone).relative_to(tmp_path)), MODERN, marked=True)
    python.unlink()
    with pytest.raises(SetupError) as refused:
        find_trainer(alone)
    assert "--repair" in refused.value.fix


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the interpreter")
def test_a_trainer_is_described_once_until_it_changes(
    alone: Settings, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    real = make_trainer("explicit", OLD)
    counted, calls = tmp_path / "counted", tmp_path / "calls"
    counted.write_text(f'#!/bin/sh\necho x >> "{calls}"\nexec "{real}" "$@"\n')
    counted.chmod(0o755)
    found = [find_trainer(with_trainer(alone, counted)) for _ in range(3)]
    assert calls.read_text() == "x\n"
    assert found[0] == found[1] == found[2]

    info = next(iter(real.parent.parent.glob("lib/python*/site-packages/numpy-*.dist-info")))
    info.rename(info.with_name("numpy-1.26.4.dist-info"))
    (info.with_name("numpy-1.26.4.dist-info") / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: numpy\nVersion: 1.26.4\n"
    )
    changed = find_trainer(with_trainer(alone, counted))
    assert changed.versions.numpy == "1.26.4"
    assert changed.fingerprint != found[0].fingerprint
    assert calls.read_text() == "x\nx\n"


PITFALLS = [
    ("stock", {"mlagents": "0.27.0"}, "mlagents version", "fail"),
    ("stock", {"mlagents": "1.2.0"}, "mlagents version", "warn"),
    ("stock", {"protobuf": "4.25.1"}, "protobuf", "fail"),
    ("stock", {"numpy": "1.24.0"}, "numpy", "fail"),
    ("stock", {"torch": "2.9.0+cu128"}, "torch and the ONNX export", "fail"),
    ("stock", {"torch": None}, "torch", "fail"),
    ("stock", {"onnx": None}, "onnx", "fail"),
    ("stock", {"setuptools": "82.0.0"}, "setuptools", "fail"),
    ("stock", {"setuptools": None}, "setuptools", "fail"),
    ("stock", {"python": "3.12.1"}, "Python of the trainer", "fail"),
    ("managed", {"python": "3.14.0"}, "Python of the trainer", "fail"),
    ("managed", {"mlagents": "1.0.0"}, "mlagents version", "fail"),
    ("managed", {"onnx": None}, "onnx", "fail"),
]
STOCK = TrainerVersions(
    python="3.10.12",
    mlagents="1.1.0",
    torch="2.8.0",
    numpy="1.23.5",
    protobuf="3.20.3",
    grpcio="1.48.2",
    onnx="1.15.0",
    setuptools="81.0.0",
)


@pytest.mark.parametrize(("kind", "change", "name", "status"), PITFALLS)
def test_each_version_that_is_known_to_fail_is_named_with_its_fix(
    kind: str, change: dict[str, str], name: str, status: str
) -> None:
    found = check_versions(kind, STOCK.model_copy(update=change))  # type: ignore[arg-type]
    assert [(check.name, check.status) for check in found] == [(name, status)]
    assert "unity-mlops trainer install" in found[0].fix


def test_versions_that_fit_have_no_pitfall() -> None:
    assert check_versions("stock", STOCK) == ()
    modern = STOCK.model_copy(update={"python": "3.13.0", "torch": "2.13.0", "numpy": "2.4.6", "protobuf": "7.36.2"})
    assert check_versions("managed", modern) == ()


def trainer(version: str = "1.1.0", kind: str = "managed") -> Trainer:
    """A trainer of some version."""
    versions = TrainerVersions(mlagents=version)
    known: TrainerKind = "managed" if kind == "managed" else "stock"
    return Trainer(
        python=Path("/t/python"), kind=known, command=("/t/python", "x.py"), versions=versions, fingerprint="f"
    )


def command(found: Trainer, **changes: object) -> list[str]:
    """A command with some arguments changed."""
    arguments: dict[str, object] = {
        "config_path": Path("/runs/a b/trainer.yaml"),
        "run_id": "a b",
        "results_dir": Path("/runs"),
        "env_path": Path("/players/nav"),
        "base_port": 5105,
    }
    return learn_command(found, **{**arguments, **changes})  # type: ignore[arg-type]


def test_the_whole_command_is_an_argument_list() -> None:
    built = command(
        trainer(),
        num_envs=2,
        num_areas=16,
        seed=0,
        time_scale=20.0,
        force=True,
        width=84,
        height=84,
        timeout_wait=60,
        torch_device="cpu",
        initialize_from="old",
        env_args=["--size", "big one"],
    )
    assert built == [
        *("/t/python", "x.py", "--mode", "fast", "--", "/runs/a b/trainer.yaml", "--env=/players/nav", "--run-id=a b"),
        *("--results-dir=/runs", "--base-port=5105", "--num-envs=2", "--num-areas=16", "--seed=0", "--time-scale=20"),
        *("--initialize-from=old", "--width=84", "--height=84", "--timeout-wait=60", "--torch-device=cpu", "--force"),
        *("--no-graphics", "--env-args", "--size", "big one"),
    ]


def test_a_resume_neither_overwrites_nor_begins_from_another_run() -> None:
    built = command(trainer(), resume=True, force=True, initialize_from="old")
    assert "--resume" in built
    assert not [word for word in built if "force" in word or "initialize" in word]


def test_the_editor_has_no_player_to_start() -> None:
    built = command(trainer(), env_path=None, num_envs=1, env_args=["x"])
    assert not [word for word in built if word.startswith(("--env", "--base-port", "--num-envs", "--no-graphics"))]


def test_flags_that_a_version_lacks_are_left_out() -> None:
    old = command(trainer("0.28.0", "stock"), timeout_wait=10, no_graphics_monitor=True)
    assert old[:2] == ["/t/python", "x.py"]
    assert "--mode" not in old
    assert not [word for word in old if "timeout" in word or "monitor" in word]
    assert "--no-graphics-monitor" in command(trainer("1.1.0"), no_graphics_monitor=True)


PARSE = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
launcher = importlib.import_module("launcher")
launcher.adopt_package()
importlib.import_module(launcher.PACKAGE + ".start").prepare("compat")
from mlagents.trainers.learn import parse_command_line
options = parse_command_line(sys.argv[2:])
env, engine = options.env_settings, options.engine_settings
sys.stdout.write("\\n" + json.dumps([env.num_areas, env.env_args, engine.time_scale,
    options.checkpoint_settings.run_id, env.timeout_wait, options.torch_settings.device]))
"""


@pytest.mark.trainer
def test_the_real_mlagents_reads_the_command_as_it_is_meant(trainer_python: Path, tmp_path: Path) -> None:
    file = tmp_path / "trainer.yaml"
    file.write_text("behaviors: {Nav: {trainer_type: ppo}}\n")
    built = command(
        trainer(),
        config_path=file,
        num_envs=2,
        num_areas=16,
        seed=0,
        time_scale=12.5,
        timeout_wait=7,
        torch_device="cpu",
        force=True,
        env_args=["--size", "big one"],
    )
    done = subprocess.run(
        [trainer_python, "-c", PARSE, TRAINER_ENV, *built[5:]], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [16, ["--size", "big one"], 12.5, "a b", 7, "cpu"]


@pytest.mark.trainer
def test_a_real_trainer_is_described(home: Path, trainer_python: Path) -> None:
    with opened_cache(Settings(home=home)) as cache:
        found = find_trainer(Settings(home=home, trainer=trainer_python), cache)
    assert found.versions.mlagents == "1.1.0"
    assert found.versions.torch
    assert found.versions.python
