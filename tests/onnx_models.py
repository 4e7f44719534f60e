"""ONNX files of policies, written in ONNX's wire format (onnx.proto), so that tests know what each one does."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from unity_mlops_mcp.protocol.wire import FIXED32, VARINT, block, tag, varint

FLOAT, INT64 = 1, 7


def _integer(number: int, value: int) -> bytes:
    return tag(number, VARINT) + varint(value)


def constant(name: str, values: ArrayLike, *, whole: bool = False) -> bytes:
    """An initializer of a graph."""
    array = np.array(values, "<i8" if whole else "<f4")
    dims = b"".join(_integer(1, size) for size in array.shape)
    raw = block(9, array.tobytes())
    return block(5, dims + _integer(2, INT64 if whole else FLOAT) + block(8, name.encode()) + raw)


def node(kind: str, inputs: Sequence[str], output: str, **attributes: float) -> bytes:
    """One operator of a graph; attributes are whole numbers or floats."""
    content = b"".join(block(1, name.encode()) for name in inputs) + block(2, output.encode())
    content += block(3, output.encode()) + block(4, kind.encode())
    for name, value in attributes.items():
        held = _integer(3, value) if isinstance(value, int) else tag(2, FIXED32) + struct.pack("<f", value)
        content += block(5, block(1, name.encode()) + held + _integer(20, 2 if isinstance(value, int) else 1))
    return block(1, content)


def _place(number: int, name: str, shape: Sequence[int | str], kind: int = FLOAT) -> bytes:
    sizes = [_integer(1, size) if isinstance(size, int) else block(2, size.encode()) for size in shape]
    tensor = _integer(1, kind) + block(2, b"".join(block(1, size) for size in sizes))
    return block(number, block(1, name.encode()) + block(2, block(1, tensor)))


def given(name: str, *shape: int) -> bytes:
    """An input of a graph, behind the batch."""
    return _place(11, name, ("batch", *shape))


def result(name: str, *shape: int | str, kind: int = FLOAT) -> bytes:
    """An output of a graph."""
    return _place(12, name, shape, kind)


def write(path: Path, parts: Sequence[bytes], *, opset: int = 9) -> Path:
    """Put the parts of a graph together into a file."""
    graph = b"".join(parts) + block(2, b"policy")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_integer(1, 6) + block(7, graph) + block(8, _integer(2, opset)))
    return path


def linear(
    path: Path,
    weights: ArrayLike,
    bias: ArrayLike = (0.0, 0.0),
    *,
    noise: float = 0.0,
    version: float | None = 3.0,
    opset: int = 9,
    fixed: bool = True,
) -> Path:
    """A policy of one observation: actions = observation @ weights + bias, drawn with noise around it.

    Args:
        path: the file.
        weights: (floats seen, actions).
        bias: (actions,)
        noise: standard deviation of the actions that are drawn.
        version: ``version_number``; None leaves it out.
        opset: of ONNX.
        fixed: also give the deterministic output.
    """
    sizes: tuple[int, ...] = np.array(weights).shape
    parts = [
        given("obs_0", sizes[0]),
        constant("weights", weights),
        constant("bias", bias),
        constant("noise", [noise]),
        constant("memory_size", [0.0]),
        constant("continuous_action_output_shape", [float(sizes[1])]),
        node("MatMul", ["obs_0", "weights"], "seen"),
        node("Add", ["seen", "bias"], "mean"),
        node("RandomNormalLike", ["mean"], "raw", mean=0.0, scale=1.0),
        node("Mul", ["raw", "noise"], "strayed"),
        node("Add", ["mean", "strayed"], "continuous_actions"),
        result("continuous_actions", "batch", sizes[1]),
        result("memory_size", 1),
        result("continuous_action_output_shape", 1),
    ]
    if version is not None:
        parts += [constant("version_number", [version]), result("version_number", 1)]
    if fixed:
        parts += [
            node("Identity", ["mean"], "deterministic_continuous_actions"),
            result("deterministic_continuous_actions", "batch", sizes[1]),
        ]
    return write(path, parts, opset=opset)


def counting(path: Path) -> Path:
    """A policy with memory and one branch of 3: of the allowed choices, the nearest to the number of its decisions.

    It carries that number in one float.
    """
    return write(
        path,
        [
            given("obs_0", 1),
            given("action_masks", 3),
            given("recurrent_in", 1, 1),
            constant("version_number", [3.0]),
            constant("memory_size", [1.0]),
            constant("discrete_action_output_shape", [[3.0]]),
            constant("one", [1.0]),
            constant("flat", [-1, 1], whole=True),
            constant("choices", [[0.0, 1.0, 2.0]]),
            constant("least", [[-10.0]]),
            node("Add", ["recurrent_in", "one"], "recurrent_out"),
            node("Reshape", ["recurrent_in", "flat"], "count"),
            node("Sub", ["choices", "count"], "apart"),
            node("Mul", ["apart", "apart"], "far"),
            node("Neg", ["far"], "near"),
            node("Sub", ["action_masks", "one"], "forbidden"),
            node("Mul", ["forbidden", "hundred"], "barred"),
            constant("hundred", [100.0]),
            node("Add", ["near", "barred"], "value"),
            node("ArgMax", ["value"], "discrete_actions", axis=1, keepdims=1),
            result("discrete_actions", "batch", 1, kind=INT64),
            result("discrete_action_output_shape", 1, 1),
            result("recurrent_out", "batch", 1, 1),
            result("version_number", 1),
            result("memory_size", 1),
        ],
    )
