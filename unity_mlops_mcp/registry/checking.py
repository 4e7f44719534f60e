"""Whether Unity could load a policy: what its ML-Agents package asks of a model, and its inference packages of ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.inference import OPSETS
from unity_mlops_mcp.evaluation.installing import FORMAT, misfits_of_names
from unity_mlops_mcp.evaluation.model import OnnxModel, describe, open_session
from unity_mlops_mcp.registry.records import PolicyFile


def check_policy(path: Path, content: bytes, behavior: str) -> PolicyFile:
    """Look at a policy as Unity would.

    Args:
        path: named in errors.
        content: the file.
        behavior: which behaviour it is for.

    Raises:
        ExternalError: it does not open or does not run.
        InvalidInputError: it is no policy, or Unity would refuse it; the message says why.
    """
    model = describe(open_session(content, path), content, path)
    for message, fix, cause in _refusals(model):
        raise InvalidInputError(f"{path} cannot be registered: {message}.", fix=fix, cause=cause)
    return PolicyFile(
        behavior=behavior,
        file=f"{behavior}.onnx",
        sha256=model.sha256,
        size=len(content),
        version_number=model.version_number or FORMAT,
        opset=model.opset,
        observations=model.observations,
        continuous=model.action.continuous,
        branches=model.action.branches,
        memory_size=model.memory_size,
        notes=tuple(_remarks(model)),
    )


def _refusals(model: OnnxModel) -> Iterator[tuple[str, str, str]]:
    """What every Unity package would refuse: message, fix, cause."""
    yield from misfits_of_names(model, "Unity")
    newest = max(last for _, last in OPSETS.values())
    oldest = min(first for first, _ in OPSETS.values())
    if not oldest <= model.opset <= newest:
        yield (
            f"its opset is {model.opset}, and Unity's packages import {oldest} to {newest}",
            "Export it with opset 9, as mlagents-learn does.",
            "onnx_opset",
        )


def _remarks(model: OnnxModel) -> Iterator[str]:
    yield from model.remarks
    for package, (first, last) in OPSETS.items():
        if not first <= model.opset <= last:
            yield f"opset {model.opset}: {package} is documented for {first} to {last}"
