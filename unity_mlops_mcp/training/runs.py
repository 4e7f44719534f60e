"""Runs as the store keeps them: started, resumed, replaced, found."""

from __future__ import annotations

import copy
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import FINAL_STATES, Job
from unity_mlops_mcp.process.files import FileLock, replace
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import RunRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.cloning import demonstration_of
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.offline import FROM_REWARDS, learning_from, rewards_algorithm, with_demonstration
from unity_mlops_mcp.training.planning import Place, Player, Wish, plan_training, trainer_config_file
from unity_mlops_mcp.training.player import player_for
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.request import TrainingRequest
from unity_mlops_mcp.training.revision import git_revision
from unity_mlops_mcp.training.trainer.environment import Cache, find_trainer
from unity_mlops_mcp.training.trainer.offline_rl import find_offline_rl

if TYPE_CHECKING:
    from unity_mlops_mcp.metrics.reader import RunReader
    from unity_mlops_mcp.metrics.records import MetricsSummary

KIND = "training"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Naming:
    """How a run is named and kept apart from others, and what it is made for.

    Attributes:
        run_id: its id; made where None.
        force: whether a finished run of this id is replaced.
        idempotency_key: the same key gives the same run again.
        asset: whose run it is; the first behaviour's name where None.
        firing_id: the firing of a schedule that it belongs to.
    """

    run_id: str | None = None
    force: bool = False
    idempotency_key: str | None = None
    asset: str | None = None
    firing_id: str | None = None


class RunFigures(NamedTuple):
    """The run; the reader of its event files, polled; its behaviour, None for the reader's own; the summary of that."""

    row: RunRow
    reader: RunReader
    behavior: str | None
    summary: MetricsSummary


class Runs:
    """All runs of a home.

    Args:
        settings: name the home.
        store: keeps them.
        jobs: trains them.
        rng: gives ids and seeds.
    """

    def __init__(self, settings: Settings, store: Store, jobs: Jobs, *, rng: random.Random | None = None) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._rng = rng or random.SystemRandom()

    def folder(self, run_id: str) -> RunFolder:
        """Where a run's files lie."""
        return RunFolder(self._settings.home / "runs" / run_id)

    def row(self, run_id: str) -> RunRow:
        """The run of this id.

        Raises:
            NotFoundError: there is none; the fix names the newest ones.
        """
        row = self._store.runs.get(run_id)
        if row is None:
            newest = ", ".join(row.run_id for row in self._store.runs.page(limit=5).rows) or "none yet"
            raise NotFoundError(f"There is no run {run_id!r}.", fix=f"Newest runs: {newest}. list_runs shows all.")
        return row

    def figures(self, run_id: str) -> RunFigures:
        """What the run's event files say by now.

        Raises:
            NotFoundError: there is no such run.
        """
        from unity_mlops_mcp.metrics.reader import reader_for
        from unity_mlops_mcp.metrics.summary import summarize

        row, reader = self.row(run_id), reader_for(self.folder(run_id).path)
        reader.poll()
        behavior = row.behavior_name if row.behavior_name in reader.behaviors else None
        summary = summarize(reader, max_steps=row.max_steps, now=utc_now().timestamp(), behavior=behavior)
        return RunFigures(row, reader, behavior, summary)

    def start(
        self,
        place: Place,
        wish: Wish,
        naming: Naming,
        *,
        cache: Cache,
        called_in: Path | None = None,
        revision: str | None = None,
    ) -> Job:
        """Accept a training, which goes on without the caller.

        Args:
            place: what is trained on.
            wish: how.
            naming: how the run is named, and what it is made for.
            cache: keeps what was found out of trainers.
            called_in: the folder whose git revision is recorded where no project, player or trainer YAML has one.
            revision: a git revision that is known already.

        Raises:
            InvalidInputError, NotFoundError: something asked for cannot be used, or the dataset is absent, damaged or
                of another behaviour; nothing was started.
            ConflictError, SetupError: the run id is taken, or there is no trainer.
        """
        player = Player("none")
        if place != Place():
            player = player_for(self._settings, self._store, build_id=place.build_id, env_path=place.env_path)
        player = learning_from(self._settings, player, wish)
        if wish.algorithm in FROM_REWARDS:
            trainer = find_offline_rl(self._settings)
        else:
            trainer = find_trainer(self._settings, cache)
        revision = revision or self._revision(player, wish, called_in)
        return self._start(player, trainer, wish, naming, revision=revision)

    def _revision(self, player: Player, wish: Wish, called_in: Path | None) -> str | None:
        if player.build and player.build.facts and player.build.facts.project:
            return git_revision(Path(player.build.facts.project))
        file = player.env_path or trainer_config_file(self._settings, wish.trainer_config)
        folder = file.parent if file else called_in
        return git_revision(folder) if folder else None

    def _start(self, player: Player, trainer: Trainer, wish: Wish, naming: Naming, *, revision: str | None) -> Job:
        known = self._known(naming.idempotency_key)
        if known is not None:
            return self._ensure_job(known)
        if naming.run_id is not None:
            self._check_run_id(naming.run_id)
        if wish.initialize_from is not None:
            self._check_source(wish.initialize_from)
        run_id = naming.run_id or self._new_run_id(player)
        wish, from_rewards = rewards_algorithm(wish)
        request = plan_training(self._settings, player, trainer, wish, run_id=run_id, rng=self._rng)
        demonstration = demonstration_of(self.folder(run_id).path)
        request = with_demonstration(request, wish.demonstration_signals, demonstration)
        notes = (f"learns by {from_rewards} (d3rlpy) from the dataset's rewards",) if from_rewards else ()
        request = request.model_copy(
            update={
                "revision": revision,
                "rewards_algorithm": from_rewards,
                "notes": (*request.notes, *notes),
                "firing_id": naming.firing_id,
            }
        )
        with self._alone():
            return self._accept(request, player, naming)

    def _alone(self) -> FileLock:
        """Held from the look at a run to the writing of its job: two processes must not both replace or resume it."""
        return FileLock(self._store.locks / "runs.lock")

    def _accept(self, request: TrainingRequest, player: Player, naming: Naming) -> Job:
        run_id = request.run_id
        known = self._known(naming.idempotency_key)
        if known is not None:
            return self._ensure_job(known)
        if self._store.runs.get(run_id) is not None:
            return self._replace(run_id, request, force=naming.force)
        self._clear_folder(run_id, force=naming.force)
        row = self._store.runs.add(self._as_row(request, player, naming))
        if row is None:
            raise _taken(run_id)
        return self._ensure_job(row)

    def resume(self, run_id: str, *, extra_steps: int | None) -> Job:
        """Go on from a run's checkpoint, with more steps if asked.

        Raises:
            ConflictError: it is still going on.
            InvalidInputError: it has reached its last step, or has no checkpoint.
        """
        with self._alone():
            return self._resume(self.row(run_id), extra_steps)

    def _resume(self, row: RunRow, extra_steps: int | None) -> Job:
        run_id = row.run_id
        before = self._final_job(row)
        step = self.folder(run_id).checkpoint_step()
        if step is None:
            raise InvalidInputError(
                f"Run {run_id} has no checkpoint to go on from.",
                fix=f"Start it again with start_training(run_id={run_id!r}, force=true).",
                cause="no_checkpoint",
            )
        request = TrainingRequest.model_validate(row.configuration)
        max_steps = max(request.max_steps, step) + extra_steps if extra_steps else request.max_steps
        if step >= max_steps:
            raise InvalidInputError(
                f"Run {run_id} has reached step {step}, its last.",
                fix=f"Call resume_training({run_id!r}, extra_steps=...) with the steps to add.",
                cause="already_reached",
            )
        changed = request.model_copy(
            update={
                "resume": True,
                "from_step": step,
                "max_steps": max_steps,
                "configuration": _with_max_steps(request.configuration, max_steps),
            }
        )
        return self._submit(changed, key=f"resume:{run_id}:{before.id if before else ''}")

    def reclaim(self, run_id: str) -> None:
        """Give a run its job again where the process that started or resumed it died between two writes."""
        row = self.row(run_id)
        newest = self._jobs.page(kind=KIND, subject=run_id, limit=1).rows
        if not newest:
            self._ensure_job(row)
        elif newest[0].id != row.job_id:
            self._attach(newest[0])

    def _final_job(self, row: RunRow) -> Job | None:
        """The run's latest job, which must have ended."""
        if row.job_id is None:
            return None
        job = self._jobs.get(row.job_id)
        if job.state not in FINAL_STATES:
            raise ConflictError(
                f"Run {row.run_id} is {job.state}.",
                fix=f"Wait for it with wait_for({row.run_id!r}), or stop it with stop_training({row.run_id!r}).",
                cause="still_running",
            )
        return job

    def _replace(self, run_id: str, request: TrainingRequest, *, force: bool) -> Job:
        """Start a run id that is there already; what it replaces is moved, never deleted."""
        before = self._final_job(self.row(run_id))
        if not force:
            raise _taken(run_id)
        self._clear_folder(run_id, force=force)
        return self._submit(request, key=f"force:{run_id}:{before.id if before else ''}")

    def _clear_folder(self, run_id: str, *, force: bool) -> None:
        """Move what lies in the run's folder out of the way; without force it must not exist."""
        folder = self.folder(run_id).path
        if not folder.exists():
            return
        if not force:
            raise _taken(run_id)
        kept = self._settings.home / ".replaced"
        kept.mkdir(exist_ok=True)
        replace(folder, kept / new_id(run_id, now=utc_now(), rng=self._rng))

    def _ensure_job(self, row: RunRow) -> Job:
        """The run's job; submitted now where a process died between writing the run and submitting its job."""
        if row.job_id is not None:
            return self._jobs.get(row.job_id)
        return self._submit(TrainingRequest.model_validate(row.configuration), key=f"run:{row.run_id}")

    def _submit(self, request: TrainingRequest, *, key: str) -> Job:
        data = request.model_dump(mode="json")
        job = self._jobs.submit(KIND, data, subject=request.run_id, after=request.after, idempotency_key=key)
        self._attach(job)
        return job

    def _attach(self, job: Job) -> None:
        """Make it the run's latest job, whose request is the run's."""
        steps = int(job.request["max_steps"])
        self._store.runs.attach_job(job.subject, job.id, max_steps=steps, configuration=dict(job.request))

    def _known(self, idempotency_key: str | None) -> RunRow | None:
        return self._store.runs.by_key(idempotency_key) if idempotency_key is not None else None

    def _as_row(self, request: TrainingRequest, player: Player, naming: Naming) -> RunRow:
        build = player.build
        return RunRow(
            run_id=request.run_id,
            behavior_name=request.behavior_name or "",
            archetype=build.archetype if build else None,
            max_steps=request.max_steps,
            configuration=request.model_dump(mode="json"),
            created_at=utc_now(),
            asset=naming.asset or next(iter(player.behaviors), None),
            build_id=request.build_id,
            spec_id=build.spec_id if build else None,
            idempotency_key=naming.idempotency_key,
        )

    def _new_run_id(self, player: Player) -> str:
        unnamed = player.env_path.stem if player.env_path else (player.build_id or "editor")
        name = player.behaviors[0] if player.behaviors else unnamed
        return new_id(re.sub(r"[^A-Za-z0-9]+", "", name)[:24] or "run", now=utc_now(), rng=self._rng)

    def _check_run_id(self, run_id: str) -> None:
        if not _RUN_ID.fullmatch(run_id):
            raise InvalidInputError(
                f"The run id {run_id!r} cannot be a folder's name on every system.",
                fix="Use 1 to 64 letters, digits, dashes and underscores, the first a letter or digit.",
            )

    def _check_source(self, run_id: str) -> None:
        if self.row(run_id).configuration.get("rewards_algorithm"):
            raise InvalidInputError(
                f"Run {run_id} learned by d3rlpy, whose checkpoint no ML-Agents training can begin with.",
                fix="Begin with a run that cloned (training_mode='offline' without algorithm), or train hybrid.",
                cause="no_checkpoint",
            )
        if self.folder(run_id).checkpoint_step() is None:
            raise InvalidInputError(
                f"Run {run_id} has no checkpoint to initialise from.",
                fix="Name a run that has trained.",
                cause="no_checkpoint",
            )


def _taken(run_id: str) -> ConflictError:
    return ConflictError(
        f"There is a run {run_id!r} already.",
        fix=f"Go on with it by resume_training({run_id!r}), leave run_id out, or pass force=true: the old files are "
        "moved to .replaced/.",
        cause="run_exists",
    )


def _with_max_steps(configuration: dict[str, Any], max_steps: int) -> dict[str, Any]:
    """The trainer YAML with another last step for every behaviour."""
    changed = copy.deepcopy(configuration)
    for body in (*changed.get("behaviors", {}).values(), changed.get("default_settings")):
        if body is not None:
            body["max_steps"] = max_steps
    return changed
