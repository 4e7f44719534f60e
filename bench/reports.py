"""One report of many runs: seconds, megabytes, and memory at 200 runs against 20.

    python bench/reports.py [--runs 200] [--events 60000] [--format html]

The runs are written once, as ML-Agents writes them: twelve tags at each summary, so that 200 runs of 60,000 events are
twelve million. Each report is made in a process of its own, which measures its own greatest memory. Fails when the
report of all runs takes more than 10 s or 5 MB, or more than 1.5 times the memory of one of a tenth of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from unity_mlops_mcp.metrics.framing import masked_crc
from unity_mlops_mcp.store.rows import JobRow, RunRow
from unity_mlops_mcp.store.store import Store

MOST_S, MOST_MB, MOST_RATIO = 10.0, 5.0, 1.5
TAGS = (
    "Environment/Cumulative Reward",
    "Environment/Episode Length",
    "Environment/Success",
    "Environment/Ending/reached",
    "Environment/Ending/crashed",
    "Policy/Entropy",
    "Policy/Learning Rate",
    "Policy/Extrinsic Value Estimate",
    "Policy/Extrinsic Reward",
    "Losses/Policy Loss",
    "Losses/Value Loss",
    "Policy/Beta",
)
SEEDS = 5
BEGUN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def main() -> int:
    """Write the runs, make both reports, print one line each; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--format", default="html")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(Path(options.child[0]), int(options.child[1]), options.format)
    with tempfile.TemporaryDirectory(prefix="unity mlops bench ") as folder:
        write_runs(Path(folder), options.runs, options.events)
        few, many = (measured(Path(folder), count, options.format) for count in (options.runs // 10, options.runs))
    ratio = many["peak_mb"] / few["peak_mb"]
    print(f"{many['seconds']:.1f} s, {many['megabytes']:.2f} MB; wanted: {MOST_S:g} s and {MOST_MB:g} MB at most")
    print(f"greatest memory {ratio:.2f} times that of {options.runs // 10} runs; wanted: {MOST_RATIO:g} at most")
    return int(many["seconds"] > MOST_S or many["megabytes"] > MOST_MB or ratio > MOST_RATIO)


def measured(home: Path, count: int, form: str) -> dict[str, float]:
    """What a process of its own tells of a report of so many runs."""
    command = [sys.executable, __file__, "--child", str(home), str(count), "--format", form]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told: dict[str, float] = json.loads(done.stdout)
    print(f"{count} runs: {told}")
    return told


def child(home: Path, count: int, form: str) -> int:
    """Make the report as the job does, and print seconds, megabytes of the file, and the greatest memory."""
    from unity_mlops_mcp.reports.gather import gather
    from unity_mlops_mcp.reports.library import save_report
    from unity_mlops_mcp.reports.run import write

    store = Store(home)
    begun = time.perf_counter()
    report = gather(store, [name(run) for run in range(count)], report_id=f"report-{count}", now=BEGUN)
    gathered = time.perf_counter() - begun
    save_report(home, report)
    path = home / f"report.{form}"
    write(report, path, form)  # type: ignore[arg-type]
    seconds = time.perf_counter() - begun
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    told = {"seconds": seconds, "gathering": gathered, "megabytes": path.stat().st_size / 1e6, "peak_mb": peak}
    print(json.dumps({key: round(value, 3) for key, value in told.items()}))
    return 0


def name(run: int) -> str:
    """A run's id."""
    return f"nav-{run:04d}"


def write_runs(home: Path, runs: int, events: int) -> None:
    """The runs of as many settings as there are fives of seeds, with rows, records and event files."""
    store = Store(home)
    for run in range(runs):
        folder = home / "runs" / name(run)
        folder.mkdir(parents=True)
        configuration = {
            "behaviors": {
                "Nav": {
                    "trainer_type": "ppo",
                    "hyperparameters": {"learning_rate": round(1e-4 * (1 + run // SEEDS), 6), "batch_size": 64},
                    "max_steps": events * 100,
                }
            }
        }
        request = {"run_id": name(run), "build_id": "sandbox-nav-1", "seed": run % SEEDS, "num_areas": 16}
        command = ["mlagents-learn", "trainer.yaml", f"--run-id={name(run)}"]
        record = {"request": request, "configuration": configuration, "attempts": [{"command": command}]}
        (folder / "run.json").write_text(json.dumps(record))
        (folder / "Nav.onnx").write_bytes(f"policy {run}".encode())
        write_events(folder / "Nav" / f"events.out.tfevents.{1_700_000_000}.host.1.0", run, events // len(TAGS))
        job = JobRow(
            id=f"job-{run}", kind="training", subject=name(run), state="succeeded", request=request, limited=True,
            token="", created_at=BEGUN, changed_at=BEGUN, started_at=BEGUN, finished_at=BEGUN,
        )  # fmt: skip
        store.jobs.add(job)
        store.runs.add(RunRow(name(run), "Nav", None, events * 100, configuration, BEGUN, job_id=job.id))
    store.close()


def write_events(path: Path, run: int, summaries: int) -> None:
    """Twelve scalars a summary."""
    path.parent.mkdir()
    rng = np.random.default_rng(run)
    values = np.cumsum(rng.normal(0.002, 0.02, (summaries, len(TAGS))), axis=0)
    with path.open("wb") as file:
        for summary in range(summaries):
            for place, tag in enumerate(TAGS):
                scalar = Summary.Value(tag=tag, simple_value=values[summary, place])
                made = Event(
                    wall_time=1.7e9 + summary, step=(summary + 1) * 1000, summary=Summary(value=[scalar])
                ).SerializeToString()
                header = len(made).to_bytes(8, "little")
                file.write(b"".join((header, crc(header), made, crc(made))))


def crc(data: bytes) -> bytes:
    """The checksum of a record."""
    return masked_crc(data).to_bytes(4, "little")


if __name__ == "__main__":
    sys.exit(main())
