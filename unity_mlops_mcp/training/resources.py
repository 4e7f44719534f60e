"""``resources.jsonl``: what a training takes of the machine, looked at now and then while it runs."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.usage import Usage, usage_of

FIRST_S = 2.0
"""Seconds between looks at the start; a look takes some hundredths of a second."""
SHARE = 1 / 400
"""Later the pause is this share of the time that has passed: a training of days leaves a few thousand lines."""
_log = logging.getLogger(__name__)


class ResourcePoint(BaseModel):
    """What the trainer and its players took between one look and the one before.

    Attributes:
        at: seconds since 1970.
        step: agent steps reached by then.
        cores: processor cores that were busy.
        memory: bytes of main memory held.
        processes: how many there were.
    """

    model_config = ConfigDict(frozen=True)

    at: float
    step: int
    cores: float
    memory: int
    processes: int


class ResourceWatch:
    """Looks at a trainer's processes when that is due, and adds a line to the run's file.

    Args:
        path: the file; a resumed run adds to it.
        root: the trainer.
        now: the present, in seconds since 1970.
    """

    def __init__(self, path: Path, root: Identity, *, now: float) -> None:
        self._path, self._root = path, root
        self._begun = self._looked_at = now
        self._before: Usage | None = None

    def due(self, now: float) -> bool:
        """Whether it is time to look again."""
        return now - self._looked_at >= max(FIRST_S, (now - self._begun) * SHARE)

    def look(self, *, now: float, step: int) -> None:
        """Look, and write down what was taken since the last look; a figure that cannot be had is left out."""
        try:
            seen = usage_of(self._root)
            if self._before is not None and seen.processes:
                self._write(seen, self._before, now, step)
            self._before, self._looked_at = seen, now
        except Exception:  # noqa: BLE001 - a figure that cannot be told must not end a training of many hours
            _log.exception("What the trainer takes of the machine could not be written to %s.", self._path)
            self._looked_at = now

    def _write(self, seen: Usage, before: Usage, now: float, step: int) -> None:
        point = ResourcePoint(
            at=round(now, 1),
            step=step,
            cores=round(seen.cores_since(before, now - self._looked_at), 2),
            memory=seen.memory,
            processes=seen.processes,
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(point.model_dump_json() + "\n")


def read_resources(path: Path) -> list[ResourcePoint]:
    """The points of a run in the order of time; a line that was cut off by a kill is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [point for line in lines if (point := _point(line)) is not None]


def _point(line: str) -> ResourcePoint | None:
    try:
        data: Any = json.loads(line)
        point = ResourcePoint.model_validate(data)
    except (ValueError, ValidationError):
        return None
    return point if math.isfinite(point.cores) and math.isfinite(point.at) else None
