"""Evaluates constant expressions: literals, consts, enum members, lengths of arrays that are written out."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.calls import call_of
from unity_mlops_mcp.codegen.checking.declarations import TypeDeclaration, plain
from unity_mlops_mcp.codegen.checking.project import Project
from unity_mlops_mcp.codegen.checking.scope import Scope, scope_at

if TYPE_CHECKING:
    from tree_sitter import Node

Number = int | float
MAX_DEPTH = 40
LARGEST = 1e15
"""Greater results are not followed."""
_OPERATORS: dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def constant(node: Node | None, scope: Scope, depth: int = 0) -> Number | None:
    """The value of a constant expression; None when it is none.

    Values that the Inspector may set are none, whatever they begin with.
    """
    if node is None or depth > MAX_DEPTH:
        return None
    found = _CASES.get(node.type)
    return found(node, scope, depth + 1) if found else None


def whole(node: Node | None, scope: Scope) -> int | None:
    """The value of a constant whole number."""
    value = constant(node, scope)
    return value if isinstance(value, int) else None


def text_constant(node: Node, scope: Scope, depth: int = 0) -> str | None:
    """The text of a string literal, or of a const string."""
    if node.type == "string_literal":
        return scope.source.text(node).strip('"')
    if node.type in {"identifier", "member_access_expression"} and depth < MAX_DEPTH:
        name = scope.source.text(node).rpartition(".")[2]
        known = scope.field(name)
        if known and known.value and known.type == "string" and known.modifiers & {"const", "readonly"}:
            return text_constant(known.value, scope_at(scope.project, known.source, scope.owner), depth + 1)
    return None


def _integer(node: Node, scope: Scope, _: int) -> Number | None:
    text = scope.source.text(node).replace("_", "").lower().rstrip("ul")
    try:
        return int(text, 0) if text.startswith(("0x", "0b")) else int(text)
    except ValueError:
        return None


def _real(node: Node, scope: Scope, _: int) -> Number | None:
    try:
        return float(scope.source.text(node).replace("_", "").rstrip("fFdDmM"))
    except ValueError:
        return None


def _sign(node: Node, scope: Scope, depth: int) -> Number | None:
    sign = scope.source.text(node)[:1]
    value = constant(node.named_children[-1] if node.named_children else None, scope, depth)
    if value is None or sign not in "+-":
        return None
    return -value if sign == "-" else value


def _inside(node: Node, scope: Scope, depth: int) -> Number | None:
    return constant(node.named_children[0] if node.named_children else None, scope, depth)


def _cast(node: Node, scope: Scope, depth: int) -> Number | None:
    target = node.child_by_field_name("type")
    value = constant(node.child_by_field_name("value"), scope, depth)
    if value is None or target is None:
        return None
    kind = scope.source.text(target)
    if kind in {"float", "double"}:
        return float(value)
    return math.trunc(value) if kind == "int" else value


def _binary(node: Node, scope: Scope, depth: int) -> Number | None:
    left = constant(node.child_by_field_name("left"), scope, depth)
    right = constant(node.child_by_field_name("right"), scope, depth)
    sign = node.child_by_field_name("operator")
    if left is None or right is None or sign is None:
        return None
    if sign.type == "/":
        return _divided(left, right)
    done = _OPERATORS.get(sign.type)
    value = done(left, right) if done else None
    return value if value is None or abs(value) < LARGEST else None


def _divided(left: Number, right: Number) -> Number | None:
    if right == 0:
        return None
    return math.trunc(left / right) if isinstance(left, int) and isinstance(right, int) else left / right


def _name(node: Node, scope: Scope, depth: int) -> Number | None:
    name = scope.source.text(node)
    local = scope.locals.get(name)
    if local:
        return None if local.loop or name in scope.changed else kept(local.value, scope, depth)
    if scope.parameter_type(name) is not None:
        return None
    known = scope.field(name)
    if known is None or known.value is None or not (known.modifiers & {"const", "readonly"}):
        return None
    return kept(known.value, scope_at(scope.project, known.source, scope.owner), depth)


def kept(value: Node | None, scope: Scope, depth: int) -> Number | None:
    """The constant value of a variable's first value, found once; None where it leads to itself."""
    if value is None:
        return None
    return scope.project.once("constant", value.id, lambda: constant(value, scope, depth), None)


def _member(node: Node, scope: Scope, depth: int) -> Number | None:
    left, name = node.child_by_field_name("expression"), node.child_by_field_name("name")
    if left is None or name is None:
        return None
    member = scope.source.text(name)
    if member == "Length":
        return length(left, scope, depth)
    if left.type == "this":
        return _name(name, scope, depth)
    owner = scope.project.types.get(plain(scope.source.text(left)))
    return _member_of(owner, member, scope, depth) if owner else None


def _member_of(owner: TypeDeclaration, member: str, scope: Scope, depth: int) -> Number | None:
    if owner.kind == "enum":
        return enum_values(owner, scope.project).get(member)
    known = scope.project.field_of(owner, member)
    if known is None or not (known.modifiers & {"const", "readonly"}):
        return None
    return kept(known.value, scope_at(scope.project, known.source, owner), depth)


def length(node: Node, scope: Scope, depth: int = 0) -> int | None:
    """The length of an array whose size is written out: ``new float[4]``, ``{1f}``, ``Enum.GetValues(typeof(X))``."""
    if depth > MAX_DEPTH:
        return None
    if node.type in {"array_creation_expression", "implicit_array_creation_expression", "initializer_expression"}:
        return _array_length(node, scope)
    if node.type == "invocation_expression":
        return _enum_length(node, scope)
    if node.type == "identifier":
        name = scope.source.text(node)
        local = scope.locals.get(name)
        if local:
            return None if local.loop or name in scope.changed else _kept_length(local.value, scope, depth)
        known = scope.field(name)
        if known and not known.serialised and known.modifiers & {"static", "readonly", "const"}:
            return _kept_length(known.value, scope_at(scope.project, known.source, scope.owner), depth)
    return None


def _kept_length(value: Node | None, scope: Scope, depth: int) -> int | None:
    if value is None:
        return None
    return scope.project.once("length", value.id, lambda: length(value, scope, depth + 1), None)


def _array_length(node: Node, scope: Scope) -> int | None:
    if node.type == "initializer_expression":
        return len([child for child in node.named_children if child.type != "comment"])
    listed = next((child for child in node.named_children if child.type == "initializer_expression"), None)
    if listed:
        return _array_length(listed, scope)
    kind = node.child_by_field_name("type")
    rank = kind.child_by_field_name("rank") if kind else None
    sizes = rank.named_children if rank else []
    return whole(sizes[0], scope) if len(sizes) == 1 else None


def _enum_length(node: Node, scope: Scope) -> int | None:
    call = call_of(scope.source, node)
    if call is None or call.name not in {"GetValues", "GetNames"} or plain(call.receiver) != "Enum":
        return None
    named = call.type_argument
    if call.arguments and call.arguments[0].type == "typeof_expression":
        named = plain(scope.source.text(call.arguments[0].named_children[0]))
    declared = scope.project.types.get(named.rpartition(".")[2])
    return len(declared.members) if declared and declared.kind == "enum" else None


def enum_values(declared: TypeDeclaration, project: Project) -> dict[str, int]:
    """The values of an enum's members, as far as they are plain."""
    return project.once("enum", declared.node.id, lambda: _enum_values(declared, project), {})


def _enum_values(declared: TypeDeclaration, project: Project) -> dict[str, int]:
    values: dict[str, int] = {}
    following: int | None = 0
    scope = scope_at(project, declared.source, declared)
    for name, node in declared.members.items():
        value = whole(node, scope) if node else following
        if value is not None:
            values[name] = value
        following = None if value is None else value + 1
    return values


_CASES: dict[str, Callable[[Node, Scope, int], Number | None]] = {
    "integer_literal": _integer,
    "real_literal": _real,
    "prefix_unary_expression": _sign,
    "parenthesized_expression": _inside,
    "cast_expression": _cast,
    "binary_expression": _binary,
    "identifier": _name,
    "member_access_expression": _member,
}
