"""The type of an expression, as far as the files and the engine's table tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.calls import call_of
from unity_mlops_mcp.codegen.checking.declarations import TypeDeclaration, plain
from unity_mlops_mcp.codegen.checking.engine import ANY, engine, engine_member
from unity_mlops_mcp.codegen.checking.scope import Local, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH = 40
_LITERALS = {
    "integer_literal": "int",
    "boolean_literal": "bool",
    "string_literal": "string",
    "verbatim_string_literal": "string",
    "interpolated_string_expression": "string",
    "character_literal": "char",
    "is_expression": "bool",
    "is_pattern_expression": "bool",
}
_COMPARISONS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"}
_WIDTHS = ("byte", "sbyte", "short", "ushort", "char", "int", "uint", "long", "ulong", "float", "double")
_VECTORS = {"Vector2", "Vector3", "Vector4", "Vector2Int", "Vector3Int"}
_ELEMENTS = {"List", "IList", "IEnumerable", "IReadOnlyList", "HashSet", "Queue", "Stack", "ICollection"}


def type_of(node: Node | None, scope: Scope, depth: int = 0) -> str | None:
    """The type of an expression without namespace, such as ``Vector3`` or ``List<float>``; None: not known."""
    if node is None or depth > MAX_DEPTH:
        return None
    if node.type in _LITERALS:
        return _LITERALS[node.type]
    found = _CASES.get(node.type)
    return found(node, scope, depth + 1) if found else None


def _real(node: Node, scope: Scope, _: int) -> str:
    suffix = scope.source.text(node)[-1:].lower()
    return {"f": "float", "m": "decimal"}.get(suffix, "double")


def _this(_: Node, scope: Scope, __: int) -> str | None:
    return scope.owner.name if scope.owner else None


def _inside(node: Node, scope: Scope, depth: int) -> str | None:
    return type_of(node.named_children[-1] if node.named_children else None, scope, depth)


def _written(node: Node, scope: Scope, _: int) -> str | None:
    kind = node.child_by_field_name("type") or next(iter(node.named_children), None)
    return plain(scope.source.text(kind)) if kind else None


def _array(node: Node, scope: Scope, _: int) -> str | None:
    kind = node.child_by_field_name("type")
    element = kind.child_by_field_name("type") if kind else None
    return f"{plain(scope.source.text(element))}[]" if element else None


def _implicit_array(node: Node, scope: Scope, depth: int) -> str | None:
    listed = node.named_children[-1].named_children if node.named_children else []
    element = type_of(listed[0], scope, depth) if listed else None
    return f"{element}[]" if element else None


def _conditional(node: Node, scope: Scope, depth: int) -> str | None:
    first = type_of(node.child_by_field_name("consequence"), scope, depth)
    second = type_of(node.child_by_field_name("alternative"), scope, depth)
    return _wider(first, second) if first != second else first


def _prefix(node: Node, scope: Scope, depth: int) -> str | None:
    return "bool" if scope.source.text(node).startswith("!") else _inside(node, scope, depth)


def _binary(node: Node, scope: Scope, depth: int) -> str | None:
    sign = node.child_by_field_name("operator")
    if sign is None:
        return None
    if sign.type in _COMPARISONS:
        return "bool"
    left = type_of(node.child_by_field_name("left"), scope, depth)
    right = type_of(node.child_by_field_name("right"), scope, depth)
    if sign.type == "??":
        return left or right
    if sign.type == "as":
        written = node.child_by_field_name("right")
        return plain(scope.source.text(written)) if written else None
    return _calculated(left, right)


def _calculated(left: str | None, right: str | None) -> str | None:
    """The type of an arithmetic result."""
    if left is None or right is None:
        known = left or right
        return known if known in _VECTORS else None
    if left == "string" or right == "string":
        return "string"
    if left == "Quaternion":
        return right if right in {"Vector3", "Quaternion"} else None
    for vector in (left, right):
        if vector in _VECTORS:
            return vector
    return _wider(left, right)


def _wider(left: str | None, right: str | None) -> str | None:
    if left not in _WIDTHS or right not in _WIDTHS:
        return None
    wider = max(_WIDTHS.index(left), _WIDTHS.index(right), _WIDTHS.index("int"))
    return _WIDTHS[wider]


def _name(node: Node, scope: Scope, depth: int) -> str | None:
    name = scope.source.text(node)
    local = scope.locals.get(name)
    if local:
        return local.type or _local_type(local, scope, depth)
    written = scope.parameter_type(name)
    if written is not None:
        return written or None
    known = scope.field(name)
    if known:
        return known.type
    return inherited_member(scope.owner, scope, name) if scope.owner else None


def _local_type(local: Local, scope: Scope, depth: int) -> str | None:
    """The type of a ``var``."""
    if local.loop:
        return _loop_element(local.loop, scope, depth)
    value = local.value
    if value is None:
        return None
    return scope.project.once("type", value.id, lambda: type_of(value, scope, depth), None)


def _loop_element(loop: Node, scope: Scope, depth: int) -> str | None:
    """The type of a loop's variable."""
    if loop.type == "for_statement":
        return "int"
    return _element(type_of(loop.child_by_field_name("right"), scope, depth))


def _element(collection: str | None) -> str | None:
    if collection is None:
        return None
    if collection.endswith("[]"):
        return collection[:-2]
    head, _, rest = collection.partition("<")
    return rest[:-1] if head in _ELEMENTS and "," not in rest else None


def inherited_member(declared: TypeDeclaration, scope: Scope, name: str) -> str | None:
    """The type of a member that a class has from the engine."""
    return next((found for one in scope.project.ancestors(declared.name) if (found := engine_member(one, name))), None)


def member_type(owner: str, name: str, scope: Scope) -> str | None:
    """The type of ``owner.name``."""
    declared = scope.project.types.get(owner)
    if declared is None:
        return engine_member(owner, name)
    if declared.kind == "enum":
        return owner
    known = scope.project.field_of(declared, name)
    if known:
        return known.type
    methods = scope.project.methods_of(declared, name)
    return methods[0].returns if methods else inherited_member(declared, scope, name)


def _member(node: Node, scope: Scope, depth: int) -> str | None:
    left, name = node.child_by_field_name("expression"), node.child_by_field_name("name")
    if left is None or name is None:
        return None
    return _of(left, scope.source.text(name), scope, depth)


def _of(left: Node, name: str, scope: Scope, depth: int) -> str | None:
    """The type of a member of an expression, or of a type that is named."""
    owner = type_of(left, scope, depth)
    if owner is None and left.type in {"identifier", "member_access_expression", "qualified_name", "predefined_type"}:
        named = plain(scope.source.text(left))
        owner = named if named in scope.project.types or named in engine().types else None
    if owner is None:
        return None
    if owner.endswith("[]"):
        return "int" if name == "Length" else None
    if name == "Count" and "<" in owner:
        return "int"
    if owner.startswith("("):
        return _tuple_element(owner, name)
    return member_type(owner, name, scope)


def _tuple_element(owner: str, name: str) -> str | None:
    """``Vector2`` for the name ``place`` of ``(Vector2 place, bool seen)``."""
    parts = (part.split() for part in owner.strip("()").split(","))
    return next((plain(" ".join(part[:-1])) for part in parts if len(part) > 1 and part[-1] == name), None)


def _element_access(node: Node, scope: Scope, depth: int) -> str | None:
    collection = type_of(node.child_by_field_name("expression"), scope, depth)
    if collection and collection.startswith("ActionSegment<"):
        return collection[len("ActionSegment<") : -1]
    if collection in {"Vector2", "Vector3", "Vector4", "Quaternion"}:
        return "float"
    return _element(collection)


def _invocation(node: Node, scope: Scope, depth: int) -> str | None:
    call = call_of(scope.source, node)
    if call is None:
        return None
    if call.name == "Instantiate" and call.arguments:
        return type_of(call.arguments[0], scope, depth)
    if call.receiver_node is not None:
        found = _receiver_result(call.receiver_node, call.name, call.arguments, scope, depth)
    elif scope.owner:
        methods = scope.project.methods_of(scope.owner, call.name)
        found = methods[0].returns if methods else inherited_member(scope.owner, scope, call.name)
    else:
        found = None
    return (call.type_argument or None) if found == ANY else found


def _receiver_result(receiver: Node, name: str, arguments: tuple[Node, ...], scope: Scope, depth: int) -> str | None:
    if receiver.type == "identifier" and scope.source.text(receiver) in {"Mathf", "Random"}:
        known = _overloaded(name, arguments, scope, depth)
        if known:
            return known
    return _of(receiver, name, scope, depth)


def _overloaded(name: str, arguments: tuple[Node, ...], scope: Scope, depth: int) -> str | None:
    """``Mathf.Clamp``, ``Abs``, ``Min``, ``Max`` and ``Random.Range`` give int for ints, else float."""
    if name not in {"Clamp", "Abs", "Min", "Max", "Range"}:
        return None
    return "int" if all(type_of(one, scope, depth) == "int" for one in arguments) else "float"


_CASES: dict[str, Callable[[Node, Scope, int], str | None]] = {
    "real_literal": _real,
    "this": _this,
    "base": _this,
    "this_expression": _this,
    "parenthesized_expression": _inside,
    "checked_expression": _inside,
    "postfix_unary_expression": _inside,
    "cast_expression": _written,
    "object_creation_expression": _written,
    "default_expression": _written,
    "as_expression": lambda node, scope, _: plain(scope.source.text(node.named_children[-1])),
    "array_creation_expression": _array,
    "implicit_array_creation_expression": _implicit_array,
    "conditional_expression": _conditional,
    "prefix_unary_expression": _prefix,
    "binary_expression": _binary,
    "identifier": _name,
    "member_access_expression": _member,
    "element_access_expression": _element_access,
    "invocation_expression": _invocation,
}
