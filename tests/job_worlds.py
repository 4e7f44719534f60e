"""A home with jobs in it, as one process of ours sees it, and helpers that wait with a bound."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio

from tests.conftest import REPOSITORY
from tests.stand_ins.jobs_kinds import KINDS, SUPERVISOR
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.tree import Tree
from unity_mlops_mcp.store.rows import JobRow
from unity_mlops_mcp.store.store import Store

PATIENCE_S = 60.0
ValueT = TypeVar("ValueT")


def eventually(look: Callable[[], ValueT], *, timeout_s: float = PATIENCE_S) -> ValueT:
    """What ``look`` gives once it is something; the last look counts as a failure."""
    end = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < end, f"nothing came of {look} in {timeout_s:g} s"
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    """Whether the process runs and is no zombie, asked of the system directly."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def lookouts(home: Path) -> int:
    """How many processes hold the lease of firing schedules."""
    with closing(sqlite3.connect(home / "state.db")) as database:
        (held,) = database.execute("SELECT count(*) FROM leases").fetchone()
        return int(held)


class World:
    """The jobs of one home."""

    def __init__(self, home: Path, store: Store, jobs: Jobs) -> None:
        self.home = home
        self.store = store
        self.jobs = jobs

    def submit(self, kind: str, request: Mapping[str, Any] | None = None, **options: Any) -> Job:
        """Submit a job."""
        return self.jobs.submit(kind, request or {}, **{"subject": kind, **options})

    def wait(self, job: Job, until: Callable[[Job], bool] = lambda job: job.done, *, tend: bool = False) -> Job:
        """The job once it is so; with ``tend`` this process looks after the jobs meanwhile, as a server does."""

        async def look() -> Job:
            async with anyio.create_task_group() as group:
                if tend:
                    group.start_soon(lambda: self.jobs.tend_forever(interval_s=0.2))
                found = await self.jobs.wait(job.id, timeout_s=PATIENCE_S, until=until)
                group.cancel_scope.cancel()
            return found

        found = anyio.run(look)
        assert until(found), f"it became {found}; {self.log(found)}"
        return found

    def running(self, job: Job) -> Job:
        """The job once a supervisor has it."""
        return self.wait(job, lambda job: job.state == "running")

    def row(self, job: Job) -> JobRow:
        """What the store holds."""
        row = self.store.jobs.get(job.id)
        assert row is not None
        return row

    def supervisor_pid(self, job: Job) -> int:
        """The process that runs it."""
        identity = self.row(job).supervisor
        assert identity is not None
        return int(identity["pid"])

    def kill_supervisor(self, job: Job) -> int:
        """SIGKILL to the process that runs it, which is gone afterwards."""
        pid = self.supervisor_pid(job)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_running(pid))
        return pid

    def states(self, job: Job) -> list[str]:
        """The states that the job went through, as its events tell."""
        return [event.state for event in self.store.events.of(job.id) if event.name == event.state]

    def log(self, job: Job) -> str:
        """What its supervisors wrote."""
        file = self.home / "artifacts" / job.id / "supervisor.log"
        return file.read_text() if file.exists() else ""

    def end_everything(self) -> None:
        """End all supervisors and what they started."""
        for row in self.store.jobs.open():
            self.store.jobs.change(row.id, "cancelled", where=(row.state,), attempt=None, now=row.created_at)
            supervisor = [] if row.supervisor is None else [Identity.from_json(row.supervisor)]
            left = [one for one in supervisor if one.pid != os.getpid()]
            Tree(left, row.token).stop(grace_s=0, terminate_s=0)


@contextmanager
def opened(home: Path, *, supervisor: list[str] | None = None, **settings: Any) -> Iterator[World]:
    """A home as one process of ours has it open; nothing that it started lives afterwards."""
    os.environ["PYTHONPATH"] = str(REPOSITORY)  # for the supervisors, which run in the home
    with Store(home) as store:
        jobs = Jobs(store, Settings(home=home, **settings), kinds=KINDS, supervisor=supervisor or SUPERVISOR)
        world = World(home, store, jobs)
        try:
            yield world
        finally:
            world.end_everything()
