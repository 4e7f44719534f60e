"""A home from a backup: whole and checked before anything of it counts."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import ValidationError

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError, SetupError
from unity_mlops_mcp.process.files import FileLock, write_atomically
from unity_mlops_mcp.store.rows import JobRow, Json
from unity_mlops_mcp.store.snapshot import move_paths
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.store.tables import SCHEMA_VERSION
from unity_mlops_mcp.upkeep.backup import RECORD, ROOT
from unity_mlops_mcp.upkeep.contents import LEFT_OUT, RESTORING, STATE
from unity_mlops_mcp.upkeep.records import BACKUP, MIRROR, BackupRecord, Kept, Restored, is_inside

_MAY_BE_THERE = frozenset(
    {"cache", "locks", "trainer", "trainer.lock", "trainer-install.log", RESTORING, "lost+found", ".DS_Store"}
)
_BLOCK = 1 << 20
_UNPACKED, _PLACING = "home", "placing.json"
"""In the folder of a restore: what the archive brought, and, where that cannot reach, the names that are moved."""
_NO_SUCH_NAMES = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL})
"""What a system says to names that no folder can hold together, or at all."""
_NOT_AGAIN = (BACKUP, MIRROR)
"""Kinds of jobs that end with a restore: they were about the home that was."""


def restore_backup(
    home: Path, path: Path, *, now: datetime, cancel_jobs: bool = False, pause: bool = False
) -> Restored:
    """Make a home from a backup.

    All is unpacked and checked beside its place first; then it is moved there, the database last. Broken off, it is
    done again from the beginning. An older database is brought up to date. Links that lead out of the home, which
    backups of earlier versions may hold, are told and not made.

    Args:
        home: the folder; not there, or without anything in it but a trainer, a cache and locks.
        path: the archive.
        now: the present moment.
        cancel_jobs: end the jobs that were open; else the first process that opens the home goes on with them.
        pause: pause the schedules and disable the endpoints of notifications; else they go on too.

    Raises:
        ConflictError: the home is in use or has something in it.
        NotFoundError: there is no such archive.
        InvalidInputError: it is no whole backup of ours; nothing was changed.
        SetupError: a newer version of this program made it.
    """
    path = path.expanduser().absolute()
    if not path.is_file():
        raise NotFoundError(f"There is no backup {path}.", fix="Give the path of a file that backup made.")
    _require_unused(home)
    (home / "locks").mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(home / "locks" / "door.lock"):
        _require_unused(home)
        staged = home / RESTORING
        _take_back(home, staged)
        try:
            unpacked = staged / _UNPACKED
            unpacked.mkdir(mode=0o700, parents=True)
            record, left_out = _unpack(path, unpacked)
            with Store(unpacked) as store:  # which brings an older database up to date
                going_on, cancelled = _settle(store, now=now, cancel_jobs=cancel_jobs)
                schedules, endpoints = _at_work(store, now=now, pause=pause)
            move_paths(unpacked / STATE, old=Path(record.home), new=home)
            _place(staged, home)
        finally:
            if not (home / STATE).exists():
                _take_back(home, staged)
        shutil.rmtree(staged, ignore_errors=True)
    return Restored(
        home=str(home),
        files=len(record.files),
        created_at=record.created_at,
        going_on=going_on,
        cancelled=cancelled,
        schedules=schedules,
        endpoints=endpoints,
        paused=pause,
        left_out=left_out,
    )


def _require_unused(home: Path) -> None:
    there = sorted(path.name for path in home.iterdir()) if home.is_dir() else []
    left = home / RESTORING / _PLACING
    ours = set(json.loads(left.read_text())) if left.exists() and not (home / STATE).exists() else set()
    used = [name for name in there if name not in _MAY_BE_THERE | ours]
    if used:
        raise ConflictError(
            f"The home {home} is in use: it has {', '.join(used[:5])}.",
            fix="Set UNITY_MLOPS_HOME to a new folder, or move what is there away first.",
            cause="home_in_use",
        )


def _take_back(home: Path, staged: Path) -> None:
    """Undo what a restore that was broken off had moved, and remove what it had unpacked."""
    left, unpacked = staged / _PLACING, staged / _UNPACKED
    for name in json.loads(left.read_text()) if left.exists() else []:
        if not (unpacked / name).exists() and (home / name).exists():
            (home / name).rename(unpacked / name)
    shutil.rmtree(staged, ignore_errors=True)


def _place(staged: Path, home: Path) -> None:
    unpacked = staged / _UNPACKED
    names = sorted(path.name for path in unpacked.iterdir() if path.name not in LEFT_OUT)
    write_atomically(staged / _PLACING, json.dumps([*names, STATE]).encode())
    for name in [*names, STATE]:
        (unpacked / name).rename(home / name)


def _settle(store: Store, *, now: datetime, cancel_jobs: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """End or interrupt the jobs that were open; gives those that go on, and those that ended."""
    rows = store.jobs.open()
    ending = [row for row in rows if cancel_jobs or row.kind in _NOT_AGAIN]
    going = [row for row in rows if row not in ending]
    for row in ending:
        _change(store, row, "cancelled", now)
    for row in going:
        if row.state != "queued":
            _change(store, row, "interrupted", now)
    return tuple(row.id for row in going), tuple(row.id for row in ending)


def _at_work(store: Store, *, now: datetime, pause: bool) -> tuple[int, int]:
    """How many schedules and endpoints of notifications were at work; with ``pause`` none is any more."""
    schedules = [row.schedule_id for row in store.schedules.all() if row.enabled]
    endpoints = [row.endpoint_id for row in store.notices.endpoints() if row.disabled is None]
    if pause:
        _pause(store, schedules, endpoints, now)
    return len(schedules), len(endpoints)


def _pause(store: Store, schedules: Sequence[str], endpoints: Sequence[str], now: datetime) -> None:
    why = "the home was restored with --pause"
    ended: Json = {"reason": why, "finished_at": now}
    for firing in store.schedules.open_firings():
        store.schedules.change_firing(firing.firing_id, "skipped", where=("due", "waiting"), now=now, values=ended)
    for schedule_id in schedules:
        store.schedules.change(schedule_id, now=now, enabled=False)
    for endpoint_id in endpoints:
        store.notices.disable(endpoint_id, why, now=now)


def _change(store: Store, row: JobRow, to: str, now: datetime) -> None:
    """The processes of the home that was are none of ours: their pids and their token are forgotten."""
    values: Json = {"supervisor": None, "children": [], "token": secrets.token_hex(16)}
    if to == "cancelled":
        values["finished_at"] = now
    store.jobs.change(row.id, to, where=(row.state,), attempt=None, now=now, values=values, data={"by": "restore"})


def _unpack(path: Path, staged: Path) -> tuple[BackupRecord, tuple[str, ...]]:
    """Unpack an archive and check all of it against its record; gives that, and the links that were not made."""
    try:
        with tarfile.open(path, mode="r:*") as archive:
            reader = _Reader(archive, staged)
            record = reader.read()
            _read_out(archive)
            return record, tuple(reader.left_out)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValidationError, UnicodeDecodeError) as error:
        raise _no_backup(path, str(error).splitlines()[0]) from error
    except OSError as error:
        if error.errno not in _NO_SUCH_NAMES:
            raise
        raise _no_backup(path, f"it has a name that cannot be: {error}"[:300]) from error


def _read_out(archive: tarfile.TarFile) -> None:
    """Read what comes after the last member too: only at the end does gzip compare its checksum."""
    while archive.fileobj is not None and archive.fileobj.read(_BLOCK):
        pass


def _is_never_kept(name: str) -> bool:
    """Whether no backup holds what has this name: it is made anew in each home, or the restore's own."""
    return name != STATE and PurePosixPath(name).parts[0].casefold() in LEFT_OUT


def _no_backup(path: object, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{path} is no whole backup: {why}.",
        fix="Take another one, made by unity-mlops backup and copied to its end.",
        cause="backup_damaged",
    )


class _Reader:
    """Unpacks an archive beneath a folder; nothing of it can get elsewhere."""

    def __init__(self, archive: tarfile.TarFile, staged: Path) -> None:
        self._archive = archive
        self._staged = staged
        self._found: dict[str, Kept] = {}
        self._links: dict[str, str] = {}
        self.left_out: list[str] = []

    def read(self) -> BackupRecord:
        """Unpack all of it; the record, which everything was checked against."""
        record: BackupRecord | None = None
        for member in self._archive:
            if member.name == RECORD:
                record = BackupRecord.model_validate_json(self._open(member).read())
                continue
            self._take(member)
        if record is None:
            raise _no_backup(self._archive.name, "its record is missing, so it was broken off")
        self._compare(record)
        self._make_links()
        return record

    def _take(self, member: tarfile.TarInfo) -> None:
        name = member.name.removeprefix(f"{ROOT}/")
        if name == member.name or not is_inside(name) or _is_never_kept(name):
            raise _no_backup(self._archive.name, f"it has a member {member.name!r}")
        if name in self._found or name in self._links:
            raise _no_backup(self._archive.name, f"it has {member.name!r} twice")
        if member.issym():
            self._links[name] = member.linkname
        elif member.isfile():
            self._write(name, member)
        else:
            raise _no_backup(self._archive.name, f"{member.name!r} is neither a file nor a link")

    def _open(self, member: tarfile.TarInfo) -> IO[bytes]:
        opened = self._archive.extractfile(member)
        if opened is None:
            raise _no_backup(self._archive.name, f"{member.name!r} is no file")
        return opened

    def _write(self, name: str, member: tarfile.TarInfo) -> None:
        path, digest = self._staged / name, hashlib.sha256()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        source = self._open(member)
        with path.open("xb") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
        path.chmod(member.mode & 0o777)
        os.utime(path, (member.mtime, member.mtime))
        self._found[name] = Kept(size=path.stat().st_size, sha256=digest.hexdigest())

    def _compare(self, record: BackupRecord) -> None:
        if record.schema_version > SCHEMA_VERSION:
            raise SetupError(
                f"The backup was made by unity-mlops-mcp {record.product}, whose database this version does not know.",
                fix="Upgrade this installation: pip install --upgrade unity-mlops-mcp.",
                cause="newer_state",
            )
        if STATE not in record.files:
            raise _no_backup(self._archive.name, f"it has no {STATE}")
        wrong = [name for name, kept in self._found.items() if record.files.get(name) != kept]
        missing = [
            name for name in (*record.files, *record.links) if name not in self._found and name not in self._links
        ]
        if wrong or missing or record.links != self._links:
            raise _no_backup(self._archive.name, f"{next(iter([*wrong, *missing]), 'a link')} is missing or changed")

    def _make_links(self) -> None:
        """Make the links but those that lead out, if by way of others only, which may be made after them."""
        for name, target in self._links.items():
            path = self._staged / name
            if self._is_out(path.parent) or self._is_out(path.parent / target):
                self.left_out.append(name)
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.symlink_to(target)
        while outward := [name for name in self._links if self._has_come_to_lead_out(self._staged / name)]:
            for name in outward:
                (self._staged / name).unlink()
            self.left_out += outward

    def _has_come_to_lead_out(self, link: Path) -> bool:
        return not self._is_out(link.parent) and link.is_symlink() and self._is_out(link)

    def _is_out(self, path: Path) -> bool:
        return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self._staged))
