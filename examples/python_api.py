"""The same training with several seeds, and how much of the result is luck.

python examples/python_api.py "patrol four waypoints" --seeds 1 2 3
"""

from __future__ import annotations

import argparse

import anyio

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings


async def ended(app: App, run_id: str) -> str:
    """The state in which a run ended; ``tend`` recovers what died and starts what is queued."""
    while True:
        app.tend()
        status = await app.wait_for(run_id, timeout_s=5)
        if status.done:
            return status.state


def main() -> None:
    """Start one run per seed (they wait for each other by themselves) and compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentence", nargs="?", default="a robot reaches the target")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--max-steps", type=int, help="default: the preset's")
    options = parser.parse_args()
    app = App(settings())
    build = app.build_environment(description=options.sentence)
    runs = {
        seed: app.start_training(build_id=build.build_id, seed=seed, max_steps=options.max_steps).run_id
        for seed in options.seeds
    }
    print(f"{'seed':>6} {'state':<10} {'reward':>8} {'success':>8}  run")
    for seed, run_id in runs.items():
        state = anyio.run(ended, app, run_id)
        summary = app.get_metrics(run_id).summary
        print(f"{seed:>6} {state:<10} {summary.last_reward or 0:>8.3f} {summary.success or 0:>8.1%}  {run_id}")
    app.close()


if __name__ == "__main__":
    main()
