from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.job_worlds import eventually, is_running
from unity_mlops_mcp.config import SECRET_VARIABLES, environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError
from unity_mlops_mcp.process.commands import as_typed, find, run
from unity_mlops_mcp.process.files import FileLock, Mount, mounts, network_mount, write_atomically
from unity_mlops_mcp.process.files import replace as replace_file
from unity_mlops_mcp.process.identity import Identity, identify, is_alive, send, this_process
from unity_mlops_mcp.process.start import collect, start_child, start_detached, started_pids
from unity_mlops_mcp.process.tree import TOKEN_VARIABLE, Tree, members

SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as process:
        yield process
        process.kill()


def test_a_short_command_gives_its_code_and_both_outputs() -> None:
    script = "import sys; print(sys.stdin.read()); print('oops', file=sys.stderr); sys.exit(3)"

    done = run([sys.executable, "-c", script], timeout_s=30, input_text="h\u00e9llo")

    assert (done.returncode, done.stdout, done.stderr) == (3, "h\u00e9llo\n", "oops\n")
    assert run([sys.executable, "-c", "import sys; print(sys.stdin.read())"], timeout_s=30).stdout == "\n"


@pytest.mark.parametrize("name", sorted({*SECRET_VARIABLES, "WEBHOOK_URL", "unity_mlops_llm_api_key"}))
def test_a_child_is_told_no_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    told = run([sys.executable, "-c", "import os; print(dict(os.environ))"], timeout_s=30).stdout
    assert "hunter2" not in told


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "print(p.pid, flush=True); p.wait()"
    )
    pid_file = tmp_path / "pid"
    command = f"exec {sys.executable} -c \"{script}\" > '{pid_file}'"

    with pytest.raises(ExternalError, match="did not end within 3 s") as told:
        run(["sh", "-c", command], timeout_s=3)

    assert told.value.cause == "timeout"
    eventually(lambda: not is_running(int(pid_file.read_text())))


def test_a_command_can_be_typed_as_it_is_shown() -> None:
    said = "print('a  b')"
    typed = as_typed([sys.executable, "-c", said])
    done = subprocess.run(typed, shell=True, check=True, capture_output=True, text=True)  # noqa: S602
    assert done.stdout == "a  b\n"


def test_a_missing_program_is_told() -> None:
    with pytest.raises(NotFoundError, match="no-such-program"):
        run(["no-such-program"], timeout_s=1)
    assert find("no-such-program") is None
    assert find("sh") is not None


def test_a_process_is_known_by_more_than_its_pid(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identify(sleeper.pid)
    assert identity is not None
    assert is_alive(identity)
    assert Identity.from_json(identity.to_json()) == identity
    for other in (
        replace(identity, started=identity.started - 1),
        replace(identity, boot="another"),
        replace(identity, namespace="another"),
    ):
        assert not is_alive(other)
        assert not send(other, signal.SIGKILL)
    assert sleeper.poll() is None

    assert send(identity, signal.SIGKILL)

    eventually(lambda: not is_alive(identity))  # a zombie is not alive
    sleeper.wait()
    assert identify(sleeper.pid) is None


def test_a_detached_process_has_a_session_of_its_own_and_appends_its_output(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_text("before\n")
    script = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', os.environ['X'], os.getcwd())"

    identity = start_detached([sys.executable, "-c", script], cwd=tmp_path, env=environment(X="a b"), stdout=log)

    assert identity is not None
    eventually(lambda: not is_alive(identity))
    assert log.read_text() == f"before\nTrue True a b {tmp_path}\n"
    collect()
    assert identity.pid not in started_pids()


def test_stopping_a_tree_reaches_sessions_of_their_own_and_spares_strangers(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    script = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True)\n"
        f"q = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True, env={{}})\n"
        "print(p.pid, q.pid, flush=True); time.sleep(600)\n"
    )
    log = tmp_path / "out.log"
    root = start_child(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(**{TOKEN_VARIABLE: "tok.1"}), stdout=log
    )
    inner = [int(pid) for pid in eventually(lambda: log.read_text().split())]

    assert {one.pid for one in members("tok")} == {root.identity.pid, inner[0]}
    assert members("to") == members("") == set()
    left = Tree([root.identity], "tok").stop(grace_s=1)

    assert left == set()
    assert root.poll() == -signal.SIGINT
    assert not any(map(is_running, inner))
    assert sleeper.poll() is None


def test_the_supervisor_of_another_job_is_not_ended_with_the_one_that_started_it(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], env={{{TOKEN_VARIABLE!r}: 'other.1'}})\n"
        "print(p.pid, flush=True); time.sleep(600)\n"
    )
    log = tmp_path / "out.log"
    root = start_child(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(**{TOKEN_VARIABLE: "tok.1"}), stdout=log
    )
    (other,) = (int(pid) for pid in eventually(lambda: log.read_text().split()))

    assert Tree([root.identity], "tok").stop(grace_s=0) == set()
    assert root.poll() is not None
    assert is_running(other)
    os.kill(other, signal.SIGKILL)


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    write_atomically(target, b"old", mode=0o600)
    write_atomically(target, b"new")
    with pytest.raises(TypeError):
        write_atomically(target, "text")  # type: ignore[arg-type]
    other = tmp_path / "other"
    other.write_text("other")

    assert (target.read_bytes(), [path.name for path in tmp_path.glob(".*")]) == (b"new", [])
    replace_file(other, target)
    assert target.read_text() == "other"


def test_a_lock_belongs_to_one_process_until_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    script = (
        "import sys, time; from pathlib import Path; from unity_mlops_mcp.process.files import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        began = time.monotonic()
        assert not FileLock(path).acquire(timeout_s=0.2)
        assert time.monotonic() - began >= 0.2
        holder.kill()
    with FileLock(path):
        assert not FileLock(path).acquire()
    assert FileLock(path, shared=True).acquire()
    assert FileLock(path, shared=True).acquire()


def test_network_file_systems_are_recognised_by_the_innermost_mount(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    table = [Mount("/", "ext4"), Mount(str(tmp_path), "nfs4"), Mount(str(tmp_path / "a"), "xfs")]

    assert network_mount(tmp_path / "x", mounted=lambda: table) == table[1]
    assert network_mount(inner, mounted=lambda: table) is None
    assert network_mount(inner, mounted=lambda: [*table, Mount(str(inner), "fuse.sshfs")]) is not None
    assert any(mount.point == "/" for mount in mounts())
    assert network_mount(tmp_path) is None


def test_this_process_is_alive() -> None:
    assert this_process().pid == os.getpid()
    assert is_alive(this_process())
