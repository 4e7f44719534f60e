"""An environment spec told in words: what a reader has to know to understand the curves."""

from __future__ import annotations

from typing import Any

from unity_mlops_mcp.reports.records import Fact, Role, SpecPart
from unity_mlops_mcp.reports.wording import number, plural, words
from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.entities import Entity
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.rules import TIMEOUT, Reward

DIGITS = 8


def spec_part(spec: EnvironmentSpec) -> SpecPart:
    """The section about the environment."""
    return SpecPart(
        name=spec.name,
        description=spec.description,
        digest=spec.digest()[:DIGITS],
        facts=tuple(Fact(name=name, value=value) for name, value in _facts(spec)),
        rewards=tuple(Fact(name=_paid_for(reward), value=_value(reward)) for reward in spec.rewards),
        endings=(
            *(Fact(name=words(one.event), value=_result(one.result, one.team)) for one in spec.endings),
            Fact(name=TIMEOUT, value=f"failure, after {spec.episode.max_step:,} physics steps"),
        ),
        parameters=tuple(Fact(name=words(name), value=_parameter(one)) for name, one in spec.parameters.items()),
    )


def _facts(spec: EnvironmentSpec) -> list[tuple[str, str]]:
    side = 2 * _size(spec.arena.half_extent)
    facts = [
        ("Arena", f"{number(side)} m square, {'with' if spec.arena.walls else 'without'} walls"),
        ("Agent", _agent(spec)),
        *((f"Thing: {words(entity.name)}", _entity(entity)) for entity in spec.entities),
        ("Sees", "; ".join(f"{name} ({' x '.join(map(str, shape))})" for name, shape in spec.sensors())),
        ("Decides", _actions(spec)),
        ("Episode", _length(spec)),
    ]
    if spec.teams:
        facts.insert(2, ("Teams", ", ".join(f"{team.name} ({team.count})" for team in spec.teams)))
    return facts


def _size(quantity: Any) -> float:
    """A quantity's number; a parameter's name has none here."""
    return float(quantity) if isinstance(quantity, (int, float)) else 0.0


def _told(quantity: Any) -> str:
    return words(quantity) if isinstance(quantity, str) else number(float(quantity))


def _agent(spec: EnvironmentSpec) -> str:
    motion = spec.agent.motion.kind
    return f"{plural(spec.agents_per_area, 'agent')}, moved as {motion}, radius {number(spec.agent.radius)} m"


def _length(spec: EnvironmentSpec) -> str:
    most, period = spec.episode.max_step, spec.episode.decision_period
    return f"at most {plural(most, 'physics step')} ({number(most * DT)} s), a decision every {period}"


def _entity(entity: Entity) -> str:
    shape = entity.shape
    body = (
        f"circle, radius {_told(shape.radius)} m"
        if shape.kind == "circle"
        else f"box, {' by '.join(_told(side) for side in shape.size)} m"
    )
    count = entity.count if isinstance(entity.count, int) else words(entity.count)
    return f"{count} \u00d7 {body}, {entity.motion.kind}{', solid' if entity.solid else ''}"


def _actions(spec: EnvironmentSpec) -> str:
    if spec.continuous_size:
        return f"{spec.continuous_size} continuous actions"
    return f"discrete actions, branches {list(spec.branches)}"


_PAID_FOR = {
    "event": "event: {event}",
    "step": "time, over a whole episode",
    "approach": "coming nearer to {of}",
    "keep": "keeping {distance} m from {of}",
    "align": "moving in step with {of}",
    "within": "being within {distance} m of {of}",
}


def _paid_for(reward: Reward) -> str:
    data = reward.model_dump(exclude_none=True)
    shown = {name: _told(value) for name, value in data.items() if name in ("event", "of", "distance")}
    told = _PAID_FOR[reward.when].format(**shown)
    return f"{told} (team {data['team']})" if data.get("team") else told


def _value(reward: Reward) -> str:
    return f"{'+' if reward.value > 0 else ''}{number(reward.value)}"


def _result(result: str, team: str | None) -> str:
    return f"{result} of {team}" if team else result


def _parameter(parameter: Any) -> str:
    span = f"{number(parameter.minimum)} to {number(parameter.maximum)}, {number(parameter.default)} by default"
    return f"{span}. {parameter.description}".rstrip(". ") + "."


def roles_of(spec: EnvironmentSpec) -> dict[str, Role]:
    """Entity → what it is to the agent: what a success is about is a goal, what a failure is about a hazard."""
    about = {event.name: getattr(event, "of", None) for event in spec.events}
    roles: dict[str, Role] = {entity.name: "thing" for entity in spec.entities}
    for event in spec.events:
        if event.kind in ("collect", "visit") and about[event.name] in roles:
            roles[str(about[event.name])] = "goal"
    for ending in spec.endings:
        of = about.get(ending.event)
        if of in roles:
            roles[str(of)] = "goal" if ending.result == "success" else "hazard"
    return roles


def good_endings(spec: EnvironmentSpec) -> tuple[str, ...]:
    """The endings that are a success."""
    return tuple(ending.event for ending in spec.endings if ending.result == "success")
