"""What a name stands for inside a method: a local variable, a parameter, or a member of its class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.declarations import Field, Method, TypeDeclaration, declarator, plain
from unity_mlops_mcp.codegen.checking.project import Project

if TYPE_CHECKING:
    from tree_sitter import Node

    from unity_mlops_mcp.codegen.checking.parsing import Source


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

    def field(self, name: str) -> Field | None:
        """A member of the class or its bases; a static or const one of an outer class too."""
        if self.owner is None:
            return None
        found = self.project.field_of(self.owner, name)
        return found or self._outer(name)

    def _outer(self, name: str) -> Field | None:
        around = [
            one
            for one in self.project.types.values()
            if self.owner is not None
            and one.source is self.source
            and one.node.start_byte < self.owner.node.start_byte
            and one.node.end_byte > self.owner.node.end_byte
        ]
        return next((one.fields[name] for one in around if name in one.fields), None)

    def parameter_type(self, name: str) -> str | None:
        """The type of the method's parameter of this name."""
        parameters = self.method.parameters if self.method else ()
        return next((one.type for one in parameters if one.name == name), None)


def scope_of(project: Project, method: Method) -> Scope:
    """The scope of a method."""
    locals_found = dict(_locals(method.source, method.body)) if method.body else {}
    return Scope(project, method.source, project.types.get(method.owner), method, locals_found)


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
