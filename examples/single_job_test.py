"""One training job from Python: describe an agent, train it, and get the path of its policy.

python examples/single_job_test.py            # a non-zero exit code when it fails
python examples/single_job_test.py --dry-run  # plan, write the C# and check it; nothing is trained
"""

from __future__ import annotations

import argparse
import asyncio

from mlops_unity_pipeline import RLTrainingConfig, TrainingJob, UnityAssetSpec, UnityMLOpsOrchestrator


async def main(max_steps: int, dry_run: bool) -> None:
    """Train one agent and say what came of it."""
    orchestrator = UnityMLOpsOrchestrator(dry_run=dry_run)
    asset = UnityAssetSpec(
        asset_id="test-001",
        name="SimpleAgent",
        asset_type="behavior",
        description="Reach target position",
    )
    config = RLTrainingConfig(algorithm="PPO", max_steps=max_steps)
    job = TrainingJob(job_id="single-job-test", asset_spec=asset, rl_config=config)
    result = await orchestrator.execute_training_job(job)
    print(result.message)
    if result.trained_model_path:
        print(f"Training complete: {result.trained_model_path}")
    orchestrator.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-steps", type=int, default=20_000)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    asyncio.run(main(options.max_steps, options.dry_run))
