"""Processes that run on: children that we answer for, and detached ones that outlive us."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unity_mlops_mcp.process import broker, system
from unity_mlops_mcp.process.commands import open_process
from unity_mlops_mcp.process.identity import Identity, identify, send
from unity_mlops_mcp.process.tree import starting

_started: dict[int, subprocess.Popen[bytes]] = {}
_started_lock = threading.Lock()


class Started:
    """A process that we started and whose exit code we can still learn."""

    def __init__(self, process: subprocess.Popen[bytes], identity: Identity) -> None:
        self._process = process
        self.identity = identity

    def poll(self) -> int | None:
        """The exit code once it has ended (negative: the signal that ended it), else None."""
        return self._process.poll()

    def interrupt(self) -> bool:
        """Ask it to save and end; False when it is gone."""
        return self._process.poll() is None and send(self.identity, system.interrupt_signal())


def start_child(
    argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path | None = None
) -> Started:
    """Start a process in a session of its own that we stay responsible for.

    Args:
        argv: program and arguments; no shell.
        cwd: its working directory.
        env: its whole environment.
        stdout: the file that its output is appended to.
        stderr: the same for errors; ``stdout`` when None.

    Raises:
        NotFoundError: the program cannot be started.
    """
    return _start(argv, cwd, env, (stdout, stderr or stdout), options=system.child_options())


def start_detached(
    argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path | None = None
) -> Identity | None:
    """Start a process that lives on when we, our process group or our job object are killed.

    Arguments and errors are those of `start_child`.

    Returns:
        Who it is; None when a broker started it, which cannot say.
    """
    collect()
    if system.inside_job_object():
        broker.start(argv, cwd=cwd, env=env, stdout=stdout, stderr=stderr or stdout)
        return None
    return _start(argv, cwd, env, (stdout, stderr or stdout), options=system.detached_options()).identity


def _start(
    argv: Sequence[str | Path],
    cwd: Path,
    env: Mapping[str, str],
    outputs: tuple[Path, Path],
    *,
    options: Mapping[str, Any],
) -> Started:
    with outputs[0].open("ab") as out, outputs[1].open("ab") as err:
        streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
        with starting:
            process = open_process([str(part) for part in argv], cwd=cwd, env=env, options={**options, **streams})
    with _started_lock:
        _started[process.pid] = process
    return Started(process, identify(process.pid) or _unseen(process.pid))


def collect() -> None:
    """Forget what we started and has ended, so that no zombie stays; a long-lived process calls it now and then."""
    with _started_lock:
        for pid in [pid for pid, process in _started.items() if process.poll() is not None]:
            del _started[pid]


def started_pids() -> frozenset[int]:
    """The processes that we started and that have not ended, as far as we know."""
    with _started_lock:
        return frozenset(_started)


def _unseen(pid: int) -> Identity:
    return Identity(pid, time.time(), system.boot_id(), system.pid_namespace(), system.host_name())
