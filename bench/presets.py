"""How good the presets become: each archetype trained by the real trainer with three seeds, beside a random policy.

    python bench/presets.py [--archetypes reach_target …] [--seeds 1 2 3] [--out presets.json]

Goes through the public door only, ``unity-mlops … --json``, from the archetype's own description to the figures of
``get-metrics``; the trainer must be installed (``unity-mlops trainer install``). Success is counted over as many last
summaries as 100 or more episodes take. One training runs at a time. Exit code 1 when a preset misses its goal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unity_mlops_mcp.protocol.simulation import Actions
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import Archetype, archetype_names, load_archetype

COMMAND = (sys.executable, "-m", "unity_mlops_mcp")
LONGEST_S = 900
"""Seconds after which a training counts as failed."""
RANDOM_EPISODES = 1000


@dataclass(frozen=True)
class Trained:
    """One training of a preset.

    Attributes:
        success: share of successful episodes, 0 to 1.
        episodes: episodes behind it.
        wall_s: seconds from the command to the finished run, start of the trainer and ONNX export included.
    """

    seed: int
    run_id: str
    success: float
    episodes: int
    steps: int
    wall_s: float
    endings: dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print a Markdown table, and say whether every preset reached its goal with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archetypes", nargs="+", default=archetype_names(), choices=archetype_names())
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--out", type=Path, help="also write every figure to this JSON file")
    options = parser.parse_args(argv)
    print("| preset | goal | success per seed | episodes counted | steps | wall s, median (worst) | random policy |")
    print("|---|---|---|---|---|---|---|")
    figures: dict[str, Any] = {}
    reached = True
    for name in options.archetypes:
        archetype = load_archetype(name)
        chance = random_success(archetype)
        runs = [train(archetype, seed) for seed in options.seeds]
        print(row(archetype, runs, chance), flush=True)
        figures[name] = {"goal": archetype.goal.share, "random": chance, "runs": [asdict(run) for run in runs]}
        reached &= all(run.success >= archetype.goal.share for run in runs)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if reached else 1


def row(archetype: Archetype, runs: Sequence[Trained], chance: float) -> str:
    """One line of the table."""
    walls = [run.wall_s for run in runs]
    cells = (
        f"`{archetype.name}`",
        f"{archetype.goal.share:.0%}",
        ", ".join(f"{run.success:.1%}" for run in runs),
        ", ".join(str(run.episodes) for run in runs),
        f"{runs[0].steps:,}",
        f"{statistics.median(walls):.0f} ({max(walls):.0f})",
        f"{chance:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def train(archetype: Archetype, seed: int) -> Trained:
    """Build, train and read the figures, as a user would."""
    build = ask("build-environment", archetype.description)
    if build["archetype"] != archetype.name:
        raise SystemExit(f"The description of {archetype.name} was planned as {build['archetype']}.")
    begun = time.monotonic()
    run = ask("start-training", "--build-id", build["build_id"], "--seed", str(seed))
    ended = ask("wait-for", run["run_id"], "--timeout-s", str(LONGEST_S))
    wall = time.monotonic() - begun
    if ended["state"] != "succeeded":
        raise SystemExit(f"{run['run_id']} ended as {ended['state']}: {ended.get('failure')}")
    summary = ask("get-metrics", run["run_id"])["summary"]
    return Trained(
        seed=seed,
        run_id=run["run_id"],
        success=summary["success"],
        episodes=summary["success_episodes"],
        steps=summary["steps"],
        wall_s=wall,
        endings=summary["endings"],
    )


def ask(*arguments: str) -> dict[str, Any]:
    """The answer of one ``unity-mlops`` command."""
    done = subprocess.run([*COMMAND, *arguments, "--json"], capture_output=True, text=True, check=False)
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {"cause": "no answer"}
    if "cause" in answer:
        raise SystemExit(f"unity-mlops {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return answer


def random_success(archetype: Archetype) -> float:
    """The success rate of uniformly random actions over many episodes, in the same number of areas."""
    areas = archetype.areas
    world = World(archetype.spec, areas=areas, seed=0)
    world.reset()
    rng = np.random.default_rng(0)
    name, action = world.behaviors[0].name, world.behaviors[0].action
    results: list[float] = []
    while len(results) < RANDOM_EPISODES:
        continuous = rng.uniform(-1, 1, (areas, action.continuous)).astype(np.float32)
        discrete = [rng.integers(0, size, areas) for size in action.branches]
        branches = np.array(discrete, np.int32).reshape(len(discrete), areas).T
        world.step({name: Actions(continuous, branches)})
        results += [stat.value for stat in world.drain_stats() if stat.name == "Environment/Success"]
    return statistics.fmean(results)


if __name__ == "__main__":
    sys.exit(main())
