"""Looks at an ML-Agents player of your own, a Unity build for example, and trains it when it is fit.

Its folder has to be an allowed one:

UNITY_MLOPS_ROOTS=path/to python examples/own_player.py path/to/Player.x86_64
"""

from __future__ import annotations

import argparse
from pathlib import Path

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings

CONFIGURATION = Path(__file__).with_suffix(".yaml")


def main() -> None:
    """Probe, then start the training and leave it to itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("player", type=Path)
    parser.add_argument("--max-steps", type=int, help="default: what own_player.yaml says")
    options = parser.parse_args()
    app = App(settings())
    found = app.probe(str(options.player), steps=100)
    for behavior in found.behaviors:
        print(f"{behavior.name} observes {behavior.observation_shapes}, decides {behavior.action_spec}")
    print(f"{found.agents} agents, {found.agent_steps_per_second:.0f} steps per second")
    if found.problems:
        raise SystemExit("Not fit for a training: " + " ".join(found.problems))
    run = app.start_training(
        env_path=str(options.player),
        trainer_config=CONFIGURATION.read_text(encoding="utf-8"),
        max_steps=options.max_steps,
    )
    print(f"Training {run.run_id}. To look on: unity-mlops watch {run.run_id}")
    app.close()


if __name__ == "__main__":
    main()
