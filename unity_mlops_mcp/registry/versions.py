"""Registers versions: files first, whole or not at all, then the row that counts."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.evaluation.library import newest_evaluation
from unity_mlops_mcp.evaluation.model import read_bytes
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.registry.card import card_of
from unity_mlops_mcp.registry.checking import check_policy
from unity_mlops_mcp.registry.naming import combined_sha256, model_name, revision, version_id
from unity_mlops_mcp.registry.records import Facts, ModelVersion, PolicyFile
from unity_mlops_mcp.registry.references import folder_of, version_of
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import ModelRow, VersionRow
from unity_mlops_mcp.store.store import Store

VERSION_FILE, CARD_FILE, SPEC_FILE, TRAINER_FILE = "version.json", "card.md", "spec.json", "trainer.yaml"
EVALUATION_FILE = "evaluation.json"
_STAGED = ".new-"
_ABANDONED_S = 3600.0


class Registered(NamedTuple):
    """A version, and whether it is new."""

    version: ModelVersion
    new: bool


def register(store: Store, policies: Mapping[str, Path], facts: Facts) -> Registered:
    """Register policies as the next version of a model; the same policies again give the version there is.

    Args:
        store: where it is kept.
        policies: behaviour → ONNX file.
        facts: all that is known of them.

    Raises:
        NotFoundError, ExternalError: a file is gone, or does not open or run.
        InvalidInputError: Unity could not load it, or the title is no name; nothing was registered.
    """
    name = model_name(facts.title)
    contents = {behavior: read_bytes(path) for behavior, path in policies.items()}
    checked = [check_policy(policies[behavior], content, behavior) for behavior, content in contents.items()]
    folder = store.home / "models" / name
    _sweep(store, name)
    staged = folder / f"{_STAGED}{os.getpid()}-{SystemRandom().randrange(16**8):08x}"
    try:
        staged.mkdir(parents=True)
        for policy in checked:
            write_atomically(staged / policy.file, contents[policy.behavior])
        return _add(store, staged, _Draft(name, tuple(checked), facts))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


class _Draft(NamedTuple):
    """A version without its number."""

    name: str
    policies: tuple[PolicyFile, ...]
    facts: Facts

    def numbered(self, number: int, evaluation_id: str | None) -> ModelVersion:
        """The version."""
        made, digest = utc_now(), combined_sha256(self.policies)
        git = revision(self.facts.revision, self.facts.revision_of, digest)
        facts = self.facts.model_dump(exclude={"revision", "revision_of"})
        return ModelVersion(
            **facts,
            evaluation_id=evaluation_id,
            version_id=version_id(self.name, made, git.sha, number),
            name=self.name,
            number=number,
            created_at=made,
            git_sha=git.sha,
            git_sha_of=git.of,
            git_dirty=git.dirty,
            policy_sha256=digest,
            policies=self.policies,
        )


def _add(store: Store, staged: Path, draft: _Draft) -> Registered:
    evaluation = newest_evaluation(store, policy_sha256=draft.policies[0].sha256)
    if evaluation is not None:
        write_atomically(staged / EVALUATION_FILE, evaluation.model_dump_json(indent=1).encode())

    moved: list[ModelVersion] = []

    def make(number: int) -> VersionRow:
        """Put the files in their place; the database is held meanwhile, so that the number stays free."""
        version = draft.numbered(number, evaluation.evaluation_id if evaluation else None)
        _write_records(staged, version, card_of(version, evaluation))
        _move(staged, folder_of(store.home, version), store.home)
        moved.append(version)
        return VersionRow(
            version.version_id,
            version.name,
            number,
            version.policy_sha256,
            data=version.model_dump(mode="json"),
            created_at=version.created_at,
            run_id=version.run_id,
        )

    model = ModelRow(draft.name, draft.facts.title.strip(), utc_now())
    try:
        row, new = store.models.add_version(
            model, combined_sha256(draft.policies), make, reason=draft.facts.description
        )
    except Exception:
        for version in moved:
            _withdraw(store, version)
        raise
    return Registered(version_of(row), new)


def _write_records(folder: Path, version: ModelVersion, card: str) -> None:
    write_atomically(folder / VERSION_FILE, version.model_dump_json(indent=1).encode())
    write_atomically(folder / CARD_FILE, card.encode())
    if version.spec is not None:
        write_atomically(folder / SPEC_FILE, json.dumps(version.spec, indent=1).encode())
    if version.configuration:
        write_atomically(folder / TRAINER_FILE, _yaml(version.configuration))


def _yaml(data: Any) -> bytes:
    import yaml

    return str(yaml.safe_dump(data, sort_keys=False)).encode()


def _move(staged: Path, target: Path, home: Path) -> None:
    """Rename into place; what a process left there that was killed before its row was written moves away."""
    if target.exists():
        _set_aside(target, home)
    staged.rename(target)


def _sweep(store: Store, name: str) -> None:
    """Put away what processes left that were killed: half copies, and versions whose row was not written any more."""
    folder = store.home / "models" / name
    for left in folder.glob(f"{_STAGED}*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)
    with store.models.held(name) as known:
        for left in folder.glob(f"unity-{name}-*"):
            if left.name not in known:
                _set_aside(left, store.home)


def _set_aside(folder: Path, home: Path) -> None:
    kept = home / ".replaced" / new_id(folder.name, now=utc_now(), rng=SystemRandom())
    kept.parent.mkdir(exist_ok=True)
    folder.rename(kept)


def _withdraw(store: Store, version: ModelVersion) -> None:
    """Remove the files of a version whose row could not be written, as on a full disk."""
    with suppress(MlopsError), store.models.held(version.name) as known:
        if version.version_id not in known:
            shutil.rmtree(folder_of(store.home, version), ignore_errors=True)


def files_of(home: Path, version: ModelVersion) -> Sequence[str]:
    """The files of a version, relative to its folder."""
    folder = folder_of(home, version)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
