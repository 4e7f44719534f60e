"""Comparing 200 runs of 60,000 events each: time, and peak memory against that of 20 runs.

python bench/compare_runs.py
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.event_files import scalar, version
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.store.rows import RunRow

RUNS, EVENTS, TAGS = 200, 60_000, 12
GOAL = 1.5
NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


def write_home(home: Path) -> None:
    """A home of 200 runs; their event files are links to one, which costs no disk and is read all the same."""
    app = App(Settings(home=home))
    tags = ["Environment/Cumulative Reward", *(f"Losses/Loss {number}" for number in range(TAGS - 1))]
    points = (scalar(tag, step / 5000, step, 1.7e9 + step) for step in range(1, EVENTS // TAGS + 1) for tag in tags)
    source = home / "events"
    source.write_bytes(version() + b"".join(points))
    for number in range(RUNS):
        folder = home / "runs" / f"run-{number:03}" / "Nav"
        folder.mkdir(parents=True)
        os.link(source, folder / "events.out.tfevents.1.host")
        configuration = {"behaviors": {"Nav": {"hyperparameters": {"gamma": 0.9 + (number // 5) / 1000}}}}
        row = RunRow(f"run-{number:03}", "Nav", None, 5000, configuration, NOON + timedelta(seconds=number))
        app.store.runs.add(row)
    app.close()


def measure(home: Path, runs: int) -> dict[str, float]:
    """In a process of its own: seconds and peak memory (MB) of comparing so many runs."""
    done = subprocess.run([sys.executable, __file__, str(home), str(runs)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def child(home: Path, runs: int) -> None:
    app = App(Settings(home=home))
    app.store.runs.page(limit=1)
    start = time.perf_counter()
    app.compare_runs(run_ids=",".join(f"run-{number:03}" for number in range(runs)))
    seconds = time.perf_counter() - start
    app.close()
    print(json.dumps({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        write_home(home)
        few, many = measure(home, 20), measure(home, RUNS)
    ratio = many["peak_mb"] / few["peak_mb"]
    print(f"20 runs: {few['seconds']:.1f} s, peak {few['peak_mb']:.0f} MB")
    print(f"{RUNS} runs of {EVENTS:,} events: {many['seconds']:.1f} s, peak {many['peak_mb']:.0f} MB")
    print(f"peak memory at {RUNS} runs by that at 20: {ratio:.2f} (goal: at most {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    if len(sys.argv) > 2:
        child(Path(sys.argv[1]), int(sys.argv[2]))
        sys.exit(0)
    sys.exit(main())
