"""Finds a Python that the managed trainer can be made with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError, SetupError
from unity_mlops_mcp.process.commands import find, run
from unity_mlops_mcp.training.trainer.pins import fits

WANTED = ("3.11", "3.12", "3.13", "3.10")
HOW_TO_GET_ONE = (
    "Install Python 3.11 with one command: Linux `sudo apt install python3.11 python3.11-venv`, or with uv "
    "`uv python install 3.11`; macOS `brew install python@3.11`; Windows `winget install Python.Python.3.11`. "
    "Then run `unity-mlops trainer install`."
)
_ASK = (
    "import json, sys, importlib.util as u; print(json.dumps({'version': list(sys.version_info[:2]), "
    "'name': sys.implementation.name, 'wide': sys.maxsize > 2**32, "
    "'venv': bool(u.find_spec('venv') and u.find_spec('ensurepip'))}))"
)
_ASK_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine.

    Attributes:
        problem: why the managed trainer cannot be made with it; empty when it can.
    """

    path: Path
    version: tuple[int, int]
    problem: str


def inspect(path: Path) -> Interpreter | None:
    """What a Python is; None when it does not run, such as a version manager's placeholder."""
    try:
        done = run([path, "-c", _ASK], timeout_s=_ASK_TIMEOUT_S, env=environment(PYTHONPATH=None, PYTHONHOME=None))
        answer = json.loads(done.stdout)
    except (NotFoundError, ExternalError, ValueError):
        return None
    version = (int(answer["version"][0]), int(answer["version"][1]))
    return Interpreter(path, version, _problem(version, answer))


def _problem(version: tuple[int, int], answer: dict[str, object]) -> str:
    text = f"{version[0]}.{version[1]}"
    if not fits(version):
        return f"it is Python {text}, needed is 3.10 to 3.13"
    if answer["name"] != "cpython" or not answer["wide"]:
        return "it is no 64-bit CPython"
    if not answer["venv"]:
        return f"its venv module is missing (Debian, Ubuntu: sudo apt install python{text}-venv)"
    return ""


def choose(named: Path | None = None) -> Interpreter:
    """The named interpreter; else this process's own; else the first on the machine that fits.

    Looks on the PATH, at Windows' ``py`` launcher and at what uv has, for 3.11, 3.12, 3.13, then 3.10.

    Raises:
        SetupError: the named one does not fit, or there is none; the fix is the command that installs one.
    """
    if named is not None:
        found = inspect(find(str(named)) or named)
        if found is None or found.problem:
            reason = found.problem if found else "it does not run"
            raise SetupError(
                f"The managed trainer cannot be made with {named}: {reason}.", fix=HOW_TO_GET_ONE, cause="no_python"
            )
        return found
    seen = []
    for path in candidates():
        found = inspect(path)
        if found and not found.problem:
            return found
        seen.append(f"{path}: {found.problem if found else 'it does not run'}")
    raise SetupError(
        "No Python was found that the managed trainer can be made with (3.10 to 3.13).",
        fix=HOW_TO_GET_ONE,
        cause="no_python",
        evidence=seen[:8],
    )


def candidates() -> Iterator[Path]:
    """Where a Python may be, this process's own first."""
    yield Path(sys.executable)
    for version in WANTED:
        on_path = find(f"python{version}")
        if on_path:
            yield on_path
    launcher, uv = find("py"), find("uv")
    for version in WANTED:
        if launcher:
            yield from _answered([launcher, f"-{version}", "-c", "import sys; print(sys.executable)"])
        if uv:
            yield from _answered([uv, "python", "find", "--no-project", version])
    for name in ("python3", "python"):
        on_path = find(name)
        if on_path:
            yield on_path


def _answered(command: list[str | Path]) -> Iterator[Path]:
    try:
        done = run(command, timeout_s=_ASK_TIMEOUT_S)
    except (NotFoundError, ExternalError):
        return
    path = Path(done.stdout.strip())
    if done.returncode == 0 and path.is_file():
        yield path
