"""What the stages evaluate, report and register do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.pipeline.records import Built, Evaluated, RegisteredVersion, Trained

if TYPE_CHECKING:
    from unity_mlops_mcp.jobs.records import Job
    from unity_mlops_mcp.pipeline.workshop import Workshop

EPISODES, UNITY_EPISODES = 200, 50
"""Unity plays episodes at its own pace: fewer of them."""


def start_evaluation(shop: Workshop) -> Job:
    """Start the evaluation, or find the one that an attempt that was cut off had started."""
    from unity_mlops_mcp.evaluation.request import AREAS, KIND, EvaluationRequest, policies_of_run

    trained, built = shop.results.of(Trained), shop.results.of(Built)
    on_unity = built.target == "unity"
    request = EvaluationRequest.model_validate(
        {
            "policies": policies_of_run(shop.runs.folder(trained.run_id)),
            "run_id": trained.run_id,
            "build_id": built.build_id,
            "episodes": UNITY_EPISODES if on_unity else EPISODES,
            "areas": 1 if on_unity else AREAS,
        }
    )
    data = request.model_dump(mode="json")
    return shop.jobs.submit(KIND, data, subject=request.subject, idempotency_key=shop.key("evaluate"))


def evaluated(shop: Workshop, job: Job) -> Evaluated:
    """What it found."""
    from unity_mlops_mcp.evaluation.library import load_evaluation

    found = load_evaluation(shop.settings.home, job.id)
    return Evaluated(
        evaluation_id=found.evaluation_id,
        episodes=found.episodes,
        success=found.success,
        returns=found.returns,
        endings={name: share.mean for name, share in found.endings.items()},
    )


def start_report(shop: Workshop) -> Job:
    """Start the report, or find it started."""
    from unity_mlops_mcp.reports.request import ReportRequest

    trained = shop.results.of(Trained)
    request = ReportRequest(run_ids=(trained.run_id,), format="html")
    data, subject = request.model_dump(mode="json"), f"report of {trained.run_id}"
    return shop.jobs.submit("report", data, subject=subject, idempotency_key=shop.key("report"))


def register_version(shop: Workshop) -> RegisteredVersion:
    """Register the policies under the behaviour's name."""
    from unity_mlops_mcp.registry.facts import facts_of_run
    from unity_mlops_mcp.registry.records import Facts
    from unity_mlops_mcp.registry.versions import register

    trained = shop.results.of(Trained)
    policies = {path.stem: path for path in shop.runs.folder(trained.run_id).policies()}
    title = shop.results.of(Built).behaviors[0].name
    facts = Facts(
        title=title,
        description=f"trained by a pipeline for: {shop.wanted.subject}"[:500],
        **facts_of_run(shop.store, shop.runs, trained.run_id),
    )
    version, new = register(shop.store, policies, facts)
    return RegisteredVersion(version_id=version.version_id, number=version.number, new=new)
