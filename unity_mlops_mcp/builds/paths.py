"""Paths of players: what ``mlagents-learn --env`` cannot take, and which file a path stands for.

Source: ``mlagents_envs/env_utils.py`` of ML-Agents 1.1.0, which removes ``.app``, ``.exe``, ``.x86_64`` and ``.x86``
wherever they occur in the path and looks the rest up as a glob pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unity_mlops_mcp.errors import NotFoundError

EXTENSIONS = (".app", ".exe", ".x86_64", ".x86")
_GLOB_CHARACTERS = "[*?"


def player_path_problems(path: str | Path) -> list[str]:
    """Why ``mlagents-learn --env`` would not find this player, one sentence each; empty when it would."""
    text = str(path)
    stem = next((text[: -len(extension)] for extension in EXTENSIONS if text.endswith(extension)), text)
    problems = [
        f"The path {text} contains {extension!r} before its end, which ML-Agents cuts out: rename that folder or file."
        for extension in _inside(stem)
    ]
    problems += [
        f"The path {text} contains {character!r}, which ML-Agents takes for a pattern: rename that folder or file."
        for character in _GLOB_CHARACTERS
        if character in stem
    ]
    if text != text.strip():
        problems.append(f"The path {text!r} begins or ends with a space, which ML-Agents cuts off: rename it.")
    return problems


def _inside(stem: str) -> Iterator[str]:
    for extension in EXTENSIONS:
        if extension in stem:
            yield extension
            # .x86 lies within .x86_64; one sentence is enough.
            stem = stem.replace(extension, "")


def executable_of(player: Path) -> Path:
    """The file to start for a player's path, which may lack its extension or be a folder, as ``--env`` allows.

    Raises:
        NotFoundError: nothing there can be started; the evidence lists what is there.
    """
    player = player.expanduser().absolute()
    found = next((file for file in _candidates(player) if file.is_file()), None)
    if found:
        return found
    there = sorted(item.name for item in player.parent.iterdir())[:20] if player.parent.is_dir() else []
    raise NotFoundError(
        f"There is no player at {player}.",
        fix="Give the path of an executable: NAME.x86_64 on Linux, NAME.app on macOS, NAME.exe on Windows.",
        cause="player_missing",
        evidence=there,
    )


def _candidates(player: Path) -> Iterator[Path]:
    yield player
    for extension in (".x86_64", ".x86", ".exe"):
        yield player.with_name(player.name + extension)
    for bundle in (player, player.with_name(f"{player.name}.app")):
        inner = bundle / "Contents" / "MacOS"
        yield inner / bundle.stem
        yield from sorted(inner.glob("*"))
    yield from sorted(file for file in player.glob("*.exe") if not file.name.startswith("UnityCrashHandler"))
