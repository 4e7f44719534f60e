"""Checks across the parts of a spec: every name that is used exists, and what is combined can be combined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.entities import WALL_TAG, Box

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.environment import EnvironmentSpec


def problems(spec: EnvironmentSpec) -> list[str]:
    """Every contradiction between the parts, one sentence each; empty when they fit."""
    checks = (_names, _parameters, _entities, _observations, _actions, _events, _rewards_and_endings)
    return [problem for check in checks for problem in check(spec)]


def unknown(kind: str, name: str, known: Iterable[str], where: str) -> str:
    """A sentence that an unknown name was used, with the nearest known one and all the others."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{where}: unknown {kind} {name!r}; {hint}known: {', '.join(names) or 'none'}"


def _names(spec: EnvironmentSpec) -> Iterator[str]:
    groups = {
        "entities": [entity.name for entity in spec.entities],
        "events": [event.name for event in spec.events],
        "rays": [ray.name.casefold() for ray in spec.observations.rays],
    }
    for where, names in groups.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{where}: the name {name!r} is used twice"
    if WALL_TAG in groups["entities"]:
        yield f"entities: the name {WALL_TAG!r} belongs to the arena's walls"


def _parameters(spec: EnvironmentSpec) -> Iterator[str]:
    for name, parameter in spec.parameters.items():
        if not parameter.minimum <= parameter.default <= parameter.maximum:
            yield f"parameters.{name}: the default is not within minimum..maximum"
    for where, quantity in _quantities(spec):
        if isinstance(quantity, str) and quantity not in spec.parameters:
            yield unknown("parameter", quantity, spec.parameters, where)
    positive = [("arena.half_extent", spec.arena.half_extent), *_fields("agent.motion", spec.agent.motion)]
    for entity in spec.entities:
        shape = entity.shape
        sizes = shape.size if isinstance(shape, Box) else (shape.radius,)
        positive += [(f"entities.{entity.name}.shape", size) for size in sizes]
    for where, quantity in positive:
        if _least(spec, quantity) <= 0:
            yield f"{where}: must be greater than 0"


def _fields(where: str, part: Part) -> Iterator[tuple[str, float | str]]:
    for name in type(part).model_fields:
        if name != "kind":
            yield f"{where}.{name}", getattr(part, name)


def _quantities(spec: EnvironmentSpec) -> Iterator[tuple[str, float | str]]:
    yield "arena.half_extent", spec.arena.half_extent
    yield from _fields("agent.motion", spec.agent.motion)
    yield "agent.spawn.min_distance", spec.agent.spawn.min_distance
    for entity in spec.entities:
        where = f"entities.{entity.name}"
        yield f"{where}.count", entity.count
        yield f"{where}.spawn.min_distance", entity.spawn.min_distance
        sizes = entity.shape.size if isinstance(entity.shape, Box) else (entity.shape.radius,)
        for size in sizes:
            yield f"{where}.shape", size


def _least(spec: EnvironmentSpec, quantity: float | str) -> float:
    if isinstance(quantity, str):
        return spec.parameters[quantity].minimum if quantity in spec.parameters else 1.0
    return quantity


def _entities(spec: EnvironmentSpec) -> Iterator[str]:
    spawns = [("agent", 1, spec.agent.spawn)]
    for entity in spec.entities:
        if isinstance(entity.count, str) and entity.count not in spec.parameters:
            continue
        spawns.append((f"entities.{entity.name}", spec.most(entity.name), entity.spawn))
        if _least(spec, entity.count) < (2 if entity.ordered else 0):
            yield f"entities.{entity.name}.count: an ordered entity needs at least 2 instances, any other 0"
        if entity.ordered and entity.solid:
            yield f"entities.{entity.name}: an ordered entity cannot be solid, as the agent enters it"
    for where, count, spawn in spawns:
        for axis in (spawn.region.x, spawn.region.z):
            if not -1 <= axis[0] <= axis[1] <= 1:
                yield f"{where}.spawn.region: {axis} is not a range within -1..1"
        if spawn.positions is not None and len(spawn.positions) < count:
            yield f"{where}.spawn.positions: {len(spawn.positions)} positions for {count} instances"
        if spawn.positions and max(abs(value) for position in spawn.positions for value in position) > 1:
            yield f"{where}.spawn.positions: positions are fractions of the half-extent, within -1..1"


def _named_entity(spec: EnvironmentSpec, part: Part, where: str) -> Iterator[str]:
    """An ``of`` that names an entity, and a ``pick`` or kind that needs it to be ordered."""
    name = getattr(part, "of", None)
    if name is None:
        return
    entity = next((entity for entity in spec.entities if entity.name == name), None)
    kind, pick = getattr(part, "kind", ""), getattr(part, "pick", "nearest")
    if entity is None:
        yield unknown("entity", name, (entity.name for entity in spec.entities), where)
    elif not entity.ordered and (pick != "nearest" or kind in {"visit", "complete", "progress", "one_hot"}):
        yield f"{where}: {pick if pick != 'nearest' else kind} needs `ordered: true` on the entity {name!r}"


def _observations(spec: EnvironmentSpec) -> Iterator[str]:
    if not spec.observations.vector and not spec.observations.rays:
        yield "observations: the policy sees nothing; give at least one vector part or ray sensor"
    for i, part in enumerate(spec.observations.vector):
        yield from _named_entity(spec, part, f"observations.vector.{i}")
        if part.kind == "velocity" and spec.agent.motion.kind == "grid":
            yield f"observations.vector.{i}: grid motion has no velocity"
    tags = {entity.seen_as for entity in spec.entities} | ({WALL_TAG} if spec.arena.walls else set())
    for ray in spec.observations.rays:
        for tag in ray.tags:
            if tag not in tags:
                yield unknown("tag", tag, tags, f"observations.rays.{ray.name}")
        if len(set(ray.tags)) < len(ray.tags):
            yield f"observations.rays.{ray.name}: a tag is listed twice"


def _actions(spec: EnvironmentSpec) -> Iterator[str]:
    if spec.agent.motion.kind == "grid" and spec.actions.kind == "continuous":
        yield "actions: grid motion needs discrete actions"


def _events(spec: EnvironmentSpec) -> Iterator[str]:
    solid = {entity.name for entity in spec.entities if entity.solid} | ({WALL_TAG} if spec.arena.walls else set())
    visited = set()
    for event in spec.events:
        where = f"events.{event.name}"
        if event.kind == "touch":
            if event.of not in solid:
                yield unknown("solid entity", event.of, solid, where)
            continue
        yield from _named_entity(spec, event, where)
        if event.kind == "leave" and spec.arena.walls:
            yield f"{where}: nothing can leave an arena with walls"
        if event.kind == "enter" and any(entity.name == event.of and entity.solid for entity in spec.entities):
            yield f"{where}: {event.of!r} is solid and cannot be entered; use touch"
        if event.kind == "visit":
            visited.add(event.of)
        if event.kind == "complete" and event.of not in visited:
            yield f"{where}: needs a visit event of {event.of!r} before it"


def _rewards_and_endings(spec: EnvironmentSpec) -> Iterator[str]:
    events = {event.name for event in spec.events}
    for i, reward in enumerate(spec.rewards):
        where = f"rewards.{i}"
        if reward.when == "event":
            if reward.event not in events:
                yield unknown("event", reward.event, events, where)
            if reward.shared_by and reward.shared_by not in {entity.name for entity in spec.entities}:
                yield unknown("entity", reward.shared_by, (entity.name for entity in spec.entities), where)
        yield from _named_entity(spec, reward, where)
    for i, ending in enumerate(spec.endings):
        if ending.event not in events:
            yield unknown("event", ending.event, events, f"endings.{i}")
    if not any(ending.result == "success" for ending in spec.endings):
        yield "endings: no ending is a success, so nothing can be learnt from the success rate"
