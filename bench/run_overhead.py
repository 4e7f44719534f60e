"""What a run through us costs beside the same trainer command typed by hand: pairs in turn, medians, difference.

    python bench/run_overhead.py [--pairs 5] [--steps 20000]

Needs a trainer (unity-mlops trainer install). Both runs use one player, one trainer mode, one seed; the command typed
by hand is the one that the run's own record holds. The home is a temporary one, with the trainer checked beforehand.
Exit code 1 when the median costs more than 1.5 s.
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
from pathlib import Path

MOST_S = 1.5
"""Seconds that a run through us may take longer, whatever its length."""


def main() -> int:
    """Time the pairs and print one line each, then the medians; 1 when ours take too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unity mlops bench ") as folder:
        differences, ratios = compare(Path(folder), options.pairs, options.steps)
    print(
        f"median of {options.pairs} pairs: {statistics.median(differences):+.2f} s, "
        f"{100 * (statistics.median(ratios) - 1):+.1f} % of a run of {options.steps}"
        f" steps; wanted: {MOST_S} s at most"
    )
    return int(statistics.median(differences) > MOST_S)


def compare(home: Path, pairs: int, steps: int) -> tuple[list[float], list[float]]:
    """Seconds that ours took longer, and ours by theirs, for each pair; one more pair warms up."""
    trainer = subprocess.run(
        [sys.executable, "-m", "unity_mlops_mcp", "trainer", "show", "--python"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    environment = {**os.environ, "UNITY_MLOPS_HOME": str(home), "UNITY_MLOPS_TRAINER": trainer}
    differences, ratios = [], []
    for pair in range(pairs + 1):
        ours, run_id = through_us(environment, steps)
        by_hand = typed(home, run_id, environment)
        print(f"pair {pair}: through us {ours:.2f} s, by hand {by_hand:.2f} s" + (" (warm-up)" if pair == 0 else ""))
        if pair:
            differences.append(ours - by_hand)
            ratios.append(ours / by_hand)
    return differences, ratios


def through_us(environment: dict[str, str], steps: int) -> tuple[float, str]:
    """Seconds of one whole command, and its run."""
    command = ["train", "reach the target", "--max-steps", str(steps), "--seed", "1", "--json"]
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "unity_mlops_mcp", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - begun, json.loads(done.stdout)["run_id"]


def typed(home: Path, run_id: str, environment: dict[str, str]) -> float:
    """Seconds of the trainer's own command, its results in a folder of their own."""
    record = json.loads((home / "runs" / run_id / "run.json").read_text())
    words = record["attempts"][-1]["command"]
    command = [word for word in words if not word.startswith(("--results-dir", "--run-id"))]
    with tempfile.TemporaryDirectory() as results:
        begun = time.perf_counter()
        subprocess.run(
            [*command, f"--results-dir={results}", "--run-id=typed"],
            env={**environment, "PYTHONHASHSEED": "0"}, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
