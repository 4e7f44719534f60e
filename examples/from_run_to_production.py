"""From a run to a version that serves: evaluation, reports, gates that refuse and pass, and a rollback.

python examples/from_run_to_production.py
"""

from __future__ import annotations

import argparse

import anyio

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.results.promotions import Promotion
from unity_mlops_mcp.results.runs import Status


async def follow(app: App, job_id: str) -> Status:
    """The job once it has ended; ``tend`` recovers what died and starts what is queued."""
    while True:
        app.tend()
        status = await app.wait_for(job_id, timeout_s=2)
        if status.done:
            return status


def ended(app: App, job_id: str) -> Status:
    """The job once it has ended well."""
    status = anyio.run(follow, app, job_id)
    if status.failure:
        raise SystemExit(f"{status.failure.message} To mend it: {status.failure.fix}")
    return status


def trained_version(app: App, sentence: str, max_steps: int | None) -> str:
    """The whole way in one job: trained, evaluated over 200 episodes, reported, registered."""
    started = app.run_pipeline(request=sentence, training="{seed: 1}", max_steps=max_steps)
    status = ended(app, started.job_id)
    print(f"\n{status.paragraph}")
    return str(next(stage.said for stage in status.stages if stage.name == "register")).split(" ")[0]


def promote(app: App, version: str) -> None:
    """Ask the gates; what they miss is made by a job, which then decides."""
    asked = app.promote_model(version=version, confirm=True)
    if asked.job_id is not None:
        print(f"\n{ended(app, asked.job_id).message}")
        return
    print(f"\n{version}: {'promoted' if asked.promoted else 'refused'}")
    tell(asked)


def tell(promotion: Promotion) -> None:
    """The gates with their figures."""
    for gate in promotion.gates:
        print(f"  {gate.outcome:<7} {gate.name}: {gate.value}")
        if not gate.passed:
            print(f"          needed {gate.needed}. {gate.fix}")


def report_as_pdf(app: App, run_id: str) -> None:
    """A PDF of the run; where this machine can print none, it says what is missing."""
    try:
        made = anyio.run(lambda: app.render_report(run_ids=run_id, format="pdf"))
    except MlopsError as error:
        print(f"\nNo PDF: {error}")
        return
    print(f"\nPDF report {made.path}" if made.path else f"\nNo PDF: {made.failure and made.failure.message}")


def main() -> None:
    """Go the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-steps", type=int, default=None, help="Of the good policy; default: the preset's.")
    options = parser.parse_args()
    app = App(settings())

    good = trained_version(app, "a robot reaches the target", options.max_steps)
    promote(app, good)
    run_id = app.list_models(name="reachtarget").models[0].versions[0].run_id
    report_as_pdf(app, str(run_id))

    weak = trained_version(app, "a robot reaches the target", 3000)
    promote(app, weak)

    app.promote_model(version=weak, override_reason="to show a rollback", confirm=True)
    back = app.rollback_model(name="reachtarget", reason="it misses the target", confirm=True)
    print(
        f"\nRolled back from {back.previous_version} to {back.version}; {back.incident_id} is open, promotion frozen."
    )
    app.promote_model(name="reachtarget", action="unfreeze", confirm=True)
    for line in app.list_models(name="reachtarget").models[0].audit:
        print(f"  {line.at} {line.action} {line.alias or ''} {line.version or ''} {line.reason or ''}".rstrip())
    app.close()


if __name__ == "__main__":
    main()
