"""Reads YAML from outside without letting it cost more than it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from unity_mlops_mcp.errors import InvalidInputError

MAX_CHARACTERS = 256_000
MAX_VALUES = 20_000
MAX_DEPTH = 40


def read_mapping(text: str, *, what: str) -> dict[str, Any]:
    """The mapping that a YAML or JSON text holds; plain data only, no tags.

    Args:
        text: at most 256,000 characters, 20,000 values once aliases are followed, nested at most 40 deep.
        what: what the text is, for the message.

    Raises:
        InvalidInputError: too large, not YAML, or not a mapping; cause ``yaml``.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"The {what} has {len(text)} characters.", f"Keep it under {MAX_CHARACTERS}.")
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        place = " ".join(str(error).split())
        raise _refused(
            f"The {what} is not valid YAML: {place[:300]}", "Correct that place; indent with spaces."
        ) from error
    if not isinstance(data, dict):
        raise _refused(
            f"The {what} is {type(data).__name__}, not a mapping of keys.", "Write keys such as `behaviors:`."
        )
    _measure(data, what)
    return data


def write_mapping(data: Mapping[str, Any]) -> str:
    """A mapping as YAML, keys in their order."""
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=120)


def _measure(data: Any, what: str) -> None:
    sizes: dict[int, int] = {}

    def size(value: Any, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise _refused(f"The {what} is nested more than {MAX_DEPTH} deep, or holds itself.", "Flatten it.")
        if not isinstance(value, (dict, list)):
            return 1
        if id(value) not in sizes:
            inner = value.values() if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(size(item, depth + 1) for item in inner)
        return sizes[id(value)]

    if size(data, 0) > MAX_VALUES:
        raise _refused(f"The {what} stands for more than {MAX_VALUES} values.", "Remove aliases or entries.")


def _refused(message: str, fix: str) -> InvalidInputError:
    return InvalidInputError(message, fix=fix, cause="yaml")
