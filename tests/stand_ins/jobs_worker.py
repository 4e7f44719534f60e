"""A program as a job starts it: counts in its folder, saves as it goes, and has the folder for itself.

``python jobs_worker.py FOLDER [--until N] [--player] [--deaf]``: ``--player`` starts one more process in a
session of its own, which ends only when killed or when the worker ends it; ``--deaf`` ignores SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def count(folder: Path, until: int) -> None:
    """Count from the checkpoint on, one every 20 ms."""
    saved = folder / "checkpoint.json"
    reached = json.loads(saved.read_text())["count"] if saved.exists() else 0
    while reached < until:
        reached += 1
        fresh = folder / f"checkpoint.{os.getpid()}.tmp"
        fresh.write_text(json.dumps({"count": reached, "pid": os.getpid()}))
        fresh.replace(saved)
        time.sleep(0.02)


def main() -> int:
    """Work until the count is reached or an interrupt comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--until", type=int, default=10**9)
    parser.add_argument("--player", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    options = parser.parse_args()
    with (options.folder / "alone.lock").open("a") as alone:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with (options.folder / "collisions").open("a") as collisions:
                collisions.write(f"{os.getpid()}\n")
            return 9
        with (options.folder / "pids").open("a") as pids:
            pids.write(f"{os.getpid()}\n")
        return work(options)


def work(options: argparse.Namespace) -> int:
    """Count, beside a player where asked for."""
    if options.deaf:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    player = [sys.executable, "-c", "import signal; signal.pause()"]
    started = [subprocess.Popen(player, start_new_session=True)] if options.player else []
    if started:
        (options.folder / "player").write_text(str(started[0].pid))
    try:
        count(options.folder, options.until)
    except KeyboardInterrupt:
        (options.folder / "interrupted").touch()
    finally:
        for process in started:
            process.kill()
            process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
