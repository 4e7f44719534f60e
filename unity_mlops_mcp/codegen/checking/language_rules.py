"""Rules about the language and what a file uses: syntax, namespaces, C# 9, the Editor's API, versions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from unity_mlops_mcp.codegen.checking.engine import namespace_of
from unity_mlops_mcp.codegen.checking.inference import type_of
from unity_mlops_mcp.codegen.checking.parsing import Source
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, hit, shown
from unity_mlops_mcp.codegen.checking.scope import Scope, scope_of
from unity_mlops_mcp.spec.base import Part

if TYPE_CHECKING:
    from tree_sitter import Node

_MOST_ERRORS = 5
_MOST_INNER = 20
"""Local functions of one method that are looked past."""
_NEW_NODES = {
    "file_scoped_namespace_declaration": ("A namespace without braces", "Put the types in `namespace … { }`."),
    "raw_string_literal": ("A raw string literal", 'Write a verbatim string, `@"…"`.'),
    "list_pattern": ("A list pattern", "Compare length and elements."),
    "collection_expression": ("A collection expression", "Write `new[] { … }`."),
}
_NEW_MODIFIERS = {
    "required": ("The modifier `required`", "Set the value in the constructor, or in a field."),
    "file": ("The modifier `file`", "Make the type private, or leave the modifier out."),
}


class Renamed(Part):
    """A name that is right from or until some version."""

    name: str
    """Type, member or namespace."""
    right: str
    """What it is called elsewhere."""
    of: Literal["unity", "package"] = "unity"
    """Whose version decides."""
    since: str | None = None
    """The name is wrong from this version on."""
    until: str | None = None
    """The name is wrong before this version."""
    owner: tuple[str, ...] = ()
    """For a member: the types whose member it is."""


@cache
def renamed() -> dict[str, list[Renamed]]:
    """The names that depend on versions (data: ``renamed.yaml``)."""
    data: list[Any] = yaml.safe_load(Path(__file__).with_name("renamed.yaml").read_text(encoding="utf-8"))
    found: dict[str, list[Renamed]] = {}
    for one in data:
        read = Renamed.model_validate(one)
        found.setdefault(read.name.rpartition(".")[2], []).append(read)
    return found


def syntax(context: Context) -> Iterator[Hit]:
    """MLA000: what the parser cannot read, and broken ``#if``."""
    for source in context.project.sources:
        for line, problem in source.broken:
            yield Hit("MLA000.directive", source, line, {"problem": problem[:1].upper() + problem[1:]})
        broken = [*source.all("ERROR"), *source.all("MISSING")]
        for node in sorted(broken, key=lambda one: one.start_byte)[:_MOST_ERRORS]:
            yield hit("MLA000.syntax", source, node, near=shown(source, node) or node.type)


def no_agent(context: Context) -> Iterator[Hit]:
    """MLA000: files without any agent."""
    if not context.agents:
        name = f"{context.spec.name}Agent" if context.spec else "MyAgent"
        yield Hit("MLA000.agent", context.project.sources[0], 1, {"name": name})


def namespaces(context: Context) -> Iterator[Hit]:
    """MLA009: types of ML-Agents whose namespace is not used."""
    for source in context.project.sources:
        used = set(_used(source))
        told = set(_aliases(source))
        for node in source.all("identifier"):
            name = source.text(node)
            space = namespace_of().get(name)
            if space is None or name in told or name in context.project.types or space in used:
                continue
            if _is_type(node):
                told.add(name)
                yield hit("MLA009", source, node, type=name, namespace=space)


def _used(source: Source) -> Iterator[str]:
    """The namespaces that a file uses or is in, with those around them."""
    for node in source.all("using_directive"):
        yield "".join(source.text(node).removeprefix("global ").removeprefix("using").strip(" ;").split())
    for kind in ("namespace_declaration", "file_scoped_namespace_declaration"):
        for node in source.all(kind):
            name = node.child_by_field_name("name")
            parts = source.text(name).split(".") if name else []
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _aliases(source: Source) -> set[str]:
    names = (node.child_by_field_name("name") for node in source.all("using_directive"))
    return {source.text(name) for name in names if name}


def _is_type(node: Node) -> bool:
    """Whether an identifier stands where only a type can, and without its namespace."""
    above = node.parent
    if above is None:
        return False
    if above.type in {"base_list", "type_argument_list", "array_type", "nullable_type", "typeof_expression"}:
        return True
    if above.type in {"parameter", "variable_declaration", "object_creation_expression", "property_declaration"}:
        return above.child_by_field_name("type") == node
    return above.type == "method_declaration" and above.child_by_field_name("returns") == node


def editor_api(context: Context) -> Iterator[Hit]:
    """MLA031: the Editor's API in code of the player."""
    for source in context.project.sources:
        if source.editor_only:
            continue
        for node in source.all("identifier"):
            if source.text(node) == "UnityEditor" and _begins_name(node):
                yield hit("MLA031", source, node)
                break


def _begins_name(node: Node) -> bool:
    above = node.parent
    if above is None or above.type not in {"using_directive", "qualified_name", "member_access_expression"}:
        return False
    return above.type == "using_directive" or above.named_children[0] == node


def ambiguous_random(context: Context) -> Iterator[Hit]:
    """MLA033: ``Random`` with both namespaces in use."""
    if "Random" in context.project.types:
        return
    for source in context.project.sources:
        top = {_used_name(source, node) for node in source.all("using_directive") if _at_top(node)}
        if not {"System", "UnityEngine"} <= top or "Random" in _aliases(source):
            continue
        for node in source.all("identifier"):
            if source.text(node) == "Random" and (_is_type(node) or _is_left_of_dot(node)):
                yield hit("MLA033", source, node)
                break


def _used_name(source: Source, node: Node) -> str:
    return "".join(source.text(node).removeprefix("using").strip(" ;").split())


def _at_top(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "compilation_unit"


def _is_left_of_dot(node: Node) -> bool:
    above = node.parent
    is_member = above is not None and above.type == "member_access_expression"
    return is_member and above is not None and above.child_by_field_name("expression") == node


def newer_language(context: Context) -> Iterator[Hit]:
    """MLA036: syntax after C# 9, and of C# 9 what needs a type that Unity lacks."""
    has_init = "IsExternalInit" in context.project.types
    for source in context.project.sources:
        for kind, (what, fix) in _NEW_NODES.items():
            for node in source.all(kind):
                yield hit("MLA036", source, node, what=what, fix=fix)
        for node in source.all("modifier"):
            if source.text(node) in _NEW_MODIFIERS:
                what, fix = _NEW_MODIFIERS[source.text(node)]
                yield hit("MLA036", source, node, what=what, fix=fix)
        for node in source.all("using_directive"):
            if source.text(node).startswith("global"):
                yield hit("MLA036", source, node, what="`global using`", fix="Write the using in each file.")
        yield from _types_of_today(source, has_init=has_init)
    yield from _covariant(context)


def _types_of_today(source: Source, *, has_init: bool) -> Iterator[Hit]:
    for node in source.all("record_declaration"):
        is_struct = any(child.type == "struct" for child in node.children)
        if is_struct or not has_init:
            yield hit("MLA036", source, node, what="A record", fix="Write a class or a struct with fields.")
    for node in source.all("accessor_declaration"):
        if not has_init and any(child.type == "init" for child in node.children):
            yield hit("MLA036", source, node, what="An `init` accessor", fix="Write `private set`.")
    for kind in ("class_declaration", "struct_declaration"):
        for node in source.all(kind):
            if any(child.type == "parameter_list" for child in node.named_children):
                yield hit("MLA036", source, node, what="A primary constructor", fix="Write fields and a constructor.")
    for node in source.all("string_literal"):
        if any(child.type == "string_literal_encoding" for child in node.named_children):
            yield hit("MLA036", source, node, what="A UTF-8 string", fix="Encode it with System.Text.Encoding.UTF8.")


def _covariant(context: Context) -> Iterator[Hit]:
    for declared in context.project.types.values():
        above = [one for one in context.project.lineage(declared) if one is not declared]
        for method in declared.all_methods():
            if "override" not in method.modifiers:
                continue
            bases = (one for base in above for one in base.methods.get(method.name, ()))
            for base in bases:
                same = [one.type for one in base.parameters] == [one.type for one in method.parameters]
                if (
                    same
                    and base.returns != method.returns
                    and not declared.generic
                    and base.returns in context.project.types
                ):
                    what = f"The override of {method.name} that returns {method.returns}, not {base.returns},"
                    yield hit("MLA036", method.source, method.node, what=what, fix=f"Return {base.returns}.")


def other_versions(context: Context) -> Iterator[Hit]:
    """MLA037: names of another Unity or ML-Agents version."""
    if context.versions is None:
        return
    for source in context.project.sources:
        scopes = _Scopes(context, source)
        for node in source.all("identifier"):
            for one in renamed().get(source.text(node), ()):
                version = context.versions.unity if one.of == "unity" else context.versions.ml_agents
                if _wrong(one, version) and _meant(one, node, source, scopes):
                    yield hit(f"MLA037.{one.of}", source, node, name=one.name, right=one.right, version=version)


class _Scopes:
    """The scopes of a file's methods, made when they are asked for."""

    def __init__(self, context: Context, source: Source) -> None:
        methods = (method for one in context.project.types.values() for method in one.all_methods())
        own = (method for method in methods if method.source is source)
        self._context = context
        self._methods = sorted(own, key=lambda method: method.node.start_byte)
        self._starts = [method.node.start_byte for method in self._methods]

    def around(self, node: Node) -> Scope | None:
        """The scope of the innermost method around a node."""
        before = bisect_right(self._starts, node.start_byte)
        for method in reversed(self._methods[max(0, before - _MOST_INNER) : before]):
            if node.start_byte < method.node.end_byte:
                return scope_of(self._context.project, method)
        return None


def _wrong(one: Renamed, version: str) -> bool:
    now = _numbers(version)
    late = one.since is not None and now >= _numbers(one.since)
    early = one.until is not None and now < _numbers(one.until)
    return late or early


def _numbers(version: str) -> tuple[int, ...]:
    """(3, 0) of ``3.0.0-exp.1``; (6000, 0) of ``6000.0.58f2``."""
    parts = version.split(".")[:2]
    return tuple(int("".join(one for one in part if one.isdigit()) or "0") for part in parts)


def _meant(one: Renamed, node: Node, source: Source, scopes: _Scopes) -> bool:
    above = node.parent
    if above is None:
        return False
    if "." in one.name:
        whole = "".join(source.text(above).split())
        return whole == one.name or whole.startswith(f"{one.name}.")
    if not one.owner:
        return (
            _is_type(node)
            or above.type == "invocation_expression"
            or above.type in {"generic_name", "type_argument_list"}
        )
    scope = scopes.around(node)
    if scope is None or above.type != "member_access_expression" or above.child_by_field_name("name") != node:
        return False
    return type_of(above.child_by_field_name("expression"), scope) in one.owner


DETECTORS: tuple[Detector, ...] = (
    syntax,
    no_agent,
    namespaces,
    editor_api,
    ambiguous_random,
    newer_language,
    other_versions,
)
