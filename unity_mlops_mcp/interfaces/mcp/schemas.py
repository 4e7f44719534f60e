"""JSON schemas that every known chat client takes: no references, no unions, no constants, no titles.

``$ref`` breaks Gemini and Copilot CLI, ``anyOf`` breaks Cursor's gateway; pydantic writes both: they are rewritten.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_NULL = {"type": "null"}


def flat_schema(schema: Schema, *, nullable: bool) -> Schema:
    """A JSON schema of the same meaning without ``$ref``, ``anyOf``, ``const`` or ``title``.

    Args:
        schema: what pydantic made; definitions may not refer to themselves.
        nullable: True keeps "or null" as a list of types (results hold nulls); False drops it (arguments are left out).
    """
    return _Flattening(schema.get("$defs", {}), nullable=nullable).flat(schema)


class _Flattening:
    """One schema's definitions and the way its nulls are written."""

    def __init__(self, definitions: Schema, *, nullable: bool) -> None:
        self._definitions = definitions
        self._nullable = nullable

    def flat(self, node: Schema) -> Schema:
        """One schema node, rewritten with all below it."""
        node = {key: value for key, value in node.items() if key not in {"$defs", "title"}}
        if "$ref" in node:
            name = node.pop("$ref").rsplit("/", 1)[-1]
            return self.flat({**self._definitions[name], **node})
        if "anyOf" in node:
            return self._without_null(node)
        if "const" in node:
            node["enum"] = [node.pop("const")]
        return {key: self._value(key, value) for key, value in node.items()}

    def _value(self, key: str, value: Any) -> Any:
        if key == "properties":
            return {name: self.flat(schema) for name, schema in value.items()}
        if key in {"items", "additionalProperties"} and isinstance(value, dict):
            return self.flat(value)
        return value

    def _without_null(self, node: Schema) -> Schema:
        arms = [arm for arm in node.pop("anyOf") if arm != _NULL]
        if len(arms) != 1:
            raise ValueError(f"A union of {len(arms)} types has no flat schema: {arms}")
        if not self._nullable and node.get("default", ...) is None:
            del node["default"]
        flat = self.flat({**arms[0], **node})
        return _or_null(flat) if self._nullable else flat


def _or_null(schema: Schema) -> Schema:
    """The schema with null allowed besides."""
    allowed = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        allowed["enum"] = [*schema["enum"], None]
    return allowed
