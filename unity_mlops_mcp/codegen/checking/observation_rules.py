"""Rules about what CollectObservations writes: sizes, types, frames, scales, numbers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.calls import Call, call_of
from unity_mlops_mcp.codegen.checking.constants import constant, enum_values, whole
from unity_mlops_mcp.codegen.checking.declarations import Method, TypeDeclaration
from unity_mlops_mcp.codegen.checking.engine import engine
from unity_mlops_mcp.codegen.checking.inference import type_of
from unity_mlops_mcp.codegen.checking.observing import INDEX_AND_RANGE, SENSOR, measure
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, called, hit, shown
from unity_mlops_mcp.codegen.checking.scope import Scope, scope_of

if TYPE_CHECKING:
    from tree_sitter import Node

_PLACES = {"position", "localPosition", "eulerAngles", "localEulerAngles"}
_SPEEDS = {"velocity", "linearVelocity", "angularVelocity", "magnitude", "sqrMagnitude"}
_LENGTHS = {"magnitude", "sqrMagnitude"}
_NARROW = {"Sqrt", "Log", "Log10", "Acos", "Asin"}
_GUARDS = {"Max", "Clamp", "Clamp01", "Abs", "Min"}
_REWARDS = {"AddReward", "SetReward"}


def observed(context: Context, agent: TypeDeclaration) -> Iterator[tuple[Call, Scope]]:
    """The calls on the sensor, in CollectObservations and the methods of the class that it hands the sensor to."""
    for start in context.project.methods_of(agent, "CollectObservations"):
        for method in context.project.reached(start):
            sensor = method.parameter_of(SENSOR)
            if sensor:
                scope = scope_of(context.project, method)
                calls = context.project.calls(method)
                yield from ((call, scope) for call in calls if call.receiver == sensor.name)


def _values(context: Context) -> Iterator[tuple[Call, Node, Scope]]:
    """Every value that is given to AddObservation."""
    for agent in context.agents:
        for call, scope in observed(context, agent):
            if call.name == "AddObservation" and call.arguments:
                yield call, call.arguments[0], scope


def sizes(context: Context) -> Iterator[Hit]:
    """MLA001: another number of floats than the spec has."""
    agent = context.spec_agent
    if agent is None or context.spec is None:
        return
    expected, size = context.spec.vector_size, measure(agent, context.project).size
    fits = expected in size.options if size.options is not None else size.least <= expected
    if not fits:
        methods = context.project.methods_of(agent, "CollectObservations")
        place = methods[0] if methods else agent
        values = {"agent": agent.name, "formula": size.formula, "expected": expected, "expected_by": "the spec"}
        yield hit("MLA001", place.source, place.node, **values)


def doubts(context: Context) -> Iterator[Hit]:
    """MLA028: sizes that depend on the moment."""
    for agent in context.agents:
        if not agent.abstract:
            for doubt in measure(agent, context.project).doubts:
                yield Hit(f"MLA028.{doubt.kind}", doubt.source, doubt.line, {"code": doubt.words})


def types(context: Context) -> Iterator[Hit]:
    """MLA002 and MLA003: values that are no numbers."""
    for call, value, scope in _values(context):
        kind = type_of(value, scope)
        declared = context.project.types.get(kind or "")
        if kind in engine().refused:
            yield called("MLA003", call, type=kind, fix=engine().refused[kind])
        elif declared is not None and declared.kind == "enum":
            yield called("MLA003", call, type=f"the enum {kind}", fix=engine().refused["enum"])
        elif kind and kind not in engine().sizes and context.project.is_engine_object(kind):
            yield called("MLA002", call, type=kind, value=shown(scope.source, value))


def frames(context: Context) -> Iterator[Hit]:
    """MLA022 and MLA023: positions in the world, and values in metres."""
    for call, value, scope in _values(context):
        member = _without_axis(value, scope)
        name = _member_name(member, scope)
        code = shown(scope.source, value)
        if name == "position" and type_of(member.child_by_field_name("expression"), scope) == "Transform":
            yield called("MLA022", call, code=code)
        elif name in _PLACES:
            yield called("MLA023.position", call, code=code)
        elif name in _SPEEDS or _is_distance(member, scope):
            yield called("MLA023.other", call, code=code)


def _without_axis(node: Node, scope: Scope) -> Node:
    """``a.position`` of ``a.position.x``."""
    if _member_name(node, scope) in {"x", "y", "z"}:
        return node.child_by_field_name("expression") or node
    return node


def _member_name(node: Node, scope: Scope) -> str:
    name = node.child_by_field_name("name") if node.type == "member_access_expression" else None
    return scope.source.text(name) if name else ""


def _is_distance(node: Node, scope: Scope) -> bool:
    call = call_of(scope.source, node) if node.type == "invocation_expression" else None
    return call is not None and call.name == "Distance" and call.receiver.startswith("Vector")


def not_numbers(context: Context) -> Iterator[Hit]:
    """MLA024: divisions and roots in observations and rewards that may give no number."""
    for call, _, scope in _values(context):
        yield from _doubtful(call, scope)
    for agent in context.agents:
        for method in agent.all_methods():
            yield from _doubtful_rewards(context, method)


def _doubtful_rewards(context: Context, method: Method) -> Iterator[Hit]:
    for call in context.project.calls(method):
        if call.own and call.name in _REWARDS:
            yield from _doubtful(call, scope_of(context.project, method))


def _doubtful(call: Call, scope: Scope) -> Iterator[Hit]:
    source = scope.source
    for node in source.within(call.node, "binary_expression"):
        sign, divisor = node.child_by_field_name("operator"), node.child_by_field_name("right")
        if sign is None or divisor is None or sign.type != "/":
            continue
        code = {"code": shown(source, node)}
        if _member_name(divisor, scope) in _LENGTHS or _is_distance(divisor, scope):
            yield called("MLA024.zero", call, **code)
        elif source.text(divisor) in {"MaxStep", "StepCount", "this.MaxStep"}:
            yield called("MLA024.maybe", call, **code, divisor=source.text(divisor))
    for node in source.within(call.node, "invocation_expression"):
        inner = call_of(source, node)
        if inner and inner.receiver == "Mathf" and inner.name in _NARROW and not _is_safe(inner.arguments, scope):
            yield called("MLA024.maybe", call, code=shown(source, node), divisor=_first(inner, scope))


def _is_safe(arguments: tuple[Node, ...], scope: Scope) -> bool:
    if not arguments or constant(arguments[0], scope) is not None:
        return True
    call = call_of(scope.source, arguments[0]) if arguments[0].type == "invocation_expression" else None
    return call is not None and call.name in _GUARDS


def _first(call: Call, scope: Scope) -> str:
    return shown(scope.source, call.arguments[0]) if call.arguments else ""


def one_hots(context: Context) -> Iterator[Hit]:
    """MLA029: one-hot codes whose index can be outside, or whose size is not known."""
    for agent in context.agents:
        for call, scope in observed(context, agent):
            if call.name == "AddOneHotObservation" and len(call.arguments) == INDEX_AND_RANGE:
                yield from _one_hot(call, scope)


def _one_hot(call: Call, scope: Scope) -> Iterator[Hit]:
    index, size = (shown(scope.source, node) for node in call.arguments)
    count, most = whole(call.arguments[1], scope), _most(call.arguments[0], scope)
    if count is None:
        yield called("MLA029.range", call, range=size)
    elif most is not None and not 0 <= most < count:
        yield called("MLA029.index", call, index=index, range=size, most=most, last=count - 1)


def _most(node: Node, scope: Scope) -> int | None:
    """The greatest value of an index: a constant, or of an enum that is cast."""
    value = whole(node, scope)
    if value is not None or node.type != "cast_expression":
        return value
    kind = type_of(node.child_by_field_name("value"), scope)
    declared = scope.project.types.get(kind or "")
    values = enum_values(declared, scope.project) if declared and declared.kind == "enum" else {}
    return max(values.values(), default=None)


DETECTORS: tuple[Detector, ...] = (sizes, doubts, types, frames, not_numbers, one_hots)
