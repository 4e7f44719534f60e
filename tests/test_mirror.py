"""A mirror gets what changed, can be cut off anywhere, and loses nothing; TensorBoard shows the runs of a home."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import fsspec
import httpx
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tests.conftest import REPOSITORY
from tests.job_worlds import eventually
from tests.onnx_models import linear
from tests.report_homes import add_evaluation, add_run
from tests.training_home import nothing_is_left
from tests.vertex_world import BUCKET, storage
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, NotFoundError, SetupError
from unity_mlops_mcp.jobs.kinds import StoppedError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.mirror import INDEX, mirror
from unity_mlops_mcp.upkeep.records import Mirrored


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """A home with two runs, an evaluation, a model, and things that belong into no mirror."""
    with Store(home) as found:
        add_run(found, "run-1", policy=b"weights")
        add_run(found, "run 2 \u00e9", policy=b"weights")
        add_evaluation(found, "run-1", "0" * 64)
        app = App(Settings(home=home, roots=(home.parent,)))
        app.register_model(name="Nav", onnx_path=str(linear(home.parent / "p" / "Nav.onnx", [[0.5, 0.0]] * 6)))
        app.close()
        for other in ("runs/unknown/file", "cache/file", "artifacts/unknown/file"):
            (home / other).parent.mkdir(parents=True, exist_ok=True)
            (home / other).write_text("not this")
        yield found


def told(done: int, total: int) -> None:
    assert done <= total


def mirrored(store: Store, url: str) -> Mirrored:
    return mirror(store, url, now=utc_now(), told=told)


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != INDEX
    }


def wanted(home: Path) -> dict[str, str]:
    found = hashes(home)
    places = ("runs/run", "models/", "artifacts/evaluation")
    return {name: digest for name, digest in found.items() if name.startswith(places)}


def test_a_folder_gets_all_of_it_and_then_what_changed(store: Store, home: Path, tmp_path: Path) -> None:
    target = tmp_path / "the mirror"
    first = mirrored(store, str(target))
    assert hashes(target) == wanted(home)
    assert first.sent == first.files == len(wanted(home)) > 10

    assert mirrored(store, str(target)).sent == 0
    log = home / "runs" / "run-1" / "trainer.log"
    log.write_text("one line more\n")
    (home / "runs" / "run-1" / "run.json").touch()
    second = mirrored(store, str(target))
    assert (second.sent, second.sent_bytes) == (1, len("one line more\n")), "what has the same content was sent"
    assert hashes(target) == wanted(home)


def test_nothing_is_removed_from_a_mirror(store: Store, home: Path, tmp_path: Path) -> None:
    mirrored(store, str(tmp_path / "m"))
    (home / "runs" / "run-1" / "Nav.onnx").unlink()
    mirrored(store, str(tmp_path / "m"))
    assert (tmp_path / "m" / "runs" / "run-1" / "Nav.onnx").read_bytes() == b"weights"


def test_a_bucket_gets_the_same(store: Store, home: Path) -> None:
    """fsspec's own storage in memory stands for a bucket: no folders, and an object is there whole or not at all."""
    first = mirrored(store, "memory://bucket/folder")
    filesystem = fsspec.filesystem("memory")
    found = {
        name.removeprefix("/bucket/folder/"): hashlib.sha256(filesystem.cat_file(name)).hexdigest()
        for name in filesystem.find("/bucket/folder")
    }
    index = json.loads(filesystem.cat_file(f"/bucket/folder/{INDEX}"))
    assert {name: digest for name, digest in found.items() if name != INDEX} == wanted(home)
    assert {name: one["sha256"] for name, one in index["files"].items()} == wanted(home)
    assert (first.sent, mirrored(store, "memory://bucket/folder").sent) == (len(wanted(home)), 0)
    filesystem.rm("/bucket", recursive=True)


def test_one_that_is_stopped_is_gone_on_with(store: Store, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        mirror(store, str(tmp_path / "m"), now=utc_now(), told=stop)
    sent = len(hashes(tmp_path / "m"))
    rest = mirrored(store, str(tmp_path / "m"))
    assert rest.sent == rest.files - sent > 0


def test_a_file_that_is_being_written_is_whole_in_the_end(store: Store, home: Path, tmp_path: Path) -> None:
    log, ended = home / "runs" / "run-1" / "trainer.log", threading.Event()

    def write() -> None:
        while not ended.is_set():
            with log.open("a") as file:
                file.write("line " * 200 + "\n")

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        mirrored(store, str(tmp_path / "m"))
    ended.set()
    writer.join()
    mirrored(store, str(tmp_path / "m"))
    assert hashes(tmp_path / "m") == wanted(home)


def test_a_mirror_job_that_is_killed_goes_on(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    target = tmp_path / "m"
    with Store(home) as store:
        for number in range(30):
            add_run(store, f"run-{number}", policy=os.urandom(2_000_000))
    app = App(Settings(home=home))
    started = app.start_mirror(str(target))
    eventually(lambda: len(hashes(target)) > 20)
    row = app.store.jobs.get(started.job_id)
    assert row is not None
    assert row.supervisor is not None
    os.kill(int(row.supervisor["pid"]), signal.SIGKILL)
    eventually(lambda: tended(app).jobs.get(started.job_id).done)
    result = app.mirrored(started.job_id)
    assert app.jobs.get(started.job_id).attempt == 2
    app.close()
    found = {name: digest for name, digest in hashes(target).items() if not name.endswith(".part")}
    assert found == wanted(home)
    assert result.files == len(found)


def tended(app: App) -> App:
    app.tend()
    return app


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:hunter2@bucket/x", "more than a place"),
        ("gs://bucket/x?token=hunter2", "more than a place"),
        ("nothing://bucket", "no address of a mirror"),
        ("mlops home/mirror", "lies in the home"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(
    url: str, said: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = App(Settings(home=home))
    with pytest.raises(InvalidInputError, match=said) as error:
        app.start_mirror(url)
    assert "hunter2" not in str(error.value)
    app.close()


def test_a_storage_that_nothing_here_speaks_to_is_told(home: Path) -> None:
    app = App(Settings(home=home))
    with pytest.raises(SetupError, match="Nothing here speaks"):
        app.start_mirror("smb://server/share")
    app.close()


def test_what_the_storage_refuses_is_told_and_nothing_is_lost(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ExternalError, match="cannot be read or written"):
        mirrored(store, str(tmp_path / "file" / "m"))
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / INDEX).write_text("{}")
    with pytest.raises(ExternalError) as error:
        mirrored(store, str(tmp_path / "m"))
    assert error.value.cause == "mirror_index"
    with FileLock(store.locks / "upkeep.lock"), pytest.raises(ConflictError):
        mirrored(store, str(tmp_path / "other"))


@pytest.mark.usefixtures("store")
def test_mirror_is_a_command(home: Path, tmp_path: Path) -> None:
    variables = {**os.environ, "UNITY_MLOPS_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "unity_mlops_mcp", "mirror", str(tmp_path / "m"), "--json"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["sent"] == len(wanted(home))
    assert hashes(tmp_path / "m") == wanted(home)


@pytest.mark.slow
def test_cloud_storage_gets_the_same(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's client speaks to an emulator, in the process of the job."""
    monkeypatch.setenv("FSSPEC_GCS_TOKEN", "anon")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asks over gRPC, which no emulator speaks
    with storage(monkeypatch):
        for sent in (len(wanted(home)), 0):
            variables = {**os.environ, "UNITY_MLOPS_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
            command = [sys.executable, "-m", "unity_mlops_mcp", "mirror", f"gs://{BUCKET}/a folder", "--json"]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
            assert json.loads(done.stdout).get("sent") == sent, done.stdout + done.stderr
    assert store.jobs.page(limit=5, cursor=None, kind="mirror").rows[0].state == "succeeded"


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's client says "file not found", as it does of an index that a new mirror has not."""
    monkeypatch.setenv("FSSPEC_GCS_TOKEN", "anon")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    with storage(monkeypatch), pytest.raises(ExternalError, match="is not there") as error:
        mirrored(store, "gs://no-such-bucket/a folder")
    assert "Make the bucket" in error.value.fix


class NoBucket(MemoryFileSystem):  # type: ignore[misc] # fsspec has no types
    """A storage without a single bucket, told as the clients of S3 and Google do."""

    protocol = "nobucket"

    def _open(self, path: str, *_: object, **__: object) -> NoReturn:
        raise FileNotFoundError(f"The specified bucket does not exist: {path}")


def test_a_storage_whose_bucket_is_missing_keeps_no_copy_and_says_so(store: Store) -> None:
    fsspec.register_implementation("nobucket", NoBucket, clobber=True)
    with pytest.raises(ExternalError, match="The specified bucket does not exist"):
        mirrored(store, "nobucket://studio/a folder")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tensorboard_shows_the_runs_on_this_machine_until_it_is_ended(
    store: Store, home: Path, number: signal.Signals
) -> None:
    variables = {**os.environ, "UNITY_MLOPS_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "unity_mlops_mcp", "tensorboard", "--port", "0"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3].rstrip(".")
        assert url.startswith("http://127.0.0.1:")
        runs: list[str] = eventually(lambda: runs_shown(url))
        process.send_signal(number)
        assert process.wait(30) == 130
    assert {name.split("/")[0] for name in runs} == {"run-1", "run 2 \u00e9"}
    store.close()
    assert nothing_is_left(home)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def runs_shown(url: str) -> list[str]:
    found: list[str] = httpx.get(f"{url}/data/runs", timeout=20).json()
    return found


def test_tensorboard_over_a_run_that_is_not_there_or_a_port_that_is_taken_is_told(home: Path) -> None:
    app = App(Settings(home=home))
    with pytest.raises(NotFoundError):
        app.tensorboard("none")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SetupError) as told_port, app.tensorboard(port=taken.getsockname()[1]):
            pass
    assert told_port.value.cause == "port_in_use"
    app.close()
