"""How good the presets become: each archetype trained by the real trainer with three seeds, beside its baseline.

    python bench/presets.py [--archetype reach_target …] [--seeds 1 2 3] [--out presets.json]

Goes through the public door only, ``unity-mlops … --json``, from the archetype's own spec to the figures of
``get-metrics``; the trainer must be installed (``unity-mlops trainer install``). A goal of success is counted over as
many last summaries as 100 or more episodes take, and must be 60 points above a random policy. A goal of winning
(self-play) is counted over 200 episodes of the final ONNX policy against the run's first checkpoint, each on either
side for half of them. One training runs at a time. Exit code 1 when a preset misses its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unity_mlops_mcp.evaluation.matches import win_rate
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.protocol.agents import random_actions
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import Archetype, archetype_names, load_archetype

REPOSITORY = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "unity_mlops_mcp")
LONGEST_S = 900
"""Seconds after which a training counts as failed."""
RANDOM_EPISODES = 1000
MATCH_EPISODES, MATCH_AREAS = 200, 50
ABOVE_RANDOM = 0.6
"""How far above a random policy's success a trained one's must be."""


@dataclass(frozen=True)
class Trained:
    """One training of a preset.

    Attributes:
        share: of successful episodes, or of episodes won against the first checkpoint, 0 to 1.
        episodes: episodes behind it.
        wall_s: seconds from the command to the finished run, start of the trainer and ONNX export included.
        sides: self-play: the share of wins as the first team and as the second.
    """

    seed: int
    run_id: str
    share: float
    episodes: int
    steps: int
    wall_s: float
    endings: dict[str, float]
    sides: tuple[float, float] | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print a Markdown table, and say whether every preset reached its goal with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archetype", nargs="+", default=archetype_names(), choices=archetype_names())
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--out", type=Path, help="also write every figure to this JSON file")
    options = parser.parse_args(argv)
    print("| preset | goal | per seed | episodes counted | steps | wall s, median (worst) | baseline |")
    print("|---|---|---|---|---|---|---|")
    figures: dict[str, Any] = {}
    reached = True
    for name in options.archetype:
        archetype = load_archetype(name)
        chance = None if archetype.goal.success is None else random_success(archetype)
        runs = [train(archetype, seed) for seed in options.seeds]
        print(row(archetype, runs, chance), flush=True)
        figures[name] = {"goal": archetype.goal.share, "random": chance, "runs": [asdict(run) for run in runs]}
        least = max(archetype.goal.share, ABOVE_RANDOM + (chance or 0.0) if chance is not None else 0.0)
        reached &= all(run.share >= least for run in runs)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if reached else 1


def row(archetype: Archetype, runs: Sequence[Trained], chance: float | None) -> str:
    """One line of the table."""
    walls = [run.wall_s for run in runs]
    cells = (
        f"`{archetype.name}`",
        f"{archetype.goal.share:.0%} {'won' if chance is None else 'success'}",
        ", ".join(_share(run) for run in runs),
        ", ".join(str(run.episodes) for run in runs),
        f"{runs[0].steps:,}",
        f"{statistics.median(walls):.0f} ({max(walls):.0f})",
        "first checkpoint" if chance is None else f"random {chance:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def _share(run: Trained) -> str:
    sides = f" ({' and '.join(f'{side:.0%}' for side in run.sides)} by side)" if run.sides else ""
    return f"{run.share:.1%}{sides}"


def train(archetype: Archetype, seed: int) -> Trained:
    """Build, train and read the figures, as a user with the preset's spec would."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yaml"
        spec.write_text(archetype.spec.to_yaml(), encoding="utf-8")
        build = ask("build-environment", "--spec", str(spec))
    begun = time.monotonic()
    run = ask("start-training", "--build-id", build["build_id"], "--seed", str(seed))
    ended = ask("wait-for", run["run_id"], "--timeout-s", str(LONGEST_S))
    wall = time.monotonic() - begun
    if ended["state"] != "succeeded":
        raise SystemExit(f"{run['run_id']} ended as {ended['state']}: {ended.get('failure')}")
    require_settings(archetype, ended)
    summary = ask("get-metrics", run["run_id"])["summary"]
    told: dict[str, Any] = {"share": summary["success"], "episodes": summary["success_episodes"]}
    if archetype.goal.win_rate is not None:
        told = against_first_checkpoint(Path(ended["folder"]), Path(build["player_path"]), ended["onnx"], seed)
    return Trained(
        seed=seed,
        run_id=run["run_id"],
        steps=summary["steps"],
        wall_s=wall,
        endings=summary["endings"],
        **told,
    )


def require_settings(archetype: Archetype, run: dict[str, Any]) -> None:
    """The run was trained with the preset's own settings, found again by its spec."""
    steps = f"max_steps: {archetype.training['max_steps']}"
    if steps not in run["configuration"] or run["max_steps"] != archetype.training["max_steps"]:
        raise SystemExit(f"{run['run_id']} was not trained with the settings of {archetype.name}.")


def against_first_checkpoint(run: Path, build: Path, final: str, seed: int) -> dict[str, Any]:
    """How the final policy of a run does against its first checkpoint."""
    saved = sorted(run.glob("*/*-*.onnx"), key=lambda path: int(path.stem.rpartition("-")[2]))
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    command = [sys.executable, "-m", "unity_mlops_mcp.sandbox", str(build / "spec.json")]
    with Environment(command, areas=MATCH_AREAS, seed=seed) as environment:
        match = win_rate(Policy(Path(final)), Policy(saved[0]), environment, episodes=MATCH_EPISODES, seed=seed)
    return {"share": match.win_rate, "episodes": match.episodes, "sides": (match.as_first, match.as_second)}


def ask(*arguments: str) -> dict[str, Any]:
    """The answer of one ``unity-mlops`` command."""
    done = subprocess.run([*COMMAND, *arguments, "--json"], capture_output=True, text=True, check=False)
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {"cause": "no answer"}
    if "cause" in answer:
        raise SystemExit(f"unity-mlops {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return answer


def random_success(archetype: Archetype) -> float:
    """The success rate of uniformly random actions over many episodes, in the same number of areas."""
    world, rng = World(archetype.spec, areas=archetype.areas, seed=0), np.random.default_rng(0)
    behaviors = {behavior.name: behavior for behavior in world.behaviors}
    steps = world.reset()
    results: list[float] = []
    while len(results) < RANDOM_EPISODES:
        steps = world.step({name: random_actions(behaviors[name], at.decisions, rng) for name, at in steps.items()})
        results += [stat.value for stat in world.drain_stats() if stat.name == "Environment/Success"]
    return statistics.fmean(results)


if __name__ == "__main__":
    sys.exit(main())
