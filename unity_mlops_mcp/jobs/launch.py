"""How a supervisor process is started, and where it leaves its output."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from unity_mlops_mcp.config import Settings, environment
from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.start import start_detached
from unity_mlops_mcp.process.tree import TOKEN_VARIABLE
from unity_mlops_mcp.store.rows import JobRow

SUPERVISOR = (sys.executable, "-m", "unity_mlops_mcp", "supervise")


def launch(command: Sequence[str], row: JobRow, settings: Settings) -> Identity | None:
    """Start the supervisor of a job, detached, with our settings.

    It carries the attempt's token, and so does all that it starts, unless that is given another one.

    Raises:
        NotFoundError: the command cannot be started.
        SetupError: the system refused (Windows).
    """
    log = log_file(settings.home, row.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = environment(**_variables(settings), **{TOKEN_VARIABLE: row.attempt_token})
    return start_detached([*command, row.id], cwd=settings.home, env=variables, stdout=log)


def log_file(home: Path, job_id: str) -> Path:
    """Where a job's supervisor writes what it has to say."""
    return home / "artifacts" / job_id / "supervisor.log"


def log_tail(home: Path, job_id: str, lines: int = 6) -> tuple[str, ...]:
    """The last lines that a job's supervisor wrote."""
    try:
        content = log_file(home, job_id).read_text(errors="replace")
    except OSError:
        return ()
    return tuple(content.splitlines()[-lines:])


def _variables(settings: Settings) -> dict[str, str | None]:
    """The settings as the environment that reads back as the same settings."""
    found: dict[str, str | None] = {}
    for name, value in settings:
        text = os.pathsep.join(map(str, value)) if isinstance(value, tuple) else value
        text = text.get_secret_value() if isinstance(text, SecretStr) else text
        found[f"UNITY_MLOPS_{name.upper()}"] = None if text is None else str(text)
    return found
