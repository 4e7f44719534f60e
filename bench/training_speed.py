"""Training steps per second of the fast trainer against compat, on one player and one machine, in one run.

Usage: ``python bench/training_speed.py [--trainer PYTHON] [--player PLAYER] [--agents 16 64] [--rounds 3] [--steps N]``

The rounds are interleaved, so that a busy machine slows both; medians and their ratios are what to look at. Steps per
second are counted between the first and the last summary line, which leaves out the start. The default player is the
test player; another one gets the number of agents as ``--agents N``. The default trainer is the one that a training
would use. Exit code 1 when fast is below a goal: 1.6 times compat with 16 agents, 2.0 times with 64.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.stand_ins.player import write_player
from tests.trainings import train
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.training.trainer.environment import find_trainer

GOALS = {16: 1.6, 64: 2.0}
CONFIGURATION = """behaviors:
  Nav:
    trainer_type: ppo
    hyperparameters: {{batch_size: 256, buffer_size: 2048, learning_rate: 0.001, num_epoch: 3}}
    network_settings: {{hidden_units: 64, num_layers: 2}}
    max_steps: {steps}
    time_horizon: {horizon}
    summary_freq: {summary}
"""
SUMMARY = re.compile(r"Step: (\d+)\. Time Elapsed: ([\d.]+) s\.")


@dataclass(frozen=True)
class Speed:
    """One training: its steps per second, and the seconds of the whole command."""

    steps_per_second: float
    command_s: float


def measure(python: Path, mode: str, player: Path, folder: Path, *, agents: int, steps: int) -> Speed:
    """Train once."""
    horizon = max(8, min(64, 2048 // agents))
    configuration = folder / "trainer.yaml"
    configuration.write_text(CONFIGURATION.format(steps=steps, horizon=horizon, summary=steps // 10))
    started = time.monotonic()
    arguments = ("--agents", str(agents))
    training = train(python, mode, configuration, player, run="bench", options=("--seed=5",), arguments=arguments)
    elapsed = time.monotonic() - started
    points = [(int(step), float(at)) for step, at in SUMMARY.findall(training.output)]
    if training.exit_code or len(points) < 2:
        raise SystemExit(f"{mode} did not train:\n{training.output[-2000:]}")
    (first, began), (last, ended) = points[0], points[-1]
    return Speed((last - first) / (ended - began), elapsed)


def compare(python: Path, player: Path, *, agents: int, steps: int, rounds: int) -> bool:
    """Print the medians of both modes at one number of agents; whether fast is as much faster as it has to be."""
    speeds: dict[str, list[Speed]] = {"compat": [], "fast": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for mode, measured in speeds.items():
                measured.append(measure(python, mode, player, Path(folder), agents=agents, steps=steps))
    rate = {mode: statistics.median(speed.steps_per_second for speed in measured) for mode, measured in speeds.items()}
    command = {mode: statistics.median(speed.command_s for speed in measured) for mode, measured in speeds.items()}
    ratio, goal = rate["fast"] / rate["compat"], GOALS.get(agents)
    wanted = f" (at least {goal})" if goal else ""
    for mode, measured in speeds.items():
        each = " ".join(f"{speed.steps_per_second:.0f}" for speed in measured)
        print(f"{agents:4d} agents  {mode:6s} {rate[mode]:8.0f} steps/s   command {command[mode]:5.1f} s   [{each}]")
    print(f"{agents:4d} agents  fast is {ratio:.2f} times compat{wanted}", flush=True)
    return goal is None or ratio >= goal


def main() -> int:
    """Compare the modes at each number of agents; 1 when fast is below a goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainer", type=Path)
    parser.add_argument("--player", type=Path)
    parser.add_argument("--agents", type=int, nargs="+", default=list(GOALS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50_000)
    chosen = parser.parse_args()
    python = chosen.trainer or Path(find_trainer(settings()).python)
    with tempfile.TemporaryDirectory() as folder:
        player = chosen.player or write_player(Path(folder))
        reached = [
            compare(python, player, agents=agents, steps=chosen.steps, rounds=chosen.rounds) for agents in chosen.agents
        ]
    return int(not all(reached))


if __name__ == "__main__":
    sys.exit(main())
