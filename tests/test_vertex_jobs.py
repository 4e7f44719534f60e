"""Uploads to Vertex AI as jobs of their own process, by gRPC, and what a kill in the middle leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.job_worlds import eventually, is_running
from tests.stand_ins.vertex import Registry
from tests.training_home import finish, nothing_is_left
from tests.vertex_world import by_grpc, by_rest, register
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.registry.naming import version_folder
from unity_mlops_mcp.registry.vertex.client import read_registration
from unity_mlops_mcp.registry.vertex.job import PENDING
from unity_mlops_mcp.registry.vertex.records import FILE
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import AliasRow, AuditRow, VersionRow

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`


@pytest.fixture
def service(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    home.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with by_rest(monkeypatch, tmp_path) as registry:
        yield registry


@pytest.fixture
def application(home: Path, service: Registry) -> Iterator[App]:
    assert not service.asked
    app = App(config.settings())
    yield app
    for job in app.jobs.open():
        app.stop_training(job.id)
    app.close()
    assert nothing_is_left(home)


def point(app: App, row: VersionRow, alias: str) -> None:
    """Move an alias here, as a promotion does."""
    held = app.store.models.alias(row.name, alias)
    note = AuditRow(row.name, "promote", utc_now(), alias=alias, version_id=row.version_id)
    assert app.store.models.move_alias(
        AliasRow(row.name, alias, row.version_id, 0, utc_now()), expected=held, note=note
    )


def test_an_upload_goes_on_by_itself_and_leaves_its_registration(
    service: Registry, application: App, home: Path
) -> None:
    row = register(application.store)
    started = application.upload_to_vertex(row.version_id)
    assert started.vertex_resource_name == "projects/studio-project/locations/europe-west4/models/navigationagent"
    assert finish(application, started.job_id).state == "succeeded"
    kept = read_registration(version_folder(home, row.name, row.version_id) / FILE)
    assert (kept.vertex_version, kept.policy_sha256) == ("1", row.policy_sha256)
    assert application.jobs.get(started.job_id).result == kept.model_dump(mode="json")
    assert len(service.models[kept.resource_name]) == 1


@pytest.mark.parametrize("slow", [0, 1000], ids=["storage", "registration"])
def test_a_kill_in_the_middle_makes_no_second_version(
    service: Registry, application: App, home: Path, slow: int
) -> None:
    row = register(application.store, os.urandom(1 << 20))
    service.slow = slow
    started = application.upload_to_vertex(row.version_id)
    pending = version_folder(home, row.name, row.version_id) / PENDING

    def pid() -> int:
        found = application.store.jobs.get(started.job_id)
        return int(found.supervisor["pid"]) if found and found.supervisor else 0

    victim = eventually(pid)
    if slow:
        eventually(lambda: pending.is_file() and b"operations" in pending.read_bytes())
    else:
        eventually(lambda: "copying" in str(application.jobs.get(started.job_id).progress) or pending.is_file())
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: not is_running(victim))
    for left, _, _ in service.waiting.values():
        left[0] = 2
    status = finish(application, started.job_id)
    assert status.state == "succeeded", status
    (versions,) = service.models.values()
    assert len(versions) == 1
    assert service.asked.count("UploadModel") == 1
    assert not pending.exists()


def test_aliases_follow_a_promotion_and_a_rollback(service: Registry, application: App) -> None:
    rows = [register(application.store, content) for content in (b"one", b"two", b"three")]
    for row in rows[:2]:
        assert finish(application, application.upload_to_vertex(row.version_id).job_id).state == "succeeded"
    point(application, rows[0], "production")
    assert application.align_vertex("NavigationAgent").ok
    point(application, rows[1], "production")
    assert application.align_vertex("NavigationAgent").aliases[0].vertex_version == "2"
    assert service.aliases("navigationagent") == {"production": "2", "default": "2"}
    point(application, rows[0], "production")
    application.align_vertex("NavigationAgent")
    assert service.aliases("navigationagent") == {"production": "1", "default": "1"}
    point(application, rows[2], "staging")
    told = {one.alias: one.vertex_version for one in application.align_vertex("NavigationAgent").aliases}
    assert told == {"production": "1", "staging": None}


def test_a_move_that_fails_there_is_told_stands_here_and_can_be_repeated(
    service: Registry, application: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = register(application.store)
    finish(application, application.upload_to_vertex(row.version_id).job_id)
    point(application, row, "production")
    key = os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    told = application.align_vertex(row.name)
    assert not told.ok
    assert "gcloud auth" in str(told.aliases[0].problem)
    assert application.store.models.alias(row.name, "production") is not None
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", key)
    assert application.align_vertex(row.name).ok
    assert service.aliases(row.name)["production"] == "1"


def test_without_credentials_no_job_is_made(
    service: Registry, application: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = register(application.store)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(SetupError):
        application.upload_to_vertex(row.version_id)
    assert not application.jobs.open()
    assert application.store.models.version(row.version_id) == row
    assert not service.asked


def test_without_the_extra_the_command_says_what_to_install(home: Path) -> None:
    program = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('google.cloud.aiplatform'): raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from unity_mlops_mcp.interfaces.cli.main import run\n"
        "sys.exit(run(['upload-to-vertex', 'a-version', '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["cause"], "unity-mlops-mcp[gcp]" in told["fix"]) == ("extra_missing", True)
    assert not (home / "models").exists()


def test_the_command_line_uploads_by_grpc(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    with by_grpc(monkeypatch, tmp_path) as registry:
        app = App(config.settings())
        row = register(app.store)
        registry.slow = 2
        command = [sys.executable, "-m", "unity_mlops_mcp", "upload-to-vertex", row.version_id, "--json"]
        done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=120)
        (job,) = app.store.jobs.open() or [None]
        assert row.version_id in done.stdout
        if job is not None:
            assert finish(app, job.id).state == "succeeded"
        assert read_registration(version_folder(home, row.name, row.version_id) / FILE).vertex_version == "1"
        app.close()
        assert registry.asked.count("UploadModel") == 1
