"""Rules about what is done with actions: indices, who fills them, where the keyboard is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from unity_mlops_mcp.codegen.checking.calls import Call
from unity_mlops_mcp.codegen.checking.constants import whole
from unity_mlops_mcp.codegen.checking.declarations import Method, TypeDeclaration
from unity_mlops_mcp.codegen.checking.inference import type_of
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, called, hit, shown
from unity_mlops_mcp.codegen.checking.scope import Scope, scope_of

if TYPE_CHECKING:
    from tree_sitter import Node

SEGMENTS = {"ContinuousActions": "ActionSegment<float>", "DiscreteActions": "ActionSegment<int>"}
MASK_ARGUMENTS = 3
_OWN_STEP = ("OnActionReceived", "CollectObservations")
_EVERY_STEP = (*_OWN_STEP, "Update", "FixedUpdate", "LateUpdate")
_SEARCHES = {
    "GetComponent",
    "GetComponentInChildren",
    "GetComponentInParent",
    "GetComponents",
    "FindObjectOfType",
    "FindObjectsOfType",
    "FindFirstObjectByType",
    "FindObjectsByType",
    "FindWithTag",
    "FindGameObjectWithTag",
    "FindGameObjectsWithTag",
}
_PUSHES = {"AddForce", "AddRelativeForce", "AddTorque", "AddRelativeTorque", "AddForceAtPosition", "MovePosition"}


def methods_named(context: Context, agent: TypeDeclaration, *names: str) -> Iterator[Method]:
    """The agent's methods of these names, its own before those of bases."""
    for name in names:
        yield from context.project.methods_of(agent, name)


def copies(context: Context) -> Iterator[Hit]:
    """MLA011: assignments to an element of a property that gives a copy."""
    for source in context.project.sources:
        for node in source.all("assignment_expression"):
            left = node.child_by_field_name("left")
            owner = (
                left.child_by_field_name("expression") if left and left.type == "element_access_expression" else None
            )
            if left is None or owner is None or owner.type != "member_access_expression":
                continue
            name = owner.child_by_field_name("name")
            if name and source.text(name) in SEGMENTS:
                yield hit("MLA011", source, node, code=shown(source, left), segment=source.text(owner))


def indices(context: Context) -> Iterator[Hit]:
    """MLA012: actions, branches and values that the spec does not have."""
    agent, spec = context.spec_agent, context.spec
    if agent is None or spec is None:
        return
    counts = {"ActionSegment<float>": spec.continuous_size, "ActionSegment<int>": len(spec.branches)}
    for method in agent.all_methods():
        scope = scope_of(context.project, method)
        for node in method.source.within(method.node, "element_access_expression"):
            kind, index = _accessed(node, scope)
            if kind in counts and index is not None and not 0 <= index < counts[kind]:
                what = "Continuous action" if kind == "ActionSegment<float>" else "Discrete branch"
                values = {"what": what, "index": index, "count": counts[kind], "expected_by": "the spec"}
                yield hit("MLA012.index", method.source, node, **values)
        used = [*_compared(method, scope), *_switched(method, scope), *_masked(context, method, scope)]
        for node, branch, value in used:
            size = spec.branches[branch] if 0 <= branch < len(spec.branches) else None
            if size is not None and not 0 <= value < size:
                values = {"branch": branch, "value": value, "count": size, "most": size - 1, "expected_by": "the spec"}
                yield hit("MLA012.value", method.source, node, **values)


Used: TypeAlias = "tuple[Node, int, int]"
"""A place, the branch, and the value that the code expects of it."""


def _accessed(node: Node, scope: Scope) -> tuple[str, int | None]:
    """The segment's type and the constant index of ``segment[index]``."""
    owner = node.child_by_field_name("expression")
    subscript = node.child_by_field_name("subscript")
    inside = subscript.named_children if subscript else []
    index = inside[0].named_children[-1] if inside and inside[0].named_children else None
    return (type_of(owner, scope) or "") if owner else "", whole(index, scope) if index else None


def _branch(node: Node | None, scope: Scope) -> int | None:
    """The discrete branch whose value an expression is: ``actions[1]``, or a variable that holds it."""
    if node is not None and node.type == "identifier":
        name = scope.source.text(node)
        local = scope.locals.get(name)
        node = local.value if local and name not in scope.changed else None
    if node is None or node.type != "element_access_expression":
        return None
    kind, index = _accessed(node, scope)
    return index if kind == "ActionSegment<int>" else None


def _compared(method: Method, scope: Scope) -> Iterator[Used]:
    for node in method.source.within(method.node, "binary_expression"):
        sign, left, right = (node.child_by_field_name(name) for name in ("operator", "left", "right"))
        if sign is None or sign.type not in {"==", "!="}:
            continue
        for one, other in ((left, right), (right, left)):
            branch, value = _branch(one, scope), whole(other, scope)
            if branch is not None and value is not None:
                yield node, branch, value


def _switched(method: Method, scope: Scope) -> Iterator[Used]:
    for node in method.source.within(method.node, "switch_statement"):
        branch = _branch(node.child_by_field_name("value"), scope)
        if branch is None:
            continue
        for section in method.source.within(node, "switch_section"):
            own = section.parent is not None and section.parent.parent == node
            for pattern in section.named_children if own else ():
                inside = pattern.named_children if pattern.type == "constant_pattern" else []
                value = whole(inside[0], scope) if inside else None
                if value is not None:
                    yield pattern, branch, value


def _masked(context: Context, method: Method, scope: Scope) -> Iterator[Used]:
    for call in context.project.calls(method):
        if call.name == "SetActionEnabled" and len(call.arguments) == MASK_ARGUMENTS:
            branch, value = (whole(one, scope) for one in call.arguments[:2])
            if branch is not None and value is not None:
                yield call.node, branch, value


def unfilled(context: Context) -> Iterator[Hit]:
    """MLA019: segments that the policy fills and a human cannot."""
    for agent in context.agents:
        heuristics = context.project.methods_of(agent, "Heuristic")
        if agent.abstract or not heuristics:
            continue
        read, written = (_mentioned(context, agent, name) for name in ("OnActionReceived", "Heuristic"))
        for segment in sorted(read - written):
            yield hit("MLA019", heuristics[0].source, heuristics[0].node, segment=segment)


def _mentioned(context: Context, agent: TypeDeclaration, name: str) -> set[str]:
    found = set()
    for start in context.project.methods_of(agent, name):
        for method in context.project.reached(start):
            text = method.source.text(method.node)
            found |= {segment for segment in SEGMENTS if segment in text}
    return found


def calls_in_methods(context: Context, *names: str) -> Iterator[tuple[Method, Call]]:
    """The calls in the agents' methods of these names."""
    for agent in context.agents:
        for method in methods_named(context, agent, *names):
            yield from ((method, call) for call in context.project.calls(method))


def keyboard(context: Context) -> Iterator[Hit]:
    """MLA020: Input where the policy decides."""
    for method, call in calls_in_methods(context, *_OWN_STEP):
        if call.receiver in {"Input", "UnityEngine.Input"}:
            yield called("MLA020", call, method=method.name)


def searches(context: Context) -> Iterator[Hit]:
    """MLA021: searching the scene at every step."""
    for method, call in calls_in_methods(context, *_EVERY_STEP):
        if call.name in _SEARCHES or (call.name == "Find" and call.receiver == "GameObject"):
            yield called("MLA021", call, call=call.name, method=method.name)


def frame_time(context: Context) -> Iterator[Hit]:
    """MLA026: the frame's time in a physics step."""
    for agent in context.agents:
        for method in methods_named(context, agent, "OnActionReceived"):
            for node in method.source.within(method.node, "member_access_expression"):
                if method.source.text(node) == "Time.deltaTime":
                    yield hit("MLA026", method.source, node)


def unclamped(context: Context) -> Iterator[Hit]:
    """MLA027: actions that push as hard as anybody sends them."""
    for agent in context.agents:
        for method in methods_named(context, agent, "OnActionReceived"):
            scope = scope_of(context.project, method)
            for call in context.project.calls(method):
                if call.name in _PUSHES and any(_raw(value, scope) for value in call.arguments):
                    yield called("MLA027", call, code=shown(call.source, call.node))


def _raw(value: Node, scope: Scope) -> bool:
    """Whether a continuous action goes into a value, itself or by a local variable, and nothing bounds it."""
    source = scope.source
    text = source.text(value)
    names = {source.text(node) for node in [value, *source.within(value, "identifier")]}
    for name in names & scope.locals.keys():
        first = scope.locals[name].value
        text += source.text(first) if first else ""
    return "ContinuousActions[" in text.replace(" ", "") and "Clamp" not in text


DETECTORS: tuple[Detector, ...] = (copies, indices, unfilled, keyboard, searches, frame_time, unclamped)
