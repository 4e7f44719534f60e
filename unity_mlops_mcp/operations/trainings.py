"""The operations that start, stop and resume trainings."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unity_mlops_mcp.inputs import exactly_one, words
from unity_mlops_mcp.jobs.records import FINAL_STATES, Job
from unity_mlops_mcp.operations.environments import Environments
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.runs import ResumedRun, StartedRun, StopResult

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec

Algorithm = Literal["ppo", "sac", "poca", "iql"]

STOP_PATIENCE_S = 5.0
"""How long a stop looks on, so that it can name the files; a slower trainer goes on stopping by itself."""


class Trainings:
    """Runs of the trainer, from their start to their end."""

    def __init__(self, parts: Parts, environments: Environments) -> None:
        self._parts = parts
        self._environments = environments

    def train(self, asset: UnityAssetSpec, training: RLTrainingConfig | None = None) -> StartedRun:
        """Build what an asset describes and train it as asked: both steps at once, for callers in Python.

        What the training request leaves out keeps the preset's value; ``list_runs(asset=...)`` finds the run by the
        asset's id, or its name where it has none.

        Raises:
            InvalidInputError: the description cannot be placed, or a setting cannot be used; nothing was started.
        """
        build = self._environments.build_asset(asset)
        return self.start_training(
            build_id=build.build_id,
            asset=asset.asset_id or asset.name or None,
            **(training.start_arguments() if training else {}),
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
        training_mode: Literal["online", "offline", "hybrid"] = "online",
        offline_dataset_path: str | None = None,
        demonstration_signals: str | None = None,
        idempotency_key: str | None = None,
        asset: str | None = None,
    ) -> StartedRun:
        """Accept a training and return at once; it goes on without the caller.

        Offline it clones a dataset and needs no player; hybrid it clones the dataset first and goes on with the player.

        Raises:
            InvalidInputError, NotFoundError: an argument cannot be used, or the dataset is absent, damaged or of
                another behaviour; nothing was started.
            ConflictError, SetupError: the run id is taken, or there is no trainer.
        """
        from unity_mlops_mcp.training.planning import Place, Wish
        from unity_mlops_mcp.training.runs import Naming

        place = Place(build_id, env_path, editor)
        if training_mode != "offline" or place != Place():
            exactly_one({"build_id": build_id, "env_path": env_path, "editor": editor or None})
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
            training_mode=training_mode,
            offline_dataset_path=offline_dataset_path,
            demonstration_signals=demonstration_signals,
        )
        naming = Naming(run_id, force=force, idempotency_key=idempotency_key, asset=asset)
        job = self._parts.runs.start(place, wish, naming, cache=self._parts.cache, called_in=Path.cwd())
        return StartedRun(**self._started(job))

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
        job = self._parts.jobs.request_stop(self._parts.job(id).id)
        end = time.monotonic() + STOP_PATIENCE_S
        while job.state not in FINAL_STATES and time.monotonic() < end:
            time.sleep(0.1)
            job = self._parts.jobs.get(job.id)
        status = self._parts.status(job)
        return StopResult(id=status.id, state=job.state, step=status.step, files=status.files, next=status.next)

    def resume_training(self, run_id: str, *, extra_steps: int | None = None) -> ResumedRun:
        """Go on with a stopped, failed or finished run from its checkpoint.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it still runs.
            InvalidInputError: nothing is left to do, or there is no checkpoint.
        """
        job = self._parts.runs.resume(run_id, extra_steps=extra_steps)
        return ResumedRun(**self._started(job), from_step=int(job.request.get("from_step") or 0))
