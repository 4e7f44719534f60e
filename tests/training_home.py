"""An application over a fresh home with a real trainer, and how tests wait for what it does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import psutil
import yaml

from unity_mlops_mcp.app import App
from unity_mlops_mcp.results.runs import Status

PATIENCE_S = 120.0
SMALL = "behaviors: {{ReachTarget: {{summary_freq: {summary}, checkpoint_interval: {checkpoint}, max_steps: {steps}}}}}"


def small(steps: int = 6000, *, summary: int = 1000, checkpoint: int = 2000) -> str:
    """A trainer YAML for a short run."""
    return SMALL.format(steps=steps, summary=summary, checkpoint=checkpoint)


def nav(steps: int = 4000, **env: object) -> str:
    """A trainer YAML for the stand-in player."""
    body = {
        "trainer_type": "ppo",
        "hyperparameters": {"batch_size": 64, "buffer_size": 512},
        "network_settings": {"hidden_units": 16, "num_layers": 1},
        "max_steps": steps,
        "summary_freq": 1000,
        "checkpoint_interval": 1000,
    }
    return yaml.safe_dump({"behaviors": {"Nav": body}, "env_settings": {"timeout_wait": 10, **env}})


def until(app: App, run_id: str, reached: Callable[[Status], bool], *, patience_s: float = PATIENCE_S) -> Status:
    """The status as soon as something holds; the home is tended meanwhile, as every living process does."""
    end = time.monotonic() + patience_s
    while True:
        app.tend()
        status = anyio.run(lambda: app.wait_for(run_id, timeout_s=0.2))
        if reached(status):
            return status
        if status.done or time.monotonic() > end:
            raise AssertionError(f"not reached: {status.model_dump_json(indent=1)}")


def finish(app: App, run_id: str, *, patience_s: float = PATIENCE_S) -> Status:
    """The status at the end."""
    end = time.monotonic() + patience_s
    while True:
        app.tend()
        status = anyio.run(lambda: app.wait_for(run_id, timeout_s=0.5))
        if status.done:
            return status
        if time.monotonic() > end:
            raise AssertionError(f"not ended: {status.model_dump_json(indent=1)}")


def processes_of(home: Path, *words: str) -> list[psutil.Process]:
    """Living processes with all these words in their command line, and this home among their arguments or variables."""
    return [process for process in psutil.process_iter() if _is_of(process, home, words)]


def _is_of(process: psutil.Process, home: Path, words: tuple[str, ...]) -> bool:
    try:
        line = " ".join(process.cmdline())
        ours = str(home) in line or process.environ().get("UNITY_MLOPS_HOME") == str(home)
        return ours and all(word in line for word in words) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def the_trainer(home: Path) -> psutil.Process:
    """The one trainer process."""
    found = [process for process in processes_of(home, "--run-id=") if "supervise" not in process.cmdline()]
    assert len(found) == 1, [process.cmdline() for process in found]
    return found[0]


def the_supervisor(home: Path) -> psutil.Process:
    """The one supervisor process."""
    found = processes_of(home, "supervise")
    assert len(found) == 1, [process.cmdline() for process in found]
    return found[0]


def kill(process: psutil.Process) -> None:
    """SIGKILL, as the system does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)


def nothing_is_left(home: Path) -> bool:
    """Whether no process of this home lives any more, within a bound."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if not [process for process in processes_of(home) if process.pid != os.getpid()]:
            return True
        time.sleep(0.1)
    return False
