"""What a sort of work has to give to be run as a job, and what it is given."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from unity_mlops_mcp.config import Settings, environment
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.start import Started, start_child
from unity_mlops_mcp.process.tree import TOKEN_VARIABLE, Tree
from unity_mlops_mcp.store.ids import utc_now

if TYPE_CHECKING:
    from unity_mlops_mcp.store.store import Store

_CHILD_POLL_S = 0.05


class StoppedError(Exception):
    """Somebody asked the job to stop, or the system shuts down; its kind catches it and gives what is kept."""


@dataclass(frozen=True)
class Kind:
    """One sort of work.

    Attributes:
        name: the key in the table of kinds.
        run: does it and gives the result. It returns soon after ``context.stop_requested`` is set (the job is then
            cancelled, its result kept), and raises a `MlopsError` to fail with its cause and fix.
        can_resume: whether a new attempt of this interrupted job can go on where the last one was cut off.
        limited: whether it counts towards the limit of concurrent jobs.
        grace_s: how long a process of it whose supervisor was killed may take to save, before it is terminated.
    """

    name: str
    run: Callable[[JobContext], Awaitable[dict[str, Any]]]
    can_resume: Callable[[Job], bool]
    limited: bool = True
    grace_s: float = 10.0


class Child:
    """A process that a job started; with all that it starts itself it ends with the job at the latest."""

    def __init__(self, started: Started, token: str) -> None:
        self._started = started
        self._token = token

    @property
    def identity(self) -> Identity:
        """Who it is."""
        return self._started.identity

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative: the signal that ended it."""
        while (code := self._started.poll()) is None:  # noqa: ASYNC110 - processes set no events
            await anyio.sleep(_CHILD_POLL_S)
        return code

    def interrupt(self) -> None:
        """Ask it to save and end; nothing happens when it has ended."""
        self._started.interrupt()

    async def stop(self, grace_s: float) -> int:
        """End it and all that it started: interrupt, after the grace terminate, then kill; gives its exit code."""
        tree = Tree([self.identity], self._token)
        await anyio.to_thread.run_sync(lambda: tree.stop(grace_s=grace_s))
        return await self.wait()


class JobContext:
    """One attempt of a job, as its handler sees it.

    Args:
        job: the job as it was when this attempt took it up.
        token: marks the processes of this attempt.
        store: where its state is kept.
        settings: the settings of this process.

    Attributes:
        stop_requested: set once somebody asks the job to stop.
    """

    def __init__(self, job: Job, *, token: str, store: Store, settings: Settings) -> None:
        self.job = job
        self.store = store
        self.settings = settings
        self.stop_requested = anyio.Event()
        self._token = token
        self._children = 0
        self._progress = dict(job.progress)
        self._written: dict[str, Any] | None = None

    def progress(self, **fields: Any) -> None:
        """Merge the fields, which are JSON, into the job's progress; written with the next heartbeat."""
        json.dumps(fields)
        self._progress |= fields

    def require_going(self) -> None:
        """Do nothing while the job may go on; from any thread.

        Raises:
            StoppedError: ``stop_requested`` is set.
        """
        if self.stop_requested.is_set():
            raise StoppedError

    def event(self, name: str, **data: Any) -> None:
        """Note something that happened.

        Raises:
            StaleAttemptError: another attempt has the job now.
        """
        self.store.jobs.add_event(self.job.id, self.job.attempt, name, data, now=utc_now())

    async def start(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str | None] | None = None,
        stdout: Path,
        stderr: Path | None = None,
    ) -> Child:
        """Start a process of the job, in a session of its own and with the job's token in its environment.

        Args:
            argv: program and arguments; no shell.
            cwd: its working directory.
            env: changes to our environment, which it is given; None as a value removes a variable.
            stdout: the file that its output is appended to.
            stderr: the same for errors; ``stdout`` when None.

        Raises:
            NotFoundError: the program cannot be started.
            StaleAttemptError: another attempt has the job now; the process was ended.
        """
        self._children += 1
        token = f"{self._token}.{self._children}"
        whole = environment(**{**(env or {}), TOKEN_VARIABLE: token})
        child = Child(start_child(argv, cwd=cwd, env=whole, stdout=stdout, stderr=stderr), token)
        self.store.jobs.add_child(self.job.id, self.job.attempt, child.identity.to_json())
        return child

    @property
    def latest_progress(self) -> dict[str, Any]:
        """All that `progress` was told, and what earlier attempts reported."""
        return dict(self._progress)

    def unwritten_progress(self) -> dict[str, Any] | None:
        """The progress when it changed since the last call, else None; for the heartbeat."""
        if self._progress == self._written:
            return None
        self._written = dict(self._progress)
        return self._written
