"""Checks across the parts of a spec: every name that is used exists, and what is combined can be combined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from unity_mlops_mcp.spec.base import Parameter, Part
from unity_mlops_mcp.spec.body import AGENT_TAG, MATE, OPPONENT
from unity_mlops_mcp.spec.entities import WALL_TAG, Box

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

RESERVED = {
    WALL_TAG: "the arena's walls",
    AGENT_TAG: "the agents",
    OPPONENT: "agents of the other team",
    MATE: "agents",
}
"""Names that no entity, tag or team can have, and what they stand for."""
OF_ORDERED = {"visit", "complete", "progress", "one_hot"}
OF_AGENTS = {"relative", "bearing", "velocity", "near", "far", "approach", "keep", "align", "within"}
"""Kinds of parts that may speak of other agents."""


def problems(spec: EnvironmentSpec) -> list[str]:
    """Every contradiction between the parts, one sentence each; empty when they fit."""
    checks = (_names, _parameters, _sizes, _entities, _spawns, _teams, _observations, _actions, _events)
    return [problem for check in (*checks, _rewards, _endings) for problem in check(spec)]


def unknown(kind: str, name: str, known: Iterable[str], where: str) -> str:
    """A sentence that an unknown name was used, with the nearest known one and all the others."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{where}: unknown {kind} {name!r}; {hint}known: {', '.join(names) or 'none'}"


def _names(spec: EnvironmentSpec) -> Iterator[str]:
    groups = {
        "entities": [entity.name for entity in spec.entities],
        "teams": [team.name for team in spec.teams],
        "events": [event.name for event in spec.events],
        "rays": [ray.name.casefold() for ray in spec.observations.rays],
    }
    for where, names in groups.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{where}: the name {name!r} is used twice"
    for where, owners in (("entities", groups["entities"]), ("teams", groups["teams"])):
        for name in sorted(RESERVED.keys() & set(owners)):
            yield f"{where}: the name {name!r} belongs to {RESERVED[name]}"
    tags = {tag for entity in spec.entities for tag in (entity.name, entity.seen_as)}
    for name in sorted(tags & set(groups["teams"])):
        yield f"teams: the name {name!r} belongs to an entity"


def _parameters(spec: EnvironmentSpec) -> Iterator[str]:
    for name, parameter in spec.parameters.items():
        if not parameter.minimum <= parameter.default <= parameter.maximum:
            yield f"parameters.{name}: the default is not within minimum..maximum"
        yield from _curriculum(f"parameters.{name}", parameter)
    for where, quantity in _quantities(spec):
        if isinstance(quantity, str) and quantity not in spec.parameters:
            yield unknown("parameter", quantity, spec.parameters, where)


def _curriculum(where: str, parameter: Parameter) -> Iterator[str]:
    if parameter.curriculum and parameter.sample:
        yield f"{where}: `sample` and `curriculum` exclude each other; give a lesson's value as [least, greatest]"
    for i, lesson in enumerate(parameter.curriculum):
        place, last = f"{where}.curriculum.{i}", i == len(parameter.curriculum) - 1
        values = lesson.value if isinstance(lesson.value, tuple) else (lesson.value, lesson.value)
        if not parameter.minimum <= values[0] <= values[1] <= parameter.maximum:
            yield f"{place}.value: not within minimum..maximum"
        if (lesson.threshold is None) != last:
            yield f"{place}.threshold: every lesson but the last one needs a threshold, the last one has none"
        elif lesson.threshold is not None and lesson.measure == "progress" and not 0 <= lesson.threshold <= 1:
            yield f"{place}.threshold: progress is a share of the training, within 0..1"


def _sizes(spec: EnvironmentSpec) -> Iterator[str]:
    """What must be greater than 0."""
    positive = [("arena.half_extent", spec.arena.half_extent), *_fields("agent.motion", spec.agent.motion)]
    for entity in spec.entities:
        where = f"entities.{entity.name}"
        positive += [(f"{where}.shape", size) for size in _shape_sizes(entity.shape)]
        positive += [
            (place, value) for place, value in _fields(f"{where}.motion", entity.motion) if "turn" not in place
        ]
    for i, reward in enumerate(spec.rewards):
        positive += [
            (f"rewards.{i}.{name}", getattr(reward, name)) for name in ("distance", "width") if hasattr(reward, name)
        ]
    positive += [
        (f"events.{event.name}.distance", event.distance) for event in spec.events if hasattr(event, "distance")
    ]
    positive += [(f"teams.{team.name}.pace", team.pace) for team in spec.teams]
    for where, quantity in positive:
        keeps_distance_zero = where.startswith("rewards.") and where.endswith("distance")
        if _least(spec, quantity) < 0 or (_least(spec, quantity) == 0 and not keeps_distance_zero):
            yield f"{where}: must be greater than 0"


def _fields(where: str, part: Part) -> Iterator[tuple[str, float | str]]:
    for name in type(part).model_fields:
        if name != "kind":
            yield f"{where}.{name}", getattr(part, name)


def _shape_sizes(shape: Part) -> tuple[float | str, ...]:
    return shape.size if isinstance(shape, Box) else (getattr(shape, "radius"),)  # noqa: B009 - Circle or Box


def _quantities(spec: EnvironmentSpec) -> Iterator[tuple[str, float | str]]:
    """Every number that may be a parameter's name."""
    yield "arena.half_extent", spec.arena.half_extent
    yield from _fields("agent.motion", spec.agent.motion)
    yield "agent.spawn.min_distance", spec.agent.spawn.min_distance
    for team in spec.teams:
        yield f"teams.{team.name}.pace", team.pace
        yield f"teams.{team.name}.spawn.min_distance", spec.spawn_of(team).min_distance
    for entity in spec.entities:
        where = f"entities.{entity.name}"
        yield f"{where}.count", entity.count
        yield f"{where}.spawn.min_distance", entity.spawn.min_distance
        yield from _fields(f"{where}.motion", entity.motion)
        for size in _shape_sizes(entity.shape):
            yield f"{where}.shape", size
    for where, part in _rules(spec):
        for name in ("distance", "width"):
            if hasattr(part, name):
                yield f"{where}.{name}", getattr(part, name)


def _rules(spec: EnvironmentSpec) -> Iterator[tuple[str, Part]]:
    for event in spec.events:
        yield f"events.{event.name}", event
    for i, reward in enumerate(spec.rewards):
        yield f"rewards.{i}", reward


def _least(spec: EnvironmentSpec, quantity: float | str) -> float:
    if isinstance(quantity, str):
        return spec.parameters[quantity].minimum if quantity in spec.parameters else 1.0
    return quantity


def _most(spec: EnvironmentSpec, quantity: float | str) -> float:
    if isinstance(quantity, str):
        return spec.parameters[quantity].maximum if quantity in spec.parameters else 1.0
    return quantity


def _entities(spec: EnvironmentSpec) -> Iterator[str]:
    for entity in spec.entities:
        where = f"entities.{entity.name}"
        if _least(spec, entity.count) < (2 if entity.ordered else 0):
            yield f"{where}.count: an ordered entity needs at least 2 instances, any other 0"
        if entity.ordered and entity.solid:
            yield f"{where}: an ordered entity cannot be solid, as the agent enters it"
        if entity.motion.kind == "pushable" and not entity.solid:
            yield f"{where}: what can be pushed has to be solid; add `solid: true`"
        if entity.motion.kind == "pushable" and spec.agent.motion.kind == "grid":
            yield f"{where}: grid motion pushes nothing; use another motion"


def _spawns(spec: EnvironmentSpec) -> Iterator[str]:
    spawns = [("agent", spec.agent.count, spec.agent.spawn)]
    spawns += [(f"teams.{team.name}", team.count, spec.spawn_of(team)) for team in spec.teams]
    for entity in spec.entities:
        if isinstance(entity.count, int) or entity.count in spec.parameters:
            spawns.append((f"entities.{entity.name}", spec.most(entity.name), entity.spawn))
    for where, count, spawn in spawns:
        for axis in (spawn.region.x, spawn.region.z):
            if not -1 <= axis[0] <= axis[1] <= 1:
                yield f"{where}.spawn.region: {axis} is not a range within -1..1"
        if spawn.positions is not None and len(spawn.positions) < count:
            yield f"{where}.spawn.positions: {len(spawn.positions)} positions for {count} instances"
        if spawn.positions and max(abs(value) for position in spawn.positions for value in position) > 1:
            yield f"{where}.spawn.positions: positions are fractions of the half-extent, within -1..1"


def _teams(spec: EnvironmentSpec) -> Iterator[str]:
    if len(spec.teams) == 1:
        yield "teams: a contest has two teams; leave them out for agents that do not compete"
    if spec.teams and spec.agent.count > 1:
        yield "agent.count: give each team's own count"
    for team in spec.teams:
        if _most(spec, team.pace) > 1:
            yield f"teams.{team.name}.pace: must be at most 1; raise the motion's speed and slow the other team"
    names = {team.name for team in spec.teams}
    paid = [(f"rewards.{i}", reward.team) for i, reward in enumerate(spec.rewards)]
    for where, name in (*paid, *((f"endings.{i}", ending.team) for i, ending in enumerate(spec.endings))):
        if name is not None and name not in names:
            yield unknown("team", name, names, where)


def _named(spec: EnvironmentSpec, part: Part, where: str) -> Iterator[str]:
    """What ``of``, ``subject`` and ``pick`` name has to exist and to be of the right sort."""
    yield from _subject(spec, part, where)
    name, kind, pick = (
        getattr(part, "of", None),
        str(getattr(part, "kind", getattr(part, "when", ""))),
        getattr(part, "pick", "nearest"),
    )
    if name is None:
        return
    entity = next((entity for entity in spec.entities if entity.name == name), None)
    if name in (OPPONENT, MATE) and kind in OF_AGENTS:
        if name == OPPONENT and not spec.teams:
            yield f"{where}: there is no {OPPONENT!r} without teams"
        if name == MATE and all(side.count == 1 for side in spec.sides):
            yield f"{where}: there is no {MATE!r} where every team is one agent; raise the count"
        if pick in {"current", "next"}:
            yield f"{where}: {pick} needs an ordered entity"
    elif entity is None:
        known = [entity.name for entity in spec.entities] + ([OPPONENT, MATE] if kind in OF_AGENTS else [])
        yield unknown("entity", name, known, where)
    elif not entity.ordered and (pick in {"current", "next"} or kind in OF_ORDERED):
        yield f"{where}: {kind if kind in OF_ORDERED else pick} needs `ordered: true` on the entity {name!r}"


def _subject(spec: EnvironmentSpec, part: Part, where: str) -> Iterator[str]:
    name = getattr(part, "subject", None)
    if name is None:
        return
    entity = next((entity for entity in spec.entities if entity.name == name), None)
    if entity is None:
        yield unknown("entity", name, (entity.name for entity in spec.entities), f"{where}.subject")
    elif entity.count != 1:
        yield f"{where}.subject: there has to be exactly one {name!r}"
    elif name == getattr(part, "of", None):
        yield f"{where}.subject: is the same as `of`"


def _observations(spec: EnvironmentSpec) -> Iterator[str]:
    if not spec.observations.vector and not spec.observations.rays:
        yield "observations: the policy sees nothing; give at least one vector part or ray sensor"
    for i, part in enumerate(spec.observations.vector):
        where = f"observations.vector.{i}"
        yield from _named(spec, part, where)
        if part.kind == "velocity" and spec.agent.motion.kind == "grid":
            yield f"{where}: grid motion has no velocity"
        if part.kind == "tilt" and spec.agent.motion.kind != "tilt":
            yield f"{where}: only tilt motion has a tilt"
        if part.kind == "team" and not spec.teams:
            yield f"{where}: there are no teams"
    yield from _rays(spec)


def _rays(spec: EnvironmentSpec) -> Iterator[str]:
    tags = {entity.seen_as for entity in spec.entities} | ({WALL_TAG} if spec.arena.walls else set())
    if spec.agents_per_area > 1:
        tags |= {side.name for side in spec.sides}
    for ray in spec.observations.rays:
        for tag in ray.tags:
            if tag not in tags:
                yield unknown("tag", tag, tags, f"observations.rays.{ray.name}")
        if len(set(ray.tags)) < len(ray.tags):
            yield f"observations.rays.{ray.name}: a tag is listed twice"


def _actions(spec: EnvironmentSpec) -> Iterator[str]:
    if spec.agent.motion.kind == "grid" and spec.actions.kind == "continuous":
        yield "actions: grid motion needs discrete actions"
    if spec.agent.motion.kind == "grid" and any(team.pace != 1 for team in spec.teams):
        yield "teams: grid motion has no pace"


def _events(spec: EnvironmentSpec) -> Iterator[str]:
    solid = {entity.name for entity in spec.entities if entity.solid} | ({WALL_TAG} if spec.arena.walls else set())
    ordered = {entity.name for entity in spec.entities if entity.ordered}
    for event in spec.events:
        where = f"events.{event.name}"
        if event.kind == "touch":
            if event.of not in solid:
                yield unknown("solid entity", event.of, solid, where)
            continue
        yield from _named(spec, event, where)
        if event.kind == "leave" and spec.arena.walls:
            yield f"{where}: nothing can leave an arena with walls"
        if event.kind in {"enter", "collect"} and event.of in solid:
            yield f"{where}: {event.of!r} is solid and cannot be entered; use touch"
        if event.kind == "collect" and event.of in ordered:
            yield f"{where}: an ordered entity is visited, not collected"
    yield from _order_of_events(spec)


def _order_of_events(spec: EnvironmentSpec) -> Iterator[str]:
    visited, collected = set(), set()
    for event in spec.events:
        if event.kind == "visit":
            visited.add(event.of)
        if event.kind == "collect" and not event.respawn:
            collected.add(event.of)
        if event.kind == "complete" and event.of not in visited:
            yield f"events.{event.name}: needs a visit event of {event.of!r} before it"
        if event.kind == "cleared" and event.of not in collected:
            yield f"events.{event.name}: needs a collect event of {event.of!r} without respawn before it"


def _rewards(spec: EnvironmentSpec) -> Iterator[str]:
    events = {event.name for event in spec.events}
    for i, reward in enumerate(spec.rewards):
        where = f"rewards.{i}"
        if reward.when == "event":
            if reward.event not in events:
                yield unknown("event", reward.event, events, where)
            if reward.shared_by and reward.shared_by not in {entity.name for entity in spec.entities}:
                yield unknown("entity", reward.shared_by, (entity.name for entity in spec.entities), where)
        yield from _named(spec, reward, where)


def _endings(spec: EnvironmentSpec) -> Iterator[str]:
    events = {event.name for event in spec.events}
    for i, ending in enumerate(spec.endings):
        if ending.event not in events:
            yield unknown("event", ending.event, events, f"endings.{i}")
    if not spec.teams and not any(ending.result == "success" for ending in spec.endings):
        yield "endings: no ending is a success, so nothing can be learnt from the success rate"
