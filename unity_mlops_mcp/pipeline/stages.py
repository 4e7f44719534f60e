"""STAGES: the whole way as a tuple one can read; each takes the workshop with the results so far and gives one."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from unity_mlops_mcp.builds.library import UNITY_KIND, load_build
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.pipeline.promoting import promoted, start_promotion, warm_start
from unity_mlops_mcp.pipeline.records import (
    Built,
    Checked,
    CheckFinding,
    Described,
    Evaluated,
    Measured,
    Promoted,
    RegisteredVersion,
    Reported,
    StageName,
    StageResult,
    Summary,
    Trained,
    Wanted,
    Written,
)
from unity_mlops_mcp.pipeline.telling import paragraph_of
from unity_mlops_mcp.pipeline.testing import evaluated, register_version, start_evaluation, start_report
from unity_mlops_mcp.pipeline.workshop import Workshop
from unity_mlops_mcp.store.ids import new_id, utc_now

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.unity.request import UnityBuildRequest
    from unity_mlops_mcp.config import Settings

_SHOWN_OF_A_RUN = ("step", "max_steps", "mean_reward", "rewards", "success", "steps_per_second", "eta_s")


@dataclass(frozen=True)
class Stage:
    """One step of the way.

    Attributes:
        gives: the kind of its result; its name is the stage's.
        run: does it; when an earlier attempt was cut off in the midst of it, it takes up what that one had started.
        what: what it does, for whoever reads the plan.
        costs: whether a dry run leaves it out.
        needs_spec: whether it is left out for a project or a build of the user's own.
        chosen: whether it is left out unless it is asked for.
    """

    gives: type[StageResult]
    run: Callable[[Workshop], Awaitable[StageResult]]
    what: str
    costs: bool = False
    needs_spec: bool = False
    chosen: bool = False

    @property
    def name(self) -> StageName:
        """Its name."""
        return self.gives.stage


async def describe(shop: Workshop) -> Described:
    """Make an environment spec of the request, or take the caller's."""
    described = await anyio.to_thread.run_sync(_describe, shop)
    shop.show(behavior_name=described.spec.behavior_name, notes=described.notes)
    return described


async def write(shop: Workshop) -> Written:
    """Write the C# of the spec."""
    return await anyio.to_thread.run_sync(_write, shop)


async def check(shop: Workshop) -> Checked:
    """Check the C# without Unity."""
    return await anyio.to_thread.run_sync(_check, shop)


async def build(shop: Workshop) -> Built:
    """Make the player, as a job of its own, or take the one that is named."""
    if shop.wanted.build_id is not None:
        return await anyio.to_thread.run_sync(_found, shop, shop.wanted.build_id)
    job = await anyio.to_thread.run_sync(_start_build, shop)
    job = await shop.follow(job, lambda job: shop.show(message=f"build: {job.progress.get('message') or job.state}"))
    made = await anyio.to_thread.run_sync(_built, shop, job)
    shop.show(build_id=made.build_id)
    return made


async def train(shop: Workshop) -> Trained:
    """Train on the player, as a run of its own."""
    job = await anyio.to_thread.run_sync(_start_run, shop)
    shop.show(run_id=job.subject)
    job = await shop.follow(job, partial(_show_run, shop))
    given = job.result or {}
    return Trained(
        run_id=job.subject,
        job_id=job.id,
        step=given["step"],
        onnx=given["onnx"],
        files=tuple(given["files"]),
        began_with=job.request.get("initialize_from"),
    )


async def measure(shop: Workshop) -> Measured:
    """Read what the run's figures say."""
    return await anyio.to_thread.run_sync(_measure, shop, shop.results.of(Trained))


async def evaluate(shop: Workshop) -> Evaluated:
    """Let the policy play whole episodes, as a job of its own."""
    job = await anyio.to_thread.run_sync(start_evaluation, shop)
    job = await shop.follow(job, lambda job: shop.show(message=f"evaluate: {job.progress.get('message') or job.state}"))
    return await anyio.to_thread.run_sync(evaluated, shop, job)


async def report(shop: Workshop) -> Reported:
    """Make a report that can be sent to others, as a job of its own."""
    job = await anyio.to_thread.run_sync(start_report, shop)
    job = await shop.follow(job, lambda job: shop.show(message=f"report: {job.progress.get('message') or job.state}"))
    made = job.result or {}
    return Reported(report_id=job.id, path=str(made["path"]), size=int(made["size"]))


async def register(shop: Workshop) -> RegisteredVersion:
    """Keep the policy as a version of a model; the same policy is the same version, whatever is killed meanwhile."""
    return await anyio.to_thread.run_sync(register_version, shop)


async def promote(shop: Workshop) -> Promoted:
    """Let the gates decide whether the version may take the alias, as a job of its own."""
    job = await anyio.to_thread.run_sync(start_promotion, shop)
    if job is not None:
        job = await shop.follow(job, lambda job: shop.show(message=f"promote: {job.progress.get('message') or ''}"))
    return promoted(shop, job)


async def summarise(shop: Workshop) -> Summary:
    """Put it on one page."""
    results = shop.results
    described, written, built = results.find(Described), results.find(Written), results.find(Built)
    trained, measured = results.find(Trained), results.find(Measured)
    tested, reported, kept = results.find(Evaluated), results.find(Reported), results.find(RegisteredVersion)
    decided = results.find(Promoted)
    name = described.spec.behavior_name if described else built.behaviors[0].name if built else shop.wanted.subject
    found = measured.summary if measured else None
    return Summary(
        behavior_name=name,
        spec_id=described.spec_id if described else None,
        archetype=described.archetype if described else None,
        assumptions=described.assumptions if described else (),
        left_out=described.left_out if described else (),
        scripts=tuple(f"scripts/{file.path}" for file in written.script.files) if written else (),
        build_id=built.build_id if built else None,
        run_id=trained.run_id if trained else None,
        onnx=trained.onnx if trained else None,
        step=trained.step if trained else None,
        success=tested.success.mean if tested and tested.success else found.success if found else None,
        mean_reward=found.last_reward if found else None,
        verdict=found.verdict if found else None,
        reason=found.reason if found else None,
        evaluation_id=tested.evaluation_id if tested else None,
        report=reported.path if reported else None,
        version_id=kept.version_id if kept else None,
        promoted=decided.promoted if decided else None,
        paragraph=paragraph_of(shop.wanted, name, results),
        not_done=_left_out(shop.wanted),
    )


STAGES: tuple[Stage, ...] = (
    Stage(Described, describe, "turn the request into an environment spec", needs_spec=True),
    Stage(Written, write, "write the C# of the agent, its area and its scene", needs_spec=True),
    Stage(Checked, check, "check the C# without Unity", needs_spec=True),
    Stage(Built, build, "make the player", costs=True),
    Stage(Trained, train, "train with ML-Agents' own trainer", costs=True),
    Stage(Measured, measure, "read how well it learned", costs=True),
    Stage(Evaluated, evaluate, "let the policy play whole episodes, and tell how good it is", costs=True, chosen=True),
    Stage(Reported, report, "make a report that can be sent to others", costs=True, chosen=True),
    Stage(RegisteredVersion, register, "keep the policy as a version of a model", costs=True, chosen=True),
    Stage(Promoted, promote, "let the gates decide whether it takes the alias", costs=True, chosen=True),
    Stage(Summary, summarise, "put it on one page"),
)


def stages_of(wanted: Wanted) -> tuple[Stage, ...]:
    """The stages that a pipeline goes through."""
    asked = [stage for stage in STAGES if is_asked_for(stage, wanted)]
    return tuple(
        stage
        for stage in asked
        if not ((stage.needs_spec and not wanted.described) or (stage.costs and wanted.dry_run))
    )


def _left_out(wanted: Wanted) -> tuple[StageName, ...]:
    """What a dry run does not do."""
    return tuple(stage.name for stage in STAGES if stage.costs and wanted.dry_run and is_asked_for(stage, wanted))


def is_asked_for(stage: Stage, wanted: Wanted) -> bool:
    """Whether a stage is one that every pipeline has, or was chosen."""
    return not stage.chosen or stage.name in wanted.after


def _describe(shop: Workshop) -> Described:
    from unity_mlops_mcp.spec.library import load_spec, save_spec
    from unity_mlops_mcp.spec.planner import make_plan
    from unity_mlops_mcp.spec.requests import UnityAssetSpec

    wanted, home = shop.wanted, shop.settings.home
    plan = make_plan(
        UnityAssetSpec(description=wanted.request or ""),
        settings=shop.settings,
        cache=shop.cache,
        client_answer=wanted.client_answer,
        spec=load_spec(home, wanted.spec_id).spec if wanted.spec_id else None,
    )
    saved = (
        load_spec(home, wanted.spec_id)
        if wanted.spec_id
        else save_spec(home, plan.spec, archetype=plan.archetype, training=plan.training)
    )
    return Described(
        spec_id=saved.spec_id,
        spec=saved.spec,
        archetype=saved.archetype,
        planner=plan.planner,
        model=plan.model,
        prompt_sha256=plan.prompt_sha256,
        words=tuple((word.text, word.meaning) for word in plan.words),
        assumptions=plan.assumptions,
        left_out=plan.left_out,
    )


def _write(shop: Workshop) -> Written:
    from unity_mlops_mcp.builds.unity.scripts import script_for
    from unity_mlops_mcp.codegen.library import save_script
    from unity_mlops_mcp.spec.library import load_spec

    wanted, home = shop.wanted, shop.settings.home
    saved = load_spec(home, shop.results.of(Described).spec_id)
    unity, ml_agents = _written_for(shop)
    script = script_for(home, saved, unity=unity, ml_agents=ml_agents, confirmed=wanted.confirm or not wanted.on_unity)
    save_script(home, saved.spec_id, script)
    for file in script.files:
        shop.results.write(f"scripts/{file.path}", file.text)
    return Written(script=script)


def _written_for(shop: Workshop) -> tuple[str, str | None]:
    """Versions of Unity and of the package: those of the Editor that will build, else the ones we recommend."""
    from unity_mlops_mcp.builds.unity.editors import choose_editor

    return (choose_editor(shop.settings, version=None).version if shop.wanted.on_unity else ""), None


def _check(shop: Workshop) -> Checked:
    from unity_mlops_mcp.builds.unity.editors import editor_programs
    from unity_mlops_mcp.codegen.reviewing import review_script

    described, script = shop.results.of(Described), shop.results.of(Written).script
    editors = editor_programs(shop.settings)
    review = review_script(script, described.spec, home=shop.settings.home, editors=editors)
    if not review.ok:
        lines = [
            f"{one.path}:{one.line}: {one.id}: {one.message}" for one in review.findings if one.severity == "error"
        ]
        raise InvalidInputError(
            f"The C# of {described.spec_id} has {len(lines)} error(s).",
            fix="Mend the Agent that was passed as `source`: call generate_behavior_script with it again."
            if script.foreign
            else "Change the spec, and report it with this evidence: what we write ought to be right.",
            cause="script_errors",
            evidence=lines[:10],
        )
    return Checked(
        observation_size=review.observation_size,
        compiler=review.compiler,
        findings=tuple(CheckFinding(**asdict(one)) for one in review.findings),
    )


def _start_build(shop: Workshop) -> Job:
    wanted, key = shop.wanted, shop.key("build")
    described = shop.results.find(Described)
    if described is not None and not wanted.on_unity:
        request = {"spec_id": described.spec_id, "target": "sandbox"}
        return shop.jobs.run_inline(shop.kinds["build"], request, subject=described.spec_id, idempotency_key=key)
    asked = plan_on_unity(shop.settings, wanted, described)
    return shop.jobs.submit(UNITY_KIND, asked.model_dump(mode="json"), subject=asked.build_id, idempotency_key=key)


def plan_on_unity(settings: Settings, wanted: Wanted, described: Described | None) -> UnityBuildRequest:
    """The Unity build that a pipeline is to make; everything that can be looked at before is looked at.

    Raises:
        InvalidInputError: the project cannot be used, or a scene is not there.
        SetupError: there is no fitting Editor, its module is missing, or the disk is full.
    """
    from unity_mlops_mcp.builds.unity.request import plan_unity_build, slug

    name = described.spec.behavior_name if described else Path(wanted.project_path or "project").name
    return plan_unity_build(
        settings,
        build_id=new_id(f"unity-{slug(name)[:24]}", now=utc_now(), rng=random.SystemRandom()),
        project_path=wanted.project_path,
        scenes=wanted.scenes,
        spec_id=described.spec_id if described else None,
        behavior_name=name if described else None,
        confirmed=wanted.confirm,
    )


def _built(shop: Workshop, job: Job) -> Built:
    given = job.result or {}
    return _player(shop, str(given["build_id"]), job_id=job.id, cached=given["cached"])


def _found(shop: Workshop, build_id: str) -> Built:
    row = shop.store.builds.get(build_id)
    return _player(shop, build_id, job_id=(row.job_id if row else None) or "", cached=True)


def _player(shop: Workshop, build_id: str, *, job_id: str, cached: bool) -> Built:
    made = load_build(build_id, settings=shop.settings, store=shop.store)
    return Built(
        build_id=made.build_id,
        job_id=job_id,
        target=made.target,
        cached=cached,
        behaviors=made.behaviors,
        folder=str(made.folder),
    )


def _start_run(shop: Workshop) -> Job:
    from unity_mlops_mcp.training.planning import Place, Wish
    from unity_mlops_mcp.training.runs import Naming

    training = shop.wanted.training
    wish = Wish(
        max_steps=shop.wanted.max_steps,
        initialize_from=warm_start(shop),
        **(training.start_arguments() if training else {}),
    )
    place = Place(build_id=shop.results.of(Built).build_id)
    naming = Naming(idempotency_key=shop.key("train"), asset=shop.wanted.asset, firing_id=shop.wanted.firing_id)
    return shop.runs.start(place, wish, naming, cache=shop.cache)


def _show_run(shop: Workshop, job: Job) -> None:
    shown = {name: job.progress[name] for name in _SHOWN_OF_A_RUN if name in job.progress}
    waits = f" ({job.waiting_for})" if job.waiting_for else ""
    shop.show(**shown, message=f"train: {job.progress.get('message') or job.state}{waits}")


def _measure(shop: Workshop, trained: Trained) -> Measured:
    return Measured(run_id=trained.run_id, summary=shop.runs.figures(trained.run_id).summary)
