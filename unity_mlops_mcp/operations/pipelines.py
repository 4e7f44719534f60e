"""The operation that goes the whole way in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unity_mlops_mcp.inputs import exactly_one, names, validated
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.planning import Planning, read_asset
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.results.pipelines import PipelineResult, PlannedStage

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.requests import RLTrainingConfig


class Pipelines:
    """From a request to a trained policy, as one durable job."""

    def __init__(self, parts: Parts, planning: Planning) -> None:
        self._parts = parts
        self._planning = planning

    def run_pipeline(
        self,
        *,
        request: str | None = None,
        spec: str | None = None,
        project_path: str | None = None,
        scenes: str | None = None,
        target: Literal["sandbox", "unity"] | None = None,
        training: str | None = None,
        max_steps: int | None = None,
        confirm: bool = False,
        dry_run: bool = False,
        client_answer: ClientAnswer | None = None,
        idempotency_key: str | None = None,
    ) -> PipelineResult:
        """Accept a pipeline and return at once; it goes on without the caller.

        Args:
            request: what shall be learned, in one sentence.
            spec: an environment spec as YAML or JSON, instead.
            project_path: a Unity project of the user's own, instead; it is built as it is.
            scenes: its scenes, separated by commas; left out: those of its build settings.
            target: where the player runs; left out: ``unity`` for a project, else ``sandbox``.
            training: how to train, as YAML or JSON: the fields of `RLTrainingConfig`.
            max_steps: agent steps of the training; over ``training``.
            confirm: whether the user allowed code that somebody else wrote to be built.
            dry_run: stop before anything is built or trained.
            client_answer: what the chat client's own model answered about the request, where it was asked.
            idempotency_key: the same key again gives the pipeline there is.

        Raises:
            InvalidInputError: what was given cannot be used; nothing was started.
            SetupError: there is no trainer, or no Unity Editor that a build needs.
        """
        exactly_one({"request": request, "spec": spec, "project_path": project_path})
        wanted = validated(
            Wanted,
            {
                "request": request,
                "client_answer": client_answer,
                "spec_id": self._kept_spec(spec) if spec is not None else None,
                "project_path": project_path,
                "scenes": names(scenes),
                "target": target,
                "training": read_training(training),
                "max_steps": max_steps,
                "confirm": confirm,
                "dry_run": dry_run,
            },
        )
        self.fail_early(wanted)
        return self._submit(wanted, idempotency_key)

    def _submit(self, wanted: Wanted, idempotency_key: str | None) -> PipelineResult:
        from unity_mlops_mcp.pipeline.run import KIND
        from unity_mlops_mcp.pipeline.stages import stages_of

        data = wanted.model_dump(mode="json", exclude_unset=True)
        job = self._parts.jobs.submit(KIND, data, subject=wanted.subject, idempotency_key=idempotency_key)
        return PipelineResult(
            job_id=job.id,
            state=job.state,
            plan=[PlannedStage(stage=stage.name, what=stage.what) for stage in stages_of(wanted)],
            dry_run=wanted.dry_run,
            next=f"Call wait_for({job.id!r}) until done is true; its stages say how far it is.",
        )

    def _kept_spec(self, spec: str) -> str:
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.spec.library import save_spec

        read = EnvironmentSpec.from_text(spec)
        return save_spec(self._parts.store.home, read, archetype=None, training=None).spec_id

    def fail_early(self, wanted: Wanted) -> None:
        """Refuse now what a stage would refuse later; a language model of ours is asked in its stage: it takes time.

        Raises:
            InvalidInputError: the request cannot be placed, or the project or the dataset cannot be used.
            SetupError: there is no trainer, or no Unity Editor that a build needs.
        """
        from unity_mlops_mcp.pipeline.stages import plan_on_unity
        from unity_mlops_mcp.training.offline import asked_dataset
        from unity_mlops_mcp.training.planning import Wish
        from unity_mlops_mcp.training.trainer.environment import find_trainer

        if wanted.training is not None:
            asked_dataset(self._parts.settings, Wish(**wanted.training.start_arguments()))
        if wanted.request is not None and self._parts.settings.llm is None:
            self._planning.plan(read_asset(wanted.request), client_answer=wanted.client_answer)
        if wanted.on_unity:
            plan_on_unity(self._parts.settings, wanted, None)
        if not wanted.dry_run:
            find_trainer(self._parts.settings, self._parts.cache)


def read_training(text: str | None) -> RLTrainingConfig | None:
    """The training request that a YAML or JSON text holds.

    Raises:
        InvalidInputError: it is no mapping, or has fields that there are not.
    """
    from unity_mlops_mcp.spec.requests import RLTrainingConfig
    from unity_mlops_mcp.spec.yaml_text import read_mapping

    return validated(RLTrainingConfig, read_mapping(text, what="training")) if text else None
