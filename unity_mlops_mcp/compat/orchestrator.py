"""One training job from the description to the registered policy."""

from __future__ import annotations

import json
import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.to_thread

from unity_mlops_mcp.app import App
from unity_mlops_mcp.builds.unity.editors import editor_programs
from unity_mlops_mcp.compat.records import TrainingJob, TrainingResult
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.results.builds import BuildResult
from unity_mlops_mcp.results.registry import RegisteredModel
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.results.scripts import ScriptResult
from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec

_LOG = logging.getLogger("mlops_unity_pipeline")
_LOOK_S = 5.0
ResultT = TypeVar("ResultT")


class UnityMLOpsOrchestrator:
    """Writes C#, builds, trains and registers; each step is one call into the application.

    Where a Unity Editor is installed the player is built with it; elsewhere the sandbox simulates the same
    environment, and results say so. Trainings are durable jobs: they outlive this program.

    Args:
        dry_run: plan, write C# and check it; train nothing.
        vertex_project: a Google Cloud project whose Vertex AI registry gets every policy too.
        vertex_region: its region; left out: that of the settings.
        target: ``unity`` or ``sandbox``; left out: Unity where an Editor is found.
        home: where everything is kept; left out: ``UNITY_MLOPS_HOME``.
    """

    def __init__(
        self,
        *,
        dry_run: bool = False,
        vertex_project: str | None = None,
        vertex_region: str | None = None,
        target: Literal["sandbox", "unity"] | None = None,
        home: str | Path | None = None,
    ) -> None:
        self.dry_run = dry_run
        self.vertex_project = vertex_project
        self.vertex_region = vertex_region
        base = settings()
        self._settings = base.model_copy(update={"home": Path(home).expanduser().absolute()}) if home else base
        self._target: Literal["sandbox", "unity"] = target or (
            "unity" if editor_programs(self._settings) else "sandbox"
        )
        self._app: App | None = None

    @property
    def app(self) -> App:
        """The application behind it, opened now if it was not."""
        if self._app is None:
            self._app = App(self._settings)
        return self._app

    @property
    def target(self) -> Literal["sandbox", "unity"]:
        """Where players run."""
        return self._target

    def close(self) -> None:
        """Release the store; nothing that runs is stopped."""
        if self._app is not None:
            self._app.close()
        self._app = None

    async def execute_training_job(self, job: TrainingJob) -> TrainingResult:
        """Go the whole way; awaits the end of the training.

        Raises:
            MlopsError: something cannot be used, or a step failed; cause and fix say what and how.
        """
        self._allow(job.unity_project_path, job.output_dir)
        code = await self.generate_unity_code(job.asset_spec, output_dir=job.output_dir)
        if self.dry_run:
            return self._planned(job, code)
        key = f"{job.job_id}:{code.spec_id}:{job.rl_config.model_dump_json()}"
        build = await self.build_unity_environment(code, unity_project_path=job.unity_project_path, key=f"build:{key}")
        run = await self.train_with_mlagents(build, job.rl_config, asset=job.asset_spec, key=f"train:{key}")
        version = await self.register_in_vertex_ai(str(run.run_id), job.asset_spec, changed=job.job_id)
        return self._trained(job, code, build, run, version)

    async def generate_unity_code(self, asset: UnityAssetSpec, *, output_dir: str | Path | None = None) -> ScriptResult:
        """Plan the environment and write its C#, checked.

        Raises:
            InvalidInputError: the description cannot be placed.
            MlopsError: the C# has errors.
        """
        self._allow(output_dir)
        written = await self._call(
            partial(
                self.app.generate_behavior_script,
                description=asset.description,
                name=asset.name or None,
                observation_space=json.dumps(asset.observation_space) if asset.observation_space else None,
                action_space=json.dumps(asset.action_space) if asset.action_space else None,
                output_path=str(output_dir) if output_dir else None,
                force=True,
            )
        )
        errors = [finding for finding in written.findings if finding.severity == "error"]
        if errors:
            told = f"{errors[0].path}:{errors[0].line}: {errors[0].message}"
            raise MlopsError(f"The C# has {len(errors)} error(s): {told}", fix=errors[0].fix, cause="script_errors")
        return written

    async def build_unity_environment(
        self, code: ScriptResult, *, unity_project_path: str | Path | None = None, key: str | None = None
    ) -> BuildResult:
        """Make the player of the environment, with Unity or in the sandbox; awaits the end of the build.

        Raises:
            MlopsError: the build failed.
        """
        self._allow(unity_project_path)
        on_unity = self._target == "unity"
        build = await self._call(
            partial(
                self.app.build_environment,
                spec_id=code.spec_id,
                target=self._target,
                project_path=str(unity_project_path) if unity_project_path and on_unity else None,
                idempotency_key=key,
            )
        )
        if build.state != "succeeded":
            await self._ended(str(build.job_id))
        return build

    async def train_with_mlagents(
        self,
        build: BuildResult,
        config: RLTrainingConfig | None = None,
        *,
        asset: UnityAssetSpec | None = None,
        key: str | None = None,
    ) -> Status:
        """Train with ML-Agents' own trainer; awaits the end.

        Raises:
            MlopsError: the training failed, or somebody stopped it.
        """
        started = await self._call(
            partial(
                self.app.start_training,
                build_id=build.build_id,
                asset=(asset.asset_id or asset.name or None) if asset else None,
                idempotency_key=key,
                **(config.start_arguments() if config else {}),
            )
        )
        _LOG.info("Training %s (%s): %s", started.run_id, self._target, "; ".join(started.notes))
        return await self._ended(started.run_id)

    train_rl_agent = train_with_mlagents

    async def register_in_vertex_ai(
        self, run_id: str, asset: UnityAssetSpec | None = None, *, changed: str | None = None
    ) -> RegisteredModel:
        """Keep the run's policy as a version of a model: here, and in Vertex AI where a project was given.

        Raises:
            MlopsError: the policy cannot be used, or Vertex AI cannot be reached; what is here stays.
        """
        version = await self._call(
            partial(
                self.app.register_model,
                run_id=run_id,
                name=asset.name or None if asset else None,
                description=f"trained by {changed}" if changed else None,
                registry="vertex" if self.vertex_project else "local",
                vertex_project=self.vertex_project,
                vertex_region=self.vertex_region,
            )
        )
        if version.job_id is not None:
            await self._ended(version.job_id)
        return version

    async def _call(self, call: partial[ResultT]) -> ResultT:
        return await anyio.to_thread.run_sync(call)

    async def _ended(self, subject: str) -> Status:
        """Look after the home until something is over; gives it when it went well."""
        while True:
            await anyio.to_thread.run_sync(self.app.tend)
            status = await self.app.wait_for(subject, timeout_s=_LOOK_S)
            if status.done:
                break
        if status.state == "succeeded":
            return status
        if status.failure is None:
            raise MlopsError(f"{subject} is {status.state}.", fix=status.next, cause=status.state)
        failure = status.failure
        raise MlopsError(failure.message, fix=failure.fix, cause=failure.cause, evidence=failure.evidence)

    def _allow(self, *paths: str | Path | None) -> None:
        """The program's own words allow the folders that it names."""
        new = [Path(path).expanduser().resolve() for path in paths if path]
        missing = tuple(path for path in new if path not in self._settings.roots)
        if missing:
            self._settings = self._settings.model_copy(update={"roots": (*self._settings.roots, *missing)})
            self.close()

    def _planned(self, job: TrainingJob, code: ScriptResult) -> TrainingResult:
        return TrainingResult(
            job_id=job.job_id,
            status="dry_run",
            trained_model_path=None,
            message=f"Dry run: {code.behavior_name} was planned, written and checked; nothing was built or trained.",
            code_paths=_paths(code),
            assumptions=tuple(code.assumptions),
            notes=tuple(f"left out: {one}" for one in code.left_out),
        )

    def _trained(
        self, job: TrainingJob, code: ScriptResult, build: BuildResult, run: Status, version: RegisteredModel
    ) -> TrainingResult:
        place = (
            "in Unity" if self._target == "unity" else "in the sandbox, which simulates it (no Unity Editor is here)"
        )
        success = f", success {run.success:.0%}" if run.success is not None else ""
        return TrainingResult(
            job_id=job.job_id,
            status="completed",
            trained_model_path=_delivered(run.onnx, job.output_dir),
            message=f"{code.behavior_name} was trained {place} over {run.step or 0:,} steps{success}.",
            code_paths=_paths(code),
            build_id=build.build_id,
            target=self._target,
            run_id=run.run_id,
            model_version=version.version,
            metrics={"step": run.step, "mean_reward": run.mean_reward, "success": run.success},
            assumptions=tuple(code.assumptions),
            notes=tuple(run.notes),
        )


def _paths(code: ScriptResult) -> tuple[str, ...]:
    return tuple(str(Path(code.folder or "") / file.path) for file in code.files)


def _delivered(onnx: str | None, output_dir: str | None) -> str | None:
    """The policy's path; a copy in the output folder where there is one."""
    if onnx is None or output_dir is None:
        return onnx
    target = Path(output_dir).expanduser().resolve()
    target.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy2(onnx, target / Path(onnx).name))
