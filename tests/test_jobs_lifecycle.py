from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.job_worlds import World, eventually, is_running, opened
from tests.stand_ins.jobs_kinds import KINDS
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    with opened(home) as found:
        yield found


def test_a_job_runs_in_a_process_of_its_own_and_gives_its_result(world: World) -> None:
    job = world.submit("echo", {"words": ["a", 1, None]}, subject="the thing")

    done = world.wait(job)

    assert (done.state, done.attempt, done.subject) == ("succeeded", 1, "the thing")
    assert done.result is not None
    assert done.result["request"] == {"words": ["a", 1, None]}
    assert done.progress == {"said": {"words": ["a", 1, None]}}
    assert world.states(job) == ["queued", "starting", "running", "succeeded"]
    assert done.created_at <= (done.started_at or done.created_at) <= (done.finished_at or done.created_at)
    assert world.jobs.page(subject="the thing").rows == (done,)


@pytest.mark.parametrize("kind", ["refuse", "refuse_in_a_group"])
def test_an_error_of_ours_fails_the_job_with_cause_evidence_and_fix(world: World, kind: str) -> None:
    failure = world.wait(world.submit(kind)).failure

    assert failure is not None
    assert (failure.cause, failure.message, failure.fix) == ("broken_thing", "The thing is broken.", "Mend it.")
    assert failure.evidence == ("line 1", "line 2")


def test_what_the_system_refuses_is_told_in_words(world: World) -> None:
    failure = world.wait(world.submit("full_disk")).failure

    assert failure is not None
    assert failure.cause == "disk_full"
    assert "spec.json" in failure.message


def test_any_other_error_fails_the_job_as_internal_and_leaves_its_traceback(world: World) -> None:
    done = world.wait(world.submit("crash"))

    assert done.failure is not None
    assert done.failure.cause == "internal"
    assert "ZeroDivisionError: nobody expected this" in done.failure.evidence[-1]
    assert "nobody expected this" in world.log(done)


def test_a_running_job_that_is_stopped_is_cancelled_and_keeps_its_result(world: World) -> None:
    job = world.running(world.submit("hold"))

    asked = world.jobs.request_stop(job.id)
    done = world.wait(job)

    assert asked.stop_requested
    assert (done.state, done.result) == ("cancelled", {"stopped_at": "the gate"})
    assert world.states(job)[-2:] == ["stopping", "cancelled"]


def test_an_interrupt_of_the_supervisor_stops_the_job(world: World) -> None:
    job = world.running(world.submit("hold"))
    os.kill(world.supervisor_pid(job), signal.SIGINT)

    done = world.wait(job)

    assert (done.state, done.result, done.stop_requested) == ("cancelled", {"stopped_at": "the gate"}, True)


def test_a_system_that_shuts_down_interrupts_the_job_and_it_goes_on_afterwards(world: World, tmp_path: Path) -> None:
    job = world.running(world.submit("work", {"folder": str(tmp_path), "options": []}))
    eventually((tmp_path / "checkpoint.json").exists)
    os.kill(world.supervisor_pid(job), signal.SIGTERM)

    saved = world.wait(job, lambda job: job.state == "interrupted")
    assert (saved.attempt, saved.stop_requested, (tmp_path / "interrupted").exists()) == (1, False, True)
    again = world.wait(job, lambda job: job.attempt == 2 and job.state == "running", tend=True)
    world.jobs.request_stop(again.id)
    assert world.wait(job).state == "cancelled"


def test_a_job_outlives_more_shutdowns_than_it_may_be_killed_and_is_still_not_killed_forever(
    home: Path, tmp_path: Path
) -> None:
    with opened(home, max_attempts=2) as world:
        job = world.running(world.submit("work", {"folder": str(tmp_path), "options": []}))
        eventually((tmp_path / "checkpoint.json").exists)
        for attempt in (2, 3, 4):
            os.kill(world.supervisor_pid(job), signal.SIGTERM)
            world.wait(job, lambda job, now=attempt: (job.state, job.attempt) == ("running", now), tend=True)  # type: ignore[misc]
        world.kill_supervisor(job)
        world.wait(job, lambda job: (job.state, job.attempt) == ("running", 5), tend=True)
        world.kill_supervisor(job)
        failure = world.wait(job, tend=True).failure
    assert failure is not None
    assert failure.cause == "too_many_attempts"


def test_all_jobs_save_when_all_ends_and_none_is_started_again_by_another_that_takes_longer(
    world: World, tmp_path: Path
) -> None:
    options: dict[str, list[str]] = {"quick": [], "slow": ["--deaf"]}
    jobs = {}
    for name, words in options.items():
        folder = tmp_path / name
        folder.mkdir()
        jobs[name] = world.running(world.submit("work", {"folder": str(folder), "options": words}, subject=name))
        eventually((folder / "checkpoint.json").exists)

    assert world.jobs.interrupt_all(timeout_s=60) == ()

    assert (tmp_path / "quick" / "interrupted").exists()
    assert {(world.jobs.get(job.id).state, world.jobs.get(job.id).attempt) for job in jobs.values()} == {
        ("interrupted", 1)
    }
    assert not [job for job in jobs.values() if is_running(world.supervisor_pid(job))]


def test_what_has_not_saved_in_time_is_told(world: World, tmp_path: Path) -> None:
    job = world.running(world.submit("work", {"folder": str(tmp_path), "options": ["--deaf"]}))
    eventually((tmp_path / "checkpoint.json").exists)
    assert world.jobs.interrupt_all(timeout_s=0.2) == (job.id,)


def test_stopping_ends_the_worker_with_its_checkpoint_and_the_player_in_its_own_session(
    world: World, tmp_path: Path
) -> None:
    job = world.running(world.submit("work", {"folder": str(tmp_path), "options": ["--player"]}))
    eventually((tmp_path / "checkpoint.json").exists)
    player = int((tmp_path / "player").read_text())
    assert is_running(player)

    world.jobs.request_stop(job.id)
    done = world.wait(job)

    assert done.state == "cancelled"
    assert done.result is not None
    assert (done.result["exit_code"], (tmp_path / "interrupted").exists()) == (0, True)
    assert done.result["count"] > 0
    assert not is_running(player)


def test_a_worker_that_ignores_every_request_is_killed_with_its_player(world: World, tmp_path: Path) -> None:
    job = world.running(world.submit("work", {"folder": str(tmp_path), "options": ["--player", "--deaf"]}))
    eventually((tmp_path / "checkpoint.json").exists)

    world.jobs.request_stop(job.id)
    done = world.wait(job)

    assert done.result is not None
    assert (done.state, done.result["exit_code"]) == ("cancelled", -signal.SIGKILL)
    assert not is_running(int((tmp_path / "player").read_text()))


def test_an_orphan_that_lost_token_session_and_parent_ends_with_its_job(world: World, tmp_path: Path) -> None:
    done = world.wait(world.submit("orphan", {"folder": str(tmp_path)}))

    assert done.state == "succeeded", done.failure
    (pid,) = (tmp_path / "pids").read_text().split()
    assert not is_running(int(pid))


def test_a_stop_does_not_change_a_job_that_is_over(world: World) -> None:
    done = world.wait(world.submit("echo"))

    assert world.jobs.request_stop(done.id) == done


def test_a_short_job_runs_here_and_now_with_the_same_rows(world: World) -> None:
    done = world.jobs.run_inline(KINDS["echo"], {"n": 1}, subject="inline")
    failed = world.jobs.run_inline(KINDS["refuse"], {}, subject="inline")

    assert (done.state, failed.state) == ("succeeded", "failed")
    assert world.supervisor_pid(done) == os.getpid()
    assert world.states(done) == ["running", "succeeded"]
    assert world.jobs.get(done.id) == done


def test_a_short_job_with_a_known_key_is_not_run_again(world: World) -> None:
    first = world.jobs.run_inline(KINDS["echo"], {"n": 1}, subject="inline", idempotency_key="once")

    assert world.jobs.run_inline(KINDS["echo"], {"n": 2}, subject="inline", idempotency_key="once") == first


def test_an_unknown_job_or_kind_is_an_error_that_names_the_known_ones(world: World) -> None:
    job = world.submit("free_echo")

    with pytest.raises(NotFoundError) as missing:
        world.jobs.get("train-20200101-000000-0000")
    with pytest.raises(InvalidInputError) as kind:
        world.submit("paint")

    assert job.id in missing.value.fix
    assert "echo" in kind.value.fix


def test_a_supervisor_that_cannot_start_fails_the_job_with_what_it_said(home: Path) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('the installation is broken')"]
    with opened(home, supervisor=broken) as world:
        done = world.wait(world.submit("echo"), tend=True)

        assert done.failure is not None
        assert (done.state, done.failure.cause) == ("failed", "supervisor_failed")
        assert "the installation is broken" in done.failure.evidence
        assert world.states(done).count("starting") == 3


def test_a_supervisor_that_is_not_there_fails_the_job_at_once(home: Path) -> None:
    with opened(home, supervisor=["/nowhere/python"]) as world:
        job = world.submit("echo")

        assert job.failure is not None
        assert (job.state, job.failure.cause) == ("failed", "cannot_start")
        assert "/nowhere/python" in job.failure.message


def test_a_job_lives_on_when_the_process_that_started_it_is_killed_with_its_group(world: World, home: Path) -> None:
    script = (
        "import sys, os, signal; from pathlib import Path; from tests.job_worlds import opened\n"
        "with opened(Path(sys.argv[1])) as world:\n"
        "    print(world.running(world.submit('hold')).id, flush=True)\n"
        "    os.killpg(0, signal.SIGKILL)\n"
    )
    server = subprocess.run(
        [sys.executable, "-c", script, home], stdout=subprocess.PIPE, text=True, start_new_session=True, check=False
    )
    job = world.jobs.get(server.stdout.strip())

    assert server.returncode == -signal.SIGKILL
    assert is_running(world.supervisor_pid(job))
    beat = job.heartbeat_at
    eventually(lambda: world.jobs.get(job.id).heartbeat_at != beat)
    world.jobs.request_stop(job.id)
    assert world.wait(job).state == "cancelled"
