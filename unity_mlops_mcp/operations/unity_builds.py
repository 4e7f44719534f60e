"""The operation that makes Unity builds: decided and checked at once, made by a job."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.builds.library import UNITY_KIND
from unity_mlops_mcp.inputs import names
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.planning import told
from unity_mlops_mcp.results.builds import BuildResult
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.views.status import probe_figures, shapes

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.plans import Plan


@dataclass(frozen=True)
class UnityWish:
    """The arguments of ``build_environment`` that only a Unity build has."""

    project_path: str | None = None
    scenes: str | None = None
    editor_path: str | None = None
    build_target: str | None = None
    areas: int | None = None
    confirm: bool = False

    @property
    def scene_names(self) -> tuple[str, ...]:
        """The scenes, which are given separated by commas."""
        return names(self.scenes)


class UnityBuilds:
    """Unity builds of this home."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rng = random.SystemRandom()

    def start(
        self, wish: UnityWish, *, saved: SavedSpec | None, plan: Plan | None, idempotency_key: str | None
    ) -> BuildResult:
        """Accept a build and return at once.

        Args:
            wish: what was asked for.
            saved: the spec whose scripts and scene are built; None builds the project as it is.
            plan: how the spec came from a description.
            idempotency_key: the same key gives the build there is.

        Raises:
            InvalidInputError: the project, a scene or the target cannot be used, or the agent's code is somebody
                else's and not allowed.
            SetupError: there is no Editor for it, or its module is missing.
        """
        from unity_mlops_mcp.builds.unity.request import plan_unity_build, slug
        from unity_mlops_mcp.builds.unity.scripts import require_allowed

        settings = self._parts.settings
        if saved is not None:
            require_allowed(settings.home, saved, confirmed=wish.confirm)
        name = (
            saved.spec.behavior_name
            if saved
            else (wish.project_path or "").rstrip("/\\").replace("\\", "/").rpartition("/")[2]
        )
        build_id = new_id(f"unity-{slug(name)[:24]}", now=utc_now(), rng=self._rng)
        request = plan_unity_build(
            settings,
            build_id=build_id,
            project_path=wish.project_path,
            scenes=wish.scene_names,
            editor_path=wish.editor_path,
            build_target=wish.build_target,
            spec_id=saved.spec_id if saved else None,
            behavior_name=saved.spec.behavior_name if saved else None,
            areas=wish.areas,
            confirmed=wish.confirm,
        )
        job = self._parts.jobs.submit(
            UNITY_KIND, request.model_dump(mode="json"), subject=build_id, idempotency_key=idempotency_key
        )
        return self._result(job, saved, plan)

    def _result(self, job: Job, saved: SavedSpec | None, plan: Plan | None) -> BuildResult:
        following = f"Call wait_for({job.subject!r}) until done is true; start_training may be called before that."
        return BuildResult(
            build_id=job.subject,
            job_id=job.id,
            state=job.state,
            spec_id=saved.spec_id if saved else None,
            archetype=saved.archetype if saved else None,
            **(told(plan) if saved else {"planner": None}),
            waiting_for=job.waiting_for,
            notes=list(job.request.get("notes", ())),
            **self._made(job),
            next=f"Call start_training(build_id={job.subject!r})." if job.state == "succeeded" else following,
        )

    def _made(self, job: Job) -> dict[str, Any]:
        """What a build gave that was asked for before, under the same key, and has ended well."""
        from unity_mlops_mcp.builds.library import load_build

        if job.state != "succeeded":
            return {"cached": False, "behaviors": []}
        build = load_build(job.subject, settings=self._parts.settings, store=self._parts.store)
        return {
            "cached": bool(job.result and job.result["cached"]),
            "behaviors": shapes(build),
            "player_path": str(build.player),
            "probe": probe_figures(build),
        }
