"""Copies runs, evaluations and models to a folder or bucket; what is there already stays, only what changed goes."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError, SetupError
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.process.files import replace, write_atomically
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.contents import HomeFile, files_in
from unity_mlops_mcp.upkeep.holding import files_held
from unity_mlops_mcp.upkeep.reading import copy_whole, stamp
from unity_mlops_mcp.upkeep.records import Mirrored, MirroredFile, MirrorIndex
from unity_mlops_mcp.upkeep.working import Told, work_on_files

INDEX = "unity-mlops-mirror.json"
_SAVE_EVERY_S = 10.0
_LOCAL = frozenset({"file", "local"})


async def run_mirror(context: JobContext) -> dict[str, Any]:
    """Mirror what a job names; empty when it was stopped, and the next one goes on."""
    url = context.job.request["url"]
    return await work_on_files(context, lambda told: mirror(context.store, url, now=utc_now(), told=told))


def require_url(home: Path, url: str) -> str:
    """The address of a mirror that can be used; a path becomes an absolute one.

    Raises:
        InvalidInputError: it holds a password or a query, is none, or lies in the home.
        SetupError: the extra, or what speaks its protocol, is not installed.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query:
        raise InvalidInputError(
            "The mirror's address holds more than a place, which would be kept with it.",
            fix="Give such as gs://bucket/folder; credentials come from where the storage's own client finds them.",
        )
    if "://" not in url:
        url = str(Path(url).expanduser().absolute())
    target = _Target.at(url)
    if target.local and Path(target.root).resolve().is_relative_to(home.resolve()):
        raise InvalidInputError(
            f"{url} lies in the home, and would be lost with it.", fix="Give a folder on another disk, or a bucket."
        )
    return url


def mirror(store: Store, url: str, *, now: datetime, told: Told) -> Mirrored:
    """Bring a mirror up to date with a home; nothing there is ever removed.

    An index in the mirror tells size, time and hash of each file that was sent; what has the same is passed over. It is
    saved as the work goes on, so that one that is cut off is gone on with.

    Args:
        store: of the home; may be in use. A file that is being written is sent again the next time.
        url: a folder, or an address that fsspec knows, such as ``gs://bucket/folder``.
        now: the present moment.
        told: called as it goes on; what it raises ends the work.

    Raises:
        InvalidInputError, SetupError: see `require_url`.
        ConflictError: a backup, mirror or prune of the home is at work.
        ExternalError: the mirror cannot be read or written.
    """
    target = _Target.at(require_url(store.home, url))
    with files_held(store, "mirror"), tempfile.TemporaryFile() as copy:
        files = list(_sources(store))
        work = _Work(target, target.index(), copy)
        try:
            for done, file in enumerate(files):
                told(done, len(files))
                with suppress(FileNotFoundError):  # here, such as a checkpoint that a newer one took the place of
                    work.take(file)
        finally:
            work.save(now)
        told(len(files), len(files))
    return Mirrored(url=url, files=len(files), sent=work.sent, sent_bytes=work.sent_bytes)


def _sources(store: Store) -> Iterator[HomeFile]:
    known, home = store.contents(), store.home
    folders = [home / "models" / name / version for name, version in sorted(known.versions)]
    folders += [home / "runs" / name for name in sorted(known.runs)]
    folders += [home / "artifacts" / name for name in sorted(known.evaluations)]
    return files_in(home, (folder for folder in folders if folder.is_dir()))


class _Work:
    """Sends files, and keeps the index of what was sent."""

    def __init__(self, target: _Target, index: dict[str, MirroredFile], copy: IO[bytes]) -> None:
        self._target = target
        self._index = index
        self._copy = copy
        self._saved_at = time.monotonic()
        self.sent = self.sent_bytes = 0

    def take(self, file: HomeFile) -> None:
        """Send a file unless the mirror has it as it is now."""
        if file.path.is_symlink():
            return
        known, before = self._index.get(file.name), stamp(file.path)
        if known is not None and (known.size, known.changed_ns) == before:
            return
        digest = copy_whole(file.path, self._copy)
        size = self._copy.tell()
        if known is None or (known.sha256, known.size) != (digest, size):
            self._copy.seek(0)
            self._target.send(self._copy, file.name, size)
            self.sent += 1
            self.sent_bytes += size
        unchanged = before.size == size and stamp(file.path) == before
        self._index[file.name] = MirroredFile(
            size=size, changed_ns=before.changed_ns if unchanged else 0, sha256=digest
        )
        if time.monotonic() - self._saved_at > _SAVE_EVERY_S:
            self.save(utc_now())

    def save(self, now: datetime) -> None:
        """Write the index to the mirror."""
        self._target.save(MirrorIndex(product=__version__, updated_at=now, files=self._index))
        self._saved_at = time.monotonic()


class _Target:
    """A folder or bucket by its address."""

    def __init__(self, filesystem: Any, root: str, url: str) -> None:
        self._filesystem = filesystem
        self._url = url
        self.root = root.rstrip("/")
        protocol = filesystem.protocol
        self.local = bool(_LOCAL & ({protocol} if isinstance(protocol, str) else set(protocol)))

    @classmethod
    def at(cls, url: str) -> _Target:
        """The target of an address.

        Raises:
            InvalidInputError: there is no such protocol.
            SetupError: what speaks it is not installed.
        """
        try:
            from fsspec.core import url_to_fs

            filesystem, root = url_to_fs(url)
        except ImportError as error:
            raise SetupError(
                f"Nothing here speaks {urlsplit(url).scheme or 'fsspec'}: {error}.",
                fix="Install it: pip install 'unity-mlops-mcp[mirror]'; for s3 also: pip install s3fs.",
                cause="mirror_extra",
            ) from error
        except ValueError as error:
            fix = "Give a folder, or such as gs://bucket/folder or s3://bucket/folder."
            raise InvalidInputError(f"{url!r} is no address of a mirror: {error}.", fix=fix) from error
        return cls(filesystem, str(root), url)

    def index(self) -> dict[str, MirroredFile]:
        """What the mirror says it has; nothing in a new one.

        Raises:
            ExternalError: it cannot be read, or is none of ours.
        """
        with self._told():
            try:
                content = self._filesystem.cat_file(f"{self.root}/{INDEX}")
            except FileNotFoundError:
                return {}
        try:
            return dict(MirrorIndex.model_validate_json(content).files)
        except ValidationError as error:
            raise ExternalError(
                f"The index {INDEX} at {self._url} cannot be read.",
                fix="Remove it: everything is sent anew then. Or give another folder.",
                cause="mirror_index",
            ) from error

    def send(self, source: IO[bytes], name: str, size: int) -> None:
        """Put a file there, whole or not at all, and look whether it arrived."""
        place = f"{self.root}/{name}"
        with self._told():
            if self.local:
                _copy_local(source, Path(place))
            else:
                with self._filesystem.open(place, "wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
            arrived = self._filesystem.size(place)
        if arrived != size:
            raise ExternalError(
                f"{name} arrived at {self._url} with {arrived} of {size} bytes.", fix="Call it again.", cause="mirror"
            )

    def save(self, index: MirrorIndex) -> None:
        """Write the index."""
        content = json.dumps(index.model_dump(mode="json")).encode()
        with self._told():
            if self.local:
                Path(self.root).mkdir(parents=True, exist_ok=True)
                write_atomically(Path(self.root) / INDEX, content)
            else:
                self._filesystem.pipe_file(f"{self.root}/{INDEX}", content)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of ours for those of the storage, of which each client has its own.

        Several raise FileNotFoundError for a bucket that is not there; a file of ours that vanished is none of it.
        """
        try:
            yield
        except (MlopsError, StoppedError):
            raise
        except FileNotFoundError as error:
            raise ExternalError(
                f"The mirror {self._url} cannot be written, because something of its address is not there: {error}.",
                fix="Make the bucket, or give the name of one that is there; folders in it are made. Then call again.",
                cause="mirror",
            ) from error
        except Exception as error:
            raise ExternalError(
                f"The mirror {self._url} cannot be read or written: {type(error).__name__}: {error}.",
                fix="Check that the bucket or folder is there, and the credentials; then call it again: it goes on.",
                cause="mirror",
            ) from error


def _copy_local(source: IO[bytes], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    with part.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    replace(part, place)
