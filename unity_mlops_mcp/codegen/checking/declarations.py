"""What files declare: types with their fields, methods and bases, as records that the detectors read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.parsing import Source

if TYPE_CHECKING:
    from tree_sitter import Node

TYPE_KINDS = (
    "class_declaration",
    "struct_declaration",
    "record_declaration",
    "interface_declaration",
    "enum_declaration",
)


@dataclass(frozen=True)
class Parameter:
    """Of a method: name, type as written, and ``in``, ``ref``, ``out`` or nothing."""

    name: str
    type: str
    modifier: str


@dataclass(frozen=True)
class Method:
    """A method with its modifiers; ``body`` is None where there is none."""

    name: str
    owner: str
    source: Source
    node: Node
    modifiers: frozenset[str]
    parameters: tuple[Parameter, ...]
    returns: str
    body: Node | None

    def parameter_of(self, type_name: str) -> Parameter | None:
        """The first parameter of a type."""
        return next((one for one in self.parameters if one.type == type_name), None)


@dataclass(frozen=True)
class Field:
    """A field or property: type as written, modifiers, attributes, and what it begins with."""

    name: str
    type: str
    modifiers: frozenset[str]
    attributes: frozenset[str]
    value: Node | None
    source: Source
    node: Node

    @property
    def serialised(self) -> bool:
        """Whether the Inspector may set it."""
        hidden = self.modifiers & {"static", "const", "readonly"} or "NonSerialized" in self.attributes
        return not hidden and ("public" in self.modifiers or "SerializeField" in self.attributes)


@dataclass(frozen=True)
class TypeDeclaration:
    """A class, struct, record, interface or enum."""

    name: str
    kind: str
    source: Source
    node: Node
    modifiers: frozenset[str]
    bases: tuple[str, ...]
    generic: bool
    nested: bool
    fields: dict[str, Field] = field(default_factory=dict)
    methods: dict[str, list[Method]] = field(default_factory=dict)
    members: dict[str, Node | None] = field(default_factory=dict)
    """Of an enum: the value that is written, if any."""

    @property
    def abstract(self) -> bool:
        """Whether no object can be of exactly this type."""
        return "abstract" in self.modifiers

    def all_methods(self) -> Iterator[Method]:
        """Every method, overloads too."""
        for overloads in self.methods.values():
            yield from overloads


def plain(type_text: str) -> str:
    """A type without namespace and ``?``: ``UnityEngine.Vector3`` becomes ``Vector3``; tuples stay as they are."""
    if type_text.startswith("("):
        return " ".join(type_text.split())
    text = "".join(type_text.split()).removesuffix("?")
    head, angle, rest = text.partition("<")
    return head.rpartition(".")[2] + angle + rest


def declarations(source: Source) -> list[TypeDeclaration]:
    """The types of one file, outer ones first."""
    found = {}
    for kind in TYPE_KINDS:
        for node in source.all(kind):
            declared = _type(source, node, kind)
            if declared:
                found[node.id] = declared
    for kind, adds in (
        ("field_declaration", _add_fields),
        ("property_declaration", _add_property),
        ("method_declaration", _add_method),
        ("local_function_statement", _add_method),
    ):
        for node in source.all(kind):
            owner = _owner(node, found)
            if owner:
                adds(owner, node)
    return sorted(found.values(), key=lambda one: one.node.start_byte)


def _type(source: Source, node: Node, kind: str) -> TypeDeclaration | None:
    name = node.child_by_field_name("name")
    if name is None:
        return None
    children = node.named_children
    bases = next((child for child in children if child.type == "base_list"), None)
    declared = TypeDeclaration(
        name=source.text(name),
        kind=kind.removesuffix("_declaration"),
        source=source,
        node=node,
        modifiers=_modifiers(source, node),
        bases=tuple(plain(source.text(base)) for base in (bases.named_children if bases else ())),
        generic=any(child.type == "type_parameter_list" for child in children),
        nested=_inside_type(node),
    )
    body = node.child_by_field_name("body")
    if kind == "enum_declaration" and body:
        for member in body.named_children:
            member_name = member.child_by_field_name("name")
            if member_name:
                declared.members[source.text(member_name)] = member.child_by_field_name("value")
    return declared


def _inside_type(node: Node) -> bool:
    above = node.parent
    return above is not None and above.parent is not None and above.parent.type in TYPE_KINDS


def _owner(node: Node, found: dict[int, TypeDeclaration]) -> TypeDeclaration | None:
    """The innermost type around a node."""
    above = node.parent
    for _ in range(400):
        if above is None:
            return None
        if above.id in found:
            return found[above.id]
        above = above.parent
    return None


def _modifiers(source: Source, node: Node) -> frozenset[str]:
    return frozenset(source.text(child) for child in node.named_children if child.type == "modifier")


def _attributes(source: Source, node: Node) -> frozenset[str]:
    lists = [child for child in node.named_children if child.type == "attribute_list"]
    named = [one.child_by_field_name("name") for some in lists for one in some.named_children]
    return frozenset(plain(source.text(name)) for name in named if name)


def _add_fields(owner: TypeDeclaration, node: Node) -> None:
    source = owner.source
    variables = next((child for child in node.named_children if child.type == "variable_declaration"), None)
    written = variables.child_by_field_name("type") if variables else None
    if variables is None or written is None:
        return
    modifiers, attributes = _modifiers(source, node), _attributes(source, node)
    for one in variables.named_children:
        if one.type == "variable_declarator":
            name, value = declarator(one)
            if name:
                text = plain(source.text(written))
                kept = Field(source.text(name), text, modifiers, attributes, value, source, node)
                owner.fields[kept.name] = kept


def declarator(node: Node) -> tuple[Node | None, Node | None]:
    """Name and first value of a ``variable_declarator``."""
    name = node.child_by_field_name("name")
    others = [child for child in node.named_children if child != name and child.type != "bracketed_argument_list"]
    return name, others[-1] if others else None


def _add_property(owner: TypeDeclaration, node: Node) -> None:
    source = owner.source
    name, written = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is None or written is None:
        return
    modifiers = _modifiers(source, node) | {"property"}
    kept = Field(
        source.text(name), plain(source.text(written)), modifiers, _attributes(source, node), None, source, node
    )
    owner.fields[kept.name] = kept


def _add_method(owner: TypeDeclaration, node: Node) -> None:
    source = owner.source
    name = node.child_by_field_name("name")
    if name is None:
        return
    returns = node.child_by_field_name("returns") or node.child_by_field_name("type")
    method = Method(
        name=source.text(name),
        owner=owner.name,
        source=source,
        node=node,
        modifiers=_modifiers(source, node),
        parameters=tuple(_parameters(source, node.child_by_field_name("parameters"))),
        returns=plain(source.text(returns)) if returns else "void",
        body=node.child_by_field_name("body"),
    )
    owner.methods.setdefault(method.name, []).append(method)


def _parameters(source: Source, node: Node | None) -> Iterator[Parameter]:
    for one in node.named_children if node else ():
        name, written = one.child_by_field_name("name"), one.child_by_field_name("type")
        if one.type == "parameter" and name:
            words = [source.text(child) for child in one.named_children if child.type == "modifier"]
            yield Parameter(source.text(name), plain(source.text(written)) if written else "", " ".join(words))
