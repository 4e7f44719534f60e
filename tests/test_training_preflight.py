"""What would fail after hours is told before step 0, and what a machine lacks is told with its one command."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from unity_mlops_mcp.config import Settings, settings
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.jobs.ports import lease_ports
from unity_mlops_mcp.training.doctor import doctor, fixable, needs_repair
from unity_mlops_mcp.training.preflight import (
    check_disk,
    check_display,
    check_home,
    check_player,
    check_ports,
    check_trainer,
    check_yaml,
    preflight,
    require,
)
from unity_mlops_mcp.training.records import Check, Trainer, TrainerVersions
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.training.trainer.environment import find_trainer, opened_cache
from unity_mlops_mcp.training.trainer.export import check_export

VERSIONS = TrainerVersions(
    python="3.11.7", mlagents="1.1.0", torch="2.13.0+cpu", numpy="2.4.6", protobuf="7.36.2", onnx="1.23.2"
)


@pytest.fixture
def trainer() -> Trainer:
    """A managed trainer as it is described; it is not started."""
    return Trainer(python=Path("python"), kind="managed", command=("python",), versions=VERSIONS, fingerprint="f")


@pytest.fixture
def managed(home: Path, trainer_python: Path, tmp_path: Path) -> Trainer:
    """The trainer of the tests, marked as a managed one in a folder of its own."""
    real, folder = trainer_python.parent.parent, tmp_path / "marked"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(trainer_python)
    (folder / "lib").symlink_to(real / "lib")
    shutil.copy(real / "pyvenv.cfg", folder)
    now = datetime(2026, 11, 21, tzinfo=timezone.utc).isoformat()
    marker = pins.Marker(list_name="modern", pins=pins.digest("modern"), made_at=now, product="1")
    pins.write_marker(folder, marker)
    return find_trainer(settings().model_copy(update={"trainer": folder / "bin" / "python", "home": home}))


@pytest.fixture
def player(tmp_path: Path) -> Path:
    """Something that can be started."""
    file = tmp_path / "players" / "nav.x86_64"
    file.parent.mkdir()
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        yield listening.getsockname()[1]


def named(checks: tuple[Check, ...] | list[Check], name: str) -> Check:
    """The check of this name."""
    return next(check for check in checks if check.name == name)


def test_little_space_is_a_warning_and_hardly_any_a_failure(home: Path) -> None:
    assert check_disk(Settings(home=home, warn_free_gb=0, min_free_gb=0)).status == "ok"
    assert check_disk(Settings(home=home, warn_free_gb=1e9)).status == "warn"
    worst = check_disk(Settings(home=home, warn_free_gb=1e9, min_free_gb=1e9))
    assert worst.status == "fail"
    assert "UNITY_MLOPS_HOME" in worst.fix
    assert check_disk(Settings(home=home, warn_free_gb=0, min_free_gb=1e9)).status == "fail"


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = check_home(Settings(home=tmp_path / "file" / "home"))
    assert check.status == "fail"
    assert "UNITY_MLOPS_HOME" in check.fix
    assert check_home(Settings(home=tmp_path / "new")).status == "ok"


def test_a_port_in_use_is_told(taken_port: int) -> None:
    check = check_ports(taken_port, 1)
    assert (check.status, str(taken_port) in check.found) == ("fail", True)
    assert "UNITY_MLOPS_BASE_PORT" in check.fix


def test_a_machine_that_does_not_know_localhost_is_told_so_and_blames_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket.socket, "bind", bind)
    check = check_ports(5105, 3)
    assert (check.status, "localhost" in check.found, "in use" in check.found) == ("fail", True, False)
    assert "hosts file" in check.fix


def test_a_player_must_be_there_executable_and_at_a_path_that_mlagents_can_take(player: Path) -> None:
    assert check_player(player).status == "ok"
    assert check_player(player.with_suffix("")).status == "ok"
    assert check_player(player.with_name("nothing")).status == "fail"
    player.chmod(0o644)
    assert "chmod" in check_player(player).fix
    odd = player.parent / "a[b]" / "nav.x86_64"
    odd.parent.mkdir()
    shutil.copy(player, odd)
    assert "pattern" in check_player(odd).found


def test_a_player_with_graphics_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert check_display().status == "ok"
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert check_display().status == ("warn" if sys.platform.startswith("linux") else "ok")


def test_the_trainer_yaml_is_checked_for_the_trainers_version(home: Path, trainer: Trainer) -> None:
    found = Settings(home=home)
    assert check_yaml("behaviors: {Nav: {max_steps: 1000, summary_freq: 100}}", found, trainer, None).status == "ok"
    assert check_yaml("behaviors: {Nav: {max_steps: 1000}}", found, trainer, None).status == "warn"
    assert "time_horizon" in check_yaml("behaviors: {Nav: {time_horizn: 1}}", found, trainer, None).fix
    assert check_yaml("behaviors: [", found, trainer, None).status == "fail"
    old = trainer.model_copy(update={"versions": VERSIONS.model_copy(update={"mlagents": "0.30.0"})})
    assert "0.30.0" in check_yaml("behaviors: {Nav: {even_checkpoints: true}}", found, old, None).found


def test_a_failed_check_stops_the_training_with_its_fix(
    home: Path, trainer: Trainer, taken_port: int, player: Path
) -> None:
    checks = preflight(Settings(home=home), trainer=trainer, player=player, base_port=taken_port)
    with pytest.raises(SetupError) as stopped:
        require(checks)
    assert stopped.value.cause == "port_in_use"
    assert str(taken_port) in stopped.value.message
    assert any(line.startswith("fail: ports") for line in stopped.value.evidence)
    assert not any(check.name == "ONNX export" for check in checks), "nothing slow is tried when something failed"


def test_known_pitfalls_of_a_stock_trainer_fail_before_step_0(trainer: Trainer) -> None:
    assert [check.status for check in check_trainer(trainer)] == ["ok"]
    stock = trainer.model_copy(update={"kind": "stock"})
    failed = {check.name for check in check_trainer(stock) if check.status == "fail"}
    assert failed == {"protobuf", "numpy", "torch and the ONNX export", "setuptools"}


@pytest.mark.trainer
def test_the_export_is_tried_once_per_trainer_and_the_warm_preflight_is_quick(
    managed: Trainer, home: Path, player: Path
) -> None:
    found = Settings(home=home)
    yaml = "behaviors: {Nav: {max_steps: 1000, summary_freq: 100}}"
    took = []
    for _ in range(4):
        started = time.monotonic()
        checks = preflight(found, trainer=managed, player=player, base_port=6300, ports=4, configuration=yaml)
        took.append(time.monotonic() - started)
        require(checks)
        assert named(checks, "ONNX export").status == "ok"
    assert min(took[1:]) < took[0] / 5
    assert not list((home / "cache").glob("export-*"))


@pytest.mark.trainer
def test_an_export_that_fails_is_told_with_its_cause_and_tried_again(managed: Trainer, home: Path) -> None:
    stock = managed.model_copy(update={"kind": "stock"})
    if int(str(managed.versions.protobuf).split(".")[0]) < 4:
        pytest.skip("runs only on a trainer of current packages")
    with opened_cache(Settings(home=home)) as cache:
        checks = [check_export(stock, cache, folder=home / "cache") for _ in range(2)]
    assert [check.status for check in checks] == ["fail", "fail"]
    assert "pkg_resources" in checks[0].found or "protobuf" in checks[0].found
    assert "trainer install" in checks[0].fix


def test_a_fresh_machine_is_told_to_install_the_trainer(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = doctor(settings())
    assert named(checks, "trainer").status == "fail"
    assert named(checks, "trainer").fix == "unity-mlops trainer install"
    assert fixable(checks) == ("trainer",)
    assert not needs_repair(checks)
    assert {"home", "home's file system", "disk", "memory", "ports"} <= {check.name for check in checks}
    assert all(check.found and check.needed for check in checks)
    assert all(check.fix for check in checks if check.status != "ok")
    assert home.is_dir()


def test_what_a_setting_causes_is_not_called_fixable(home: Path, tmp_path: Path) -> None:
    checks = doctor(Settings(home=home, trainer=tmp_path / "nothing"))
    assert named(checks, "trainer").status == "fail"
    assert "UNITY_MLOPS_TRAINER" in named(checks, "trainer").fix
    assert fixable(checks) == ()


def test_a_port_that_a_training_of_ours_or_another_program_holds_is_no_fault(home: Path) -> None:
    with lease_ports(1, 43100) as mine:
        ports = named(doctor(Settings(home=home, base_port=mine.first)), "ports")
        assert ports.status == "ok"
        assert f"{mine.first} is held by a training that runs" in ports.found
        assert re.search(r"; the next training takes 43\d{3}$", ports.found)
    with lease_ports(1, 43100) as other:
        port = other.first
    with socket.create_server(("", port)):
        ports = named(doctor(Settings(home=home, base_port=port)), "ports")
        assert (ports.status, "another program" in ports.found) == ("ok", True)
    assert named(doctor(Settings(home=home, base_port=port)), "ports").found == f"{port} free"


def test_no_free_port_at_all_is_a_fault(home: Path) -> None:
    with lease_ports(1, 65535) as last:  # the greatest port there is, above what the setting takes
        ports = named(doctor(Settings(home=home).model_copy(update={"base_port": last.first})), "ports")
    assert (ports.status, "UNITY_MLOPS_BASE_PORT" in ports.fix) == ("fail", True)


@pytest.mark.trainer
def test_a_machine_with_a_managed_trainer_is_found_well(managed: Trainer, home: Path) -> None:
    checks = doctor(Settings(home=home, trainer=managed.python, warn_free_gb=0, min_free_gb=0))
    assert named(checks, "trainer").found.startswith("managed: mlagents 1.1.0")
    assert named(checks, "ONNX export").status == "ok"
    assert not [check for check in checks if check.status == "fail"]
