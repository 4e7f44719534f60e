"""The environment that learns from rewards in a dataset: d3rlpy beside its own torch, apart from the trainer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from unity_mlops_mcp.config import Settings, environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError, SetupError
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.process.files import FileLock, write_atomically
from unity_mlops_mcp.training.records import Trainer, TrainerVersions
from unity_mlops_mcp.training.trainer.environment import interpreter_of
from unity_mlops_mcp.training.trainer.interpreters import choose
from unity_mlops_mcp.training.trainer.pip import Pip, end_leftover, pip_environment

COMMAND = "unity-mlops trainer install --offline-rl"
MARKER = "unity-mlops-offline-rl.json"
MOST_WAIT_S = 3600.0
_VENV_TIMEOUT_S, _CHECK_TIMEOUT_S = 300.0, 300.0
_PACKAGES = 40
"""About how many packages are installed, to tell how far it is."""
_ASK = (
    "import json, platform; from importlib.metadata import version; import d3rlpy, torch; "
    "print(json.dumps({'python': platform.python_version(), 'torch': torch.__version__, 'd3rlpy': version('d3rlpy'), "
    "'numpy': version('numpy')}))"
)

Tell = Callable[[str, float], None]
"""Is told a sentence (empty when only the share changed), and how much of the whole is done, 0 to 1."""


def folder_of(settings: Settings) -> Path:
    """Where it lies, ``<home>/offline-rl``."""
    return settings.home / "offline-rl"


def requirements() -> tuple[str, ...]:
    """Torch first, then the rest, each with its version."""
    text = (Path(__file__).parent / "pins" / "offline_rl.txt").read_text(encoding="utf-8")
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def find_offline_rl(settings: Settings) -> Trainer:
    """The environment, as a trainer that knows no mlagents.

    Raises:
        SetupError: there is none that is complete; the fix is the command that makes it.
    """
    folder = folder_of(settings)
    try:
        marker: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        marker = {}
    if marker.get("pins") != _digest() or not interpreter_of(folder).exists():
        raise SetupError(
            f"Learning from rewards in a dataset needs d3rlpy, and {folder} does not hold it.",
            fix=f"Run `{COMMAND}` (about 1.3 GB), or leave algorithm out: cloning needs the trainer only.",
            cause="no_offline_rl",
        )
    python = interpreter_of(folder)
    return Trainer(
        python=python,
        kind="managed",
        command=(str(python),),
        versions=TrainerVersions.model_validate(marker["versions"]),
        fingerprint=marker["pins"],
    )


def install_offline_rl(
    settings: Settings,
    *,
    now: datetime,
    tell: Tell,
    python: Path | None = None,
    torch_index: str | None = None,
    repair: bool = False,
    stopping: Event | None = None,
) -> Trainer:
    """Make the environment, or finish one that was cut off; nothing happens when it is complete.

    Raises:
        SetupError: no interpreter fits, or the result cannot be used.
        ExternalError: pip failed, or it was stopped.
    """
    folder, log = folder_of(settings), settings.home / "offline-rl-install.log"
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.home / "offline-rl.lock")
    if not lock.acquire(timeout_s=MOST_WAIT_S):
        raise ExternalError("Another process is making it.", fix="Wait until it is done.", cause="busy")
    try:
        if not repair:
            try:
                return find_offline_rl(settings)
            except SetupError:
                pass
        end_leftover(log)
        (folder / MARKER).unlink(missing_ok=True)
        _make_environment(folder, python or settings.trainer_python, tell, repair=repair)
        pip = Pip(interpreter_of(folder), log=log, stopping=stopping)
        pip.modernise()
        _install(pip, torch_index or settings.torch_index, tell)
        tell("Checking what was installed.", 0.95)
        marker = {"pins": _digest(), "versions": _versions(interpreter_of(folder)), "made_at": now.isoformat()}
        write_atomically(folder / MARKER, json.dumps(marker, indent=1).encode())
        tell("The environment for learning from rewards is ready.", 1.0)
        return find_offline_rl(settings)
    finally:
        lock.release()


def _digest() -> str:
    return hashlib.sha256("\n".join(requirements()).encode()).hexdigest()[:16]


def _make_environment(folder: Path, python: Path | None, tell: Tell, *, repair: bool) -> None:
    if interpreter_of(folder).exists() and not repair:
        tell(f"Going on with the environment in {folder}.", 0.05)
        return
    chosen = choose(python)
    tell(f"Making an environment in {folder} with {chosen.path}.", 0.02)
    done = run([chosen.path, "-m", "venv", "--clear", folder], timeout_s=_VENV_TIMEOUT_S, env=pip_environment())
    if done.returncode != 0:
        raise SetupError(
            f"{chosen.path} could not make a virtual environment in {folder}.",
            fix="Install that Python's venv package, or name another one with --python.",
            cause="no_venv",
            evidence=(done.stdout + done.stderr).splitlines()[-4:],
        )


def _install(pip: Pip, torch_index: str | None, tell: Tell) -> None:
    torch, *others = requirements()
    index = ["--index-url", torch_index] if torch_index else []
    tell(f"Installing {torch}.", 0.05)
    pip.install(
        ["--only-binary=:all:", torch, *index],
        count=_PACKAGES // 2,
        report=lambda share, text: tell(text, 0.05 + 0.6 * share),
    )
    tell(f"Installing {', '.join(others)}.", 0.65)
    pip.install([torch, *others], count=_PACKAGES, report=lambda share, text: tell(text, 0.65 + 0.3 * share))


def _versions(python: Path) -> dict[str, str]:
    """The versions that it holds, after importing them.

    Raises:
        SetupError: they cannot be imported.
    """
    try:
        done = run([python, "-c", _ASK], timeout_s=_CHECK_TIMEOUT_S, env=environment(PYTHONPATH=None, PYTHONHOME=None))
        versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (NotFoundError, ExternalError, ValueError, IndexError) as error:
        raise SetupError(
            f"What was installed beside {python} cannot be imported.",
            fix=f"Run `{COMMAND} --repair`.",
            cause="trainer_unusable",
        ) from error
    return versions
