"""Frees what a prune's plan names: rows first, then files; cut off anywhere, the next one finishes it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import SystemRandom

from unity_mlops_mcp.evaluation.records import RECORDINGS
from unity_mlops_mcp.store.ids import new_id
from unity_mlops_mcp.store.pruning import Rows, Uses
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.contents import PRUNED, REPLACED
from unity_mlops_mcp.upkeep.holding import files_held
from unity_mlops_mcp.upkeep.pruning import Plan, plan_prune
from unity_mlops_mcp.upkeep.records import Freed, Pruned

_STAMP = re.compile(r"-(\d{8}-\d{6})-[0-9a-z]+$")
"""How names end that we make: see `new_id`."""
_PLACES = ("runs", "builds", "artifacts", RECORDINGS, REPLACED)


def prune(store: Store, *, older_than: timedelta, now: datetime, keep_registered: bool, dry_run: bool) -> Pruned:
    """Free what ended longer ago than an age and nothing needs; see `plan_prune` for what that is.

    Args:
        store: of the home; may be in use.
        older_than: the age.
        now: the present moment.
        keep_registered: leave runs that a version came from whole.
        dry_run: say what would go, and change nothing.

    Raises:
        ConflictError: a backup, mirror or prune of the home is at work.
    """
    before = now - older_than
    if dry_run:
        uses = store.pruning.uses()
        plan = plan_prune(uses, before=before, keep_registered=keep_registered)
        return Pruned(before=before, dry_run=True, freed=tuple(_look(store.home, plan, uses, before)))
    with files_held(store, "prune"):
        _remove(store.home)  # what one that was cut off had moved
        freed = tuple(_free(store, before, keep_registered, now))
        _remove(store.home)
        return Pruned(before=before, dry_run=False, freed=freed)


def _remove(home: Path) -> None:
    for place in _PLACES:
        shutil.rmtree(home / place / PRUNED, ignore_errors=True)


def _free(store: Store, before: datetime, keep_registered: bool, now: datetime) -> list[Freed]:
    seen: list[tuple[Plan, Uses]] = []

    def choose(uses: Uses) -> Rows:
        seen.append((plan_prune(uses, before=before, keep_registered=keep_registered), uses))
        return seen[-1][0].rows

    store.pruning.remove(choose)
    return [one for one in _look(store.home, *seen[-1], before) if _moved(store, one, now)]


def _look(home: Path, plan: Plan, uses: Uses, before: datetime) -> Iterator[Freed]:
    """What there is of a plan, with what it takes on the disk; and what an earlier prune left that was cut off."""
    written = [name for name in plan.artifacts if (home / "artifacts" / name).exists()]
    for place, names in (("runs", plan.runs), ("builds", plan.builds), ("artifacts", written)):
        for name in sorted({*names, *_orphans(home / place, plan, uses, before)}):
            yield Freed(place=place, name=name, size=_size(home / place / name))
    for name in sorted(plan.thinned):
        size = sum(file.stat().st_size for file in _checkpoints(home / "runs" / name))
        if size:
            yield Freed(place="checkpoints", name=name, size=size)
    for file in sorted((home / RECORDINGS).glob("*.demo")):
        if _STAMP.search(file.stem) and _changed_at(file) < before and not plan.learns_from(file.name):
            yield Freed(place=RECORDINGS, name=file.name, size=_size(file))
    for folder in sorted((home / REPLACED).glob("*")):
        if folder.name != PRUNED and _replaced_at(folder) < before:
            yield Freed(place=REPLACED, name=folder.name, size=_size(folder))


def _orphans(place: Path, plan: Plan, uses: Uses, before: datetime) -> Iterator[str]:
    """Old folders that no row speaks for and nothing names."""
    known = {run.run_id for run in uses.runs} | set(uses.builds) | {one.evaluation_id for one in uses.evaluations}
    known |= {job.job_id for job in uses.jobs} | plan.held | {PRUNED}
    for folder in place.glob("*"):
        if folder.is_dir() and _changed_at(folder) < before and folder.name not in known:
            yield folder.name


def _moved(store: Store, one: Freed, now: datetime) -> bool:
    """Put one thing where it is removed; what came to be used again meanwhile stays."""
    folder = store.home / one.place / one.name
    with store.pruning.unknown(one.place, one.name) as free:
        if not free:
            return False
        if one.place == "checkpoints":
            for file in _checkpoints(store.home / "runs" / one.name):
                file.unlink(missing_ok=True)
        elif folder.exists():
            return _put_aside(folder, new_id(one.name, now=now, rng=SystemRandom()))
    return True


def _put_aside(folder: Path, name: str) -> bool:
    """Move it within its own place, so on its own disk; False where that is refused.

    Windows does so while somebody has a file of the folder open. The next prune finds it again: by its age, and no row
    speaks for it any more.
    """
    target = folder.with_name(PRUNED) / name
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        folder.rename(target)
    except OSError:
        return False
    return True


def _checkpoints(run: Path) -> list[Path]:
    """What a run can be gone on from; its policies, figures and records are none of it."""
    return [*run.glob("*/*.pt"), *run.glob("*/*.onnx")]


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; 0 when it is not there."""
    total = 0
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            total += path.lstat().st_size if path.is_file() else 0
    return total


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)


def _replaced_at(folder: Path) -> datetime:
    """When something was put aside, as its name tells."""
    found = _STAMP.search(folder.name)
    if found is None:
        return _changed_at(folder)
    return datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
