"""What one can ask for: the operations behind every face, over one store."""

from __future__ import annotations

import json
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import exactly_one, page_of_tags, until_reached, validated, words
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import FINAL_STATES, Job
from unity_mlops_mcp.kinds import KINDS
from unity_mlops_mcp.results import (
    BuildResult,
    MetricsResult,
    ResumedRun,
    RunList,
    SetupCheck,
    SetupReport,
    StartedRun,
    State,
    Status,
    StopResult,
    WaitResult,
    WordMeaning,
)
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.log import last_lines
from unity_mlops_mcp.views import job_status, next_step, run_row, shapes

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import PlayerBuild, ProbeResult
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.planner import Plan
    from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec
    from unity_mlops_mcp.training.planning import Player
    from unity_mlops_mcp.training.runs import Runs

Algorithm = Literal["ppo", "sac", "poca"]

STOP_PATIENCE_S = 5.0
"""How long a stop looks on, so that it can name the files; a slower trainer goes on stopping by itself."""


class App:
    """The operations; plain methods are short and may be called from any thread, ``wait_for`` is awaited.

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

    def close(self) -> None:
        """Release the store and the cache; nothing that runs is stopped."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            if self._cache is not None:
                self._cache.close()
            self._store = self._cache = None

    def tend(self) -> None:
        """Recover what died and start what is queued; every living process calls it every few seconds."""
        self.jobs.tend()
        for run_id in self.store.runs.astray():
            self.runs.reclaim(run_id)

    # ------------------------------------------------------------------------------------------------ this machine
    def check_setup(self, *, fix: bool = False) -> SetupReport:
        """Look at everything this machine needs, and with ``fix`` mend what can be mended, as a job."""
        from unity_mlops_mcp.training.doctor import doctor, fixable, needs_repair

        checks = doctor(self.settings, self.cache)
        ok = all(check.status != "fail" for check in checks)
        job = self.install_trainer(repair=needs_repair(checks)) if fix and fixable(checks) else None
        if job:
            following = f"Call wait_for({job.id!r}): the trainer is being installed."
        else:
            following = (
                "Call build_environment with a description."
                if ok
                else "Apply the fixes, or call check_setup(fix=true)."
            )
        listed = [SetupCheck(**check.model_dump()) for check in checks]
        return SetupReport(ok=ok, checks=listed, job_id=job.id if job else None, next=following)

    def install_trainer(
        self, *, python: str | None = None, torch_index: str | None = None, repair: bool = False
    ) -> Status:
        """Start the job that makes, completes or repairs the managed trainer; a second call joins the first."""
        running = [job.subject for job in self.jobs.open() if job.kind == "training" and job.state != "queued"]
        if repair and running:
            raise ConflictError(
                f"The trainer is in use by {', '.join(running)}; making it anew would break them.",
                fix="Wait for them, or stop them with stop_training, then call again.",
                cause="trainer_in_use",
            )
        newest = self.jobs.page(kind="install_trainer", limit=1).rows
        request = {"python": python, "torch_index": torch_index, "repair": repair}
        if newest and not newest[0].done:
            return self._status(newest[0])
        return self._status(self.jobs.submit("install_trainer", request, subject="trainer"))

    def probe(self, player: str, *, steps: int = 200, timeout_s: float = 60) -> ProbeResult:
        """Connect to any player under an allowed root: what it is, how fast, and what would go wrong."""
        from unity_mlops_mcp.builds.probe import probe

        return probe(self.settings.allowed_path(player, what="player"), steps=steps, timeout_s=timeout_s)

    # ------------------------------------------------------------------------------------------------ environments
    def build_environment(
        self,
        *,
        description: str | None = None,
        observation_space: str | None = None,
        action_space: str | None = None,
        spec_id: str | None = None,
        spec: str | None = None,
        name: str | None = None,
        target: Literal["sandbox"] = "sandbox",
        idempotency_key: str | None = None,
    ) -> BuildResult:
        """Make a player from a sentence, a spec or a spec's id.

        Raises:
            InvalidInputError: not exactly one of them was given, or it cannot be used.
        """
        given = {"description": description, "spec_id": spec_id, "spec": spec}
        exactly_one(given)
        if description is None and (observation_space or action_space):
            raise InvalidInputError(
                "observation_space and action_space go with a description.", fix="Leave them out: a spec has its own."
            )
        plan = self._plan(description, observation_space, action_space, name) if description is not None else None
        return self._make(plan, self._saved_spec(plan, spec_id, spec), target, idempotency_key)

    def _make(self, plan: Plan | None, saved: SavedSpec, target: str, idempotency_key: str | None) -> BuildResult:
        request = {"spec_id": saved.spec_id, "target": target}
        job = self.jobs.run_inline(KINDS["build"], request, subject=saved.spec_id, idempotency_key=idempotency_key)
        return self._build_result(job, plan)

    def _plan(
        self, description: str, observation_space: str | None, action_space: str | None, name: str | None
    ) -> Plan:
        from unity_mlops_mcp.spec.planner import plan
        from unity_mlops_mcp.spec.requests import UnityAssetSpec
        from unity_mlops_mcp.spec.yaml_text import read_mapping

        asked: dict[str, Any] = {"description": description, "name": name or ""}
        for key, text in (("observation_space", observation_space), ("action_space", action_space)):
            if text:
                asked[key] = dict(read_mapping(text, what=key))
        return plan(validated(UnityAssetSpec, asked))

    def _saved_spec(self, plan: Plan | None, spec_id: str | None, spec: str | None) -> SavedSpec:
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.spec.library import load_spec, save_spec

        home = self.store.home
        if plan is not None:
            return save_spec(home, plan.spec, archetype=plan.archetype, training=plan.training)
        if spec_id is not None:
            return load_spec(home, spec_id)
        return save_spec(home, EnvironmentSpec.from_text(spec or ""), archetype=None, training=None)

    def _build_result(self, job: Job, plan: Plan | None) -> BuildResult:
        if job.failure is not None:
            raise ExternalError(job.failure.message, fix=job.failure.fix, cause=job.failure.cause)
        if job.result is None:
            raise ConflictError(f"Build {job.id} is {job.state}.", fix=f"Call wait_for({job.id!r}), then this again.")
        build = self._build(job.result["build_id"])
        cached = job.result["cached"] or job.request["spec_id"] != build.spec_id
        return BuildResult(
            build_id=build.build_id,
            job_id=job.id,
            state=job.state,
            spec_id=build.spec_id,
            archetype=build.archetype,
            assumptions=list(plan.assumptions) if plan else [],
            words=[WordMeaning(text=word.text, meaning=word.meaning) for word in plan.words] if plan else [],
            player_path=str(build.folder),
            cached=cached,
            behaviors=shapes(build),
            next=f"Call start_training(build_id={build.build_id!r}).",
        )

    def _build(self, build_id: str) -> PlayerBuild:
        from unity_mlops_mcp.builds.sandbox import load_build

        return load_build(build_id, settings=self.settings, store=self.store)

    # ------------------------------------------------------------------------------------------------------ runs
    def train(self, asset: UnityAssetSpec, training: RLTrainingConfig | None = None) -> StartedRun:
        """Build what an asset describes and train it as asked: both steps at once, for callers in Python.

        What the training request leaves out keeps the preset's value; ``list_runs(asset=...)`` finds the run by the
        asset's id, or its name where it has none.

        Raises:
            InvalidInputError: the description cannot be placed, or a setting cannot be used; nothing was started.
        """
        from unity_mlops_mcp.spec.planner import plan

        planned = plan(asset)
        build = self._make(planned, self._saved_spec(planned, None, None), "sandbox", None)
        settings = training.behavior_settings() if training else {}
        return self.start_training(
            build_id=build.build_id,
            trainer_config=json.dumps(settings) if settings else None,
            asset=asset.asset_id or asset.name or None,
            **(training.run_settings() if training else {}),
        )

    def start_training(
        self,
        *,
        build_id: str | None = None,
        env_path: str | None = None,
        editor: bool = False,
        algorithm: Algorithm | None = None,
        max_steps: int | None = None,
        num_envs: int | None = None,
        num_areas: int | None = None,
        time_scale: float | None = None,
        learning_rate: float | None = None,
        seed: int | None = None,
        trainer_mode: Literal["fast", "compat"] = "fast",
        trainer_config: str | None = None,
        initialize_from: str | None = None,
        run_id: str | None = None,
        force: bool = False,
        no_graphics: bool | None = None,
        width: int | None = None,
        height: int | None = None,
        env_args: str | None = None,
        idempotency_key: str | None = None,
        asset: str | None = None,
    ) -> StartedRun:
        """Accept a training and return at once; it goes on without the caller.

        Raises:
            InvalidInputError, NotFoundError: an argument cannot be used; nothing was started.
            ConflictError, SetupError: the run id is taken, or there is no trainer.
        """
        from unity_mlops_mcp.training.planning import Wish
        from unity_mlops_mcp.training.runs import Naming
        from unity_mlops_mcp.training.trainer.environment import find_trainer

        exactly_one({"build_id": build_id, "env_path": env_path, "editor": editor or None})
        player = self._player(build_id, env_path)
        trainer = find_trainer(self.settings, self.cache)
        wish = Wish(
            algorithm=algorithm,
            max_steps=max_steps,
            num_envs=num_envs,
            num_areas=num_areas,
            time_scale=time_scale,
            learning_rate=learning_rate,
            seed=seed,
            trainer_mode=trainer_mode,
            trainer_config=trainer_config,
            initialize_from=initialize_from,
            no_graphics=no_graphics,
            width=width,
            height=height,
            env_args=words(env_args),
        )
        job = self.runs.start(
            player,
            trainer,
            wish,
            Naming(run_id, force=force, idempotency_key=idempotency_key),
            asset=asset or (player.behaviors[0] if player.behaviors else None),
            revision=self._revision(player, trainer_config),
        )
        return StartedRun(**self._started(job))

    def _player(self, build_id: str | None, env_path: str | None) -> Player:
        from unity_mlops_mcp.spec.library import load_spec
        from unity_mlops_mcp.training.planning import Player
        from unity_mlops_mcp.training.runs import executable_under_roots

        if build_id is not None:
            build = self._build(build_id)
            saved = load_spec(self.store.home, str(build.spec_id))
            return Player("sandbox", build=build, preset=saved.training, areas=saved.areas)
        if env_path is not None:
            return Player("executable", env_path=executable_under_roots(self.settings, env_path))
        return Player("editor")

    def _revision(self, player: Player, trainer_config: str | None) -> str | None:
        from unity_mlops_mcp.training.planning import trainer_config_file
        from unity_mlops_mcp.training.revision import git_revision

        file = player.env_path or trainer_config_file(self.settings, trainer_config)
        return git_revision(file.parent if file else Path.cwd())

    def _started(self, job: Job) -> dict[str, Any]:
        return {
            "run_id": job.subject,
            "job_id": job.id,
            "state": job.state,
            "queue_position": job.queue_position,
            "waiting_for": job.waiting_for,
            "notes": list(job.request.get("notes", ())),
            "next": f"Call wait_for({job.subject!r}) until done is true, then get_metrics({job.subject!r}).",
        }

    def stop_training(self, id: str) -> StopResult:  # noqa: A002 - the name in the public contract
        """Stop a run, or any job: a trainer saves its checkpoint and exports its policy first.

        Raises:
            NotFoundError: there is no such run or job.
        """
        job = self.jobs.request_stop(self._job(id).id)
        end = time.monotonic() + STOP_PATIENCE_S
        while job.state not in FINAL_STATES and time.monotonic() < end:
            time.sleep(0.1)
            job = self.jobs.get(job.id)
        status = self._status(job)
        return StopResult(id=status.id, state=job.state, step=status.step, files=status.files, next=status.next)

    def resume_training(self, run_id: str, *, extra_steps: int | None = None) -> ResumedRun:
        """Go on with a stopped, failed or finished run from its checkpoint.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it still runs.
            InvalidInputError: nothing is left to do, or there is no checkpoint.
        """
        job = self.runs.resume(run_id, extra_steps=extra_steps)
        return ResumedRun(**self._started(job), from_step=int(job.request.get("from_step") or 0))

    def list_runs(
        self,
        *,
        state: State | None = None,
        behavior: str | None = None,
        asset: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> RunList:
        """Runs, newest first."""
        page = self.store.runs.page(limit=limit, cursor=cursor, state=state, behavior=behavior, asset=asset)
        now = utc_now()
        return RunList(runs=[run_row(row, now=now) for row in page.rows], next_cursor=page.next_cursor)

    def get_run(self, id: str) -> Status:  # noqa: A002 - the name in the public contract
        """Everything about one run, job or build.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self._status(self._job(id))

    async def wait_for(self, id: str, *, timeout_s: float = 25, until: str | None = None) -> WaitResult:  # noqa: A002
        """Wait until it ends, or comes to a state or a mean reward; gives the status either way.

        Raises:
            NotFoundError: there is none of that id.
            InvalidInputError: ``until`` is neither a state nor a number.
        """
        import anyio.to_thread

        reached = until_reached(until)
        job = await anyio.to_thread.run_sync(self._job, id)
        job = await self.jobs.wait(
            job.id, timeout_s=timeout_s, until=lambda job: job.state in FINAL_STATES or reached(job)
        )
        status = await anyio.to_thread.run_sync(self._status, job)
        return WaitResult(**status.model_dump(), done=job.state in FINAL_STATES or reached(job))

    def get_metrics(
        self, run_id: str, *, tags: str | None = None, max_points: int = 100, cursor: str | None = None
    ) -> MetricsResult:
        """A run's figures: the summary, and thinned series of the tags asked for.

        Raises:
            NotFoundError: there is no such run, or no such tag.
        """
        from unity_mlops_mcp.metrics.reader import reader_for
        from unity_mlops_mcp.metrics.summary import summarize

        row = self.runs.row(run_id)
        reader = reader_for(self.runs.folder(run_id).path)
        reader.poll()
        behavior = row.behavior_name if row.behavior_name in reader.behaviors else None
        summary = summarize(reader, max_steps=row.max_steps, now=utc_now().timestamp(), behavior=behavior)
        available = reader.tags_of(behavior)
        wanted, next_cursor = page_of_tags(available, tags, cursor, max_points=max_points)
        job = self._job(run_id)
        return MetricsResult(
            run_id=run_id,
            state=job.state,
            summary=summary,
            series=[reader.series(tag, behavior=behavior, max_points=max_points) for tag in wanted],
            available_tags=list(available),
            next_cursor=next_cursor,
            problems=[f"{problem.file} at byte {problem.offset}: {problem.message}" for problem in summary.problems],
            next=next_step(job.state, run_id),
        )

    def read_log(self, id: str, *, tail: int = 200) -> str:  # noqa: A002 - the name in the public contract
        """The last lines of a run's trainer log, or of a job's own log.

        Raises:
            NotFoundError: there is none of that id.
        """
        job = self._job(id)
        log = self.runs.folder(job.subject).log if job.kind == "training" else self._job_log(job)
        return "\n".join(last_lines(log, tail))

    # ---------------------------------------------------------------------------------------------------- inside
    def _job(self, id: str) -> Job:  # noqa: A002 - a run's, a job's or a build's
        row = self.store.runs.get(id)
        if row is not None and row.job_id is not None:
            return self.jobs.get(row.job_id)
        build = self.store.builds.get(id) if row is None else None
        if build is not None and build.job_id is not None:
            return self.jobs.get(build.job_id)
        try:
            return self.jobs.get(id)
        except NotFoundError as error:
            newest = ", ".join(row.run_id for row in self.store.runs.page(limit=5).rows) or "none yet"
            raise NotFoundError(
                f"There is no run, job or build {id!r}.", fix=f"Newest runs: {newest}. Call list_runs to see all."
            ) from error

    def _status(self, job: Job) -> Status:
        return job_status(job, now=utc_now(), home=self.settings.home)

    def _job_log(self, job: Job) -> Path:
        return self.settings.home / "artifacts" / job.id / "supervisor.log"
