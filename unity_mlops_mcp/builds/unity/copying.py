"""A copy of a Unity project with a Library of its own: brought up to date before each build, never written back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.process.files import replace, write_atomically

KEPT = frozenset({"library", "temp", "logs", "obj", "usersettings"})
"""Top-level folders that Unity makes: not copied, and left alone in the copy (lower case)."""
LEFT_OUT = KEPT | {"build", "builds", "memorycaptures", "recordings", "results", ".vs", ".vscode", ".idea"}
"""Top-level folders that are not copied."""
NEVER = frozenset({".git", ".svn", ".hg", ".plastic", ".DS_Store", "Thumbs.db"})
"""Names that are not copied anywhere."""
IDE_FILES = frozenset({".csproj", ".sln", ".slnx", ".user", ".suo", ".userprefs"})
"""Files at the top that the Editor writes for code editors."""
_RACY_NS = 2_000_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """A file of a project: its path there with forward slashes, where it lies, and what it holds."""

    path: str
    file: Path
    sha256: str


@dataclass(frozen=True)
class Copied:
    """What a copy was made of.

    Attributes:
        files: sha256 of each file by its path; local packages under ``package:NAME/``.
        notes: what a person should know of it.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...]


def copy_project(
    source: Path | None,
    target: Path,
    *,
    settings: Settings,
    added: Mapping[str, bytes],
    stopping: Callable[[], bool] = lambda: False,
) -> Copied:
    """Make the copy equal to the project, with some files added; what Unity made in the copy stays.

    Only what changed is read and written. Links are followed where they lead into allowed folders.

    Args:
        source: the project, never written; None for one that consists of what is added.
        target: the copy; made when missing.
        settings: say which folders are allowed.
        added: content of files to add or replace, by path.
        stopping: asked between files.

    Raises:
        InvalidInputError: a link or a local package lies outside the allowed folders, or a file cannot be read.
        OSError: the disk refuses it.
    """
    target.mkdir(parents=True, exist_ok=True)
    index = _Index(target.with_name(f"{target.name}.index.json"))
    notes: list[str] = []
    packages, manifest = _local_packages(source, settings) if source else ({}, None)
    wanted = dict(_walk(source, source, settings, notes, frozenset())) if source else {}
    files: dict[str, str] = {}
    for path, file in sorted(wanted.items()):
        if stopping():
            break
        if path not in added and not (path == "Packages/manifest.json" and manifest):
            files[path] = index.digest(f"{source}/{path}", file)
            _bring(file, target / path, files[path], index, path)
    written = {**({"Packages/manifest.json": manifest} if manifest else {}), **added}
    for path, content in written.items():
        files[path] = hashlib.sha256(content).hexdigest()
        _write(target / path, content)
        index.copied[path] = files[path]
    for name, folder in packages.items():
        for path, file in sorted(_walk(folder, folder, settings, notes, frozenset())):
            files[f"package:{name}/{path}"] = index.digest(f"{folder}/{path}", file)
    if not stopping():
        _remove_others(target, set(files))
        index.save()
    return Copied(files, tuple(notes))


class _Index:
    """What was hashed and copied before, so that only changed files are read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        data = _json(path)
        self._saved_ns = int(data.get("saved_ns", 0))
        self._known: dict[str, list[Any]] = dict(data.get("known", {}))
        self._fresh: dict[str, list[Any]] = {}
        self.copied: dict[str, str] = dict(data.get("copied", {}))

    def digest(self, key: str, file: Path) -> str:
        """Sha256 (hex) of a file; read only when size or time changed since it was read last."""
        try:
            seen = file.stat()
            known = self._known.get(key)
            marks = [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns]
            if known is not None and known[:3] == marks and max(marks[1:]) < self._saved_ns - _RACY_NS:
                digest = str(known[3])
            else:
                digest = _sha256(file)
        except OSError as error:
            raise InvalidInputError(
                f"A file of the project cannot be read: {file}: {error.strerror}.",
                fix="Give this user the right to read it, or remove it; then build again.",
                cause="project_unreadable",
            ) from error
        self._fresh[key] = [*marks, digest]
        return digest

    def save(self) -> None:
        """Keep it for the next time."""
        data = {"saved_ns": time.time_ns(), "known": self._fresh, "copied": self.copied}
        write_atomically(self._path, json.dumps(data).encode("utf-8", "surrogateescape"))


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _walk(
    folder: Path, root: Path, settings: Settings, notes: list[str], above: frozenset[Path]
) -> Iterator[tuple[str, Path]]:
    """Each file below, by its path from the root."""
    above |= {folder.resolve()}
    for item in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(item.path)
        if item.name in NEVER or (folder == root and (item.name.lower() in LEFT_OUT or path.suffix in IDE_FILES)):
            continue
        if item.is_symlink() and not _follows(path, settings, notes):
            continue
        if path.is_dir():
            if path.resolve() not in above:  # a link to a folder around it would never end
                yield from ((f"{item.name}/{below}", file) for below, file in _walk(path, root, settings, notes, above))
        elif path.is_file():
            yield item.name, path


def _follows(link: Path, settings: Settings, notes: list[str]) -> bool:
    if not link.exists():
        notes.append(f"The link {link} leads nowhere and was left out.")
        return False
    settings.allowed_path(link, what="link in the project")
    return True


def _local_packages(source: Path, settings: Settings) -> tuple[dict[str, Path], bytes | None]:
    """Packages that the manifest takes from folders outside the project, and the manifest with their whole paths."""
    file = source / "Packages" / "manifest.json"
    manifest = _json(file)
    dependencies = manifest.get("dependencies")
    if not isinstance(dependencies, dict):
        return {}, None
    found: dict[str, Path] = {}
    for name, version in dependencies.items():
        if isinstance(version, str) and version.startswith("file:"):
            folder = (file.parent / version.removeprefix("file:")).resolve()
            if source in folder.parents:
                continue  # it is copied with the project, and its relative path stays right
            allowed = settings.allowed_path(folder, what=f"local package {name}")
            dependencies[name] = f"file:{allowed.as_posix()}"
            if allowed.is_dir():
                found[name] = allowed
    return found, json.dumps(manifest, indent=2).encode() if found else None


def _bring(source: Path, target: Path, digest: str, index: _Index, path: str) -> None:
    """Copy a file with its time, unless the copy has it; Unity imports anew what is newer."""
    wanted = source.stat()
    try:
        there = target.stat()
        same = there.st_size == wanted.st_size and there.st_mtime_ns == wanted.st_mtime_ns
        if same and index.copied.get(path) == digest and not target.is_symlink():
            return
    except OSError:
        pass
    temporary = _room(target)
    shutil.copyfile(source, temporary)
    os.utime(temporary, ns=(wanted.st_atime_ns, wanted.st_mtime_ns))
    replace(temporary, target)
    index.copied[path] = digest


def _write(target: Path, content: bytes) -> None:
    """Write a file of ours, unless it holds that already."""
    try:
        if target.read_bytes() == content:
            return
    except OSError:
        pass
    temporary = _room(target)
    temporary.write_bytes(content)
    replace(temporary, target)


def _room(target: Path) -> Path:
    """A temporary name beside a file, whose folder is made; what stands in the way as a folder is removed."""
    for part in (target, *target.parents):
        if part.is_symlink() or (part != target and part.is_file()):
            part.unlink()
            break
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.tmp")


def _remove_others(target: Path, wanted: set[str]) -> None:
    """Remove what the project does not have any more; a file's ``.meta`` stays with it, and Unity's folders stay."""
    folders = {parent.as_posix() for path in wanted for parent in Path(path).parents}
    for folder, names, files in os.walk(target, topdown=True):
        here = Path(folder)
        if here == target:
            names[:] = [name for name in names if name.lower() not in KEPT]
        for name in files:
            path = (here / name).relative_to(target).as_posix()
            of_meta = path.removesuffix(".meta")
            if path not in wanted and (of_meta == path or (of_meta not in wanted and of_meta not in folders)):
                (here / name).unlink()
        for name in list(names):
            path = (here / name).relative_to(target).as_posix()
            if path not in folders:
                names.remove(name)
                _remove_folder(here / name)


def _remove_folder(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def release_lock_file(copy: Path, *, in_use: bool) -> None:
    """Remove the lock file that a killed Editor left in a copy of ours.

    Args:
        copy: the copied project.
        in_use: whether a living Editor has it open.

    Raises:
        ExternalError: one has (cause ``project_open``).
    """
    file = copy / "Temp" / "UnityLockfile"
    try:
        if not in_use:
            file.unlink(missing_ok=True)
            return
    except PermissionError:  # Windows: somebody holds it
        pass
    raise ExternalError(
        f"A Unity Editor has our copy of the project open ({copy}).",
        fix="Close that Editor, then build again. Our copies are not for working in; open your own project instead.",
        cause="project_open",
    )
