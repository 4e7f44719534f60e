from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.job_worlds import World, eventually, opened
from unity_mlops_mcp.errors import NotFoundError, SetupError
from unity_mlops_mcp.jobs.ports import lease_ports

CLIENT = Path(__file__).parent / "stand_ins" / "jobs_client.py"


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    with opened(home, max_jobs=1) as found:
        yield found


@pytest.mark.slow
def test_two_processes_on_one_home_lose_no_job_and_run_none_twice(world: World) -> None:
    twins = [
        subprocess.Popen([sys.executable, CLIENT, world.home, name, "8"], stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    left, right = (json.loads(twin.communicate(timeout=280)[0]) for twin in twins)

    assert left["shared"] == right["shared"]
    assert len(set(left["shared"] + left["own"] + right["own"])) == 24
    for job_id in left["shared"] + left["own"] + right["own"]:
        job = world.jobs.get(job_id)
        assert job.state in ("succeeded", "cancelled"), job
        for state in ("starting", "running", "succeeded"):
            assert world.states(job).count(state) <= 1
    assert {world.jobs.get(job_id).state for job_id in left["shared"]} == {"succeeded"}
    assert len(world.jobs.page(limit=100).rows) == 24


def test_jobs_beyond_the_limit_wait_in_their_order_and_say_for_what(world: World) -> None:
    first = world.running(world.submit("hold", subject="run-1"))
    second, third = world.submit("echo", subject="run-2"), world.submit("echo", subject="run-3")

    assert (second.state, second.queue_position, third.queue_position) == ("queued", 1, 2)
    assert second.waiting_for is not None
    assert "run-1" in second.waiting_for
    assert "UNITY_MLOPS_MAX_JOBS" in second.waiting_for
    assert [job.queue_position for job in world.jobs.open()] == [None, 1, 2]
    assert world.wait(world.submit("free_echo")).state == "succeeded"
    assert world.jobs.get(second.id).state == "queued"

    world.jobs.request_stop(first.id)
    ended = [world.wait(job) for job in (second, third)]  # supervisors that end start what is queued

    assert [job.state for job in ended] == ["succeeded", "succeeded"]
    assert (ended[0].finished_at or ended[0].created_at) < (ended[1].started_at or ended[1].created_at)
    assert ended[0].waiting_for is None


def test_a_queued_job_that_is_stopped_never_runs(world: World) -> None:
    first = world.running(world.submit("hold"))
    second = world.submit("echo")

    assert world.jobs.request_stop(second.id).state == "cancelled"
    world.jobs.request_stop(first.id)
    world.wait(first)
    world.jobs.tend()

    assert world.states(second) == ["queued", "cancelled"]


def test_the_same_key_gives_the_same_job_within_a_kind(world: World) -> None:
    first = world.submit("echo", {"n": 1}, idempotency_key="again")

    assert world.submit("echo", {"n": 2}, idempotency_key="again").id == first.id
    assert world.submit("free_echo", idempotency_key="again").id != first.id
    assert world.wait(first).idempotency_key == "again"


def test_a_job_waits_for_the_one_it_comes_after(home: Path) -> None:
    with opened(home, max_jobs=4) as world:
        first = world.running(world.submit("hold", subject="the build"))
        second = world.submit("echo", after=first.id)
        world.jobs.tend()

        waiting = world.jobs.get(second.id)
        assert waiting.state == "queued"
        assert waiting.waiting_for is not None
        assert first.id in waiting.waiting_for
        world.jobs.request_stop(first.id)
        done = world.wait(second, tend=True)

        assert done.failure is not None
        assert (done.state, done.failure.cause) == ("failed", "dependency_cancelled")
        after = world.submit("echo", after=world.wait(world.submit("echo")).id)
        assert world.wait(after).state == "succeeded"


def test_a_job_fails_with_the_cause_of_the_one_it_comes_after(world: World) -> None:
    first = world.submit("refuse")
    second = world.submit("echo", after=first.id)
    done = world.wait(second, tend=True)

    assert done.failure is not None
    assert (done.state, done.failure.cause, done.failure.fix) == ("failed", "broken_thing", "Mend it.")
    assert first.id in done.failure.message
    assert "running" not in world.states(second)


def test_a_job_fails_with_the_one_it_comes_after_even_while_there_is_no_room_for_it(world: World) -> None:
    first = world.running(world.submit("hold"))
    second = world.submit("echo")
    third = world.submit("echo", after=second.id)
    world.jobs.request_stop(second.id)
    world.jobs.tend()

    assert world.jobs.get(third.id).state == "failed"
    assert world.jobs.get(first.id).state == "running"


def test_a_job_cannot_come_after_one_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.submit("echo", after="build-20200101-000000-0000")


def test_two_processes_never_hold_the_same_port(home: Path) -> None:
    with opened(home, max_jobs=3) as world:
        base = free_base(10)
        request = {"count": 3, "base": base}
        held = [world.submit("ports", request, subject=f"run-{number}") for number in range(2)]
        first, second = (world.wait(job, lambda job: "ports" in job.progress).progress["ports"] for job in held)

        with lease_ports(3, base) as mine:
            assert not set(mine.ports) & {*first, *second}
        assert not set(first) & set(second)
        assert first == list(range(first[0], first[0] + 3))
        world.kill_supervisor(held[0])
        eventually(lambda: _are_free(base, first))


def _are_free(base: int, ports: list[int]) -> bool:
    """Whether the next lease takes some of these ports; a killed process may take a moment to let go of them."""
    with lease_ports(3, base) as lease:
        return bool({*lease.ports} & {*ports})


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104 - what ML-Agents binds too
def test_a_block_with_a_strangers_listener_in_it_is_skipped(address: str) -> None:
    base = free_base(8)
    if ":" in address and not socket.has_dualstack_ipv6():
        pytest.skip("runs only on machines with IPv6")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, base + 1), family=family), lease_ports(3, base) as lease:
        assert lease.ports == (base + 2, base + 3, base + 4)


def test_no_ports_left_is_told() -> None:
    with pytest.raises(SetupError, match="neighbouring free ports"):
        lease_ports(10, 65530)


def free_base(count: int) -> int:
    """The first of some neighbouring ports that nobody uses now, far from those that others take."""
    with lease_ports(count, 41000) as lease:
        return lease.first
