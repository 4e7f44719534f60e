"""The event files of a run, read as they grow, their attempts joined into one curve per tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.metrics.events import Columns
from unity_mlops_mcp.metrics.files import EventFile
from unity_mlops_mcp.metrics.records import Attempt, ReadProblem, Series
from unity_mlops_mcp.metrics.thinning import finite, lttb

_PATTERN = "events.out.tfevents.*"
_CACHED_READERS = 16


class Points(NamedTuple):
    """The points of one tag over all attempts, by ascending step; three arrays of shape (n,).

    Attributes:
        steps: agent steps, int64.
        values: what was recorded, float64; NaN and infinite values are kept.
        wall_times: seconds since 1970, float64.
    """

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    wall_times: npt.NDArray[np.float64]


class RunReader:
    """Reads ``<folder>/<behavior>/events.out.tfevents.*`` as they grow; `poll` takes in what is new.

    Each process of a run (its start, every resume) writes a file of its own, and a resume begins at its checkpoint's
    step, before the end of the file of the attempt that was cut off. What the older file has from there on is left out.
    Safe to use from several threads.

    Args:
        folder: results folder of one run, ``<results-dir>/<run-id>``; it need not exist yet.
        behavior: the behaviour meant where none is named; the first by name if None.
        verify: check the checksum of every record too, at half the speed.
    """

    def __init__(self, folder: Path, behavior: str | None = None, *, verify: bool = False) -> None:
        self.folder = folder
        self._behavior = behavior
        self._verify = verify
        self._files: dict[Path, EventFile] = {}
        self._unreadable: dict[Path, ReadProblem] = {}
        self._lock = RLock()

    def poll(self) -> int:
        """Read what was written since the last poll; a file that has gone is forgotten.

        Returns:
            Number of records that were decoded.
        """
        with self._lock:
            found = sorted(self.folder.glob(f"*/{_PATTERN}"))
            self._files = {path: self._files.get(path) or EventFile(path, verify=self._verify) for path in found}
            self._unreadable.clear()
            return sum(self._poll_file(file) for file in self._files.values())

    def _poll_file(self, file: EventFile) -> int:
        try:
            return file.poll()
        except OSError as error:
            message = f"The file cannot be read: {error}. It is tried again at the next poll."
            self._unreadable[file.path] = ReadProblem(file=str(file.path), offset=0, message=message)
            return 0

    @property
    def behaviors(self) -> tuple[str, ...]:
        """Names of the behaviours that have event files, sorted."""
        with self._lock:
            return tuple(sorted({path.parent.name for path in self._files}))

    @property
    def behavior(self) -> str | None:
        """The behaviour meant where none is named; None while there is none."""
        return self._behavior or next(iter(self.behaviors), None)

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the behaviour's scalars, sorted."""
        return self.tags_of()

    def tags_of(self, behavior: str | None = None) -> tuple[str, ...]:
        """Tags of one behaviour's scalars that have points once the attempts are joined, sorted."""
        found: set[str] = set()
        with self._lock:
            for file, limit in _limited(self._attempt_files(behavior)):
                scalars = file.decoder.scalars.items()
                found |= {tag for tag, columns in scalars if columns.steps and columns.steps[0] < limit}
        return tuple(sorted(found))

    def points(self, tag: str, behavior: str | None = None) -> Points:
        """The points of one tag, attempts joined; empty arrays when there are none."""
        with self._lock:
            return _joined(self._attempt_files(behavior), lambda file: file.decoder.scalars.get(tag))

    def counts(self, tag: str, behavior: str | None = None) -> Points:
        """How many values are behind each point of the histogram ``tag``, attempts joined."""
        with self._lock:
            return _joined(self._attempt_files(behavior), lambda file: file.decoder.counts.get(tag))

    def series(
        self, tag: str, *, behavior: str | None = None, max_points: int | None = None, wall_times: bool = False
    ) -> Series:
        """The finite points of one tag, thinned to ``max_points`` if there are more.

        Raises:
            NotFoundError: the behaviour has no such tag (yet).
        """
        points = self.points(tag, behavior)
        if not len(points.steps):
            known = ", ".join(self.tags_of(behavior)) or "none yet"
            raise NotFoundError(f"No values with the tag {tag!r} in {self.folder}.", fix=f"Tags there: {known}.")
        usable = finite(points.values)
        kept = usable if max_points is None else lttb(points.steps.astype(np.float64), points.values, max_points)
        return Series(
            tag=tag,
            steps=tuple(points.steps[kept].tolist()),
            values=tuple(points.values[kept].tolist()),
            wall_times=tuple(points.wall_times[kept].tolist()) if wall_times else None,
            points=len(usable),
        )

    def attempts(self, behavior: str | None = None) -> tuple[Attempt, ...]:
        """The processes that wrote at least one scalar, in the order of their start."""
        with self._lock:
            files = [file for file in self._attempt_files(behavior) if file.first_step is not None]
            return tuple(
                Attempt(
                    started_at=file.started_at or 0.0, first_step=file.first_step or 0, last_step=file.last_step or 0
                )
                for file in files
            )

    @property
    def problems(self) -> tuple[ReadProblem, ...]:
        """What could not be read, of all behaviours."""
        with self._lock:
            found = [problem for file in self._files.values() for problem in file.problems]
            return (*found, *self._unreadable.values())

    @property
    def skipped(self) -> dict[str, int]:
        """Records without a scalar, of all behaviours: kind (text, histogram, image, …) → how many."""
        with self._lock:
            return dict(sum((file.decoder.skipped for file in self._files.values()), Counter[str]()))

    def _attempt_files(self, behavior: str | None) -> list[EventFile]:
        name = behavior or self.behavior
        files = [file for path, file in self._files.items() if path.parent.name == name]
        return sorted(files, key=lambda file: (file.started_at or float("inf"), file.path.name))


def reader_for(folder: Path) -> RunReader:
    """The reader of a run's results folder that this process keeps, so that the next poll costs by what is new.

    The sixteen folders used last are kept.
    """
    return _reader(folder.resolve())


@lru_cache(maxsize=_CACHED_READERS)
def _reader(folder: Path) -> RunReader:
    return RunReader(folder)


def _limited(files: list[EventFile]) -> Iterator[tuple[EventFile, int]]:
    """Files in the reverse order of their start; with each the step below which its points count."""
    limit = int(np.iinfo(np.int64).max)
    for file in reversed(files):
        yield file, limit
        if file.first_step is not None:
            limit = min(limit, file.first_step)


def _joined(files: list[EventFile], columns_of: Callable[[EventFile], Columns | None]) -> Points:
    """Columns of files in the order of their start; of each, what lies before the first step of every later file."""
    kept = [Points(np.empty(0, np.int64), np.empty(0), np.empty(0))]
    for file, limit in _limited(files):
        columns = columns_of(file)
        if columns is not None:
            points = _points(columns)
            before = points.steps < limit
            kept.insert(0, Points(points.steps[before], points.values[before], points.wall_times[before]))
    steps, values, wall_times = (np.concatenate(column) for column in zip(*kept, strict=True))
    return Points(steps, values, wall_times)


def _points(columns: Columns) -> Points:
    return Points(np.array(columns.steps), np.array(columns.values), np.array(columns.wall_times))
