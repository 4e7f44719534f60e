"""Building a Unity project: from the user's folder to a probed player, through jobs that are cut off or joined.

`TestContract` runs against the stand-in Editor, and against a real one that UNITY_MLOPS_TEST_EDITOR names.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.job_worlds import eventually
from tests.mcp_clients import in_memory, server_environment, structured
from tests.stand_ins.unity_editor import install_editor
from tests.training_home import finish, kill, nothing_is_left, processes_of, the_supervisor, until
from tests.unity_worlds import (
    REAL_EDITOR,
    build_now,
    needs_a_shell,
    own_project,
    set_editor,
    snapshot,
    with_stand_in,
)
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.builds.library import load_build
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, MlopsError, SetupError

pytestmark = [needs_a_shell, pytest.mark.slow]

GB = 10**9
SECRETS = ("SC-SERIAL-1234", "ann@example.org", "pass word 7")


@pytest.fixture
def app(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    home.mkdir()
    application = with_stand_in(monkeypatch, tmp_path, unity_retry_s=0)
    yield application
    for job in application.jobs.open():
        application.jobs.request_stop(job.id)
        finish(application, job.id)
    application.close()
    assert nothing_is_left(home)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return own_project(tmp_path)


def start(app: App, project: Path, **options: str) -> str:
    """A build as a caller asks for it; its id."""
    found = app.build_environment(project_path=str(project), **options)  # type: ignore[arg-type]
    assert (found.state, found.cached) in (("queued", False), ("starting", False), ("running", False))
    assert found.build_id in found.next
    return found.build_id


@pytest.mark.parametrize("which", ["stand-in", "real"])
class TestContract:
    """What holds for every Editor."""

    @pytest.fixture
    def editor_app(self, which: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
        home.mkdir()
        if which == "real":
            if REAL_EDITOR is None:
                pytest.skip("no Unity here, whose licence nobody has given: runs only on machines with an Editor")
            set_editor(monkeypatch, Path(REAL_EDITOR))
            application = App(config.settings())
        else:
            application = with_stand_in(monkeypatch, tmp_path)
        yield application
        application.close()

    def test_a_project_is_built_probed_and_left_as_it_was(self, editor_app: App, project: Path, home: Path) -> None:
        before = snapshot(project)
        job = build_now(editor_app, project)
        assert job.state == "succeeded", job.failure
        status = editor_app.get_run(job.subject)
        (behavior,) = status.behaviors
        assert (behavior.name, behavior.observation_shapes) == ("Roller", [[4]])
        assert (behavior.action_spec.continuous, behavior.action_spec.branches) == (2, [])
        assert status.probe is not None
        assert (status.probe.agents, status.probe.steps) == (4, 200)
        assert snapshot(project) == before
        assert status.player_path is not None
        assert Path(status.player_path).parent == home / "builds" / job.subject / "player"
        assert (home / "builds" / job.subject / "editor.log").stat().st_size > 0
        again = build_now(editor_app, project)
        assert again.result == {"build_id": job.subject, "cached": True}

    def test_a_script_that_does_not_compile_is_named_with_its_line(self, editor_app: App, project: Path) -> None:
        (project / "Assets" / "Broken.cs").write_text("// one\n// two\n#error nobody has written this yet\n")
        failure = build_now(editor_app, project).failure
        assert failure is not None
        assert failure.cause == "unity_compile"
        assert "Assets/Broken.cs:3: CS1029" in failure.message
        assert "nobody has written this yet" in failure.message

    def test_a_package_that_does_not_exist_is_named(self, editor_app: App, project: Path) -> None:
        manifest = project / "Packages" / "manifest.json"
        wrong = '"com.unity.modules.imgui": "9.9.9"'
        manifest.write_text(manifest.read_text().replace('"com.unity.modules.imgui": "1.0.0"', wrong))
        failure = build_now(editor_app, project).failure
        assert failure is not None
        assert failure.cause == "unity_packages"
        assert "com.unity.modules.imgui" in failure.message

    def test_a_scene_that_the_agents_are_not_in_has_no_player_to_train(self, editor_app: App, project: Path) -> None:
        if not REAL_EDITOR:
            pytest.skip("the stand-in does not read scenes: runs only on machines with an Editor")
        failure = build_now(editor_app, project, scenes=("Menu",)).failure
        assert failure is not None
        assert failure.cause in {"no_agents", "player_timeout", "player_exited"}


def test_a_build_is_accepted_at_once_and_reports_its_progress(app: App, project: Path) -> None:
    build_id = start(app, project)
    assert build_id.startswith("unity-mygame-")
    with pytest.raises(ConflictError, match=build_id):
        load_build(build_id, settings=app.settings, store=app.store)
    status = finish(app, build_id)
    assert (status.state, status.build_id, status.kind) == ("succeeded", build_id, "build_unity"), status.failure
    assert status.progress is not None
    assert any("[UNITY-MLOPS] result=Succeeded" in line for line in status.log_tail)
    assert f"start_training(build_id={build_id!r})" in status.next
    assert load_build(build_id, settings=app.settings, store=app.store).behaviors[0].name == "Roller"


def test_the_same_key_gives_the_same_build(app: App, project: Path) -> None:
    first = app.build_environment(project_path=str(project), idempotency_key="mine")
    finish(app, first.build_id)
    second = app.build_environment(project_path=str(project), idempotency_key="mine")
    assert (second.build_id, second.state, second.behaviors[0].name) == (first.build_id, "succeeded", "Roller")
    assert second.probe is not None


def test_two_builds_of_one_project_run_one_after_the_other_and_the_second_joins(app: App, project: Path) -> None:
    first, second = start(app, project), start(app, project)
    ended = [finish(app, first), finish(app, second)]
    assert [status.state for status in ended] == ["succeeded", "succeeded"], [status.failure for status in ended]
    assert len({status.build_id for status in ended}) == 1
    assert load_build(first, settings=app.settings, store=app.store) == load_build(
        second, settings=app.settings, store=app.store
    )
    logs = [log for log in (app.settings.home / "builds").glob("*/editor.log") if log.stat().st_size]
    assert len(logs) == 1, "the second found what the first had made, without an Editor"


def test_two_builds_of_one_project_with_other_scenes_do_not_meet(app: App, project: Path) -> None:
    first, second = start(app, project), start(app, project, scenes="Menu,Arena")
    for build_id in (first, second):
        status = finish(app, build_id)
        assert status.state == "succeeded", status.failure
        assert status.build_id == build_id
    copies = list((app.settings.home / "projects").glob("*/Library"))
    assert len(copies) == 1, "both have the same Library, one after the other"


def test_what_was_imported_is_kept_for_the_next_build(app: App, project: Path) -> None:
    def imported(build_id: str) -> set[str]:
        lines = (app.settings.home / "builds" / build_id / "editor.log").read_text().splitlines()
        return {
            line.split(" using ")[0].removeprefix("Start importing ") for line in lines if "Start importing" in line
        }

    first = build_now(app, project)
    script = project / "Assets" / "Scripts" / "RollerAgent.cs"
    script.write_text(script.read_text().replace("Speed = 4f", "Speed = 6f"))
    second = build_now(app, project)
    assert second.result == {"build_id": second.subject, "cached": False}
    assert {"Assets/Scripts/RollerAgent.cs", "Assets/Scenes/Arena.unity"} < imported(first.subject)
    assert imported(second.subject) == {"Assets/Scripts/RollerAgent.cs"}


@pytest.mark.parametrize("change", ["asset", "settings", "package", "editor", "scenes"])
def test_every_input_makes_another_build(
    change: str, app: App, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_now(app, project)
    changed = {
        "asset": ("Assets/Scripts/Arena.cs", b"// more\n"),
        "settings": ("ProjectSettings/TagManager.asset", b"# more\n"),
        "package": ("Packages/com.studio.tools/package.json", b"{}"),
    }
    options: dict[str, tuple[str, ...]] = {"scenes": ("Menu",)} if change == "scenes" else {}
    if change in changed:
        path, more = changed[change]
        (project / path).parent.mkdir(exist_ok=True)
        with (project / path).open("ab") as file:
            file.write(more)
    if change == "editor":
        set_editor(monkeypatch, install_editor(tmp_path / "Newer", "2022.3.70f1"))
        newer = App(config.settings())
        (project / "ProjectSettings" / "ProjectVersion.txt").write_text("m_EditorVersion: 2022.3.70f1\n")
        second = build_now(newer, project)
        newer.close()
    else:
        second = build_now(app, project, **options)
    assert second.state == "succeeded", second.failure
    assert second.result == {"build_id": second.subject, "cached": False} != first.result


def test_a_build_whose_files_are_gone_is_made_anew(app: App, project: Path) -> None:
    first = build_now(app, project)
    shutil.rmtree(app.settings.home / "builds" / first.subject / "player")
    with pytest.raises(MlopsError, match="gone or were changed"):
        load_build(first.subject, settings=app.settings, store=app.store)
    (app.settings.home / "builds" / "another").mkdir()
    second = build_now(app, project)
    assert second.result == {"build_id": second.subject, "cached": False}
    assert load_build(second.subject, settings=app.settings, store=app.store).behaviors[0].name == "Roller"


def hanging(app: App, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A build whose Editor hangs, deaf worker and all."""
    monkeypatch.setenv("STAND_IN_UNITY", "hang")
    build_id = start(app, project)
    until(app, build_id, lambda status: status.message == "Building Player")
    return build_id


def test_a_cancelled_build_leaves_no_process_no_lock_file_and_no_half_player(
    app: App, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = hanging(app, project, monkeypatch)
    assert len(processes_of(home, "-projectPath")) >= 2
    app.stop_training(build_id)
    status = finish(app, build_id)
    assert status.state == "cancelled"
    assert not processes_of(home, "-projectPath")
    assert not list((home / "projects").glob("*/Temp/UnityLockfile"))
    assert not (home / "builds" / build_id / "player").exists()
    monkeypatch.delenv("STAND_IN_UNITY")
    assert build_now(app, project).state == "succeeded"


def test_a_build_goes_on_when_its_supervisor_is_killed(
    app: App, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = hanging(app, project, monkeypatch)
    monkeypatch.delenv("STAND_IN_UNITY")  # the next attempt's Editor works
    kill(the_supervisor(home))
    assert list((home / "projects").glob("*/Temp/UnityLockfile")), "the killed attempt left its lock file"
    status = finish(app, build_id)
    assert (status.state, status.attempts) == ("succeeded", 2), status.failure
    assert len(processes_of(home, "-projectPath")) == 0


def test_an_editor_that_dies_fails_the_build_and_the_next_one_goes_well(
    app: App, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = hanging(app, project, monkeypatch)
    (editor,) = processes_of(home, "unity_editor.py", "-projectPath")
    os.kill(editor.pid, signal.SIGKILL)
    status = finish(app, build_id)
    assert status.failure is not None
    assert status.failure.cause == "unity_killed"
    monkeypatch.delenv("STAND_IN_UNITY")
    assert build_now(app, project).state == "succeeded"


def test_a_copy_that_somebody_has_open_is_not_taken_away(
    app: App, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_now(app, project).state == "succeeded"
    (copy,) = [path for path in (home / "projects").iterdir() if path.is_dir()]
    monkeypatch.setenv("STAND_IN_UNITY", "hang")
    editor = subprocess.Popen([str(app.settings.editor), "-projectPath", str(copy)], stdout=subprocess.DEVNULL)
    monkeypatch.delenv("STAND_IN_UNITY")
    eventually((copy / "Temp" / "UnityLockfile").exists)
    try:
        failure = build_now(app, project, scenes=("Arena", "Menu")).failure
        assert failure is not None
        assert failure.cause == "project_open"
        assert "Close that Editor" in failure.fix
    finally:
        for process in processes_of(home, str(copy)):
            process.kill()
        editor.wait(timeout=10)
    assert build_now(app, project, scenes=("Arena", "Menu")).state == "succeeded"


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="runs only on systems that set disk space aside")
@pytest.mark.usefixtures("app")
def test_a_full_disk_ends_the_editor_and_is_told(
    project: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(home).free
    if free < 8 * GB:
        pytest.skip("runs only on a disk with 8 GB free")
    monkeypatch.setenv("UNITY_MLOPS_MIN_FREE_GB", str((free - 2 * GB) / GB))
    config.settings.cache_clear()
    careful = App(config.settings())
    build_id = hanging(careful, project, monkeypatch)
    with (tmp_path / "large").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 4 * GB)
        status = finish(careful, build_id)
        with pytest.raises(SetupError, match="GB are free"):
            careful.build_environment(project_path=str(project))
    (tmp_path / "large").unlink()
    careful.close()
    assert status.failure is not None
    assert status.failure.cause == "disk_full"
    assert not processes_of(home, "-projectPath")


@pytest.mark.usefixtures("app")
def test_a_serial_is_used_and_never_shown(
    project: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("SERIAL", "USERNAME", "PASSWORD"), SECRETS, strict=True):
        monkeypatch.setenv(f"UNITY_MLOPS_UNITY_{name}", value)
    licensed = with_stand_in(monkeypatch, tmp_path / "licensed")
    build_id = start(licensed, project)
    status = finish(licensed, build_id)
    assert status.state == "succeeded", status.failure
    monkeypatch.setenv("UNITY_MLOPS_UNITY_SERIAL", f"WRONG-{SECRETS[0]}")
    refused = with_stand_in(monkeypatch, tmp_path / "refused")
    failed = finish(refused, start(refused, project, scenes="Menu"))
    assert failed.failure is not None
    assert failed.failure.cause == "unity_licence"
    assert "UNITY_MLOPS_UNITY_SERIAL" in failed.failure.message
    shown = status.model_dump_json() + failed.model_dump_json() + repr(licensed.settings)
    refused.close()
    licensed.close()
    for secret in SECRETS:
        assert secret not in shown
        holding = [file for file in home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
        assert not holding, holding
    assert "SC-SERIAL" not in "".join(sqlite3.connect(home / "state.db").iterdump())


def test_a_part_of_a_serial_is_refused_before_anything_starts(
    app: App, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_UNITY_SERIAL", "SC-1")
    half = with_stand_in(monkeypatch, tmp_path / "half")
    with pytest.raises(InvalidInputError, match="UNITY_MLOPS_UNITY_PASSWORD"):
        half.build_environment(project_path=str(project))
    half.close()
    assert not app.jobs.open()


def test_what_can_be_known_is_told_before_a_job_is_made(app: App, project: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no scene Lobby"):
        app.build_environment(project_path=str(project), scenes="Lobby")
    with pytest.raises(InvalidInputError, match="no Unity project"):
        app.build_environment(project_path=str(tmp_path))
    with pytest.raises(SetupError, match="none of the Editors"):
        app.build_environment(project_path=str(project), editor_path="/bin/sh")
    with pytest.raises(InvalidInputError, match="belong to a Unity build"):
        app.build_environment(description="reach the target", scenes="Arena")
    with pytest.raises(InvalidInputError, match="Give exactly one"):
        app.build_environment(target="unity")
    assert not app.jobs.page(kind="build_unity").rows


def test_a_missing_module_is_told_before_a_job_is_made(
    app: App, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_editor(monkeypatch, install_editor(tmp_path / "Bare", "2022.3.62f3", modules=["linux64"]))
    bare = App(config.settings())
    with pytest.raises(SetupError, match="Windows Build Support") as caught:
        bare.build_environment(project_path=str(project), build_target="win64")
    bare.close()
    assert caught.value.cause == "unity_module_missing"
    assert "Add modules" in caught.value.fix
    assert not app.jobs.open()


def test_a_player_for_another_system_is_built_and_not_started(app: App, project: Path) -> None:
    job = build_now(app, project, build_target="win64")
    assert job.state == "succeeded", job.failure
    status = app.get_run(job.subject)
    assert status.player_path is not None
    assert status.player_path.endswith("MyGame.exe")
    assert (status.behaviors, status.probe) == ([], None)
    assert any("does not start on this machine" in note for note in status.notes)
    with pytest.raises(InvalidInputError, match="is for win64"):
        app.start_training(build_id=job.subject)


def test_a_project_that_is_open_is_built_from_what_is_saved(app: App, project: Path) -> None:
    (project / "Temp").mkdir()
    (project / "Temp" / "UnityLockfile").touch()
    found = app.build_environment(project_path=str(project))
    assert any("not saved" in note for note in found.notes)
    assert finish(app, found.build_id).state == "succeeded"
    assert (project / "Temp" / "UnityLockfile").exists()


def test_a_failed_build_is_told_again_when_its_player_is_asked_for(app: App, project: Path) -> None:
    (project / "Assets" / "Broken.cs").write_text("#error no\n")
    job = build_now(app, project)
    with pytest.raises(ExternalError, match=r"Assets/Broken\.cs:1") as caught:
        load_build(job.subject, settings=app.settings, store=app.store)
    assert caught.value.cause == "unity_compile"


async def _waited(app: App, build_id: str) -> bool:
    return (await app.wait_for(build_id, timeout_s=30)).done


def test_a_build_can_be_waited_for_by_its_id(app: App, project: Path) -> None:
    assert anyio.run(_waited, app, start(app, project))


async def _through_mcp(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    async with in_memory("auto") as client:
        found = structured(await client.call_tool("build_environment", {"project_path": str(project)}))
        waiting = {"id": found["build_id"], "timeout_s": 50}
        return found, structured(await client.call_tool("wait_for", waiting))


@pytest.mark.usefixtures("app")
def test_a_chat_client_builds_a_project_and_waits_for_it(project: Path) -> None:
    found, status = anyio.run(_through_mcp, project)
    assert (found["state"] != "succeeded", found["behaviors"], found["planner"]) == (True, [], None)
    assert (status["done"], status["state"], status["build_id"]) == (True, "succeeded", found["build_id"])
    assert status["behaviors"][0]["name"] == "Roller"
    assert status["probe"]["steps"] == 200


@pytest.mark.usefixtures("app")
def test_a_person_builds_a_project_at_the_command_line(project: Path, home: Path) -> None:
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "unity_mlops_mcp", *words]
        environment = server_environment(home)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    started = typed("build-environment", "--project-path", str(project), "--json")
    build_id = json.loads(started.stdout)["build_id"]
    watched = typed("watch", build_id)
    assert watched.returncode == 0, watched.stdout + watched.stderr
    shown = typed("get-run", build_id).stdout
    assert "Roller: observations [[4]]" in shown
    assert "4 agents" in shown
    (project / "Assets" / "Broken.cs").write_text("#error no\n")
    failed = typed("build-environment", "--project-path", str(project), "--json")
    ended = typed("watch", json.loads(failed.stdout)["build_id"])
    assert ended.returncode == 1
    assert "unity_compile" in ended.stdout
    assert typed("build-environment", "--project-path", str(home)).returncode != 0
