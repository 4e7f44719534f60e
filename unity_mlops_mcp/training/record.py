"""``run.json``: what a stranger needs to repeat a run."""

from __future__ import annotations

import json
import platform
from datetime import datetime, timezone
from typing import Any

from unity_mlops_mcp import __version__
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.training.command import ENVIRONMENT
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.request import TrainingRequest


def write_record(
    folder: RunFolder, request: TrainingRequest, trainer: Trainer, command: list[str], *, job_id: str, from_step: int
) -> None:
    """Add an attempt to the run's record, which holds request, spec, versions and the exact commands."""
    attempts = [*read_record(folder).get("attempts", [])]
    attempts.append(
        {
            "attempt": len(attempts) + 1,
            "job_id": job_id,
            "started_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "from_step": from_step,
            "command": command,
            "environment": ENVIRONMENT,
        }
    )
    record = {
        "run_id": folder.run_id,
        "request": request.model_dump(mode="json", exclude={"configuration"}),
        "configuration": request.configuration,
        "spec": _spec(folder, request),
        "versions": {"unity_mlops_mcp": __version__, **trainer.versions.model_dump(exclude_none=True)},
        "trainer": {"python": str(trainer.python), "kind": trainer.kind, "mode": request.trainer_mode},
        "platform": platform.platform(),
        "revision": request.revision,
        "attempts": attempts,
    }
    write_atomically(folder.record, json.dumps(record, indent=2).encode())


def read_record(folder: RunFolder) -> dict[str, Any]:
    """The record as it was last written; empty when there is none that can be read."""
    try:
        record = json.loads(folder.record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _spec(folder: RunFolder, request: TrainingRequest) -> dict[str, Any] | None:
    """The environment spec of the build that is trained on; None where the player is not one of ours."""
    if request.build_id is None:
        return None
    path = folder.path.parents[1] / "builds" / request.build_id / "spec.json"
    if not path.exists():  # a Unity build of a project of the user's own
        return None
    spec: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return spec
