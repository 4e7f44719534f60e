"""What a backup holds, and what came of the work on a home, as frozen records."""

from __future__ import annotations

import posixpath
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

BACKUP, MIRROR = "backup", "mirror"
"""Kinds of jobs on a home's files."""


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kept(Record):
    """A file in a backup: its size in bytes and its SHA-256 (hex)."""

    size: int
    sha256: str


class BackupRecord(Record):
    """What a backup holds; the last member of its archive, so that one that was broken off has none.

    Attributes:
        format: of the archive.
        product: version of the program that made it.
        schema_version: of the database in it.
        home: where the home lay.
        created_at: the moment of the database's copy; the files are as they were then or up to a little later.
        files: by their name relative to the home, with slashes.
        links: symbolic links, by name, and what they point to.
    """

    format: Literal[1] = 1
    product: str
    schema_version: int
    home: str
    created_at: datetime
    files: dict[str, Kept]
    links: dict[str, str] = Field(default_factory=dict)

    @field_validator("files", "links")
    @classmethod
    def _inside(cls, value: dict[str, object]) -> dict[str, object]:
        for name in value:
            if not is_inside(name):
                raise ValueError(f"{name!r} lies outside the home")
        return value


def is_inside(name: str) -> bool:
    """Whether a name with slashes is text, and on every system stays within the folder that it is relative to."""
    path = PurePosixPath(name)
    inside = bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
    return inside and shown(name) == name


def leads_out(name: str, target: str) -> bool:
    """Whether a link of that name leads out of a home that lies elsewhere, which an absolute one always does."""
    return not is_inside(posixpath.normpath(posixpath.join(posixpath.dirname(name), target)))


def shown(name: str) -> str:
    """A file's name as text; what of it is none is written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


class Backup(Record):
    """A backup that was made: its file, what is in it, and the names of files and links that could not be put there."""

    path: str
    size: int
    files: int
    created_at: datetime
    left_out: tuple[str, ...] = ()


class Restored(Record):
    """A home that was made from a backup.

    Attributes:
        home: the folder.
        files: how many were put there.
        created_at: the moment that the backup shows.
        going_on: open jobs, which the next process of ours that opens the home goes on with.
        cancelled: jobs that were open and were ended.
        schedules: how many of them fired where the backup was made.
        endpoints: how many of them were told of events there.
        paused: whether neither do so here.
        left_out: links of the backup that lead out of the home, and were not made.
    """

    home: str
    files: int
    created_at: datetime
    going_on: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    schedules: int = 0
    endpoints: int = 0
    paused: bool = False
    left_out: tuple[str, ...] = ()


class Freed(Record):
    """One thing that was removed, or would be; ``place``: the home's folder, or ``checkpoints`` of a run."""

    place: str
    name: str
    size: int


class Pruned(Record):
    """What a prune freed, or would free; ``before``: what ended earlier than that was looked at."""

    before: datetime
    dry_run: bool
    freed: tuple[Freed, ...]


class MirroredFile(Record):
    """A file in a mirror: size, time of the last change of the original in ns (0: it was being written), SHA-256."""

    size: int
    changed_ns: int
    sha256: str


class MirrorIndex(Record):
    """What a mirror has, as a file in it; the names are relative to the home."""

    format: Literal[1] = 1
    product: str
    updated_at: datetime
    files: dict[str, MirroredFile]


class Mirrored(Record):
    """What one call brought to a mirror: files looked at, files and bytes sent."""

    url: str
    files: int
    sent: int
    sent_bytes: int
