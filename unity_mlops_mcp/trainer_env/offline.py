"""Clones recorded experience into a policy with mlagents' own network and export, without any player.

Usage: ``PYTHON .../trainer_env/offline.py TASK.json``; `cloning.Task` describes the file. It prints what mlagents-learn
would, and one line for each look at the validation episodes; SIGINT and SIGTERM make it save what it has. Exit codes: 0
done or interrupted with everything saved, 1 an error, 3 where this trainer cannot be used for it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)
USAGE = "usage: offline.py TASK.json"


def main(arguments: list[str]) -> int:
    """Do what the task file says; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(USAGE + "\n")
        return 2
    task = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    sys.path.insert(0, FOLDER)
    launcher = import_module("launcher")
    launcher.adopt_package()  # which takes the folder off the path again
    start = import_module(launcher.PACKAGE + ".start")
    reason = start.refusal("compat")
    if reason:
        launcher.refuse(reason)
    start.prepare("compat" if start.refusal("fast") else "fast")
    cloning = import_module(launcher.PACKAGE + ".cloning")
    cloning.clone(cloning.Task(**task))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
