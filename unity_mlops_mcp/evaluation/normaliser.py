"""What a policy was used to see: the running mean and spread that ML-Agents' normaliser left in its ONNX file.

``Normalizer`` of mlagents 1.1.0 (``torch_entities/encoders.py``) gives (value - running_mean) / sqrt(variance / steps);
the export folds the root into one constant, so that the graph holds a Sub of ``obs_<i>`` and a Div behind it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unity_mlops_mcp.evaluation.tensors import OBSERVATION
from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.protocol.wire import fields

_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_INPUT, _OUTPUT, _OPERATOR = 1, 2, 4
_TYPE, _FLOATS, _NAME, _RAW = 2, 4, 8, 9
_FLOAT32 = 1


class Usual(NamedTuple):
    """Mean and standard deviation that the training saw of each value of a sensor, (n,) each."""

    mean: Floats
    sd: Floats


def usual_observations(content: bytes) -> dict[int, Usual]:
    """Index of the observation → what the training saw of it; empty where the policy was trained without normalising.

    Args:
        content: an ONNX file that opens.
    """
    nodes, constants = _read(content)
    taken = {(operator, inputs[0]): (inputs[1], output) for operator, inputs, output in nodes if len(inputs) > 1}
    found: dict[int, Usual] = {}
    for (operator, name), (mean, centred) in taken.items():
        index = name.removeprefix(OBSERVATION)
        divided = taken.get(("Div", centred))
        if operator != "Sub" or not name.startswith(OBSERVATION) or not index.isdecimal() or divided is None:
            continue
        if mean in constants and divided[0] in constants:
            found[int(index)] = Usual(constants[mean], constants[divided[0]])
    return found


def _read(content: bytes) -> tuple[list[tuple[str, list[str], str]], dict[str, Floats]]:
    """The nodes (operator, inputs, first output) and the float initializers of the graph."""
    nodes: list[tuple[str, list[str], str]] = []
    constants: dict[str, Floats] = {}
    for number, start, end in fields(content, 0, len(content)):
        if number != _GRAPH:
            continue
        for part, first, last in fields(content, start, end):
            if part == _NODE:
                nodes.append(_node(content, first, last))
            elif part == _INITIALIZER:
                constants.update(_constant(content, first, last))
    return nodes, constants


def _node(content: bytes, start: int, end: int) -> tuple[str, list[str], str]:
    inputs, outputs, operator = [], [], ""
    for number, first, last in fields(content, start, end):
        text = content[first:last]
        if number == _INPUT:
            inputs.append(text.decode())
        elif number == _OUTPUT:
            outputs.append(text.decode())
        elif number == _OPERATOR:
            operator = text.decode()
    return operator, inputs, outputs[0] if outputs else ""


def _constant(content: bytes, start: int, end: int) -> dict[str, Floats]:
    """Name → values of a float tensor; nothing for one of another type."""
    held = {number: content[first:last] for number, first, last in fields(content, start, end)}
    if held.get(_TYPE) != bytes([_FLOAT32]):
        return {}
    raw = held.get(_RAW) or held.get(_FLOATS, b"")
    return {held.get(_NAME, b"").decode(): np.frombuffer(raw, "<f4")} if len(raw) % 4 == 0 else {}
