"""The JSON schema of environment specs, and the same one short enough for a model to read at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from unity_mlops_mcp.spec.environment import EnvironmentSpec

Schema = dict[str, Any]
_NAME = "^[a-z][a-z0-9_]{0,39}$"
_QUANTITY = "A number, or the name of an entry of `parameters` whose value is used in each episode."
_BASICS: Schema = {
    "Name": {"type": "string", "pattern": _NAME},
    "Quantity": {"description": _QUANTITY, "anyOf": [{"type": "number"}, {"$ref": "#/$defs/Name"}]},
}
_LEFT_OUT = frozenset({"title", "discriminator", "additionalProperties"})
SHORT_BYTES = 17_000
"""What leaves room for an example in one answer of a tool."""
_OFTEN = 3
"""A property that looks the same in so many places is described once."""


@cache
def full_schema() -> Schema:
    """The JSON schema of `EnvironmentSpec`, as a validator takes it."""
    return EnvironmentSpec.model_json_schema()


@cache
def short_schema() -> Schema:
    """The same schema in less than half the text: what is said often is said once, the longest notes not at all.

    It accepts what the full one accepts; that unknown fields are refused only the full one says.
    """
    whole = full_schema()
    definitions = {name: _short(part) for name, part in whole["$defs"].items()}
    top = _short({key: value for key, value in whole.items() if key != "$defs"})
    shared = _shared([top, *definitions.values()])
    for part in (top, *definitions.values()):
        for name, schema in part.get("properties", {}).items():
            known = shared.get(json.dumps(schema))
            part["properties"][name] = {"$ref": f"#/$defs/{known}"} if known else schema
    texts = {name: json.loads(text) for text, name in shared.items()}
    short = {**top, "$defs": {**_BASICS, **texts, **definitions}}
    _fit(short)
    return short


def _fit(schema: Schema) -> None:
    """Leave out the longest notes on single fields until the schema fits; what a part is for stays."""
    fields = [
        field
        for part in (schema, *schema["$defs"].values())
        for field in part.get("properties", {}).values()
        if "description" in field
    ]
    excess = len(json.dumps(schema, separators=(",", ":"))) - SHORT_BYTES
    for field in sorted(fields, key=lambda field: len(field["description"]), reverse=True):
        if excess <= 0:
            return
        excess -= len(field.pop("description")) + len(',"description":""')


def _shared(parts: list[Schema]) -> dict[str, str]:
    """Names for the properties that stand in many places, by their text."""
    found = Counter((name, json.dumps(schema)) for part in parts for name, schema in part.get("properties", {}).items())
    often = [(name, text) for (name, text), times in found.items() if times >= _OFTEN and len(text) > len(_NAME) * 2]
    numbers: Counter[str] = Counter()
    named: dict[str, str] = {}
    for name, text in often:
        numbers[name] += 1
        named[text] = f"{name}{numbers[name] if numbers[name] > 1 else ''}"
    return named


def _short(node: Any) -> Any:
    if isinstance(node, list):
        return [_short(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = _basic({key: value for key, value in node.items() if key not in _LEFT_OUT})
    return dict(_shortened(node))


def _shortened(node: Schema) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "properties":
            yield key, {name: _short(part) for name, part in value.items()}
        elif key == "description":
            yield key, _first_sentence(value)
        elif key == "default":
            if not isinstance(value, (dict, list)):  # what a part's own defaults give
                yield key, value
        elif not (key == "type" and ("const" in node or value == "object")):
            yield key, _short(value)


def _basic(node: Schema) -> Schema:
    """The node with a reference in place of a name's pattern, a quantity, or an optional value."""
    if node.get("pattern") == _NAME:
        return {"$ref": "#/$defs/Name", **_without(node, "pattern", "type")}
    arms = [arm for arm in node.get("anyOf", ()) if arm != {"type": "null"}]
    if len(arms) == 1:
        return _basic({**arms[0], **_without(node, "anyOf", *(["default"] if node.get("default") is None else []))})
    if [arm.get("type") for arm in arms] == ["number", "string"]:
        said = ["description"] if node.get("description") == _QUANTITY else []
        return {"$ref": "#/$defs/Quantity", **_without(node, "anyOf", *said)}
    return node


def _without(node: Schema, *keys: str) -> Schema:
    return {key: value for key, value in node.items() if key not in keys}


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split()).partition(". ")[0].rstrip(".")
