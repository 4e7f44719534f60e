"""Trainings, and everything else that takes time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp.server.mcpserver import Context

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.interfaces.mcp.waiting import wait_with_progress
from unity_mlops_mcp.results.runs import ResumedRun, RunList, StartedRun, Status, StopResult, WaitResult

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class TrainingTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def start_training(
        self,
        *,
        build_id: a.BuildId = None,
        env_path: a.EnvPath = None,
        editor: a.Editor = False,
        algorithm: a.Algorithm = None,
        max_steps: a.MaxSteps = None,
        num_envs: a.NumEnvs = None,
        num_areas: a.NumAreas = None,
        time_scale: a.TimeScale = None,
        learning_rate: a.LearningRate = None,
        seed: a.Seed = None,
        trainer_mode: a.TrainerMode = "fast",
        trainer_config: a.TrainerConfig = None,
        initialize_from: a.InitializeFrom = None,
        run_id: a.NewRunId = None,
        force: a.Force = False,
        no_graphics: a.NoGraphics = None,
        width: a.Pixels = None,
        height: a.Pixels = None,
        env_args: a.EnvArgs = None,
        training_mode: a.TrainingMode = "online",
        offline_dataset_path: a.OfflineDataset = None,
        demonstration_signals: a.DemonstrationSignals = None,
        idempotency_key: a.IdempotencyKey = None,
    ) -> StartedRun:
        """Start a real training with ML-Agents' own trainer; it returns at once and goes on without this chat.

        Give exactly one of build_id, env_path, editor (offline: build_id or none); all else has sensible presets.
        Returns run_id and state; waiting_for says why it does not run yet. Next: wait_for(run_id), again and again
        until done, then get_metrics(run_id). Pass an idempotency_key when you might call twice.
        """
        return self._app().start_training(
            build_id=build_id,
            env_path=env_path,
            editor=editor,
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
            run_id=run_id,
            force=force,
            no_graphics=no_graphics,
            width=width,
            height=height,
            env_args=env_args,
            training_mode=training_mode,
            offline_dataset_path=offline_dataset_path,
            demonstration_signals=demonstration_signals,
            idempotency_key=idempotency_key,
        )

    async def wait_for(
        self,
        id: a.AnyId,  # noqa: A002
        context: Context[Any, Any],
        timeout_s: a.TimeoutS = 25,
        until: a.Until = None,
    ) -> WaitResult:
        """Wait until a run, job or build ends (or reaches `until`), at most timeout_s seconds, with progress.

        Returns the status either way; done says whether it came. When done is false, tell the user in a line how it
        stands and call again; the training goes on meanwhile, with or without you.
        """
        app = await anyio.to_thread.run_sync(self._app)
        return await wait_with_progress(app, context, id, timeout_s=timeout_s, until=until)

    def get_run(self, id: a.RunOrJobId) -> Status:  # noqa: A002
        """Everything about one run or job, now: state, progress, figures, files, the end of its log.

        When it failed, failure holds the cause, the evidence and the fix: tell the user and apply the fix.
        To wait for a change call wait_for(id) instead of calling this again and again.
        """
        return self._app().get_run(id)

    def list_runs(
        self,
        state: a.StateFilter = None,
        behavior: a.BehaviorFilter = None,
        asset: a.AssetFilter = None,
        limit: a.Limit = 20,
        cursor: a.Cursor = None,
    ) -> RunList:
        """List the trainings on this machine, newest first; call it first when the user asks about earlier work.

        Returns run_id, state, step, mean reward and success of each. More pages: pass next_cursor as cursor.
        Next: get_run(run_id) for one of them.
        """
        return self._app().list_runs(state=state, behavior=behavior, asset=asset, limit=limit, cursor=cursor)

    def stop_training(self, id: a.RunOrJobId) -> StopResult:  # noqa: A002
        """Stop a run or any other job; the checkpoint and the ONNX policy so far are kept.

        Returns at once with the state and the files that are there; the state becomes cancelled when the trainer has
        written its checkpoint: wait_for(id). It can go on later with resume_training(run_id).
        """
        return self._app().stop_training(id)

    def resume_training(self, run_id: a.RunId, extra_steps: a.ExtraSteps = None) -> ResumedRun:
        """Go on with a run that was stopped, failed or finished, from its last checkpoint, under the same run_id.

        For a finished run give extra_steps. Returns from_step and the new job. Next: wait_for(run_id).
        """
        return self._app().resume_training(run_id, extra_steps=extra_steps)
