"""Checkpoints that a kill or a full disk cut off while they were written, and what takes their place."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from unity_mlops_mcp.process.files import replace, write_atomically

LATEST = "checkpoint.pt"
"""What a resume loads; ``mlagents`` writes it in place, right after ``<Behavior>-<step>.pt``."""
_STEP = re.compile(r".+-(\d+)\.pt")
_ZIP = b"PK"


def is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end: torch's are zip archives, whose directory comes last."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_ZIP))
    except OSError:
        return False
    return bool(head) and (head != _ZIP or zipfile.is_zipfile(path))


def whole_steps(behavior: Path) -> dict[int, Path]:
    """The checkpoints of a behaviour's folder that can be loaded, by their step."""
    matches = ((_STEP.fullmatch(path.name), path) for path in behavior.glob("*.pt"))
    return {int(match[1]): path for match, path in matches if match and is_whole(path)}


def mend(run: Path) -> list[str]:
    """Make a run's folder one that a resume can load, after whatever it went through; what was done, in words.

    A trainer that cannot load its checkpoint writes an untrained one over it as it ends: where the checkpoint written
    last is not the furthest, the furthest is taken.
    """
    done = []
    for behavior in sorted({path.parent for path in run.glob("*/*.pt")}):
        steps = whole_steps(behavior)
        written_last = max(steps, key=lambda step: steps[step].stat().st_mtime_ns, default=0)
        if steps and (written_last < max(steps) or not is_whole(behavior / LATEST)):
            write_atomically(behavior / LATEST, steps[max(steps)].read_bytes())
            done.append(f"the newest checkpoint of {behavior.name} was spoilt; it goes on from step {max(steps)}")
    status = run / "run_logs" / "training_status.json"
    if status.exists() and not _is_json(status):
        replace(status, status.with_suffix(".broken"))
        done.append("the trainer's record of lessons and ratings was cut off; lessons begin again")
    return done


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True
