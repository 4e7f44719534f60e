from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.job_worlds import World, eventually, is_running, opened
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.process.identity import Identity, this_process
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.jobs import StaleAttemptError


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    with opened(home) as found:
        yield found


def start_work(world: World, folder: Path, *options: str) -> Job:
    """A worker that has saved something."""
    folder.mkdir(exist_ok=True)
    job = world.running(world.submit("work", {"folder": str(folder), "options": list(options)}))
    eventually((folder / "checkpoint.json").exists)
    return job


def pids(folder: Path) -> list[int]:
    """The workers that had the folder, in their order."""
    return [int(line) for line in (folder / "pids").read_text().split()]


def test_a_killed_supervisor_is_noticed_and_its_job_goes_on_from_its_checkpoint(world: World, tmp_path: Path) -> None:
    job = start_work(world, tmp_path / "work", "--until", "400")
    world.kill_supervisor(job)

    done = world.wait(job, tend=True)

    assert (done.state, done.attempt) == ("succeeded", 2)
    assert done.result == {"exit_code": 0, "count": 400}
    assert world.states(job) == [
        "queued",
        "starting",
        "running",
        "interrupted",
        "queued",
        "starting",
        "running",
        "succeeded",
    ]


def test_the_new_attempt_never_meets_a_worker_or_player_of_the_old_one(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    job = start_work(world, folder, "--player", "--deaf")
    first_player = int((folder / "player").read_text())
    world.kill_supervisor(job)
    assert is_running(pids(folder)[0])
    assert is_running(first_player)

    world.wait(job, lambda job: (job.state, job.attempt) == ("running", 2), tend=True)
    eventually(lambda: len(pids(folder)) > 1)
    assert not any(map(is_running, [pids(folder)[0], first_player]))
    world.jobs.request_stop(job.id)
    world.wait(job)

    assert not (folder / "collisions").exists()
    assert not any(map(is_running, [*pids(folder), first_player]))


def test_a_player_that_lost_both_trainer_and_supervisor_is_ended(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    job = start_work(world, folder, "--player")
    player = int((folder / "player").read_text())
    world.kill_supervisor(job)
    os.kill(pids(folder)[0], signal.SIGKILL)
    eventually(lambda: not is_running(pids(folder)[0]))
    assert is_running(player)

    world.wait(job, lambda job: job.attempt == 2, tend=True)

    assert not is_running(player)


def test_a_trainer_that_lost_its_supervisor_may_save_before_it_is_ended(world: World, tmp_path: Path) -> None:
    job = start_work(world, tmp_path / "work")
    world.kill_supervisor(job)

    world.wait(job, lambda job: job.attempt == 2, tend=True)

    assert (tmp_path / "work" / "interrupted").exists()


def test_without_a_checkpoint_an_interrupted_job_fails_and_says_so(world: World) -> None:
    job = world.running(world.submit("hold"))
    world.kill_supervisor(job)

    done = world.wait(job, tend=True)

    assert done.failure is not None
    assert (done.state, done.attempt, done.failure.cause) == ("failed", 1, "interrupted")
    assert "nothing" in done.failure.message
    assert "interrupted" in world.states(job)


def test_attempts_are_capped(home: Path, tmp_path: Path) -> None:
    with opened(home, max_attempts=2) as world:
        job = start_work(world, tmp_path / "work")
        world.kill_supervisor(job)
        world.wait(job, lambda job: (job.state, job.attempt) == ("running", 2), tend=True)
        world.kill_supervisor(job)

        done = world.wait(job, tend=True)

    assert done.failure is not None
    assert (done.state, done.attempt, done.failure.cause) == ("failed", 2, "too_many_attempts")
    assert "UNITY_MLOPS_MAX_ATTEMPTS" in done.failure.message


def test_another_supervisor_recovers_a_job_when_no_server_is_left(world: World, tmp_path: Path) -> None:
    other = world.running(world.submit("hold"))
    job = start_work(world, tmp_path / "work", "--until", "300")
    world.kill_supervisor(job)

    done = world.wait(job)  # nobody tends but the supervisor of the other job

    assert (done.state, done.attempt) == ("succeeded", 2)
    assert world.jobs.get(other.id).state == "running"


def test_a_stop_that_comes_while_the_supervisor_is_dead_is_not_resumed(world: World, tmp_path: Path) -> None:
    job = start_work(world, tmp_path / "work")
    world.kill_supervisor(job)
    world.jobs.request_stop(job.id)

    done = world.wait(job, tend=True)

    assert (done.state, done.attempt) == ("cancelled", 1)
    assert not any(map(is_running, pids(tmp_path / "work")))


def test_a_supervisor_that_only_sleeps_is_left_alone(world: World) -> None:
    job = world.running(world.submit("hold"))
    pid = world.supervisor_pid(job)
    os.kill(pid, signal.SIGSTOP)
    try:
        beat = world.jobs.get(job.id).heartbeat_at
        assert beat is not None
        eventually(lambda: utc_now() - beat > timedelta(seconds=4))
        world.jobs.tend()
        assert world.jobs.get(job.id).state == "running"
    finally:
        os.kill(pid, signal.SIGCONT)
    world.jobs.request_stop(job.id)
    assert world.wait(job).state == "cancelled"


def test_a_stale_attempt_may_write_nothing_and_ends_itself_with_its_worker(world: World, tmp_path: Path) -> None:
    job = start_work(world, tmp_path / "work", "--player")
    supervisor = world.supervisor_pid(job)
    player = int((tmp_path / "work" / "player").read_text())
    table = world.store.jobs
    assert table.change(job.id, "running", where=("running",), attempt=1, now=utc_now(), values={"attempt": 2})

    for write in (
        lambda: table.beat(job.id, 1, now=utc_now(), progress=None),
        lambda: table.add_event(job.id, 1, "late", {}, now=utc_now()),
        lambda: table.add_child(job.id, 1, {}),
    ):
        with pytest.raises(StaleAttemptError):
            write()
    assert table.change(job.id, "succeeded", where=("running",), attempt=1, now=utc_now()) is None
    eventually(lambda: not any(map(is_running, [supervisor, player, *pids(tmp_path / "work")])))
    assert world.row(job).state == "running"


def test_a_process_that_took_over_the_pid_is_never_signalled(world: World) -> None:
    job = world.running(world.submit("hold"))
    world.kill_supervisor(job)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        recycled = replace(Identity.from_json(world.row(job).supervisor or {}), pid=stranger.pid)
        values = {"supervisor": recycled.to_json(), "children": [recycled.to_json()]}
        world.store.jobs.change(job.id, "running", where=("running",), attempt=1, now=utc_now(), values=values)

        assert world.wait(job, tend=True).state == "failed"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_after_a_reboot_a_job_is_dead_at_once_and_goes_on(world: World, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text('{"count": 7}')
    job = held_by(world, tmp_path, replace(this_process(), boot="an-earlier-boot"))

    world.jobs.tend()

    assert world.jobs.get(job.id).attempt == 2
    done = world.wait(job, tend=True)
    assert (done.state, done.result) == ("succeeded", {"exit_code": 0, "count": 9})


def test_a_changed_host_name_changes_nothing(world: World, tmp_path: Path) -> None:
    job = held_by(world, tmp_path, replace(this_process(), host="renamed"), quiet=True)

    world.jobs.tend()

    assert world.jobs.get(job.id).state == "running"


def held_by(world: World, folder: Path, supervisor: Identity, *, quiet: bool = False) -> Job:
    """A job that the store says is run by that process."""
    first = [world.running(world.submit("hold")) for _ in range(2)]  # so that no supervisor takes it
    request = {"folder": str(folder), "options": ["--until", "9"]}
    job = world.submit("work", request)
    assert job.state == "queued"
    for other in first:
        world.jobs.request_stop(other.id)
    values = {"supervisor": supervisor.to_json(), "heartbeat_at": utc_now() - timedelta(seconds=60 if quiet else 0)}
    changed = world.store.jobs.change(job.id, "running", where=("queued",), attempt=1, now=utc_now(), values=values)
    assert changed is not None
    return job
