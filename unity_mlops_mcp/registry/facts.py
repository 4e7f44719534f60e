"""What a run's record, build and curves say of its policies."""

from __future__ import annotations

from typing import Any

from unity_mlops_mcp.registry.records import RevisionOf
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.record import read_record
from unity_mlops_mcp.training.runs import Runs


def facts_of_run(store: Store, runs: Runs, run_id: str) -> dict[str, Any]:
    """The fields of `Facts` that a run decides.

    Raises:
        NotFoundError: there is no such run.
    """
    row, record = runs.row(run_id), read_record(runs.folder(run_id))
    request = record.get("request", {})
    return {
        "revision": record.get("revision"),
        "revision_of": _revision_of(store, row.build_id),
        "run_id": run_id,
        "build_id": row.build_id,
        "spec_id": row.spec_id,
        "archetype": row.archetype,
        "spec": record.get("spec"),
        "seed": request.get("seed"),
        "max_steps": row.max_steps,
        "configuration": record.get("configuration") or {},
        "versions": record.get("versions") or {},
        "metrics": runs.figures(run_id).summary.model_dump(mode="json", exclude_none=True),
        "parent": _parent(store, request.get("initialize_from")),
    }


def _revision_of(store: Store, build_id: str | None) -> RevisionOf:
    row = store.builds.get(build_id) if build_id else None
    facts = (row.data.get("facts") or {}) if row else {}
    return "unity project" if facts.get("project") else "input folder"


def _parent(store: Store, run_id: str | None) -> str | None:
    """The version that was registered of the run, else the run."""
    versions = store.models.versions_of_run(run_id) if run_id else ()
    return versions[0].version_id if versions else run_id
