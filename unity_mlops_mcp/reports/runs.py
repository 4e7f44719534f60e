"""One run for a report: its figures, its curves made small, and what decided it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.jobs.view import state_of
from unity_mlops_mcp.metrics.comparison import Digest, digest_run
from unity_mlops_mcp.metrics.reader import RunReader
from unity_mlops_mcp.metrics.records import MetricsSummary
from unity_mlops_mcp.metrics.summary import GROUP_REWARD, REWARD, summarize
from unity_mlops_mcp.reports.charts import Curves, curves_of
from unity_mlops_mcp.reports.commands import commands_of
from unity_mlops_mcp.reports.grouping import Settings, settings_of
from unity_mlops_mcp.reports.records import ModelFile, RunPart
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.store.rows import JobRow, RunRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.record import read_record
from unity_mlops_mcp.training.resources import ResourcePoint, read_resources

_MOST_PROBLEMS = 5
_MOST_JOBS = 50


@dataclass(frozen=True)
class RunFacts:
    """What is kept of one run while a report is gathered.

    Attributes:
        part: its figures; the group is not known yet.
        curves: what there is to draw.
        settings: what decided it, the seed left out.
        digest: its reward for the comparison; None where it has none.
        record: its ``run.json`` without the spec and the configuration, which `first` keeps.
        spec: its environment, where it is one of ours.
    """

    part: RunPart
    curves: Curves
    settings: Settings
    digest: Digest | None
    record: dict[str, Any]
    spec: EnvironmentSpec | None


def read_run(store: Store, row: RunRow, *, alone: bool) -> RunFacts:
    """Read all that a report tells of a run.

    Args:
        store: the home's.
        row: the run.
        alone: whether its curves are drawn by themselves, not in a mean over runs.
    """
    folder = RunFolder(store.home / "runs" / row.run_id)
    record = read_record(folder)
    reader = RunReader(folder.path)
    reader.poll()
    behavior = row.behavior_name if row.behavior_name in reader.behaviors else (reader.behavior or row.behavior_name)
    resources = read_resources(folder.resources)
    summary = summarize(reader, max_steps=row.max_steps, now=time.time(), behavior=behavior)
    settings = settings_of(record or {"configuration": row.trainer_configuration}, behavior)
    digest = digest_run(
        reader,
        tag=GROUP_REWARD if GROUP_REWARD in reader.tags_of(behavior) else REWARD,
        run_id=row.run_id,
        behavior=behavior,
        seed=(record.get("request") or {}).get("seed"),
        settings=settings,
        state=state_of(row),
    )
    part = RunPart(
        run_id=row.run_id,
        group=0,
        behavior=behavior,
        state=state_of(row),
        seed=(record.get("request") or {}).get("seed"),
        max_steps=row.max_steps,
        final_reward=digest.final if digest else None,
        models=tuple(_models(store, folder, row.run_id)),
        commands=commands_of(record, home=store.home, folder=folder.path),
        **_figures(summary),
        **_times(store, row, summary),
        **_taken(resources),
    )
    return RunFacts(
        part=part,
        curves=curves_of(reader, behavior, resources, alone=alone),
        settings=settings,
        digest=digest,
        record=record,
        spec=spec_of(record),
    )


def spec_of(record: dict[str, Any]) -> EnvironmentSpec | None:
    """The environment of a run's record; None where the player is not one of ours, or is of another version."""
    if not record.get("spec"):
        return None
    try:
        return EnvironmentSpec.from_data(record["spec"])
    except InvalidInputError:
        return None


def _figures(summary: MetricsSummary) -> dict[str, Any]:
    problems = [f"{Path(one.file).name} at byte {one.offset}: {one.message}" for one in summary.problems]
    return {
        "step": summary.steps,
        "attempts": summary.attempts,
        "best_reward": summary.best_reward,
        "success": summary.success,
        "success_episodes": summary.success_episodes,
        "episodes": summary.episodes,
        "episode_length": summary.episode_length,
        "elo": summary.elo,
        "verdict": summary.verdict,
        "reason": summary.reason,
        "problems": tuple(problems[:_MOST_PROBLEMS]),
    }


def _times(store: Store, row: RunRow, summary: MetricsSummary) -> dict[str, Any]:
    jobs = store.jobs.page(limit=_MOST_JOBS, cursor=None, kind="training", state=None, subject=row.run_id).rows
    begun = [job.started_at for job in jobs if job.started_at]
    seconds = sum(_seconds(job, summary) for job in jobs)
    return {
        "started_at": min(begun, default=None),
        "duration_s": seconds or None,
        "steps_per_second": summary.steps / seconds if seconds else summary.steps_per_second,
    }


def _seconds(job: JobRow, summary: MetricsSummary) -> float:
    """How long a job took; of one that still runs, to its last summary."""
    if job.started_at is None:
        return 0.0
    end = job.finished_at.timestamp() if job.finished_at else (summary.updated_at or 0.0)
    return max(0.0, end - job.started_at.timestamp())


def _taken(resources: list[ResourcePoint]) -> dict[str, Any]:
    if not resources:
        return {}
    return {
        "cores": float(np.mean([point.cores for point in resources])),
        "memory": max(point.memory for point in resources),
    }


def _models(store: Store, folder: RunFolder, run_id: str) -> Iterable[ModelFile]:
    """The final policies, with the registered version that each is."""
    versions = {row.policy_sha256: row for row in reversed(store.models.versions_of_run(run_id))}
    for path in folder.policies():
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            size = path.stat().st_size
        except OSError:
            continue
        version = versions.get(digest)
        yield ModelFile(
            behavior=path.stem,
            path=path.relative_to(store.home).as_posix(),
            bytes=size,
            sha256=digest,
            version=version.version_id if version else None,
            aliases=_aliases(store, version.name, version.version_id) if version else (),
        )


def _aliases(store: Store, name: str, version_id: str) -> tuple[str, ...]:
    return tuple(one.alias for one in store.models.aliases(name) if one.version_id == version_id)
