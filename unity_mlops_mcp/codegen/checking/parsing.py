"""Parses C# with tree-sitter and indexes the kinds of nodes that the checks ask for."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.preprocessing import active_code
from unity_mlops_mcp.codegen.checking.records import SourceFile
from unity_mlops_mcp.errors import InvalidInputError

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query, Tree

MAX_CHARACTERS = 256_000
"""Of one file; the longest scripts that people write have a quarter of it."""
MAX_SECONDS = 10.0
"""For parsing one file, whose usual time is 2 ms; only text that is no C# comes near it."""
SMALL = 20_000
"""Bytes up to which depth does not matter."""
MAX_DEPTH = 1_000
"""Levels of the tree: each step to a node's parent costs as many steps as it lies deep."""
KINDS = (
    "ERROR",
    "MISSING",
    "accessor_declaration",
    "array_creation_expression",
    "assignment_expression",
    "attribute",
    "binary_expression",
    "block",
    "class_declaration",
    "collection_expression",
    "constructor_declaration",
    "conversion_operator_declaration",
    "declaration_expression",
    "element_access_expression",
    "enum_declaration",
    "field_declaration",
    "file_scoped_namespace_declaration",
    "foreach_statement",
    "identifier",
    "interface_declaration",
    "invocation_expression",
    "list_pattern",
    "local_function_statement",
    "member_access_expression",
    "method_declaration",
    "modifier",
    "namespace_declaration",
    "object_creation_expression",
    "parameter",
    "property_declaration",
    "raw_string_literal",
    "record_declaration",
    "return_statement",
    "string_literal",
    "struct_declaration",
    "switch_section",
    "switch_statement",
    "unsafe_statement",
    "using_directive",
    "variable_declaration",
)


@dataclass(frozen=True)
class Source:
    """One parsed file.

    Attributes:
        path: as it was given.
        data: the active code as UTF-8.
        nodes: nodes by kind, in the order of the text.
        starts: the first byte of each of those nodes.
        broken: (line, message) of each broken ``#if``.
    """

    path: str
    data: bytes
    nodes: dict[str, Sequence[Node]]
    starts: Mapping[str, Sequence[int]]
    broken: tuple[tuple[int, str], ...]

    def all(self, kind: str) -> Sequence[Node]:
        """Every node of a kind."""
        return self.nodes.get(kind, ())

    def within(self, node: Node, kind: str) -> Sequence[Node]:
        """The nodes of a kind inside another node."""
        starts = self.starts.get(kind, ())
        return self.all(kind)[bisect_left(starts, node.start_byte) : bisect_left(starts, node.end_byte)]

    def text(self, node: Node) -> str:
        """The node's text."""
        return self.data[node.start_byte : node.end_byte].decode(errors="replace")

    def start_of(self, node: Node, most: int = 200) -> str:
        """The node's text, cut where it is longer than any that is compared: nested calls hold each other's text."""
        return self.data[node.start_byte : min(node.end_byte, node.start_byte + most)].decode(errors="replace")

    def reads(self, node: Node, text: str) -> bool:
        """Whether the node's text is exactly this."""
        return node.end_byte - node.start_byte == len(text.encode()) and self.text(node) == text

    @property
    def editor_only(self) -> bool:
        """Whether it lies in an ``Editor`` folder, so that no player contains it."""
        return "Editor" in self.path.replace("\\", "/").split("/")[:-1]


def parse(file: SourceFile, symbols: AbstractSet[str]) -> Source:
    """Parse one file as the compiler sees it when these symbols are defined.

    Raises:
        InvalidInputError: it is too long, binary, nested too deeply, or takes too long to parse.
    """
    name = file.path or "the script"
    if len(file.text) > MAX_CHARACTERS:
        raise _refused(
            f"{name} has {len(file.text)} characters.", f"Keep each file under {MAX_CHARACTERS}.", "too_large"
        )
    if "\0" in file.text:
        raise _refused(f"{name} holds zero bytes: it is binary.", "Pass the text of a C# file.", "not_text")
    code = active_code(file.text, symbols)
    data = code.text.encode(errors="replace")
    nodes = _nodes(data, name)
    starts = {kind: [node.start_byte for node in found] for kind, found in nodes.items()}
    return Source(file.path, data, nodes, starts, code.problems)


def _refused(message: str, fix: str, cause: str) -> InvalidInputError:
    return InvalidInputError(message, fix=fix, cause=f"script_{cause}")


def _nodes(data: bytes, name: str) -> dict[str, Sequence[Node]]:
    from tree_sitter import Parser, QueryCursor

    until = time.monotonic() + MAX_SECONDS
    try:
        tree = Parser(_language()).parse(
            lambda offset, _: data[offset : offset + 65536],
            encoding="utf8",
            progress_callback=lambda *_: time.monotonic() > until,
        )
    except ValueError as error:
        raise _refused(f"{name} takes too long to parse.", "Pass C#, or split the file.", "too_slow") from error
    if len(data) > SMALL and _deeper(tree, MAX_DEPTH):
        raise _refused(f"{name} is nested too deeply.", "Pass C# as a person writes it.", "too_nested")
    found = QueryCursor(_query()).captures(tree.root_node)
    return {kind: sorted(nodes, key=lambda node: node.start_byte) for kind, nodes in found.items()}


def _deeper(tree: Tree, most: int) -> bool:
    """Whether a tree has more than so many levels."""
    cursor = tree.walk()
    while True:
        if cursor.goto_first_child():
            if cursor.depth > most:
                return True
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return False


@cache
def _language() -> Language:
    import tree_sitter_c_sharp
    from tree_sitter import Language

    return Language(tree_sitter_c_sharp.language())


@cache
def _query() -> Query:
    from tree_sitter import Query

    query: Query = Query(_language(), "\n".join(f"({kind}) @{kind}" for kind in KINDS))
    return query
