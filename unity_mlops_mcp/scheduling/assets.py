"""The assets of a schedule, as callers give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.requests import UnityAssetSpec
from unity_mlops_mcp.spec.yaml_text import read_mapping

MOST = 50
_FORM = (
    'Give a list such as ["patrol four waypoints", {name: Guard, description: …, observation_space: {raycast: 8}}], '
    "as YAML or JSON."
)


def read_assets(given: str | Sequence[UnityAssetSpec]) -> tuple[UnityAssetSpec, ...]:
    """The assets that a text holds: a list of sentences and mappings; or those that were given.

    Raises:
        InvalidInputError: it is no such list, is empty or too long, or a field is wrong.
    """
    if not isinstance(given, str):
        found = tuple(given)
    else:
        listed = read_mapping(f"assets: {given}", what="assets") if given.lstrip()[:1] == "[" else _block(given)
        items = listed.get("assets")
        found = tuple(_asset(item) for item in items) if isinstance(items, list) else ()
    if not 0 < len(found) <= MOST:
        raise InvalidInputError(f"assets holds {len(found)} assets; it may hold 1 to {MOST}.", fix=_FORM)
    return found


def _block(text: str) -> dict[str, Any]:
    indented = "\n".join(f"  {line}" for line in text.splitlines())
    return dict(read_mapping(f"assets:\n{indented}", what="assets"))


def _asset(item: Any) -> UnityAssetSpec:
    if not isinstance(item, (str, dict)):
        raise InvalidInputError(
            f"An asset is neither a sentence nor a mapping: {yaml.safe_dump(item).strip()}.", fix=_FORM
        )
    try:
        return UnityAssetSpec.model_validate({"description": item} if isinstance(item, str) else item)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}; found {str(first['input'])[:80]!a}"
        raise InvalidInputError(f"An asset cannot be used: {told}.", fix=_FORM) from error
