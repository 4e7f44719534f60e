"""Reads YAML from outside without letting it cost more than it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from unity_mlops_mcp.errors import InvalidInputError

MAX_CHARACTERS = 256_000
MAX_VALUES = 20_000
MAX_DEPTH = 40


def read_mapping(text: str, *, what: str) -> dict[str, Any]:
    """The mapping that a YAML or JSON text holds; plain data only, no tags.

    Args:
        text: at most 256,000 characters, 20,000 keys and values once aliases are followed, nested at most 40 deep.
        what: what the text is, for the message.

    Raises:
        InvalidInputError: too large, not YAML, or not a mapping; cause ``yaml``.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"The {what} has {len(text)} characters.", f"Keep it under {MAX_CHARACTERS}.")
    try:
        data = _load(text, what)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        place = " ".join(str(error).split())
        alias = "an alias" in place or "undefined alias" in place
        fix = "Put a value that begins with * or & in quotes." if alias else "Correct that place; indent with spaces."
        raise _refused(f"The {what} is neither YAML nor JSON: {place[:300]}", fix) from error
    if not isinstance(data, dict):
        raise _refused(
            f"The {what} is {type(data).__name__}, not a mapping of keys.",
            "Write `key: value` lines, or a JSON object.",
        )
    return data


class _Loader(yaml.SafeLoader):
    """YAML that takes JSON as it is meant: 1e6 is a number, and two escapes may be one character."""

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """The text of a scalar, whole characters only."""
        text = super().construct_scalar(node)
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            told = "found half of a character (a lone surrogate)"
            raise yaml.constructor.ConstructorError(None, None, told, node.start_mark) from error


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _load(text: str, what: str) -> Any:
    """The data of a text, measured before it is made, since merged keys (``<<``) are copied, not shared."""
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, which YAML forbids
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, what)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _measure(root: yaml.Node, what: str) -> None:
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise _refused(f"The {what} is nested more than {MAX_DEPTH} deep, or holds itself.", "Flatten it.")
        if id(node) not in sizes:
            sizes[id(node)] = 1 + sum(size(part, depth + 1) for part in _parts(node))
        return sizes[id(node)]

    if size(root, 0) > MAX_VALUES:
        raise _refused(f"The {what} stands for more than {MAX_VALUES} keys and values.", "Remove aliases or entries.")


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _refused(message: str, fix: str) -> InvalidInputError:
    return InvalidInputError(message, fix=fix, cause="yaml")
