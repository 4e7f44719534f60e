"""A backup taken while others write is one state of the home, whole; a restore is all of it, or nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.job_worlds import eventually, is_running, opened
from tests.onnx_models import linear
from tests.report_homes import add_evaluation, add_run
from tests.training_home import finish, nothing_is_left, small, until
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, MlopsError, NotFoundError, SetupError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.backup import make_backup
from unity_mlops_mcp.upkeep.restore import restore_backup

WRITER = """
import sys
from pathlib import Path
from tests.report_homes import add_evaluation, add_run
from unity_mlops_mcp.store.store import Store
home, first = Path(sys.argv[1]), int(sys.argv[2])
with Store(home) as store:
    print("writing", flush=True)
    for number in range(first, first + 400):
        run_id = f"run-{number}"
        add_run(store, run_id, policy=b"weights" * 2000)
        add_evaluation(store, run_id, f"{number:064x}")
        with (home / "runs" / "growing" / "trainer.log").open("a") as log:
            log.write(f"line {number} " * 50 + "\\n")
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.upkeep.restore import restore_backup
home, left = Path(sys.argv[1]), int(sys.argv[3])
def audit(event, arguments):
    global left
    if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"} and str(home) in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(audit)
restore_backup(home, Path(sys.argv[2]), now=utc_now())
print(left)
"""


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder by its name, as its hash; what may be there before a restore left out."""
    left_out = {"cache", "locks"}
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in left_out and not path.name.startswith("state.db")
    }


@contextmanager
def filled(home: Path) -> Iterator[Store]:
    """A home with a run, its evaluation and its registered policy in it."""
    with Store(home) as store:
        add_run(store, "growing", policy=b"weights")
        add_evaluation(store, "growing", "0" * 64)
        app = App(Settings(home=home, roots=(home.parent,)))
        app.register_model(name="Nav", onnx_path=str(linear(home.parent / "policy" / "Nav.onnx", [[0.5, 0.0]] * 6)))
        app.close()
        yield store


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """The backup of a home that is not used any more."""
    path = tmp_path / "backup.tar.gz"
    with filled(tmp_path / "first") as store:
        make_backup(store, path, now=utc_now())
    return path


def test_what_is_restored_is_what_was_kept(home: Path, tmp_path: Path, backup: Path) -> None:
    restored = restore_backup(home, backup, now=utc_now())

    assert tree(home) == tree(tmp_path / "first")
    assert restored.files == len(tree(home)) + 1
    assert (restored.going_on, restored.cancelled) == ((), ())
    app = App(Settings(home=home))
    assert [run.run_id for run in app.list_runs().runs] == ["growing"]
    assert app.evaluate_model is not None
    assert app.list_models().models[0].name == "nav"
    app.close()
    assert not (home / ".restoring").exists()


def test_a_backup_under_writers_holds_all_that_its_database_refers_to(home: Path, tmp_path: Path) -> None:
    """Two processes write runs, evaluations and a log meanwhile, and a job of the home runs on."""
    with filled(home), opened(home) as world:
        job = world.running(world.submit("hold"))
        with writing(home, 0), writing(home, 10_000):
            made = [make_backup(world.store, tmp_path / f"{n}.tar.gz", now=utc_now()) for n in range(3)]
        assert world.jobs.get(job.id).state == "running"
        supervisor = world.supervisor_pid(job)
        assert is_running(supervisor)
    assert made[0].files < made[-1].files, "the writers wrote nothing meanwhile"
    for number, one in enumerate(made):
        check_restored(tmp_path / f"home {number}", Path(one.path), job.id)


def check_restored(home: Path, path: Path, job_id: str) -> None:
    restored = restore_backup(home, path, now=utc_now())

    assert job_id in restored.going_on
    with Store(home) as store:
        job = store.jobs.get(job_id)
        assert job is not None
        assert (job.state, job.supervisor, job.children) == ("interrupted", None, [])
        runs = [row.run_id for row in store.runs.page(limit=1000).rows]
        folders = {path.name for path in (home / "runs").iterdir()}
        assert set(runs) == folders
        for run_id in runs:
            assert json.loads((home / "runs" / run_id / "run.json").read_text())["run_id"] == run_id
            assert (home / "runs" / run_id / "Nav.onnx").read_bytes() in (b"weights", b"weights" * 2000)
            for evaluation in store.evaluations.of_run(run_id):
                assert (home / "artifacts" / evaluation.evaluation_id / "evaluation.json").is_file()


@contextmanager
def writing(home: Path, first: int) -> Iterator[None]:
    """Another process writes to the home."""
    command = [sys.executable, "-c", WRITER, str(home), str(first)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "writing"
        yield
        process.kill()


def test_a_backup_whose_process_is_killed_is_made_by_the_next_attempt(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    path = tmp_path / "backups" / "night.tar"
    path.parent.mkdir()
    with filled(home):
        (home / "runs" / "growing" / "large.bin").write_bytes(os.urandom(64) * 4_000_000)
        app = App(Settings(home=home))
        started = app.start_backup(str(path))
        work = path.with_name(".night.tar.part")
        eventually(lambda: work.exists() and any(work.iterdir()))
        row = app.store.jobs.get(started.job_id)
        assert row is not None
        assert row.supervisor is not None
        os.kill(int(row.supervisor["pid"]), signal.SIGKILL)
        assert not path.exists()

        eventually(lambda: tended(app).jobs.get(started.job_id).done)
        assert app.jobs.get(started.job_id).attempt == 2
        made = app.backup_made(started.job_id)
        app.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["night.tar"]
    restored = restore_backup(tmp_path / "other", path, now=utc_now())
    assert restored.files == made.files
    assert restored.cancelled == (started.job_id,)
    assert tree(tmp_path / "other") == tree(home) | tree(tmp_path / "other")


def tended(app: App) -> App:
    app.tend()
    return app


@pytest.mark.parametrize("name", ["here", "there.zip", "no folder/a.tar", "mlops home/a.tar"])
def test_a_backup_where_none_can_be_is_refused(name: str, home: Path, tmp_path: Path) -> None:
    with Store(home) as store, pytest.raises(InvalidInputError):
        make_backup(store, tmp_path / name, now=utc_now())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlops home"]


def test_a_backup_replaces_nothing_and_waits_for_no_other(home: Path, tmp_path: Path) -> None:
    with Store(home) as store:
        (tmp_path / "a.tar").write_text("mine")
        with pytest.raises(ConflictError, match="already"):
            make_backup(store, tmp_path / "a.tar", now=utc_now())
        with FileLock(store.locks / "upkeep.lock"), pytest.raises(ConflictError) as told:
            make_backup(store, tmp_path / "b.tar", now=utc_now())
    assert told.value.cause == "upkeep_running"
    assert (tmp_path / "a.tar").read_text() == "mine"


def test_a_used_home_is_never_restored_over(home: Path, backup: Path) -> None:
    with Store(home):
        pass
    before = sorted(home.rglob("*"))
    with pytest.raises(ConflictError, match=r"state\.db") as told:
        restore_backup(home, backup, now=utc_now())
    assert told.value.cause == "home_in_use"
    assert sorted(home.rglob("*")) == before


def test_a_home_with_a_trainer_only_may_be_restored_to(home: Path, backup: Path) -> None:
    (home / "trainer" / "bin").mkdir(parents=True)
    restore_backup(home, backup, now=utc_now())
    assert (home / "trainer" / "bin").is_dir()
    assert (home / "state.db").is_file()


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def turned(content: bytes) -> bytes:
    """One bit is another one, and not one of the few that compression leaves unused."""
    place = len(content) // 2
    while True:
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        try:
            gzip.decompress(changed)
        except (OSError, EOFError, zlib.error):
            return changed
        place += 1


def foreign(content: bytes) -> bytes:
    del content
    return b"no archive " * 1000


@pytest.mark.parametrize("harm", [cut, turned, foreign, lambda _: b""])
def test_a_damaged_archive_changes_nothing(harm: Callable[[bytes], bytes], home: Path, backup: Path) -> None:
    backup.write_bytes(harm(backup.read_bytes()))
    with pytest.raises(InvalidInputError) as told:
        restore_backup(home, backup, now=utc_now())
    assert told.value.cause == "backup_damaged"
    assert [path.name for path in home.iterdir()] == ["locks"]


def member(name: str, *, link: str | None = None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, link
    return info


@pytest.mark.parametrize(
    "added",
    [
        member("home/../../out"),
        member("/out"),
        member("other/file"),
        member("home/runs/../../../out"),
        member("home/unknown"),
    ],
    ids=lambda info: info.name,
)
def test_an_archive_that_would_write_elsewhere_is_refused(
    added: tarfile.TarInfo, home: Path, tmp_path: Path, backup: Path
) -> None:
    with_member(backup, tmp_path / "new.tar", added)
    before = tree(tmp_path)
    with pytest.raises(InvalidInputError):
        restore_backup(home, tmp_path / "new.tar", now=utc_now())
    assert {name for name in tree(tmp_path) if name not in before} <= {"mlops home/locks/door.lock"}


def test_an_archive_that_names_things_to_move_moves_nothing(home: Path, tmp_path: Path) -> None:
    """What a restore that was broken off has to take back is never read from what an archive brought."""
    (home / "trainer").mkdir(parents=True)
    for mine in (home / "trainer" / "python", tmp_path / "victim"):
        mine.write_text("mine")
    before = tree(tmp_path)
    content = json.dumps(["../victim", "trainer"]).encode()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("home/.placing.json", "home/placing.json", "home/.restoring/placing.json"):
            info = member(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(InvalidInputError) as told:
        restore_backup(home, tmp_path / "a.tar", now=utc_now())
    assert told.value.cause == "backup_damaged"
    assert {name: digest for name, digest in tree(tmp_path).items() if name in before} == before


@pytest.mark.parametrize(
    "files",
    [
        ["runs/a", "runs/a"],
        ["q", "q/r"],
        ["q/r", "q"],
        ["n" * 300],
        ["trainer/bin/python"],
        ["Locks/door.lock"],
        ["state.db-wal"],
        [],
    ],
    ids=lambda names: "+".join(names)[:30],
)
def test_an_archive_whose_names_no_home_can_have_is_refused(
    files: list[str], home: Path, tmp_path: Path, backup: Path
) -> None:
    """Its record agrees with what is in it, as an attacker's would; the last has no database."""
    nothing = {"size": 0, "sha256": hashlib.sha256().hexdigest()}
    with tarfile.open(backup) as old, tarfile.open(tmp_path / "a.tar", "w") as new:
        contents = {one.name: opened_member.read() for one in old if (opened_member := old.extractfile(one))}
        data = json.loads(contents["backup.json"])
        data["files"] = dict.fromkeys(files, nothing) | (
            {"state.db": data["files"]["state.db"]} if files else {"a": nothing}
        )
        for name in [*files, *([] if files else ["a"])]:
            new.addfile(member(f"home/{name}"), io.BytesIO())
        for name in ("home/state.db", "backup.json") if files else ("backup.json",):
            content = json.dumps(data).encode() if name == "backup.json" else contents[name]
            info = member(name)
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))
    (home / "trainer" / "bin").mkdir(parents=True)
    with pytest.raises(InvalidInputError) as told:
        restore_backup(home, tmp_path / "a.tar", now=utc_now())
    assert told.value.cause == "backup_damaged"
    assert sorted(path.name for path in home.iterdir()) == ["locks", "trainer"]


def test_a_link_in_the_place_of_a_file_is_refused(home: Path, tmp_path: Path, backup: Path) -> None:
    with_member(backup, tmp_path / "a.tar", member("home/runs/growing/run.json", link="config.yaml"))
    with pytest.raises(InvalidInputError) as told:
        restore_backup(home, tmp_path / "a.tar", now=utc_now())
    assert told.value.cause == "backup_damaged"


def with_member(backup: Path, path: Path, *added: tarfile.TarInfo) -> None:
    """The archive with more in it; links stand in its record too."""
    with tarfile.open(backup) as old, tarfile.open(path, "w") as new:
        for one in old:
            if one.name == "backup.json":
                new.addfile(*with_links(old, one, [info for info in added if info.issym()]))
            else:
                new.addfile(one, old.extractfile(one))
        for info in added:
            new.addfile(info, io.BytesIO())


def with_links(
    archive: tarfile.TarFile, record: tarfile.TarInfo, added: Sequence[tarfile.TarInfo]
) -> tuple[tarfile.TarInfo, io.BytesIO]:
    """The record with the links in it, as an earlier version or an attacker would write it."""
    opened_record = archive.extractfile(record)
    assert opened_record is not None
    data = json.loads(opened_record.read())
    data["links"] |= {one.name.removeprefix("home/"): one.linkname for one in added}
    content = json.dumps(data).encode()
    record.size = len(content)
    return record, io.BytesIO(content)


def test_a_backup_of_a_newer_version_is_refused(home: Path, tmp_path: Path, backup: Path) -> None:
    with tarfile.open(backup) as old, tarfile.open(tmp_path / "new.tar", "w") as new:
        for one in old:
            content = old.extractfile(one)
            assert content is not None
            if one.name == "backup.json":
                data = json.loads(content.read()) | {"schema_version": 999, "product": "99.0"}
                content = io.BytesIO(json.dumps(data).encode())
                one.size = len(content.getvalue())
            new.addfile(one, content)
    with pytest.raises(SetupError, match=r"99\.0"):
        restore_backup(home, tmp_path / "new.tar", now=utc_now())


def test_there_must_be_an_archive(home: Path) -> None:
    with pytest.raises(NotFoundError):
        restore_backup(home, home / "none.tar", now=utc_now())


def test_paths_in_the_home_follow_it(home: Path, tmp_path: Path) -> None:
    first = tmp_path / "fir\u00e9 'st"
    with filled(first), opened(first) as world:
        elsewhere = str(tmp_path / "fir\u00e9 'st two" / "player")
        request = {"player": str(first / "builds" / "b" / "player"), "other": elsewhere, "text": f"--log={first}"}
        job = world.wait(world.submit("echo", request))
        make_backup(world.store, tmp_path / "a.tar", now=utc_now())
    restore_backup(home, tmp_path / "a.tar", now=utc_now())
    with Store(home) as store:
        row = store.jobs.get(job.id)
        assert row is not None
        assert row.request == {**request, "player": str(home / "builds" / "b" / "player")}
        assert row.result is not None
        assert row.result["request"]["player"] == str(home / "builds" / "b" / "player")


def test_links_of_a_build_stay_links(home: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    with filled(first) as store:
        folder = first / "runs" / "growing" / "Player.app"
        (folder / "Versions" / "A").mkdir(parents=True)
        (folder / "Versions" / "A" / "player").write_text("#!")
        (folder / "Versions" / "A" / "player").chmod(0o755)
        (folder / "Current").symlink_to("Versions/A")
        make_backup(store, tmp_path / "a.tar", now=utc_now())
    restore_backup(home, tmp_path / "a.tar", now=utc_now())
    app = home / "runs" / "growing" / "Player.app"
    assert (app / "Current").is_symlink()
    assert os.access(app / "Current" / "player", os.X_OK)


def test_links_that_lead_out_are_told_and_not_made(home: Path, tmp_path: Path, backup: Path) -> None:
    (tmp_path / "out").mkdir()
    outward = {"a": "../../out", "runs/b": str(tmp_path / "out"), "c": "runs/inner/../../out", "d": "out2/../../../out"}
    turned = {"e": "runs/growing/Nav/late/../../out"}  # harmless until the link is there that it goes by
    links = {**outward, **turned, "runs/inner": "growing", "out2": "runs", "runs/growing/Nav/late": "../../../runs"}
    with_member(backup, tmp_path / "old.tar", *(member(f"home/{name}", link=to) for name, to in links.items()))
    restored = restore_backup(home, tmp_path / "old.tar", now=utc_now())
    assert set(restored.left_out) == {"a", "runs/b", "d", "e"}
    assert {name for name in links if (home / name).is_symlink()} == {
        "runs/inner",
        "out2",
        "c",
        "runs/growing/Nav/late",
    }
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="such names and links are not to be had there")
def test_what_no_home_could_be_made_of_is_left_out_of_a_backup_and_told(home: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    with filled(first) as store:
        folder = first / "runs" / "growing"
        (tmp_path / "data").mkdir()
        (folder / "absolute").symlink_to(tmp_path / "data")
        (folder / "own").symlink_to(folder / "run.json")
        (folder / "outward").symlink_to("../../../data")
        (folder / "Logs\\Player.log").write_text("a name of Windows")
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).write_text("a name that is no text")
        inward = folder / "inward"
        inward.symlink_to("run.json")
        made = make_backup(store, tmp_path / "a.tar", now=utc_now())
    names = ("absolute", "own", "outward", "Logs\\Player.log", "caf\\udce9")
    assert set(made.left_out) == {f"runs/growing/{name}" for name in names}
    restored = restore_backup(home, tmp_path / "a.tar", now=utc_now())
    assert (restored.files, restored.left_out) == (made.files, ())
    assert (home / "runs" / "growing" / "inward").read_bytes() == (home / "runs" / "growing" / "run.json").read_bytes()


def test_the_open_jobs_of_a_backup_can_be_ended_with_it(home: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "first", max_jobs=1) as world:
        jobs = [world.running(world.submit("hold")), world.submit("hold")]
        make_backup(world.store, tmp_path / "a.tar", now=utc_now())
    restored = restore_backup(home, tmp_path / "a.tar", now=utc_now(), cancel_jobs=True)
    assert set(restored.cancelled) == {job.id for job in jobs}
    with Store(home) as store:
        assert not store.jobs.open()


@pytest.mark.parametrize("pause", [False, True])
def test_a_restored_home_tells_what_would_fire_and_notify_and_can_be_quiet(
    pause: bool, home: Path, tmp_path: Path
) -> None:
    first, now = App(Settings(home=tmp_path / "first")), utc_now()
    first.store.schedules.add(ScheduleRow("s1", "nightly", {}, now, now, now))
    first.store.schedules.add_firing(FiringRow("f1", "s1", now, "due", now))
    first.add_endpoint("https://example.com/hook")
    make_backup(first.store, tmp_path / "a.tar", now=now)
    first.close()
    told = json.loads(command(home, "restore", str(tmp_path / "a.tar"), "--json", *(["--pause"] * pause)).stdout)
    assert (told["schedules"], told["endpoints"], told["paused"]) == (1, 1, pause)
    assert ("1 schedules" in told["next"]) is not pause
    assert "unity-mlops trainer install" in told["next"], "there is none in this home, and jobs may go on"
    with Store(home) as store:
        assert [row.enabled for row in store.schedules.all()] == [not pause]
        assert [row.disabled is None for row in store.notices.endpoints()] == [not pause]
        assert bool(store.schedules.open_firings()) is not pause


@pytest.mark.slow
def test_a_restore_that_is_killed_anywhere_is_done_again(home: Path, tmp_path: Path, backup: Path) -> None:
    whole = tree(tmp_path / "first")
    for moment in range(1, 1000, 7):
        target = home / str(moment)
        command = [sys.executable, "-c", KILLED, str(target), str(backup), str(moment)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        if not (target / "state.db").exists():
            restore_backup(target, backup, now=utc_now())
        assert tree(target) == whole | {n: h for n, h in tree(target).items() if n.startswith(".restoring/")}
        with Store(target) as store:
            assert [row.run_id for row in store.runs.page(limit=5).rows] == ["growing"]
        if done.returncode == 0:
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError("it was always killed")


def test_backup_and_restore_are_commands(home: Path, tmp_path: Path) -> None:
    with filled(home):
        pass
    (home / "runs" / "growing" / "data").symlink_to(tmp_path)
    made = command(home, "backup", str(tmp_path / "a.tar.gz"), "--json")
    assert json.loads(made.stdout)["files"] > 5, made.stderr
    assert json.loads(made.stdout)["left_out"] == ["runs/growing/data"]
    assert "1 left out: links that lead out" in json.loads(made.stdout)["next"]
    refused = command(home, "restore", str(tmp_path / "a.tar.gz"), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["cause"] == "home_in_use"
    other = tmp_path / "other"
    told = command(other, "restore", str(tmp_path / "a.tar.gz"))
    assert told.returncode == 0, told.stderr
    assert tree(other)["runs/growing/run.json"] == tree(home)["runs/growing/run.json"]


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "UNITY_MLOPS_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    line = [sys.executable, "-m", "unity_mlops_mcp", *arguments]
    return subprocess.run(line, env=variables, capture_output=True, text=True, timeout=120, check=False)


def test_nobody_enters_a_home_while_it_is_restored(home: Path, backup: Path) -> None:
    (home / "locks").mkdir(parents=True)
    order: list[str] = []
    with FileLock(home / "locks" / "door.lock"):
        late = threading.Thread(target=lambda: order.append(_restored(home, backup)))
        late.start()
        order.append("let in")
    late.join(60)
    assert order == ["let in", "restored"]


def _restored(home: Path, backup: Path) -> str:
    try:
        restore_backup(home, backup, now=utc_now())
    except MlopsError as error:
        return error.message
    return "restored"


@pytest.mark.slow
@pytest.mark.trainer
def test_a_real_training_goes_on_in_the_restored_home(app: App, tmp_path: Path) -> None:
    """It is backed up while it trains; then the old one is stopped, and the new home goes on from the checkpoint."""
    build = app.build_environment(description="reach the target")
    text = small(6000, summary=1000, checkpoint=2000)
    run = app.start_training(build_id=build.build_id, trainer_config=text, seed=1)
    until(app, run.run_id, lambda status: any(file.endswith("checkpoint.pt") for file in status.files))
    backed = finish(app, app.start_backup(str(tmp_path / "a.tar.gz")).job_id)
    assert backed.state == "succeeded"
    app.stop_training(run.run_id)
    finish(app, run.run_id)

    other = tmp_path / "other home"
    restored = restore_backup(other, tmp_path / "a.tar.gz", now=utc_now())
    assert run.job_id in restored.going_on
    copied = App(app.settings.model_copy(update={"home": other}))
    status = finish(copied, run.run_id)
    assert (status.state, status.attempts) == ("succeeded", 2), status
    assert status.step is not None
    assert status.step >= 6000
    assert (other / "runs" / run.run_id / "ReachTarget.onnx").is_file()
    copied.close()
    assert nothing_is_left(other)
