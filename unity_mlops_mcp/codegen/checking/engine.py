"""What the engine's and ML-Agents' own types give (data: ``engine.yaml``): enough to tell sizes and mistakes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from unity_mlops_mcp.spec.base import Part

ENGINE_ROOT = "UnityObject"
"""Our name of UnityEngine.Object; bare ``Object`` may be System's."""
ANY = "T"
"""A method whose result is its type argument."""


class EngineType(Part):
    """A type: its base, and its members (static ones too) by what they give."""

    base: str | None = None
    """Base class, if the engine knows one."""
    gives: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Type of the result -> names of fields, properties and methods."""


class Virtual(Part):
    """A method of Agent that scripts override."""

    access: str
    """How the override must be written: ``public`` or ``protected``."""
    parameters: tuple[str, ...] = ()
    """Each as modifier and type, such as ``in ActionBuffers``."""


class Engine(Part):
    """All that ``engine.yaml`` says."""

    types: dict[str, EngineType]
    """By name."""
    sizes: dict[str, int]
    """Floats that AddObservation writes for a value of a type."""
    refused: dict[str, str]
    """Types that AddObservation does not take -> what to do."""
    namespaces: dict[str, tuple[str, ...]]
    """Namespace -> types of ML-Agents in it."""
    virtuals: dict[str, Virtual]
    """What Agent's methods look like."""


@cache
def engine() -> Engine:
    """The table."""
    data: Any = yaml.safe_load(Path(__file__).with_name("engine.yaml").read_text(encoding="utf-8"))
    return Engine.model_validate(data)


def engine_base(name: str) -> str | None:
    """The base of an engine type; None for others."""
    known = engine().types.get(name)
    return known.base if known else None


@cache
def _members() -> dict[str, dict[str, str]]:
    return {
        name: {member: result for result, members in known.gives.items() for member in members}
        for name, known in engine().types.items()
    }


def engine_member(name: str, member: str) -> str | None:
    """The type of a member of an engine type or of its bases; None when it is not known."""
    above: str | None = name
    while above is not None:
        found = _members().get(above, {}).get(member)
        if found:
            return found
        above = engine_base(above)
    return None


@cache
def namespace_of() -> dict[str, str]:
    """Type of ML-Agents -> its namespace."""
    return {name: space for space, names in engine().namespaces.items() for name in names}
