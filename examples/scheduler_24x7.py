"""Trainings around the clock from Python: every night at two, and Ctrl-C ends it cleanly.

python examples/scheduler_24x7.py --webhook-url http://127.0.0.1:8080/training-events
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from mlops_unity_pipeline import (
    RLTrainingConfig,
    TrainingSchedule,
    TrainingScheduler,
    UnityAssetSpec,
    UnityMLOpsOrchestrator,
)


async def main(cron: str, webhook_url: str | None) -> None:
    """Add the schedule and fire it until somebody ends the program."""
    scheduler = TrainingScheduler(UnityMLOpsOrchestrator(), max_concurrent_jobs=4, webhook_url=webhook_url)
    added = scheduler.add_schedule(
        TrainingSchedule(
            schedule_id="nightly",
            cron_expression=cron,
            asset_specs=[
                UnityAssetSpec(
                    asset_id="patrol-001",
                    name="PatrolAgent",
                    asset_type="behavior",
                    description="Patrol four waypoints while avoiding obstacles",
                ),
                UnityAssetSpec(
                    asset_id="nav-001",
                    name="NavigationAgent",
                    asset_type="behavior",
                    description="Navigate around obstacles to a target",
                    observation_space={"raycast": 8, "velocity": 2},
                    action_space={"type": "continuous", "size": 2},
                ),
            ],
            rl_config=RLTrainingConfig(num_envs=8, time_scale=20.0),  # as many steps as each behaviour needs
        )
    )
    print(f"{added.name} fires next at {', '.join(added.next_firings)}", flush=True)
    going = asyncio.ensure_future(scheduler.run_forever())
    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C alone ends it
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, going.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await going
    print("Ended; what was training goes on.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cron", default="0 2 * * *")
    parser.add_argument("--webhook-url")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(options.cron, options.webhook_url))
