"""Builds a player from a spec written by hand, and trains in it.

python examples/custom_environment.py --max-steps 200000
"""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.results.runs import Status

SPEC = Path(__file__).with_suffix(".yaml")


async def follow(app: App, run_id: str) -> Status:
    """Look on until the run has ended; ``tend`` recovers what died and starts what is queued."""
    while True:
        app.tend()
        status = await app.wait_for(run_id, timeout_s=5)
        print(f"  {status.state}: step {status.step} of {status.max_steps}, success {status.success}")
        if status.done:
            return status


def main() -> None:
    """Build, train, and say how episodes end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-steps", type=int, default=200_000)
    options = parser.parse_args()
    app = App(settings())
    build = app.build_environment(spec=SPEC.read_text(encoding="utf-8"))
    (behavior,) = build.behaviors
    print(f"{behavior.name} observes {behavior.observation_shapes}, decides {behavior.action_spec}")
    run = app.start_training(build_id=build.build_id, max_steps=options.max_steps)
    status = anyio.run(follow, app, run.run_id)
    if status.failure:
        raise SystemExit(f"{status.failure.message} To mend it: {status.failure.fix}")
    summary = app.get_metrics(run.run_id).summary
    print(f"Policy {status.onnx}")
    for ending, share in summary.endings.items():
        print(f"  {share:.0%} of the last {summary.success_episodes} episodes ended by {ending}")
    app.close()


if __name__ == "__main__":
    main()
