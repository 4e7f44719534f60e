"""What language models are told: the instructions with their hash, the schema, and the request."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.prompts import render
from unity_mlops_mcp.spec.requests import UnityAssetSpec


@cache
def spec_schema_text() -> str:
    """The JSON schema of environment specs as compact text, descriptions kept and titles left out."""
    return json.dumps(_untitled(EnvironmentSpec.model_json_schema()), separators=(",", ":"))


def sha256_of(*texts: str) -> str:
    """Sha256 (hex) of texts, one after the other."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _untitled(node: Any) -> Any:
    if isinstance(node, list):
        return [_untitled(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {name: _untitled(value) for name, value in node.items() if not (name == "title" and isinstance(value, str))}


@cache
def llm_instructions() -> str:
    """What a configured language model is told; its interface tells it the schema."""
    return render("planner/environment")


@cache
def client_instructions() -> str:
    """What a chat client's own model is told, the schema included."""
    return render("planner/environment_as_text", schema=spec_schema_text())


def request_text(asset: UnityAssetSpec) -> str:
    """A request as the JSON object that the instructions speak of: data, however it reads."""
    asked = {"request": asset.description.strip()}
    sizes = {"observation_space": asset.observation_space, "action_space": asset.action_space}
    return json.dumps(asked | {name: size for name, size in sizes.items() if size}, ensure_ascii=False)
