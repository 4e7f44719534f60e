"""The Unity Editors of this machine: where they are, their versions, and what each can build."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.records import Record
from unity_mlops_mcp.builds.unity.platforms import TARGETS, Platform, Target, platform_of
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import MlopsError, SetupError
from unity_mlops_mcp.process.commands import run

VERSION = re.compile(r"\d{4}\.\d+\.\d+[abfp]\d+\w*")
_VERSION_TIMEOUT_S = 60.0
_STAGES = "abfp"


class Editor(Record):
    """One installed Editor.

    Attributes:
        path: its executable.
        version: such as ``6000.0.58f2``; empty when it does not say.
        source: how it was found: ``setting``, ``hub`` or ``located`` (added to the Hub by hand).
        modules: the targets it can build; None when its folder does not show that.
    """

    path: Path
    version: str
    source: str
    modules: tuple[str, ...] | None

    @property
    def line(self) -> str:
        """Major and minor, such as ``2022.3``."""
        return line_of(self.version)

    def builds(self, target: Target) -> bool:
        """Whether it can build for this target, as far as can be seen."""
        return self.modules is None or target.name in self.modules


def line_of(version: str) -> str:
    """Major and minor of a version, such as ``2022.3``."""
    return ".".join(version.split(".")[:2])


def version_order(version: str) -> tuple[int, ...]:
    """Sorts Unity versions by age; what is none comes first."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)([abfp])(\d+)", version)
    if not found:
        return (0,)
    return (*(int(found[place]) for place in (1, 2, 3)), _STAGES.index(found[4]), int(found[5]))


def find_editors(settings: Settings, platform: Platform | None = None) -> tuple[Editor, ...]:
    """All Editors, each once: the one that the settings name first, then the newest first.

    Args:
        settings: may name an Editor.
        platform: where to look; this machine's usual places when None.
    """
    places = platform or platform_of()
    found: dict[Path, Editor] = {}
    for source, path in _candidates(settings, places):
        if path.is_file() and path.resolve() not in found:
            found[path.resolve()] = _editor(path, source, places)
    named = [editor for editor in found.values() if editor.source == "setting"]
    others = [editor for editor in found.values() if editor.source != "setting"]
    return (*named, *sorted(others, key=lambda editor: version_order(editor.version), reverse=True))


def editor_programs(settings: Settings) -> list[Path]:
    """The programs of all Editors, the preferred one first."""
    return [editor.path for editor in find_editors(settings)]


def _candidates(settings: Settings, places: Platform) -> Iterator[tuple[str, Path]]:
    if settings.editor is not None:
        yield "setting", executable_in(settings.editor.expanduser(), places)
    second = _json(places.hub / "secondaryInstallPath.json")
    folders = [Path(second)] if isinstance(second, str) and second else []
    for folder in (*folders, *places.editors):
        versions = sorted(folder.iterdir()) if folder.is_dir() else []
        yield from (("hub", version / places.executable) for version in versions)
    yield from (("hub", path) for path in places.single)
    for name in ("editors-v2.json", "editors.json"):
        for located in _locations(_json(places.hub / name)):
            yield "located", executable_in(Path(located), places)


def executable_in(path: Path, places: Platform) -> Path:
    """The Editor's executable for what people name: itself, its ``.app``, its ``Editor`` or its version's folder."""
    inner = ("", "Contents/MacOS/Unity", "Unity", "Unity.exe", places.executable)
    return next((path / part for part in inner if (path / part).is_file()), path)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None


def _locations(data: Any) -> Iterator[str]:
    """Each ``location`` in the Hub's list of located Editors, whichever shape its version gave it."""
    if isinstance(data, list):
        for item in data:
            yield from _locations(item)
    elif isinstance(data, dict):
        where = data.get("location")
        named = where if isinstance(where, list) else [where]
        yield from (one for one in named if isinstance(one, str))
        for value in data.values():
            yield from _locations(value) if isinstance(value, (dict, list)) else ()


def _editor(path: Path, source: str, places: Platform) -> Editor:
    version = next((part for part in reversed(path.parts) if VERSION.fullmatch(part)), "") or _asked_version(path)
    return Editor(path=path, version=version, source=source, modules=_modules(path, places))


def _asked_version(path: Path) -> str:
    """What the Editor itself answers to ``-version``; empty when it does not."""
    try:
        answer = run([path, "-version"], timeout_s=_VERSION_TIMEOUT_S)
    except MlopsError:
        return ""
    found = VERSION.search(answer.stdout)
    return found[0] if found else ""


def _modules(path: Path, places: Platform) -> tuple[str, ...] | None:
    steps = len(Path(places.executable).parts)
    if len(path.parents) < steps:
        return None
    root = path.parents[steps - 1]
    folders = [root / part for part in places.playback if (root / part).is_dir()]
    if not folders:
        return None
    there = {item.name.lower() for folder in folders for item in folder.iterdir()}
    return tuple(target.name for target in TARGETS.values() if target.module in there)


def choose_editor(
    settings: Settings, *, version: str | None, given: str | None = None, platform: Platform | None = None
) -> Editor:
    """The Editor to build with.

    Args:
        settings: may name an Editor.
        version: the project's; None for a new project.
        given: the path that the caller asks for, which must be one that was found.
        platform: where to look; this machine's usual places when None.

    Returns:
        What was asked for; else the project's very version; else the newest of its line; for a new project the newest.

    Raises:
        SetupError: there is none that fits; the fix says how to get one.
    """
    editors = find_editors(settings, platform)
    if given is not None:
        return _asked_for(editors, given, platform or platform_of())
    named = [editor for editor in editors if editor.source == "setting"]
    exact = [editor for editor in editors if editor.version == version]
    line = [editor for editor in editors if version is None or editor.line == line_of(version)]
    chosen = [*exact, *(one for one in named if one in line), *line]
    if chosen:
        return chosen[0]
    wanted = f"Unity {version}" if version else "a Unity Editor"
    raise SetupError(
        f"There is no Editor for this project here: it needs {wanted}; found {_told(editors)}.",
        fix=f"Install {wanted} with the Unity Hub, or set UNITY_MLOPS_EDITOR to an Editor's executable"
        + (", or pass the one to use as editor_path." if editors else "."),
        cause="editor_missing",
    )


def _asked_for(editors: tuple[Editor, ...], given: str, places: Platform) -> Editor:
    path = executable_in(Path(given).expanduser(), places).resolve()
    for editor in editors:
        if editor.path.resolve() == path:
            return editor
    raise SetupError(
        f"{given} is none of the Editors that were found: {_told(editors)}.",
        fix="Pass one of those as editor_path, or set UNITY_MLOPS_EDITOR to this one and start again: only Editors "
        "that the Unity Hub or that setting names are run.",
        cause="editor_not_allowed",
    )


def _told(editors: tuple[Editor, ...]) -> str:
    return ", ".join(f"{editor.version or 'unknown version'} ({editor.path})" for editor in editors) or "none"
