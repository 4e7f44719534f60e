"""A run and a version, gathered for any tracker from what was recorded of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unity_mlops_mcp.errors import ConflictError, NotFoundError
from unity_mlops_mcp.metrics.reader import Points, RunReader
from unity_mlops_mcp.registry.exporting.records import Source
from unity_mlops_mcp.registry.naming import version_folder
from unity_mlops_mcp.store.rows import RunRow, VersionRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.record import read_record

_ENDED = frozenset({"succeeded", "failed", "cancelled"})


def gather_run(row: RunRow, folder: Path) -> Source:
    """All of a run that has ended.

    Raises:
        ConflictError: it still trains, or waits to.
    """
    if row.job is not None and row.job.state not in _ENDED:
        raise ConflictError(
            f"Run {row.run_id} is {row.job.state}: only a run that has ended is exported.",
            fix=f"Call wait_for({row.run_id!r}), or stop_training({row.run_id!r}), and then again.",
            cause="run_not_ended",
        )
    files, record = RunFolder(folder), read_record(RunFolder(folder))
    ended = (row.job.finished_at if row.job else None) or row.created_at
    return Source(
        id=row.run_id,
        title=row.run_id,
        curves=curves_of(folder),
        parameters=dict(_flat(record.get("configuration") or row.trainer_configuration)),
        labels=_labels(row, record),
        started_ms=_ms(row.created_at),
        ended_ms=_ms(ended),
        succeeded=row.job is None or row.job.state == "succeeded",
        files=tuple(path for path in (*files.policies(), files.configuration, files.record) if path.is_file()),
    )


def gather_version(store: Store, row: VersionRow, run: RunRow | None, folder: Path | None) -> Source:
    """A version's files and aliases, with its run's curves and configuration where the run is still here.

    Raises:
        NotFoundError: its files are gone.
        ConflictError: its run still trains.
    """
    place = version_folder(store.home, row.name, row.version_id)
    files = tuple(sorted(path for path in place.rglob("*") if path.is_file()))
    if not files:
        raise NotFoundError(
            f"The files of {row.version_id} are gone from {place}.",
            fix="Register the policy again, or bring the folder back from a copy.",
            cause="files_gone",
        )
    found = gather_run(run, folder) if run is not None and folder is not None else Source(row.version_id, "")
    return replace(
        found,
        id=row.version_id,
        title=row.version_id,
        model=row.name,
        files=files,
        description=str(row.data.get("description") or ""),
        labels={**found.labels, "version_id": row.version_id, "policy_sha256": row.policy_sha256},
        aliases=tuple(a.alias for a in store.models.aliases(row.name) if a.version_id == row.version_id),
        started_ms=found.started_ms or _ms(row.created_at),
        ended_ms=found.ended_ms or _ms(row.created_at),
    )


def curves_of(folder: Path) -> dict[str, Points]:
    """Every finite point of every tag of a run."""
    reader = RunReader(folder)
    reader.poll()
    behaviors = reader.behaviors
    found: dict[str, Points] = {}
    for behavior in behaviors:
        for tag in reader.tags_of(behavior):
            points = reader.points(tag, behavior)
            kept = np.isfinite(points.values)
            name = tag if len(behaviors) == 1 else f"{behavior}/{tag}"
            found[name] = Points(points.steps[kept], points.values[kept], points.wall_times[kept])
    return found


def _labels(row: RunRow, record: dict[str, Any]) -> dict[str, str]:
    versions = {f"version.{name}": str(value) for name, value in (record.get("versions") or {}).items()}
    others = {
        "run_id": row.run_id,
        "behavior": row.behavior_name,
        "archetype": row.archetype,
        "build_id": row.build_id,
        "seed": (record.get("request") or {}).get("seed"),
        "revision": record.get("revision"),
        "platform": record.get("platform"),
    }
    return {**versions, **{name: str(value) for name, value in others.items() if value is not None}}


def _flat(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as ``a.b.c`` → value; lists as they are."""
    if not isinstance(data, dict):
        yield path, data
        return
    for name, value in data.items():
        yield from _flat(value, f"{path}.{name}" if path else str(name))


def _ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
