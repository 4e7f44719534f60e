"""The commands that repeat a run, as they are typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unity_mlops_mcp.process import system
from unity_mlops_mcp.process.commands import as_typed
from unity_mlops_mcp.reports.records import Command

_OPTIONS = ("num_envs", "num_areas", "time_scale", "seed", "trainer_mode", "initialize_from", "width", "height")
_PLAIN = {"num_envs": 1, "trainer_mode": "fast"}
"""What an option is when it is left out."""


def commands_of(record: Mapping[str, Any], *, home: Path, folder: Path) -> tuple[Command, ...]:
    """What repeats a run: with this product, and the trainer's own command of the last attempt.

    Args:
        record: its ``run.json``.
        home: is written as the variable that names it, so that a report says nothing of this machine.
        folder: the run's folder.
    """
    found = []
    request = record.get("request") or {}
    player = _player(request, record)
    if player:
        options = [f"--{name.replace('_', '-')}={request[name]}" for name in _OPTIONS if _told(request, name)]
        options += ["--no-no-graphics"] if request.get("no_graphics") is False else []
        options += [f"--env-args={as_typed(request['env_args'])}"] if request.get("env_args") else []
        words = ["unity-mlops", "start-training", *player, *options, f"--trainer-config={folder / 'trainer.yaml'}"]
        found.append(Command(what="With unity-mlops", text=typed(words, home)))
    attempts = record.get("attempts") or []
    if attempts:
        command = [str(word) for word in attempts[-1].get("command", [])]
        found.append(Command(what="The trainer's own command, as it ran", text=typed(command, home)))
    return tuple(found)


def _told(request: Mapping[str, Any], name: str) -> bool:
    value = request.get(name)
    return value is not None and value != _PLAIN.get(name)


def _player(request: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    if request.get("build_id"):
        return [f"--build-id={request['build_id']}"]
    if request.get("env_path"):
        return [f"--env-path={request['env_path']}"]
    return ["--editor"] if request.get("player") == "editor" and record else []


def typed(words: Sequence[str], home: Path) -> str:
    """The words as one line for this system's shell, the home by its variable."""
    if system.WINDOWS:
        return as_typed(words).replace(str(home), "%UNITY_MLOPS_HOME%")
    return " ".join(_word(word, str(home)) for word in words)


def _word(word: str, home: str) -> str:
    before, found, after = word.partition(home)
    if not found or (after and not after.startswith("/")):
        return shlex.quote(word)
    return (shlex.quote(before) if before else "") + '"$UNITY_MLOPS_HOME"' + (shlex.quote(after) if after else "")
