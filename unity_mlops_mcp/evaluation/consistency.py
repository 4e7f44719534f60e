"""Whether the parts of an ONNX policy fit each other, as ML-Agents believes what the file says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unity_mlops_mcp.evaluation.tensors import (
    BRANCHES,
    CONTINUOUS_SHAPE,
    DISCRETE,
    MASKS,
    MEMORY_IN,
    MEMORY_OUT,
    MEMORY_SIZE,
    OBSERVATION,
)
from unity_mlops_mcp.protocol.simulation import ActionSpec


def contradictions(told: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]], action: ActionSpec) -> Iterator[str]:
    """Where the parts of a policy do not fit each other, in words.

    Args:
        told: each output for one agent that saw zeros.
        inputs: shape of each input.
        action: its actions, by what it gave.
    """
    numbers = sorted(int(name[len(OBSERVATION) :]) for name in inputs if name[len(OBSERVATION) :].isdecimal())
    if numbers != list(range(len(numbers))):
        yield f"its observations are numbered {', '.join(map(str, numbers))}, not from 0 without a gap"
    if CONTINUOUS_SHAPE in told and _whole(told[CONTINUOUS_SHAPE]) != action.continuous:
        yield f"{CONTINUOUS_SHAPE} is {_whole(told[CONTINUOUS_SHAPE])}, but it gives {action.continuous} numbers"
    if DISCRETE in told:
        yield from _of_branches(told, inputs, action)
    yield from _of_memory(told, inputs)


def _of_branches(told: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]], action: ActionSpec) -> Iterator[str]:
    given = told[DISCRETE].shape[-1]
    if BRANCHES in told and given != len(action.branches):
        yield f"{BRANCHES} has {len(action.branches)} branches, but it gives {given} choices"
    if MASKS not in inputs:
        yield f"it gives {DISCRETE} and takes no {MASKS}"
    elif inputs[MASKS][-1] != sum(action.branches):
        yield f"{MASKS} has {inputs[MASKS][-1]} places, but its branches {list(action.branches)} have others"


def _of_memory(told: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]]) -> Iterator[str]:
    taken, said = _memory(told, inputs)
    if said not in (0, taken):
        yield f"{MEMORY_SIZE} is {said}, but {MEMORY_IN} takes {taken} floats"
    if MEMORY_OUT in told and told[MEMORY_OUT].shape[-1] != taken:
        yield f"{MEMORY_IN} takes {taken} floats, but {MEMORY_OUT} gives {told[MEMORY_OUT].shape[-1]}"


def remarks(told: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]]) -> Iterator[str]:
    """What Unity takes, but does otherwise than the training did; arguments as of `contradictions`."""
    taken, said = _memory(told, inputs)
    if said == 0 and taken:
        yield f"{MEMORY_SIZE} is 0, so Unity carries no memory, though {MEMORY_IN} takes {taken} floats"


def _memory(told: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]]) -> tuple[int, int]:
    """Floats of memory that it takes, and that it says it has."""
    taken = inputs[MEMORY_IN][-1] if MEMORY_IN in inputs else 0
    return taken, _whole(told[MEMORY_SIZE]) if MEMORY_SIZE in told else taken


def _whole(values: Any) -> int:
    """The first value, as ML-Agents reads it; -1 where there is none or it is no number."""
    flat = values.ravel()
    return int(flat[0]) if flat.size and flat[0] == flat[0] and abs(flat[0]) < 2**31 else -1
