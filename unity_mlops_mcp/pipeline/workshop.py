"""What a stage works with: the home, other jobs that it starts or finds started, and a way to say how it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.jobs.following import follow
from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.pipeline.results import Results
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.runs import Runs


class Workshop:
    """One attempt of one pipeline.

    Args:
        context: its job.
        jobs: the jobs of the home.
        kinds: the kinds that they know.
    """

    def __init__(self, context: JobContext, jobs: Jobs, kinds: Mapping[str, Kind]) -> None:
        self.context = context
        self.jobs = jobs
        self.kinds = kinds
        self.wanted = Wanted.model_validate(context.job.request)
        self.results = Results(context.settings.home / "artifacts" / context.job.id)

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.context.settings

    @property
    def store(self) -> Store:
        """The store of the home."""
        return self.context.store

    @cached_property
    def cache(self) -> Cache:
        """The disk cache of the home; closed by `close`."""
        return Cache(self.settings.home / "cache")

    @cached_property
    def runs(self) -> Runs:
        """The runs of the home."""
        return Runs(self.settings, self.store, self.jobs)

    def close(self) -> None:
        """Close what was opened."""
        if "cache" in self.__dict__:
            self.cache.close()

    def key(self, what: str) -> str:
        """The idempotency key under which a stage starts something once, whatever is killed meanwhile."""
        return f"pipeline:{self.context.job.id}:{what}"

    async def follow(self, job: Job, show: Callable[[Job], None]) -> Job:
        """Wait until another job has succeeded; it is stopped when the pipeline is.

        Args:
            job: what a stage started, or found started by an attempt that was cut off.
            show: is called with the job as it stands, twice a second.

        Raises:
            MlopsError: it failed, with its cause and fix; or somebody stopped it.
            StoppedError: the pipeline was asked to stop; the other job has ended, its results kept.
        """
        return await follow(self.context, self.jobs, job, show)

    def show(self, **fields: Any) -> None:
        """Say how the running stage stands; see `JobContext.progress`."""
        self.context.progress(**fields)
