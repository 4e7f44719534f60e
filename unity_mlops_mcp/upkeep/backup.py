"""A backup of a home as one archive, made while the home is in use."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import anyio.to_thread

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.process.files import replace
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.snapshot import contents
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.contents import STATE, HomeFile, files_to_keep
from unity_mlops_mcp.upkeep.holding import files_held
from unity_mlops_mcp.upkeep.reading import copy_whole
from unity_mlops_mcp.upkeep.records import Backup, BackupRecord, Kept

ROOT, RECORD = "home", "backup.json"
_ARCHIVE = "archive"
ENDINGS = (".tar.gz", ".tgz", ".tar")
_COMPRESSION = 1  # most of a home is weights and archives, which hardly shrink
_IN_MEMORY = 16 << 20

Told = Callable[[int, int], None]
"""Called with how many files are done, of how many."""


def _silent(done: int, total: int) -> None:
    del done, total


async def run_backup(context: JobContext) -> dict[str, Any]:
    """Make the backup of a job; empty when it was stopped."""

    def told(done: int, total: int) -> None:
        context.require_going()
        context.progress(message=f"{done:,} of {total:,} files", step=done, total=total)

    def work() -> dict[str, Any]:
        path = Path(context.job.request["path"])
        return make_backup(context.store, path, now=utc_now(), told=told).model_dump(mode="json")

    try:
        return await anyio.to_thread.run_sync(work)
    except StoppedError:
        return {}


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
    gets its name when it is whole.

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
            record = _write(store, work, now, told, compressed=not path.name.endswith(".tar"))
            (work / _ARCHIVE).chmod(0o600)  # what a home holds is for its user alone
            replace(work / _ARCHIVE, path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Backup(path=str(path), size=path.stat().st_size, files=len(record.files), created_at=now)


def _write(store: Store, work: Path, now: datetime, told: Told, *, compressed: bool) -> BackupRecord:
    """Write the archive into a folder of its own."""
    state = work / STATE
    store.copy_database(state)
    known = contents(state)
    files = [HomeFile(STATE, state), *files_to_keep(store.home, known)]
    with (work / _ARCHIVE).open("wb") as raw, _archive(raw, compressed=compressed) as archive:
        kept, links = _Writer(archive, work).write(files, told)
        record = BackupRecord(
            product=__version__,
            schema_version=known.schema,
            home=str(store.home),
            created_at=now,
            files=kept,
            links=links,
        )
        _add_bytes(archive, RECORD, record.model_dump_json().encode())
    return record


def _archive(raw: IO[bytes], *, compressed: bool) -> tarfile.TarFile:
    if compressed:
        return tarfile.open(fileobj=raw, mode="w:gz", compresslevel=_COMPRESSION)
    return tarfile.open(fileobj=raw, mode="w")


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


class _Writer:
    """Puts files into an archive, each as it was at one moment."""

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._kept: dict[str, Kept] = {}
        self._links: dict[str, str] = {}

    def write(self, files: Sequence[HomeFile], told: Told) -> tuple[dict[str, Kept], dict[str, str]]:
        """Add the files that are still there; gives what was added, files and links."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder)) as copy:
            for done, file in enumerate(files):
                told(done, len(files))
                with suppress(FileNotFoundError):  # such as a checkpoint that a newer one took the place of
                    self._add(file, copy)
        told(len(files), len(files))
        return self._kept, self._links

    def _add(self, file: HomeFile, copy: IO[bytes]) -> None:
        info = tarfile.TarInfo(f"{ROOT}/{file.name}")
        if file.path.is_symlink():
            info.type, info.linkname = tarfile.SYMTYPE, str(file.path.readlink())
            self._archive.addfile(info)
            self._links[file.name] = info.linkname
            return
        status = file.path.stat()
        info.mtime, info.mode = status.st_mtime, status.st_mode & 0o777
        digest = copy_whole(file.path, copy)
        info.size = copy.tell()
        copy.seek(0)
        self._archive.addfile(info, copy)
        self._kept[file.name] = Kept(size=info.size, sha256=digest)
