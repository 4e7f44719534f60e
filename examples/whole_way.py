"""Goes the whole way in one durable job, from a spec that no preset is like: two bees, flowers, and a bird that roams.

python examples/whole_way.py --max-steps 200000
"""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.results.runs import Status

SPEC = Path(__file__).with_name("bee_meadow.yaml")


async def follow(app: App, job_id: str) -> Status:
    """Say which stage ends until all have; ``tend`` recovers what died and starts what is queued."""
    told: set[str] = set()
    while True:
        app.tend()
        status = await app.wait_for(job_id, timeout_s=2)
        for stage in status.stages:
            if stage.state == "done" and stage.name not in told:
                told.add(stage.name)
                print(f"  {stage.name}: {stage.said}")
        if status.done:
            return status


def main() -> None:
    """Start the pipeline, look on, and say what it made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-steps", type=int, default=200_000)
    options = parser.parse_args()
    app = App(settings())
    started = app.run_pipeline(spec=SPEC.read_text(encoding="utf-8"), max_steps=options.max_steps)
    print(f"{started.job_id}: {', '.join(stage.stage for stage in started.plan)}")
    status = anyio.run(follow, app, started.job_id)
    if status.failure:
        raise SystemExit(f"{status.failure.message} To mend it: {status.failure.fix}")
    print(f"Policy {status.onnx}")
    print(f"Results {status.folder}")
    app.close()


if __name__ == "__main__":
    main()
