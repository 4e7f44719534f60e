"""Living processes found by what stands on their command line."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def pids_working_on(folder: Path) -> tuple[int, ...]:
    """The living processes, this one excepted, that were given the folder as a whole argument.

    Processes of other users whose command lines are hidden from us are not seen.
    """
    wanted = {os.path.normcase(str(folder)), os.path.normcase(str(folder.resolve()))}
    return tuple(
        process.pid for process in psutil.process_iter() if process.pid != os.getpid() and _names(process, wanted)
    )


def _names(process: psutil.Process, wanted: set[str]) -> bool:
    try:
        words = process.cmdline()
        return any(os.path.normcase(word.rstrip("/\\")) in wanted for word in words) and _lives(process)
    except (psutil.Error, OSError):
        return False


def _lives(process: psutil.Process) -> bool:
    return bool(process.status() != psutil.STATUS_ZOMBIE)
