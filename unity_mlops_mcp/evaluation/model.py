"""An ONNX file as ML-Agents exports it: what goes in, what comes out, and which version of the format it is."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unity_mlops_mcp.errors import ExternalError, InvalidInputError, NotFoundError
from unity_mlops_mcp.evaluation.consistency import contradictions, remarks
from unity_mlops_mcp.evaluation.tensors import (
    BRANCHES,
    CONTINUOUS,
    DISCRETE,
    MASKS,
    MEMORY_IN,
    OBSERVATION,
    VERSION,
)
from unity_mlops_mcp.protocol.simulation import ActionSpec
from unity_mlops_mcp.protocol.wire import fields

MOST_BYTES = 1_000_000_000

_OLD_INPUTS = ("vector_observation", "visual_observation_")
_OTHER_FORMAT = "Train it anew with mlagents 0.28 or newer, whose ONNX files ML-Agents 2 to 4 read."
_OF_ITS_SOURCE = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : |\S*onnxruntime_src\S* |[\w ]*\bonnxruntime::[\w:]+\([^)]*\)"
)
_OPSETS, _DOMAIN, _VERSION = 8, 1, 2
"""ModelProto.opset_import, and OperatorSetIdProto.domain and .version (onnx.proto)."""


@dataclass(frozen=True)
class OnnxModel:
    """What an ONNX policy is.

    Attributes:
        path: where it was read from.
        sha256: of its bytes (hex).
        version_number: ML-Agents' version of the format: 3 for mlagents 0.28 to 1.1.0; None where it does not say.
        opset: of ONNX's own operators.
        observations: shape of each ``obs_0..n``, without the batch; a size that may vary is -1.
        action: its actions.
        memory_size: floats that it carries from decision to decision; 0 without memory.
        inputs: all names.
        outputs: all names.
        finite: whether all it gave for zeros are finite numbers.
        contradictions: where its parts do not fit each other, in words.
        remarks: what Unity takes, but does otherwise than the training did, in words.
    """

    path: Path
    sha256: str
    version_number: int | None
    opset: int
    observations: tuple[tuple[int, ...], ...]
    action: ActionSpec
    memory_size: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    finite: bool
    contradictions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_bytes(path: Path) -> bytes:
    """The file's content.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is larger than any policy.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no ONNX file {path}.", fix="Name an existing .onnx file.", cause="no_such_model")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInputError(f"{path} is larger than {MOST_BYTES:,} bytes.", fix="Name an ONNX policy.")
    return path.read_bytes()


def open_session(content: bytes, path: Path, *, seed: int = 0) -> Any:
    """An onnxruntime session over the bytes alone, so that nothing beside the file is read.

    Args:
        content: the file.
        path: named in errors.
        seed: of the noise that the model's own actions have.

    Raises:
        ExternalError: onnxruntime cannot load it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    onnxruntime.set_seed(seed % 2**31)
    try:
        return onnxruntime.InferenceSession(content, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, none of them documented as stable
        raise ExternalError(
            f"The policy {path} does not open in onnxruntime: {_words(error)}",
            fix=_OTHER_FORMAT
            if path.suffix.lower() == ".nn"
            else "Export it again, as one file with its weights inside; resume_training exports a run's policy anew.",
            cause="onnx_broken",
        ) from error


def _words(error: Exception) -> str:
    """What onnxruntime says, without its codes and the places in its own source."""
    return _OF_ITS_SOURCE.sub("", str(error).splitlines()[0]).strip()


def read_model(path: Path) -> OnnxModel:
    """Look at an ONNX policy; it is run once, on zeros.

    Raises:
        NotFoundError: there is no such file.
        ExternalError: it does not open or does not run.
        InvalidInputError: it is no policy: it has no observations or no actions by ML-Agents' names.
    """
    content = read_bytes(path)
    return describe(open_session(content, path), content, path)


def describe(session: Any, content: bytes, path: Path) -> OnnxModel:
    """What an open session's model is; see `read_model`."""
    inputs = {node.name: tuple(node.shape) for node in session.get_inputs()}
    outputs = [node.name for node in session.get_outputs()]
    _require_policy(inputs, outputs, path)
    told = _told(session, inputs, outputs, path)
    action = _action(told, inputs)
    count = 1 + max(int(name.removeprefix(OBSERVATION)) for name in inputs if _is_observation(name))
    observations = [_shape(inputs.get(f"{OBSERVATION}{index}", ())) for index in range(count)]
    return OnnxModel(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        version_number=int(told[VERSION].ravel()[0]) if VERSION in told else None,
        opset=_opset(content),
        observations=tuple(observations),
        action=action,
        memory_size=inputs[MEMORY_IN][-1] if MEMORY_IN in inputs else 0,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        finite=all(bool(np.isfinite(values).all()) for values in told.values()),
        contradictions=tuple(contradictions(told, inputs, action)),
        remarks=tuple(remarks(told, inputs)),
    )


def _is_observation(name: str) -> bool:
    return name.startswith(OBSERVATION) and name.removeprefix(OBSERVATION).isdecimal()


def _require_policy(inputs: dict[str, Any], outputs: list[str], path: Path) -> None:
    acts = CONTINUOUS in outputs or DISCRETE in outputs
    if any(map(_is_observation, inputs)) and acts:
        return
    if acts and any(name.startswith(_OLD_INPUTS) for name in inputs):
        raise InvalidInputError(
            f"{path} is a policy of ML-Agents 1: its inputs are {', '.join(inputs)}.",
            fix=_OTHER_FORMAT,
            cause="onnx_version",
        )
    raise InvalidInputError(
        f"{path} is no policy of ML-Agents: its inputs are {', '.join(inputs) or 'none'}, its outputs "
        f"{', '.join(outputs) or 'none'}.",
        fix=f"Give an ONNX file with inputs {OBSERVATION}0, {OBSERVATION}1, … and the output {CONTINUOUS} or "
        f"{DISCRETE}, as mlagents-learn 0.28 or newer exports it.",
        cause="no_policy",
    )


def _told(session: Any, inputs: dict[str, Any], outputs: list[str], path: Path) -> dict[str, Any]:
    """Every output for one agent that sees zeros, and may do everything."""
    feed = {
        name: np.full([size if isinstance(size, int) and size > 0 else 1 for size in shape], name == MASKS, np.float32)
        for name, shape in inputs.items()
    }
    try:
        return dict(zip(outputs, session.run(None, feed), strict=True))
    except Exception as error:  # onnxruntime raises classes of its own, none of them documented as stable
        raise ExternalError(
            f"The policy {path} opens, but does not run: {_words(error)}",
            fix="Export it again; resume_training exports a run's policy anew.",
            cause="onnx_broken",
        ) from error


def _action(told: dict[str, Any], inputs: dict[str, Any]) -> ActionSpec:
    continuous = told[CONTINUOUS].shape[-1] if CONTINUOUS in told else 0
    if DISCRETE not in told:
        return ActionSpec(continuous)
    if BRANCHES in told:
        return ActionSpec(continuous, tuple(int(size) for size in told[BRANCHES].ravel()))
    return ActionSpec(continuous, (int(inputs[MASKS][-1]),) if MASKS in inputs else (0,) * told[DISCRETE].shape[-1])


def _shape(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else -1 for size in shape[1:])


def _opset(content: bytes) -> int:
    """The version of ONNX's own operators, read from the file's wire format; 0 where it does not say."""
    for number, first, last in fields(content, 0, len(content)):
        if number == _OPSETS:
            entry = {key: content[start:end] for key, start, end in fields(content, first, last)}
            if entry.get(_DOMAIN, b"") in (b"", b"ai.onnx"):
                return int.from_bytes(entry.get(_VERSION, b""), "little")
    return 0
