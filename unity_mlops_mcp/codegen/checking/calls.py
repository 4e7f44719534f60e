"""Calls in the shape that the detectors ask for: name, receiver, arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.declarations import plain
from unity_mlops_mcp.codegen.checking.parsing import Source

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True)
class Call:
    """One invocation; ``receiver`` is the text before the name (empty for a bare call)."""

    source: Source
    node: Node
    name: str
    receiver: str
    receiver_node: Node | None
    type_argument: str
    arguments: tuple[Node, ...]

    @property
    def own(self) -> bool:
        """Whether it is called on the object itself."""
        return self.receiver in {"", "this"}

    @property
    def line(self) -> int:
        """Where it begins, from 1."""
        return self.node.start_point[0] + 1


def calls_in(source: Source, node: Node) -> Iterator[Call]:
    """The calls inside a node, in the order of the text."""
    for one in source.within(node, "invocation_expression"):
        made = call_of(source, one)
        if made:
            yield made


def call_of(source: Source, node: Node) -> Call | None:
    """The call that an ``invocation_expression`` is; None for the call of an expression without a name."""
    function = node.child_by_field_name("function")
    receiver = None
    if function is None:
        return None
    if function.type == "member_access_expression":
        receiver, function = function.child_by_field_name("expression"), function.child_by_field_name("name")
    elif function.type == "conditional_access_expression":
        receiver, function = _conditional(function)
    if function is None or function.type not in {"identifier", "generic_name"}:
        return None
    listed = node.child_by_field_name("arguments")
    return Call(
        source,
        node,
        source.text(_identifier(function)),
        source.start_of(receiver) if receiver else "",
        receiver,
        _type_argument(source, function),
        tuple(value for one in (listed.named_children if listed else ()) if (value := argument(one))),
    )


def _conditional(node: Node) -> tuple[Node | None, Node | None]:
    """Receiver and name of ``receiver?.Name``."""
    binding = node.named_children[-1] if node.named_children else None
    name = binding.child_by_field_name("name") if binding and binding.type == "member_binding_expression" else None
    return node.child_by_field_name("condition"), name


def _identifier(node: Node) -> Node:
    return node.named_children[0] if node.type == "generic_name" else node


def _type_argument(source: Source, node: Node) -> str:
    if node.type != "generic_name":
        return ""
    return plain(source.text(node.named_children[-1]).strip("<>"))


def argument(node: Node) -> Node | None:
    """The expression of an ``argument`` (its last part: before it may stand a name, or ``ref``)."""
    if node.type != "argument":
        return None
    return node.named_children[-1] if node.named_children else None
