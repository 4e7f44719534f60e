"""Whether a condition can change between two observations, or was settled before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.declarations import Field
from unity_mlops_mcp.codegen.checking.inference import type_of
from unity_mlops_mcp.codegen.checking.project import Project
from unity_mlops_mcp.codegen.checking.scope import Scope

if TYPE_CHECKING:
    from tree_sitter import Node

EARLY = {"Awake", "Start", "OnEnable", "Initialize", "OnValidate", "Reset"}
"""Methods that run before the first observation."""


def settled(condition: Node, scope: Scope, items: frozenset[str] = frozenset()) -> bool:
    """Whether every name in the condition is a constant, or a field that is set before the first observation only.

    Args:
        condition: of an ``if`` or ``switch``.
        scope: where it stands.
        items: names that run through the same values in every observation: those of loops.
    """
    source = scope.source
    if source.within(condition, "invocation_expression"):
        return False
    nodes = source.within(condition, "identifier")
    return all(source.text(node) in items or _stays(node, scope) for node in nodes)


def is_null_test(condition: Node, scope: Scope) -> bool:
    """Whether a condition only asks whether something is there: ``target != null``, or ``target``."""
    sides = [condition.child_by_field_name(side) for side in ("left", "right")]
    compared = condition.type == "binary_expression" and any(side and side.type == "null_literal" for side in sides)
    return compared or scope.project.is_engine_object(type_of(condition, scope) or "")


def _stays(node: Node, scope: Scope) -> bool:
    name = scope.source.text(node)
    above = node.parent
    is_member = (
        above is not None and above.type == "member_access_expression" and above.child_by_field_name("name") == node
    )
    if is_member and above is not None:
        left = above.child_by_field_name("expression")
        if left is None or left.type != "this":
            return _member_stays(left, name, scope)
    if name in scope.locals or scope.parameter_type(name) is not None:
        return False
    known = scope.field(name)
    return _field_stays(known, name, scope) if known else name in scope.project.types


def _member_stays(left: Node | None, name: str, scope: Scope) -> bool:
    owner = scope.project.types.get(type_of(left, scope) or (scope.source.text(left) if left else ""))
    if owner is None:
        return False
    if owner.kind == "enum":
        return True
    known = scope.project.field_of(owner, name)
    return known is not None and _field_stays(known, name, scope)


def _field_stays(known: Field, name: str, scope: Scope) -> bool:
    if known.modifiers & {"const", "readonly"}:
        return True
    if "property" in known.modifiers:
        return False
    return all(scope.project.once("assignments", "", lambda: _assignments(scope.project), {}).get(name, ()))


def _assignments(project: Project) -> dict[str, list[bool]]:
    """Of each assignment, anywhere, by the name that is assigned to: whether it happens early."""
    found: dict[str, list[bool]] = {}
    for source in project.sources:
        for node in source.all("assignment_expression"):
            left = node.child_by_field_name("left")
            if left:
                name = source.text(left).rpartition(".")[2]
                found.setdefault(name, []).append(_method_name(node) in EARLY)
    return found


def _method_name(node: Node) -> str:
    above = node.parent
    for _ in range(100):
        if above is None:
            return ""
        if above.type == "method_declaration":
            name = above.child_by_field_name("name")
            return name.text.decode() if name and name.text else ""
        above = above.parent
    return ""
