"""The preset that is nearest to a spec: whose trainer settings a spec without its own begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unity_mlops_mcp.spec.archetypes import Archetype, archetype_names, load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec


def _kinds(parts: Iterable[object]) -> set[str]:
    return {str(getattr(part, "kind", getattr(part, "when", ""))) for part in parts}


def _reaches_area(spec: EnvironmentSpec) -> bool:
    return any(event.kind == "enter" for event in spec.events)


MECHANISMS: dict[str, tuple[int, Callable[[EnvironmentSpec], bool]]] = {
    "teams": (32, lambda spec: bool(spec.teams)),
    "tilt": (16, lambda spec: spec.agent.motion.kind == "tilt"),
    "pushable": (16, lambda spec: any(entity.motion.kind == "pushable" for entity in spec.entities)),
    "ordered": (8, lambda spec: any(entity.ordered for entity in spec.entities)),
    "collect": (8, lambda spec: "collect" in _kinds(spec.events)),
    "follow": (8, lambda spec: bool({"keep", "align"} & _kinds(spec.rewards))),
    "mates": (4, lambda spec: not spec.teams and spec.agents_per_area > 1),
    "obstacles": (2, lambda spec: "touch" in _kinds(spec.events)),
    "rays": (2, lambda spec: bool(spec.observations.rays)),
    "roam": (1, lambda spec: any(entity.motion.kind == "roam" for entity in spec.entities)),
    "enter": (1, _reaches_area),
}
"""What a spec is made of: how much it says about which trainer settings fit, and whether a spec has it."""


def mechanisms(spec: EnvironmentSpec) -> frozenset[str]:
    """The mechanisms that a spec uses."""
    return frozenset(name for name, (_, has) in MECHANISMS.items() if has(spec))


def nearest_archetype(spec: EnvironmentSpec) -> Archetype:
    """The preset that shares most mechanisms with a spec and has fewest that it lacks; the first by name in a tie.

    A contest's settings (self-play) come only from a preset with teams, and never to a spec without.
    """
    own = mechanisms(spec)
    presets = [load_archetype(name) for name in archetype_names()]
    rivals = [preset for preset in presets if bool(preset.spec.teams) == bool(spec.teams)]
    return min(rivals, key=lambda preset: sum(MECHANISMS[name][0] for name in own ^ mechanisms(preset.spec)))
