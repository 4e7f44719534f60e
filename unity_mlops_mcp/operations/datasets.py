"""The operations on recorded experience."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.inputs import exactly_one, validated
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.policies import Policies
from unity_mlops_mcp.results.datasets import DatasetFault, DatasetReport, StartedRecording
from unity_mlops_mcp.store.ids import new_id, utc_now

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import PlayerBuild
    from unity_mlops_mcp.evaluation.records import PolicyUsed
    from unity_mlops_mcp.training.datasets.inspecting import Contents
    from unity_mlops_mcp.training.datasets.records import Dataset

EXPERT = "expert"
_FILES_SHOWN = 20
_AREAS = 16


class Datasets:
    """Demonstrations and transitions, on disk."""

    def __init__(self, parts: Parts, policies: Policies) -> None:
        self._parts = parts
        self._policies = policies

    def inspect_dataset(self, path: str, *, build_id: str | None = None) -> DatasetReport:
        """Say what is in a dataset, and whether it fits a build's behaviour.

        Args:
            path: a .demo or .jsonl file, a folder of them, or several files separated by commas.
            build_id: what it is to be used for.

        Raises:
            InvalidInputError: it is no dataset, or lies under no allowed root.
            NotFoundError: there is no such build.
        """
        from unity_mlops_mcp.training.datasets.inspecting import inspect
        from unity_mlops_mcp.training.datasets.reading import read_dataset

        misfit = None
        dataset = read_dataset(self._parts.settings, path)
        if build_id is not None:
            misfit = self._misfit(dataset, build_id)
        return _report(path, dataset, inspect(dataset), build_id, misfit)

    def _misfit(self, dataset: Dataset, build_id: str) -> DatasetFault | None:
        """Why a dataset does not fit a build; None where it does."""
        from unity_mlops_mcp.builds.library import load_build
        from unity_mlops_mcp.training.datasets.fitting import require_fit

        build = load_build(build_id, settings=self._parts.settings, store=self._parts.store)
        try:
            require_fit(dataset, build.behaviors)
        except InvalidInputError as error:
            return DatasetFault(severity="error", what=error.message, fix=error.fix)
        return None

    def record_demonstrations(
        self,
        *,
        build_id: str | None = None,
        env_path: str | None = None,
        episodes: int = 50,
        policy: str | None = None,
        seed: int = 1,
        noise: float = 0.0,
        idempotency_key: str | None = None,
    ) -> StartedRecording:
        """Let a policy or a scripted expert play, as a job, and keep its episodes as a .demo file.

        Args:
            build_id: what is played on.
            env_path: a player of the user's own, instead.
            episodes: how many, of one agent each.
            policy: a run id, a registered model or an .onnx file; ``expert``, or nothing, is the scripted expert.
            seed: of the player and of the policy's noise; the same one gives the same file.
            noise: standard deviation of what disturbs continuous actions on their way; the file keeps what was meant,
                and clones of it come back from their own mistakes.
            idempotency_key: the same key again gives the recording there is.

        Raises:
            InvalidInputError: there is no expert for this environment, or the policy does not fit; nothing was started.
            NotFoundError: there is no such build or policy.
        """
        from unity_mlops_mcp.evaluation.demonstrating import KIND, RecordingRequest
        from unity_mlops_mcp.training.player import executable_under_roots

        exactly_one({"build_id": build_id, "env_path": env_path})
        settings = self._parts.settings
        build = self._build(build_id)
        scripted = policy in (None, EXPERT)
        used = () if scripted else self._used(str(policy), build)
        behavior = _expert_behavior(build) if scripted else used[0].behavior
        given = {
            "behavior": behavior,
            "policies": used,
            "build_id": build.build_id if build else None,
            "env_path": None if env_path is None else str(executable_under_roots(settings, env_path)),
            "episodes": episodes,
            "seed": seed,
            "noise": noise,
            "areas": min(_AREAS, max(1, episodes)) if build is not None and build.player is None else 1,
            "name": new_id(_letters(behavior), now=utc_now(), rng=random.SystemRandom()),
        }
        request = validated(RecordingRequest, given)
        job = self._parts.jobs.submit(
            KIND, request.model_dump(mode="json"), subject=behavior, idempotency_key=idempotency_key
        )
        return _recording(job, settings.home)

    def _build(self, build_id: str | None) -> PlayerBuild | None:
        from unity_mlops_mcp.builds.library import load_build

        if build_id is None:
            return None
        return load_build(build_id, settings=self._parts.settings, store=self._parts.store)

    def _used(self, policy: str, build: PlayerBuild | None) -> tuple[PolicyUsed, ...]:
        """The policies that a text means: a file's, a run's, or a registered model's."""
        from unity_mlops_mcp.evaluation.fitting import behavior_for, fitting

        if policy.lower().endswith(".onnx"):
            sources = self._policies.chosen(onnx_path=policy).sources
        elif self._parts.store.runs.get(policy) is not None:
            sources = self._policies.chosen(run_id=policy).sources
        else:
            sources = self._policies.chosen(model=policy).sources
        alone = len(sources) == 1
        return tuple(fitting(one.path, behavior_for(one.behavior, build, alone=alone), build) for one in sources)


def _expert_behavior(build: PlayerBuild | None) -> str:
    """The behaviour that a scripted expert plays on a build.

    Raises:
        InvalidInputError: none of ours masters it.
    """
    from unity_mlops_mcp.evaluation.experts import expert_for
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

    file = build.folder / "spec.json" if build else None
    if file is None or not file.is_file():
        raise InvalidInputError(
            "A scripted expert plays builds that were made from a spec.",
            fix="Name a policy: a run_id, a registered model, or an .onnx file.",
            cause="no_expert",
        )
    return expert_for(EnvironmentSpec.from_text(file.read_text("utf-8"))).spec.behavior_name


def _letters(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "", name)[:24] or "demonstration"


def _recording(job: Job, home: Path) -> StartedRecording:
    from unity_mlops_mcp.evaluation.demonstrating import RecordingRequest

    request = RecordingRequest.model_validate(job.request)
    path, told = request.path(home), job.result or {}
    return StartedRecording(
        job_id=job.id,
        state=job.state,
        path=str(path),
        behavior_name=request.behavior,
        episodes=request.episodes,
        played_by=request.policies[0].path if request.policies else EXPERT,
        mean_return=told.get("mean_return"),
        success=told.get("success"),
        waiting_for=job.waiting_for,
        next=f"Call wait_for({job.id!r}) until done is true, then inspect_dataset({str(path)!r}).",
    )


def _report(
    path: str, dataset: Dataset, found: Contents, build_id: str | None, misfit: DatasetFault | None
) -> DatasetReport:
    behavior = dataset.behavior
    told = found.model_dump(mode="json")
    lengths = told.pop("lengths")
    findings = [*([misfit.model_dump()] if misfit else []), *told.pop("findings")]
    broken = any(finding["severity"] == "error" for finding in findings)
    use = f"start_training(training_mode='offline', offline_dataset_path={path!r}) learns from it without a player"
    return DatasetReport.model_validate(
        {
            **told,
            "path": path,
            "format": dataset.format,
            "files": [str(file) for file in dataset.files[:_FILES_SHOWN]],
            "sha256": dataset.sha256,
            "behavior_name": behavior.name,
            "observation_shapes": [sensor.shape for sensor in behavior.observations],
            "continuous_actions": behavior.action.continuous,
            "branches": behavior.action.branches,
            "episode_length": lengths,
            "findings": findings,
            "fits": None if build_id is None else misfit is None,
            "next": "Mend the errors first: each finding says how." if broken else f"{use}; give the build_id too.",
        }
    )
