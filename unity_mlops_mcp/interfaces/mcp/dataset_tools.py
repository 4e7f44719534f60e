"""Recorded experience."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.datasets import DatasetReport, StartedRecording

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class DatasetTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def record_demonstrations(
        self,
        *,
        build_id: a.PlayOnBuild = None,
        env_path: a.PlayOnPlayer = None,
        episodes: a.RecordedEpisodes = 50,
        policy: a.RecordedPolicy = None,
        seed: a.EvaluationSeed = 1,
        noise: a.ActionNoise = 0.0,
        idempotency_key: a.IdempotencyKey = None,
    ) -> StartedRecording:
        """Record episodes of a policy, or of a scripted expert, as a .demo file that ML-Agents reads.

        Give build_id or env_path. Experts master what is reached, patrolled, followed or balanced; for all else name a
        policy. Returns job_id and the path at once. Next: wait_for(job_id), then
        start_training(training_mode='offline', offline_dataset_path=path).
        """
        return self._app().record_demonstrations(
            build_id=build_id,
            env_path=env_path,
            episodes=episodes,
            policy=policy,
            seed=seed,
            noise=noise,
            idempotency_key=idempotency_key,
        )

    def inspect_dataset(self, path: a.DatasetPath, build_id: a.FittedBuild = None) -> DatasetReport:
        """Say what is in recorded experience (.demo files of ML-Agents, or .jsonl transitions) before training on it.

        Returns episodes, shapes, returns, what was seen and done, NaN, copies, and with build_id whether it fits. Each
        finding says how to mend it. Next:
        start_training(training_mode='offline', offline_dataset_path=path).
        """
        return self._app().inspect_dataset(path, build_id=build_id)
