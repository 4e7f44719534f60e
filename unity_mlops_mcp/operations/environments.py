"""The operations that make players to train in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.kinds import KINDS
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.planning import Meaning, Planning, told
from unity_mlops_mcp.operations.unity_builds import UnityBuilds, UnityWish
from unity_mlops_mcp.results.builds import BuildResult
from unity_mlops_mcp.views.status import shapes

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import PlayerBuild
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.plans import Plan
    from unity_mlops_mcp.spec.requests import UnityAssetSpec


BuildOn = Literal["sandbox", "unity"]
BuildTarget = Literal["linux64", "win64", "osx"]


class Environments:
    """Players, made from sentences and specs."""

    def __init__(self, parts: Parts, planning: Planning) -> None:
        self._parts = parts
        self._planning = planning
        self._unity = UnityBuilds(parts)

    def build_environment(
        self,
        *,
        description: str | None = None,
        observation_space: str | None = None,
        action_space: str | None = None,
        spec_id: str | None = None,
        spec: str | None = None,
        name: str | None = None,
        target: BuildOn | None = None,
        project_path: str | None = None,
        scenes: str | None = None,
        editor_path: str | None = None,
        build_target: BuildTarget | None = None,
        areas: int | None = None,
        confirm: bool = False,
        use_llm: bool | None = None,
        client_answer: ClientAnswer | None = None,
        idempotency_key: str | None = None,
    ) -> BuildResult:
        """Make a player from a sentence, a spec or a spec's id, or build a Unity project of the user's own.

        A sandbox player is there at once; a Unity build is made by a job.

        ``use_llm`` and ``client_answer`` say who reads the sentence, as in ``spec.planner.make_plan``.

        Raises:
            InvalidInputError: not exactly one of them was given, or it cannot be used.
            SetupError: there is no fitting Unity Editor.
        """
        described = any(value is not None for value in (description, spec_id, spec))
        wish = UnityWish(project_path, scenes, editor_path, build_target, areas, confirm)
        on_unity = target == "unity" or (target is None and project_path is not None)
        if not on_unity:
            _refuse_unity_arguments(wish)
        if project_path and on_unity and not described:
            return self._unity.start(wish, saved=None, plan=None, idempotency_key=idempotency_key)
        plan, saved = self._planning.meant(
            Meaning(description, spec, spec_id, observation_space, action_space, name, use_llm, client_answer)
        )
        if on_unity:
            return self._unity.start(wish, saved=saved, plan=plan, idempotency_key=idempotency_key)
        return self._make(plan, saved, idempotency_key)

    def build_asset(self, asset: UnityAssetSpec) -> BuildResult:
        """Make the sandbox player that an asset describes.

        Raises:
            InvalidInputError: the description cannot be placed.
        """
        plan = self._planning.plan(asset)
        return self._make(plan, self._planning.keep(plan), None)

    def load(self, build_id: str) -> PlayerBuild:
        """The build of this id.

        Raises:
            NotFoundError: there is none, or its files are gone or changed.
        """
        from unity_mlops_mcp.builds.library import load_build

        return load_build(build_id, settings=self._parts.settings, store=self._parts.store)

    def _make(self, plan: Plan | None, saved: SavedSpec, idempotency_key: str | None) -> BuildResult:
        request = {"spec_id": saved.spec_id, "target": "sandbox"}
        job = self._parts.jobs.run_inline(
            KINDS["build"], request, subject=saved.spec_id, idempotency_key=idempotency_key
        )
        return self._build_result(job, plan)

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
            **told(plan),
            player_path=str(build.folder),
            cached=cached,
            behaviors=shapes(build),
            next=f"Call start_training(build_id={build.build_id!r}).",
        )


def _refuse_unity_arguments(wish: UnityWish) -> None:
    given = [name for name, value in vars(wish).items() if value]
    if given:
        raise InvalidInputError(
            f"{' and '.join(given)} belong to a Unity build; the target is the sandbox.",
            fix="Pass target='unity', or leave them out.",
        )
