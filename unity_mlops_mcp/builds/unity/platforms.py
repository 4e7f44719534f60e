"""Where Unity keeps what on this machine (data: ``platforms.yaml``), and what a build target is called where."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from unity_mlops_mcp.config import environment

BuildTarget = Literal["linux64", "win64", "osx"]


class Target(BaseModel):
    """One sort of player that an Editor can make.

    Attributes:
        name: what we call it.
        argument: the value of ``-buildTarget``.
        module: the folder of its build support, in lower case.
        module_name: what the Unity Hub calls that.
        extension: of the player.
        data: the folder of its data; ``{name}`` is the player's name.
    """

    model_config = ConfigDict(frozen=True)

    name: BuildTarget
    argument: str
    module: str
    module_name: str
    extension: str
    data: str


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(
            name="linux64",
            argument="linux64",
            module="linuxstandalonesupport",
            module_name="Linux Build Support (Mono)",
            extension=".x86_64",
            data="{name}_Data",
        ),
        Target(
            name="win64",
            argument="win64",
            module="windowsstandalonesupport",
            module_name="Windows Build Support (Mono)",
            extension=".exe",
            data="{name}_Data",
        ),
        Target(
            name="osx",
            argument="osxuniversal",
            module="macstandalonesupport",
            module_name="Mac Build Support (Mono)",
            extension=".app",
            data="{name}.app/Contents/Resources/Data",
        ),
    )
}


def own_target(system: str = sys.platform) -> Target:
    """What runs on this machine."""
    return TARGETS[{"win32": "win64", "darwin": "osx"}.get(system, "linux64")]


class Platform(BaseModel):
    """Where one operating system has what; all paths are absolute but ``executable`` and ``playback``.

    Attributes:
        editors: folders that hold one folder per version.
        single: Editors that stand alone.
        executable: the Editor inside a version's folder.
        hub: the folder of the Hub's settings.
        playback: folders of build support inside a version's folder.
        licences: files that a licence leaves behind.
        server: files that name a licence server.
    """

    model_config = ConfigDict(frozen=True)

    editors: tuple[Path, ...]
    single: tuple[Path, ...]
    executable: str
    hub: Path
    playback: tuple[str, ...]
    licences: tuple[Path, ...]
    server: tuple[Path, ...]


def platform_of(system: str = sys.platform, variables: Mapping[str, str] | None = None) -> Platform:
    """The places of an operating system.

    Args:
        system: as `sys.platform` names it.
        variables: the environment that names the user's folders; ours when None.
    """
    known = _table()
    return Platform(**_filled(known.get(system, known["linux"]), _folders(system, variables or environment())))


@cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("platforms.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


def _folders(system: str, variables: Mapping[str, str]) -> dict[str, str]:
    if system == "win32":
        home = variables.get("USERPROFILE", "C:/Users/Default")
        return {
            "home": home,
            "config": variables.get("APPDATA", f"{home}/AppData/Roaming"),
            "data": variables.get("LOCALAPPDATA", f"{home}/AppData/Local"),
            "programs": variables.get("PROGRAMFILES", "C:/Program Files"),
            "shared": variables.get("PROGRAMDATA", "C:/ProgramData"),
        }
    home = variables.get("HOME") or str(Path.home())
    config = variables.get("XDG_CONFIG_HOME") or f"{home}/.config"
    data = variables.get("XDG_DATA_HOME") or f"{home}/.local/share"
    return {"home": home, "config": config, "data": data, "programs": "", "shared": ""}


def _filled(value: Any, folders: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(folders)
    if isinstance(value, list):
        return [_filled(item, folders) for item in value]
    return {key: _filled(item, folders) for key, item in value.items()}
