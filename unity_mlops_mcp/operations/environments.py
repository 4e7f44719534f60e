"""The operations that make players to train in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError
from unity_mlops_mcp.inputs import exactly_one, validated
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.kinds import KINDS
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results import BuildResult, WordMeaning
from unity_mlops_mcp.views import shapes

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import PlayerBuild
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.planner import Plan
    from unity_mlops_mcp.spec.requests import UnityAssetSpec


class Environments:
    """Players, made from sentences and specs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

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

    def build_asset(self, asset: UnityAssetSpec) -> BuildResult:
        """Make the sandbox player that an asset describes.

        Raises:
            InvalidInputError: the description cannot be placed.
        """
        from unity_mlops_mcp.spec.planner import plan

        planned = plan(asset)
        return self._make(planned, self._saved_spec(planned, None, None), "sandbox", None)

    def load(self, build_id: str) -> PlayerBuild:
        """The build of this id.

        Raises:
            NotFoundError: there is none, or its files are gone or changed.
        """
        from unity_mlops_mcp.builds.library import load_build

        return load_build(build_id, settings=self._parts.settings, store=self._parts.store)

    def _make(self, plan: Plan | None, saved: SavedSpec, target: str, idempotency_key: str | None) -> BuildResult:
        request = {"spec_id": saved.spec_id, "target": target}
        job = self._parts.jobs.run_inline(
            KINDS["build"], request, subject=saved.spec_id, idempotency_key=idempotency_key
        )
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

        home = self._parts.store.home
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
        build = self.load(job.result["build_id"])
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
