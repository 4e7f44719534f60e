"""What a name stands for inside a method: a local variable, a parameter, or a member of its class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.declarations import Field, Method, TypeDeclaration, declarator, plain
from unity_mlops_mcp.codegen.checking.project import Project

if TYPE_CHECKING:
    from tree_sitter import Node

    from unity_mlops_mcp.codegen.checking.parsing import Source


_CHANGED = re.compile(r"(?:\+\+|--)\s*(\w+)|(\w+)\s*(?:\+\+|--)|\b(?:ref|out)\s+(\w+)")


@dataclass(frozen=True)
class Local:
    """A local variable: its type as written (empty for ``var``), its first value, whether it runs through a loop."""

    type: str
    value: Node | None
    loop: Node | None = None


@dataclass(frozen=True)
class Scope:
    """A place in the code: the class, and the method if there is one."""

    project: Project
    source: Source
    owner: TypeDeclaration | None
    method: Method | None
    locals: dict[str, Local] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    """Names that the method assigns to after their first value."""

    def field(self, name: str) -> Field | None:
        """A member of the class or its bases; a static or const one of an outer class too."""
        if self.owner is None:
            return None
        found = self.project.field_of(self.owner, name)
        return found or self._outer(name)

    def _outer(self, name: str) -> Field | None:
        owner = self.owner
        if owner is None or not owner.nested:
            return None
        around = self.project.once("around", owner.node.id, lambda: list(self._around(owner)), [])
        return next((one.fields[name] for one in around if name in one.fields), None)

    def _around(self, owner: TypeDeclaration) -> Iterator[TypeDeclaration]:
        """The types that an inner type stands in."""
        for one in self.project.types.values():
            begins = one.node.start_byte < owner.node.start_byte
            if begins and one.source is owner.source and one.node.end_byte > owner.node.end_byte:
                yield one

    def parameter_type(self, name: str) -> str | None:
        """The type of the method's parameter of this name."""
        parameters = self.method.parameters if self.method else ()
        return next((one.type for one in parameters if one.name == name), None)


def scope_of(project: Project, method: Method) -> Scope:
    """The scope of a method."""
    plain_scope = Scope(project, method.source, project.types.get(method.owner), method)
    return project.once("scope", method.node.id, lambda: _filled(plain_scope), plain_scope)


def _filled(scope: Scope) -> Scope:
    body = scope.method.body if scope.method else None
    if body is None:
        return scope
    source = scope.source
    lefts = (node.child_by_field_name("left") for node in source.within(body, "assignment_expression"))
    assigned = {source.text(left) for left in lefts if left is not None and left.type == "identifier"}
    text = source.text(body)
    may = any(sign in text for sign in ("++", "--", "ref ", "out "))
    counted = {name for match in _CHANGED.finditer(text) for name in match.groups() if name} if may else set()
    return replace(scope, locals=dict(_locals(source, body)), changed=frozenset(assigned | counted))


def scope_at(project: Project, source: Source, owner: TypeDeclaration | None) -> Scope:
    """The scope of a class body, where fields begin."""
    return Scope(project, source, owner, None)


def _locals(source: Source, body: Node) -> Iterator[tuple[str, Local]]:
    for node in source.within(body, "variable_declaration"):
        written = node.child_by_field_name("type")
        text = "" if written is None or written.type == "implicit_type" else plain(source.text(written))
        loop = node.parent if node.parent is not None and node.parent.type == "for_statement" else None
        for one in node.named_children:
            if one.type == "variable_declarator":
                name, value = declarator(one)
                if name:
                    yield source.text(name), Local(text, value, loop)
    for node in source.within(body, "foreach_statement"):
        name, written = node.child_by_field_name("left"), node.child_by_field_name("type")
        if name:
            text = "" if written is None or written.type == "implicit_type" else plain(source.text(written))
            yield source.text(name), Local(text, None, node)
    for node in source.within(body, "declaration_expression"):
        name, written = node.child_by_field_name("name"), node.child_by_field_name("type")
        # The grammar takes the product `a.b * c` of an argument for a variable c of a pointer type.
        if name and written and written.type != "pointer_type":
            yield source.text(name), Local(plain(source.text(written)), None)
