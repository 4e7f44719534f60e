"""KINDS: what each kind of job does, and whether an interrupted one can go on."""

from __future__ import annotations

from typing import Any

from unity_mlops_mcp.jobs.kinds import JobContext, Kind
from unity_mlops_mcp.jobs.records import Job


async def _train(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.training.run import train

    return await train(context)


def _training_can_resume(job: Job) -> bool:
    from unity_mlops_mcp.config import settings
    from unity_mlops_mcp.training.run import can_resume

    return can_resume(job.request, settings().home)


async def _build_player(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.builds.sandbox import build_sandbox
    from unity_mlops_mcp.spec.library import load_spec

    saved = load_spec(context.settings.home, context.job.request["spec_id"])
    build = build_sandbox(
        saved.spec,
        archetype=saved.archetype,
        settings=context.settings,
        store=context.store,
        job_id=context.job.id,
        spec_id=saved.spec_id,
    )
    return {"build_id": build.build_id, "cached": build.cached}


async def _build_unity(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.builds.unity.build import build_unity

    return await build_unity(context)


async def _evaluate(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.evaluation.run import evaluate

    return await evaluate(context)


async def _record(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.evaluation.demonstrating import record

    return await record(context)


async def _report(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.reports.run import render

    return await render(context)


async def _install_trainer(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.training.trainer.install_job import install

    return await install(context)


async def _backup(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.upkeep.backup import run_backup

    return await run_backup(context)


async def _mirror(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.upkeep.mirror import run_mirror

    return await run_mirror(context)


async def _vertex_upload(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.registry.vertex.job import upload_version

    return await upload_version(context)


async def _promote(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.jobs.manager import Jobs
    from unity_mlops_mcp.registry.promoting.run import run_promotion

    return await run_promotion(context, Jobs(context.store, context.settings, kinds=KINDS))


async def _pipeline(context: JobContext) -> dict[str, Any]:
    from unity_mlops_mcp.jobs.manager import Jobs
    from unity_mlops_mcp.pipeline.run import run_pipeline

    return await run_pipeline(context, Jobs(context.store, context.settings, kinds=KINDS), KINDS)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("training", run=_train, can_resume=_training_can_resume, grace_s=60.0),
        Kind("build", run=_build_player, can_resume=lambda _: True, limited=False),
        Kind("build_unity", run=_build_unity, can_resume=lambda _: True, grace_s=5.0),
        Kind("evaluation", run=_evaluate, can_resume=lambda _: True, grace_s=2.0),
        Kind("recording", run=_record, can_resume=lambda _: True, grace_s=2.0),
        Kind("report", run=_report, can_resume=lambda _: True, limited=False, grace_s=2.0),
        Kind("install_trainer", run=_install_trainer, can_resume=lambda _: True, limited=False),
        Kind("vertex_upload", run=_vertex_upload, can_resume=lambda _: True, limited=False, grace_s=2.0),
        Kind("backup", run=_backup, can_resume=lambda _: True, limited=False, grace_s=2.0),
        Kind("mirror", run=_mirror, can_resume=lambda _: True, limited=False, grace_s=2.0),
        Kind("promotion", run=_promote, can_resume=lambda _: True, limited=False),
        Kind("pipeline", run=_pipeline, can_resume=lambda _: True, limited=False),
    )
}
"""What each kind of job does, and whether an interrupted one goes on."""
