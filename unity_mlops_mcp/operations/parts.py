"""What all operations stand on: the store, the cache, the jobs and the runs of one home, opened when first needed."""

from __future__ import annotations

import os
import platform
import secrets
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.builds.library import UNITY_KIND, record_of, unity_job
from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.kinds import KINDS
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.views.status import job_status

if TYPE_CHECKING:
    from unity_mlops_mcp.scheduling.notifying.deliver import Deliverer
    from unity_mlops_mcp.scheduling.scheduler import Scheduler
    from unity_mlops_mcp.training.runs import Runs


class Parts:
    """The parts of one home; safe to use from any thread.

    Args:
        settings: the process's settings; the store opens at the first operation that needs it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opening = threading.RLock()
        self._store: Store | None = None
        self._cache: Cache | None = None

    @property
    def store(self) -> Store:
        """The store of the home, opened now if it was not."""
        with self._opening:
            if self._store is None:
                self._store = Store(self.settings.home)
            return self._store

    @property
    def cache(self) -> Cache:
        """The disk cache of the home."""
        with self._opening:
            if self._cache is None:
                self._cache = Cache(self.settings.home / "cache")
            return self._cache

    @cached_property
    def jobs(self) -> Jobs:
        """The job runner."""
        return Jobs(self.store, self.settings, kinds=KINDS)

    @cached_property
    def runs(self) -> Runs:
        """The runs of the home."""
        from unity_mlops_mcp.training.runs import Runs

        return Runs(self.settings, self.store, self.jobs)

    @cached_property
    def scheduler(self) -> Scheduler:
        """What fires the schedules of the home."""
        from unity_mlops_mcp.scheduling.scheduler import Scheduler
        from unity_mlops_mcp.scheduling.work import PipelineWork

        holder = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(4)}"
        return Scheduler(self.store, PipelineWork(self.jobs), holder=holder)

    @cached_property
    def deliverer(self) -> Deliverer:
        """What sends the notifications of the home."""
        from unity_mlops_mcp.scheduling.notifying.deliver import Deliverer

        return Deliverer(self.store, self.settings)

    def close(self) -> None:
        """Release the store and the cache; nothing that runs is stopped."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            if self._cache is not None:
                self._cache.close()
            self._store = self._cache = None

    def job(self, id: str) -> Job:  # noqa: A002 - a run's, a job's or a build's
        """The job of this id, or the latest one of the run or build of this id.

        Raises:
            NotFoundError: there is none of them.
        """
        row = self.store.runs.get(id)
        if row is not None and row.job is not None:
            return self.jobs.shown(row.job)
        build = self.store.builds.get(id) if row is None else None
        if build is not None and build.job_id is not None:
            return self.jobs.get(build.job_id)
        made = unity_job(id, self.store) if row is None else None
        if made is not None:
            return self.jobs.get(made.id)
        try:
            return self.jobs.get(id)
        except NotFoundError as error:
            newest = ", ".join(row.run_id for row in self.store.runs.page(limit=5).rows) or "none yet"
            raise NotFoundError(
                f"There is no run, job or build {id!r}.", fix=f"Newest runs: {newest}. Call list_runs to see all."
            ) from error

    def status(self, job: Job) -> Status:
        """Everything about a job, as every face shows it."""
        return job_status(job, now=utc_now(), home=self.settings.home, build=self._built(job))

    def _built(self, job: Job) -> PlayerBuild | None:
        """The player that a finished Unity build gave."""
        made = (job.result or {}).get("build_id") if job.kind == UNITY_KIND else None
        row = self.store.builds.get(made) if made else None
        return record_of(row, self.settings.home) if row else None

    def job_log(self, job: Job) -> Path:
        """Where a job's own log lies; for a Unity build, the Editor's."""
        if job.kind == UNITY_KIND:
            return self.settings.home / "builds" / job.subject / "editor.log"
        return self.settings.home / "artifacts" / job.id / "supervisor.log"
