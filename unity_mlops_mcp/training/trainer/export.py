"""Whether a trainer can export a policy that opens in onnxruntime; tried once per trainer, before step 0."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError, MlopsError, NotFoundError, refused_by_system
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.training.diagnosis import UNKNOWN, diagnose
from unity_mlops_mcp.training.policy import check_policy
from unity_mlops_mcp.training.records import Check, Trainer
from unity_mlops_mcp.training.trainer.environment import TRAINER_ENV, Cache

EXPORT_TIMEOUT_S = 300.0
NAME = "ONNX export"
NEEDED = "a tiny policy that mlagents exports and onnxruntime opens"
REPAIR = "unity-mlops trainer install --repair"


def check_export(trainer: Trainer, cache: Cache, *, folder: Path) -> Check:
    """The check of the export; from the cache when this trainer passed it before.

    Args:
        trainer: the trainer; its fingerprint decides whether it was checked already.
        cache: keeps that it passed; a failure is tried again each time.
        folder: where the tiny policy is written and removed again.
    """
    key = f"trainer-exports:{trainer.fingerprint}:{trainer.kind}"
    kept = cache.get(key)
    if isinstance(kept, dict) and kept.get("ok"):
        return Check(name=NAME, status="ok", found=str(kept["found"]), needed=NEEDED)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as scratch:
            check = _try(trainer, Path(scratch) / "tiny.onnx")
    except OSError as error:
        told = refused_by_system(error)
        fix = told.fix if told else "Look at that folder, then check again."
        return Check(name=NAME, status="fail", found=f"{folder}: {error.strerror}", needed=NEEDED, fix=fix)
    if check.status == "ok":
        cache.set(key, {"ok": True, "found": check.found})
    return check


def _try(trainer: Trainer, target: Path) -> Check:
    mode = "compat" if trainer.kind == "managed" else "stock"
    command: list[str | Path] = [trainer.python, TRAINER_ENV / "export_check.py", target, "--mode", mode]
    try:
        done = run(
            command, timeout_s=EXPORT_TIMEOUT_S, env=environment(PYTHONPATH=None, PYTHONHOME=None), cwd=target.parent
        )
        answer = _answer(done.stdout)
        if not answer.get("ok"):
            return _failed(answer, done.stderr, done.returncode, trainer)
        opened = check_policy(target)
    except (ExternalError, NotFoundError) as error:
        return Check(name=NAME, status="fail", found=error.message, needed=NEEDED, fix=_mend(trainer))
    except MlopsError as error:
        return Check(name=NAME, status="fail", found=error.message, needed=NEEDED, fix=error.fix)
    found = f"opset {answer.get('opset')}, {len(opened['outputs'])} outputs, in {answer.get('seconds')} s"
    return Check(name=NAME, status="ok", found=found, needed=NEEDED)


def _answer(stdout: str) -> dict[str, Any]:
    for line in reversed(stdout.splitlines()):
        if line.startswith("{"):
            try:
                answer: dict[str, Any] = json.loads(line)
            except ValueError:
                break
            return answer
    return {}


def _failed(answer: dict[str, Any], stderr: str, code: int, trainer: Trainer) -> Check:
    said = [str(line) for line in answer.get("traceback", ())] or stderr.splitlines()
    known = diagnose(said, exit_code=code)
    found = str(answer.get("error") or (said[-1] if said else f"it ended with code {code}"))
    text = f"{known.message} ({found})" if known.cause != UNKNOWN else found
    return Check(name=NAME, status="fail", found=text[:500], needed=NEEDED, fix=_mend(trainer))


def _mend(trainer: Trainer) -> str:
    if trainer.kind == "managed":
        return REPAIR
    return "unity-mlops trainer install   (and unset UNITY_MLOPS_TRAINER)"
