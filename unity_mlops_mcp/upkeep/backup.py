"""A backup of a home as one archive, made while the home is in use."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.jobs.kinds import JobContext
from unity_mlops_mcp.process.files import replace
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.snapshot import contents
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.contents import STATE, HomeFile, files_to_keep
from unity_mlops_mcp.upkeep.holding import files_held
from unity_mlops_mcp.upkeep.reading import copy_whole
from unity_mlops_mcp.upkeep.records import Backup, BackupRecord, Kept, is_inside, leads_out, shown
from unity_mlops_mcp.upkeep.working import Told, work_on_files

ROOT, RECORD = "home", "backup.json"
_ARCHIVE = "archive"
ENDINGS = (".tar.gz", ".tgz", ".tar")
_COMPRESSION = 1  # most of a home is weights and archives, which hardly shrink
_IN_MEMORY = 16 << 20


def _silent(done: int, total: int) -> None:
    del done, total


async def run_backup(context: JobContext) -> dict[str, Any]:
    """Make the backup of a job; empty when it was stopped."""
    path = Path(context.job.request["path"])
    return await work_on_files(context, lambda told: make_backup(context.store, path, now=utc_now(), told=told))


def require_target(home: Path, path: Path) -> Path:
    """The absolute path of a backup that can be made.

    Raises:
        InvalidInputError: it does not end as an archive does, lies in the home, or its folder is not there.
        ConflictError: there is something already.
    """
    path = path.expanduser().absolute()
    if not path.name.endswith(ENDINGS):
        raise InvalidInputError(f"{path} is no name of an archive.", fix=f"Let it end in {' or '.join(ENDINGS)}.")
    if path.resolve().is_relative_to(home.resolve()):
        raise InvalidInputError(
            f"{path} lies in the home, and would be lost with it.", fix="Give a path on another disk or machine."
        )
    if not path.parent.is_dir():
        raise InvalidInputError(f"There is no folder {path.parent}.", fix="Make it, or give a path in another one.")
    if path.exists():
        raise ConflictError(f"There is a file {path} already.", fix="Give another name; a date in it helps.")
    return path


def make_backup(store: Store, path: Path, *, now: datetime, told: Told = _silent) -> Backup:
    """Write a home into an archive: its database in one state, and all files that this state refers to.

    The database is copied first; what it refers to was written before it, so that nothing can be missing. The archive
    gets its name when it is whole. What could not be put into another home, as a link that leads out of this one, is
    left out of it and told.

    Args:
        store: of the home; may be in use.
        path: of the archive; compressed unless it ends in ``.tar``.
        now: the moment it is made.
        told: called as it goes on; what it raises ends the work.

    Raises:
        InvalidInputError, ConflictError: see `require_target` and `files_held`.
        ExternalError: the database cannot be read.
    """
    path = require_target(store.home, path)
    work = path.with_name(f".{path.name}.part")
    with files_held(store, "backup"):
        shutil.rmtree(work, ignore_errors=True)  # of one that was killed
        try:
            work.mkdir(mode=0o700)
            writer = _write(store, work, now, told, compressed=not path.name.endswith(".tar"))
            (work / _ARCHIVE).chmod(0o600)  # what a home holds is for its user alone
            replace(work / _ARCHIVE, path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    size, left_out = path.stat().st_size, tuple(writer.left_out)
    return Backup(path=str(path), size=size, files=len(writer.kept), created_at=now, left_out=left_out)


def _write(store: Store, work: Path, now: datetime, told: Told, *, compressed: bool) -> _Writer:
    """Write the archive into a folder of its own."""
    state = work / STATE
    store.copy_database(state)
    known = contents(state)
    files = [HomeFile(STATE, state), *files_to_keep(store.home, known)]
    with (work / _ARCHIVE).open("wb") as raw, _archive(raw, compressed=compressed) as archive:
        writer = _Writer(archive, work)
        writer.write(files, told)
        record = BackupRecord(
            product=__version__,
            schema_version=known.schema,
            home=str(store.home),
            created_at=now,
            files=writer.kept,
            links=writer.links,
        )
        _add_bytes(archive, RECORD, record.model_dump_json().encode())
    return writer


def _archive(raw: IO[bytes], *, compressed: bool) -> tarfile.TarFile:
    if compressed:
        return tarfile.open(fileobj=raw, mode="w:gz", compresslevel=_COMPRESSION)
    return tarfile.open(fileobj=raw, mode="w")


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


class _Writer:
    """Puts files into an archive, each as it was at one moment.

    Attributes:
        kept: the files that were added, by their names.
        links: the links, and what they point to.
        left_out: names of what a restore would have to refuse: see `is_inside` and `leads_out`.
    """

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self.kept: dict[str, Kept] = {}
        self.links: dict[str, str] = {}
        self.left_out: list[str] = []

    def write(self, files: Sequence[HomeFile], told: Told) -> None:
        """Add the files that are still there."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder)) as copy:
            for done, file in enumerate(files):
                told(done, len(files))
                with suppress(FileNotFoundError):  # such as a checkpoint that a newer one took the place of
                    self._add(file, copy)
        told(len(files), len(files))

    def _add(self, file: HomeFile, copy: IO[bytes]) -> None:
        target = file.path.readlink().as_posix() if file.path.is_symlink() else None
        if not is_inside(file.name) or (target is not None and leads_out(file.name, target)):
            self.left_out.append(shown(file.name))
        elif target is not None:
            self._add_link(file, target)
        else:
            self._add_file(file, copy)

    def _add_link(self, file: HomeFile, target: str) -> None:
        info = tarfile.TarInfo(f"{ROOT}/{file.name}")
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._archive.addfile(info)
        self.links[file.name] = target

    def _add_file(self, file: HomeFile, copy: IO[bytes]) -> None:
        info = tarfile.TarInfo(f"{ROOT}/{file.name}")
        status = file.path.stat()
        info.mtime, info.mode = status.st_mtime, status.st_mode & 0o777
        digest = copy_whole(file.path, copy)
        info.size = copy.tell()
        copy.seek(0)
        self._archive.addfile(info, copy)
        self.kept[file.name] = Kept(size=info.size, sha256=digest)
