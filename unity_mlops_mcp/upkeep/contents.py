"""Which files of a home are worth keeping: what its store refers to, and what people put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from unity_mlops_mcp.store.snapshot import Contents

STATE = "state.db"
PRUNED, RESTORING, REPLACED = ".pruned", ".restoring", ".replaced"
"""What a prune removes lies in ``.pruned`` of the folder that it was in, which may be on another disk."""
LOCK = "upkeep.lock"
"""Held in the home's folder of locks by whoever copies or removes files of the home."""
LEFT_OUT = frozenset(
    {"cache", "locks", "projects", "trainer", "trainer.lock", "trainer-install.log", STATE, f"{STATE}-wal"}
    | {f"{STATE}-shm", f"{STATE}-journal", RESTORING, REPLACED}
)
"""What is in no backup: it can be made again (cache, copies of Unity projects, the trainer), or was replaced."""


class HomeFile(NamedTuple):
    """A file of a home: its name relative to it, with slashes, and where it is."""

    name: str
    path: Path


def files_to_keep(home: Path, known: Contents) -> Iterator[HomeFile]:
    """Every file of a home but those that can be made again; of runs, builds, artifacts and models the known ones."""
    for top in sorted(home.iterdir()):
        if top.name in LEFT_OUT or (top / "pyvenv.cfg").exists():
            continue
        for place in _known_in(top, known):
            yield from _files(home, place)


def files_in(home: Path, folders: Iterator[Path]) -> Iterator[HomeFile]:
    """The files of some folders of a home."""
    for folder in folders:
        yield from _files(home, folder)


def _known_in(top: Path, known: Contents) -> Iterator[Path]:
    """The folders of the ids that are known where the folder holds such, else the folder itself."""
    if top.name == "models":
        yield from (top / name / version for name, version in sorted(known.versions))
        return
    ids = {"runs": known.runs, "builds": known.builds, "artifacts": known.jobs | known.evaluations}.get(top.name)
    yield from [top] if ids is None else [top / name for name in sorted(ids)]


def _files(home: Path, place: Path) -> Iterator[HomeFile]:
    """Files and links to files beneath a place, or itself; what vanishes meanwhile is left out."""
    if place.is_file():
        yield HomeFile(place.relative_to(home).as_posix(), place)
        return
    for folder, inner, names in os.walk(place):
        inner[:] = sorted(name for name in inner if name != PRUNED)
        linked = [name for name in inner if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(folder) / name
            if path.is_symlink() or path.is_file():
                yield HomeFile(path.relative_to(home).as_posix(), path)
