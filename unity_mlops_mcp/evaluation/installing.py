"""Puts trained policies into a Unity project: checked first, one file each, nothing lost that was there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from unity_mlops_mcp.builds.unity.project import Project
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.evaluation.inference import Inference
from unity_mlops_mcp.evaluation.model import OnnxModel, describe, open_session, read_bytes
from unity_mlops_mcp.evaluation.tensors import (
    BRANCHES,
    CONTINUOUS,
    CONTINUOUS_SHAPE,
    DISCRETE,
    MASKS,
    MEMORY_IN,
    MEMORY_OUT,
    MEMORY_SIZE,
    OBSERVATION,
    VERSION,
)
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.store.ids import new_id, utc_now

FORMAT = 3
"""``version_number`` that the ML-Agents packages 2, 3 and 4 read (their ModelApiVersion.MLAgents2_0)."""
FOLDER = "Models"
"""Where a policy goes whose behaviour has no folder of its own under Assets."""
Change = Literal["added", "replaced", "unchanged"]


@dataclass(frozen=True)
class Source:
    """A policy to install: the behaviour it is for, its file, and the spec it was trained on, where there is one."""

    behavior: str
    path: Path
    spec: EnvironmentSpec | None = None


@dataclass(frozen=True)
class Installed:
    """One file in the project.

    Attributes:
        path: relative to the project, with slashes.
        sha256: of its content (hex).
        change: what was done.
        backup: where the file that it replaced lies now.
    """

    path: str
    sha256: str
    change: Change
    backup: Path | None = None


@dataclass(frozen=True)
class _Step:
    """A policy that was looked at, and where it goes."""

    source: Source
    content: bytes
    model: OnnxModel
    target: Path
    change: Change


def behavior_of(path: Path) -> str:
    """The behaviour that an ONNX file of mlagents is for: ``Nav`` of ``Nav.onnx``, and of ``Nav-5000.onnx``."""
    return re.sub(r"-\d+$", "", path.stem)


def install(
    project: Project, inference: Inference, sources: Sequence[Source], *, settings: Settings, confirm: bool, rng: Random
) -> list[tuple[Installed, OnnxModel]]:
    """Copy policies into a project; all are looked at before the first is copied.

    A policy takes the place of the one file of its name under Assets, so that what refers to it still does; a new one
    goes into ``Assets/<Behavior>/`` where there is such a folder, else into ``Assets/Models/``. The Editor's ``.meta``
    files are left alone. The project may be open: the Editor imports the file when it comes to the front.

    Args:
        project: the project.
        inference: what runs its models.
        sources: the policies.
        settings: which folders may be written, and the home, where replaced files are kept.
        confirm: replace other files of the same name, and take models that the package is not documented to import.
        rng: for the name of the backup's folder.

    Raises:
        InvalidInputError: a model cannot be used there.
        ConflictError: a different file would be replaced (cause ``would_replace``), or it is not clear which.
    """
    steps = [_look(project, inference, source, settings=settings, confirm=confirm) for source in sources]
    replaced = [step for step in steps if step.change == "replaced"]
    if replaced and not confirm:
        raise _would_replace(project, replaced)
    return [(_put(project, step, settings, rng), step.model) for step in steps]


def _look(project: Project, inference: Inference, source: Source, *, settings: Settings, confirm: bool) -> _Step:
    content = read_bytes(source.path)
    model = describe(open_session(content, source.path), content, source.path)
    for message, fix, cause in _misfits(model, inference, confirm=confirm):
        raise InvalidInputError(f"{source.path} cannot run in {project.path}: {message}.", fix=fix, cause=cause)
    target = settings.allowed_path(_target(project, source.behavior), what="file in the project")
    change: Change = "added"
    if target.exists():
        change = "unchanged" if read_bytes(target) == content else "replaced"
    return _Step(source, content, model, target, change)


def _misfits(model: OnnxModel, inference: Inference, *, confirm: bool) -> Iterator[tuple[str, str, str]]:
    """What would go wrong in the project: message, fix, cause."""
    yield from misfits_of_names(model, inference.package)
    first, last = inference.opsets
    if not first <= model.opset <= last and not confirm:
        yield (
            f"its opset is {model.opset}, and {inference.package} is documented for {first} to {last}",
            "Export it with opset 9, as mlagents-learn does; or try it all the same: confirm=true.",
            "onnx_opset",
        )


def misfits_of_names(model: OnnxModel, reader: str) -> Iterator[tuple[str, str, str]]:
    """Why ML-Agents would refuse a model whatever runs it: message, fix, cause.

    Args:
        model: what the file is.
        reader: who is given it, for the message.
    """
    if model.version_number != FORMAT:
        told = "no version_number" if model.version_number is None else f"version_number {model.version_number}"
        yield (
            f"it has {told}, and {reader} is given models of version {FORMAT}",
            "Train it anew with mlagents 0.28 or newer, which exports version 3.",
            "onnx_version",
        )
    missing = ", ".join(name for name in _needed(model) if name not in model.outputs)
    strange = ", ".join(name for name in model.inputs if not _known_input(name))
    if missing or strange:
        yield (
            f"it lacks the outputs {missing or 'none'}, and its unknown inputs are {strange or 'none'}",
            "Export it with mlagents-learn; ML-Agents refuses models whose tensors have other names.",
            "onnx_names",
        )
    if model.contradictions:
        yield (
            f"its parts do not fit each other: {'; '.join(model.contradictions)}",
            "Export it again with mlagents-learn; resume_training exports a run's policy anew.",
            "onnx_shapes",
        )
    if not model.finite:
        yield (
            "its actions are not numbers (NaN or infinite)",
            "Take an earlier checkpoint of the run; get_metrics shows where it went wrong.",
            "onnx_not_finite",
        )


def _known_input(name: str) -> bool:
    return name in (MASKS, MEMORY_IN) or name.startswith(OBSERVATION)


def _needed(model: OnnxModel) -> Iterator[str]:
    """The outputs without which ML-Agents refuses a model (its model loader, 2.0.1 to 4.0)."""
    yield from (VERSION, MEMORY_SIZE)
    if CONTINUOUS in model.outputs:
        yield CONTINUOUS_SHAPE
    if DISCRETE in model.outputs:
        yield BRANCHES
    if MEMORY_IN in model.inputs:
        yield MEMORY_OUT


def _target(project: Project, behavior: str) -> Path:
    """Where the policy goes."""
    assets = project.path / "Assets"
    same = sorted(path for path in assets.rglob("*.onnx") if path.name == f"{behavior}.onnx")
    if len(same) > 1:
        told = ", ".join(path.relative_to(project.path).as_posix() for path in same)
        raise ConflictError(
            f"{project.path} has several files {behavior}.onnx: {told}.",
            fix="Rename or remove all but the one that the agents use; then call again.",
            cause="several_models",
        )
    own = assets / behavior
    return same[0] if same else (own if own.is_dir() else assets / FOLDER) / f"{behavior}.onnx"


def _would_replace(project: Project, steps: Sequence[_Step]) -> ConflictError:
    told = [
        f"{_relative(project, step.target)} ({step.target.stat().st_size:,} bytes) by {step.source.path} "
        f"({len(step.content):,} bytes, sha256 {step.model.sha256[:12]}…)"
        for step in steps
    ]
    return ConflictError(
        f"This would replace {'; '.join(told)}.",
        fix="Call again with confirm=true: the old file moves to the home's .replaced folder, and its .meta stays.",
        cause="would_replace",
        evidence=told,
    )


def _put(project: Project, step: _Step, settings: Settings, rng: Random) -> Installed:
    backup = None
    if step.change == "replaced":
        backup = settings.home / ".replaced" / new_id(step.source.behavior, now=utc_now(), rng=rng) / step.target.name
        backup.parent.mkdir(parents=True)
        write_atomically(backup, step.target.read_bytes())
    if step.change != "unchanged":
        step.target.parent.mkdir(exist_ok=True)
        write_atomically(step.target, step.content)
    return Installed(_relative(project, step.target), step.model.sha256, step.change, backup)


def _relative(project: Project, path: Path) -> str:
    return path.relative_to(project.path).as_posix()
