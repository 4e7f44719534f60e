"""Finds the trainer, the interpreter environment that holds mlagents, and learns what it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from unity_mlops_mcp.config import Settings, environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError, SetupError
from unity_mlops_mcp.process.commands import find, run
from unity_mlops_mcp.training.records import Trainer, TrainerKind, TrainerVersions
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.training.trainer.pitfalls import check_versions

TRAINER_ENV = Path(__file__).resolve().parents[2] / "trainer_env"
INSTALL_COMMAND = "unity-mlops trainer install"
DESCRIBE_TIMEOUT_S = 60.0

_SHEBANG = re.compile(r"#!([^\n]+)")
_EXECUTED = re.compile(r"^'''exec' \"?([^\"\n]+?)\"? \"\$0\"", re.MULTILINE)


class Cache(Protocol):
    """What is remembered between processes; the disk cache is one."""

    def get(self, key: str) -> Any:
        """The value kept under the key, or None."""
        ...

    def set(self, key: str, value: Any) -> Any:
        """Keep a value that JSON can hold."""
        ...


@contextmanager
def opened_cache(settings: Settings) -> Iterator[Cache]:
    """The disk cache of the home."""
    from unity_mlops_mcp.store.cache import Cache as DiskCache

    disk = DiskCache(settings.home / "cache")
    try:
        yield disk
    finally:
        disk.close()


def managed_folder(settings: Settings) -> Path:
    """Where the managed trainer lies, ``<home>/trainer``."""
    return settings.home / "trainer"


def interpreter_of(folder: Path) -> Path:
    """The interpreter of a virtual environment, whether it exists or not."""
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.parent.is_dir() else folder / "bin" / "python"


def find_trainer(settings: Settings, cache: Cache | None = None) -> Trainer:
    """The trainer to use: the one that is set, else the managed one, else ``mlagents-learn`` on the PATH.

    Args:
        settings: names a trainer, and the home with the managed one.
        cache: keeps what was learnt about an interpreter until it or its packages change; the home's when None.

    Raises:
        SetupError: there is none, or the one that is set cannot be used; the fix is the command that makes one.
    """
    if cache is None:
        with opened_cache(settings) as opened:
            return find_trainer(settings, opened)
    if settings.trainer is not None:
        return describe_trainer(_named(settings.trainer), cache)
    if pins.read_marker(managed_folder(settings)) is not None:
        return describe_trainer(interpreter_of(managed_folder(settings)), cache)
    script = find("mlagents-learn")
    python = _interpreter_beside(script) if script else None
    if python is None:
        raise SetupError(
            f"There is no trainer: no managed one in {managed_folder(settings)}, no mlagents-learn on the PATH.",
            fix=f"Run `{INSTALL_COMMAND}`, or set UNITY_MLOPS_TRAINER to an interpreter that has mlagents.",
            cause="no_trainer",
        )
    return describe_trainer(python, cache)


def describe_trainer(python: Path, cache: Cache, *, marker: pins.Marker | None = None) -> Trainer:
    """What the trainer with this interpreter is; one short process, or none when nothing changed since the last time.

    Args:
        python: its interpreter.
        cache: keeps what was learnt.
        marker: what its folder is about to be marked with; None reads the marker that is there.

    Raises:
        SetupError: the interpreter does not run, or has no mlagents.
    """
    key = f"trainer-described:{python}"
    kept = cache.get(key)
    if not isinstance(kept, dict) or kept.get("fingerprint") != fingerprint(python, Path(kept["prefix"])):
        described = _described(python)
        prefix = str(described.get("prefix") or python.parent.parent)
        kept = {"described": described, "prefix": prefix, "fingerprint": fingerprint(python, Path(prefix))}
        cache.set(key, kept)
    return _trainer(python, kept["described"], kept["fingerprint"], marker or pins.read_marker(python.parent.parent))


def fingerprint(python: Path, prefix: Path) -> str:
    """A text that changes when the interpreter, or a package installed under its prefix, changes."""
    seen = hashlib.sha256()
    for path in (python, prefix / "pyvenv.cfg"):
        try:
            status = path.stat()
        except OSError:
            continue
        seen.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    for line in sorted(_distributions(prefix)):
        seen.update(line.encode())
    return seen.hexdigest()[:24]


def _distributions(prefix: Path) -> Iterator[str]:
    for pattern in ("lib/python*/site-packages", "lib/python*/dist-packages", "Lib/site-packages"):
        for folder in prefix.glob(pattern):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith((".dist-info", ".egg-info", ".egg-link")):
                        yield f"{folder}\0{entry.name}\0{entry.stat().st_mtime_ns}\n"


def _described(python: Path) -> dict[str, Any]:
    try:
        script = TRAINER_ENV / "describe.py"
        done = run([python, script], timeout_s=DESCRIBE_TIMEOUT_S, env=environment(PYTHONPATH=None, PYTHONHOME=None))
        described: dict[str, Any] = json.loads(done.stdout)
    except (NotFoundError, ExternalError) as error:
        raise _unusable(python, error.message) from error
    except ValueError as error:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise _unusable(python, said[-1] if said else f"it ended with code {done.returncode}") from error
    return described


def _trainer(python: Path, described: dict[str, Any], seen: str, marker: pins.Marker | None) -> Trainer:
    versions = TrainerVersions.model_validate(described)
    if versions.mlagents is None:
        raise _unusable(python, f"Python {versions.python} there has no mlagents")
    kind: TrainerKind = "stock" if marker is None else "managed"
    problems = [f"{check.name}: {check.found}; needed: {check.needed}" for check in check_versions(kind, versions)]
    if marker is not None and marker.pins != pins.digest(marker.list_name):
        problems.append(f"packages: made from an older list; `{INSTALL_COMMAND}` brings it up to date")
    launch = (str(python), str(TRAINER_ENV / "launcher.py"))
    return Trainer(
        python=python,
        kind=kind,
        command=launch if kind == "managed" else _stock_command(python),
        versions=versions,
        fingerprint=seen,
        problems=tuple(problems),
    )


def _stock_command(python: Path) -> tuple[str, ...]:
    for name in ("mlagents-learn", "mlagents-learn.exe"):
        script = python.parent / name
        if script.is_file():
            return (str(script),)
    return (str(python), "-m", "mlagents.trainers.learn")


def _named(path: Path) -> Path:
    """The interpreter that a setting means: itself, the one of a folder, or the one of an mlagents-learn script."""
    named = path.expanduser().absolute()
    if named.is_dir():
        named = interpreter_of(named)
    if not named.exists():
        raise _unusable(named, "nothing is there")
    if not named.stem.startswith("mlagents-learn"):
        return named
    python = _interpreter_beside(named)
    if python is None:
        raise _unusable(named, "the interpreter of this script cannot be told; name the interpreter itself")
    return python


def _interpreter_beside(script: Path) -> Path | None:
    """The interpreter that runs an installed script: beside it, beside what it links to, or in its first lines."""
    for folder in (script.parent, script.resolve().parent):
        if (folder.parent / "pyvenv.cfg").exists():
            for name in ("python", "python.exe"):
                if (folder / name).exists():
                    return folder / name
    head = script.read_bytes()[:1000].decode(errors="replace")
    named = _EXECUTED.search(head) or _SHEBANG.match(head)
    python = Path(named[1].strip()) if named else Path()
    return python if python.name.startswith("python") and python.exists() else None


def _unusable(path: Path, reason: str) -> SetupError:
    ours = pins.read_marker(path.parent.parent) is not None
    theirs = "unset UNITY_MLOPS_TRAINER, or set it to an interpreter with mlagents 0.28 to 1.1.0"
    return SetupError(
        f"The trainer {path} cannot be used: {reason}.",
        fix=f"Run `{INSTALL_COMMAND} --repair`." if ours else f"Run `{INSTALL_COMMAND}` and {theirs}.",
        cause="trainer_unusable",
    )
