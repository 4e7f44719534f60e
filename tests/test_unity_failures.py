"""Every way in which an Editor is known to fail ends in a cause, the place where there is one, and a mending step.

The cases are data: stand_ins/unity_logs.yaml. The Editor process is real, its log lines are those of real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stand_ins.unity_editor import cases
from tests.unity_worlds import build_now, needs_a_shell, own_project, with_stand_in
from unity_mlops_mcp.app import App
from unity_mlops_mcp.builds.unity.logs import LogContext, classify, failure_classes, phase_of

CASES = cases()
FAILING = {name: case for name, case in CASES.items() if case["expect"]}


@pytest.fixture
def app(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    home.mkdir()
    application = with_stand_in(monkeypatch, tmp_path, unity_timeout_s=60, unity_retry_s=0)
    yield application
    application.close()


@needs_a_shell
@pytest.mark.slow
@pytest.mark.parametrize("name", FAILING)
def test_a_failure_is_told_with_cause_place_and_mending_step(
    name: str, app: App, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_UNITY", name)
    if name == "hang":
        app = with_stand_in(monkeypatch, tmp_path / "slow", unity_timeout_s=1.5)
    expected = CASES[name]["expect"]
    job = build_now(app, own_project(tmp_path))
    failure = job.failure
    assert failure is not None, job
    assert failure.cause == expected["cause"]
    told = "\n".join([failure.message, *failure.evidence])
    if "file" in expected:
        assert f"{expected['file']}:{expected['line']}" in failure.message
    assert expected.get("says", "") in told
    assert expected["fix"] in failure.fix
    assert failure.message.count("{") == failure.fix.count("{") == 0
    assert not (home / "builds" / job.subject / "player").exists()
    assert not list((home / "projects").glob("*/Temp/UnityLockfile"))
    assert app.store.builds.get(job.subject) is None
    if name == "hang":
        app.close()


@needs_a_shell
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case["expect"]])
def test_what_looks_like_a_failure_and_is_none_ends_in_a_build(
    name: str, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_UNITY", name)
    job = build_now(app, own_project(tmp_path))
    assert job.state == "succeeded", job.failure
    if name == "crash_at_the_end":
        assert any("after the build was done" in note for note in app.get_run(job.subject).notes)


def test_every_class_of_failure_has_a_case() -> None:
    known = {case["expect"]["cause"] for case in FAILING.values()}
    assert {entry.cause for entry in failure_classes()} - {"unity_scene"} <= known


@pytest.mark.parametrize("version", ["2019.4.40f1", "2022.3.62f3", "6000.0.58f2"])
def test_the_first_class_decides_whatever_follows(version: str) -> None:
    lines = [
        "No valid Unity Editor license found. Please activate your license.",
        "Assets/A.cs(1,2): error CS0246: The type or namespace name 'X' could not be found",
        "Build Finished, Result: Failure.",
    ]
    context = LogContext(exit_code=1, version=version)
    assert classify(lines, context).cause == "unity_licence"
    assert classify(lines[1:], context).cause == "unity_compile"
    assert classify(lines[2:], context).cause == "unity_build_failed"
    assert classify(["  HandleProjectAlreadyOpenInAnotherInstance ", *lines], context).cause == "project_open"


def test_a_race_of_the_licensing_client_is_one_only_in_the_first_minute() -> None:
    line = ["Access token is unavailable; failed to update"]
    early, late = LogContext(exit_code=255, seconds=20), LogContext(exit_code=255, seconds=300)
    assert classify(line, early).retry
    assert not classify(line, late).retry
    assert classify(line, late).cause == "unity_licence"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DisplayProgressbar: Building Player", "Building Player"),
        ("[Package Manager] Done resolving packages in 1.20 seconds", "resolving packages"),
        ("Start importing Assets/Models/Tree.fbx using Guid(12ab) Importer(-1,0)", "importing Assets/Models/Tree.fbx"),
        ("[ScriptCompilation] Requested script compilation because: x", "compiling scripts"),
    ],
)
def test_progress_is_read_from_the_log(line: str, said: str) -> None:
    found: Any = phase_of(line)
    assert found is not None
    assert found[0] == said
    assert 0 < found[1] < 1
