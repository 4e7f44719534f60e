"""What the templates read: the spec with C# names, and what of the C# this spec needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.body import MATE, OPPONENT
from unity_mlops_mcp.spec.entities import Box, Entity
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.rules import Event


@dataclass(frozen=True)
class Thing:
    """An entity and its names.

    Attributes:
        entity: of the spec.
        field: its field in the area: one body, or an array of bodies.
        element: what one of them is called where one is spoken of.
        most: how many there can be.
        count: C# of how many the episode began with; None where it is always ``most``.
        leaves: whether a collect event takes instances away.
    """

    entity: Entity
    field: str
    element: str
    most: int
    count: str | None
    leaves: bool

    @property
    def many(self) -> bool:
        """Whether the field is an array."""
        return self.count is not None or self.most != 1

    @property
    def solid(self) -> bool:
        """Whether it pushes agents out."""
        return self.entity.solid

    @property
    def box(self) -> bool:
        """Whether its shape is a box; else it is a circle."""
        return isinstance(self.entity.shape, Box)

    @property
    def roams(self) -> bool:
        """Whether it moves by itself."""
        return self.entity.motion.kind == "roam"

    @property
    def pushable(self) -> bool:
        """Whether agents push it."""
        return self.entity.motion.kind == "pushable"

    @property
    def may_be_missing(self) -> bool:
        """Whether an instance need not be there."""
        return self.solid or self.leaves or self.count is not None

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return naming.words(self.entity.name)

    @property
    def pascal(self) -> str:
        """Its name as a part of C# names."""
        return naming.pascal(self.entity.name)


class View:
    """A spec as the templates see it.

    Args:
        spec: the environment.
        foreign: whether the agent's code comes from elsewhere.
    """

    def __init__(self, spec: EnvironmentSpec, *, foreign: bool) -> None:
        self.spec, self.foreign = spec, foreign
        self.name = spec.behavior_name
        self.motion = spec.agent.motion
        self.several = spec.agents_per_area > 1
        self.turns = self.motion.kind == "car" or spec.agent.random_heading
        properties = naming.Names(
            naming.reserved("members"), (f"{self.name}{kind}" for kind in ("Agent", "Area", "Scene"))
        )
        self._parameters = {
            name: "HalfExtent" if name == spec.arena.half_extent else _property(name, properties)
            for name in spec.parameters
        }
        fields = naming.Names(naming.reserved("keywords", "inherited", "locals"))
        self.things = [self._thing(entity, fields) for entity in spec.entities]
        self._of = {thing.entity.name: thing for thing in self.things}

    def _thing(self, entity: Entity, fields: naming.Names) -> Thing:
        most, own = self.spec.most(entity.name), naming.camel(entity.name)
        one = isinstance(entity.count, int) and most == 1
        element = fields.take(own, f"{own}Body")
        several = naming.camel(naming.plural(entity.name))
        leaves = any(
            event.kind == "collect" and event.of == entity.name and not event.respawn for event in self.spec.events
        )
        return Thing(
            entity,
            element if one else fields.take(several, f"{several}Bodies"),
            element,
            most,
            None if isinstance(entity.count, int) else self._count(entity.count),
            leaves,
        )

    def _count(self, parameter: str) -> str:
        own = self._parameters[parameter]
        return own if parameter in self.whole else f"Mathf.RoundToInt({own})"

    @cached_property
    def whole(self) -> frozenset[str]:
        """Parameters that are numbers of things and nothing else."""
        counts = {entity.count for entity in self.spec.entities if isinstance(entity.count, str)}
        return frozenset(counts - set(_texts(self.spec)))

    def thing(self, name: str) -> Thing | None:
        """The entity of this name; None for ``opponent``, ``mate`` and ``wall``."""
        return self._of.get(name)

    def entity(self, name: str) -> Thing:
        """The entity of this name, which the spec's checks have made sure of."""
        return self._of[name]

    def here(self, quantity: float | str) -> str:
        """C# of a quantity, as written in the area."""
        return self._parameters[quantity] if isinstance(quantity, str) else naming.number(quantity)

    def there(self, quantity: float | str) -> str:
        """C# of a quantity, as written in the agent."""
        return f"area.{self.here(quantity)}" if isinstance(quantity, str) else naming.number(quantity)

    def property_of(self, parameter: str) -> str:
        """The property of the area that holds a parameter's value."""
        return self._parameters[parameter]

    # What of the C# is needed.

    @property
    def agent_type(self) -> str:
        """The agents' type, as the area knows it."""
        return "Agent" if self.foreign else f"{self.name}Agent"

    @property
    def solids(self) -> list[Thing]:
        """What pushes agents out."""
        return [thing for thing in self.things if thing.solid and thing.most]

    @property
    def may_be_alone(self) -> bool:
        """Whether an agent may be without mates."""
        return any(side.count == 1 for side in self.spec.sides)

    @property
    def begins_step(self) -> bool:
        """Whether the area has something to do when a physics step begins."""
        return bool(self.noted or self.roamers)

    @property
    def tilts(self) -> bool:
        """Whether the area is tilted for all to see: with one agent it is its ground alone."""
        return self.motion.kind == "tilt" and not self.several

    @property
    def lone_opponent(self) -> bool:
        """Whether each agent has one opponent, and somebody looks at it."""
        alone = bool(self.spec.teams) and all(side.count == 1 for side in self.spec.teams)
        return alone and any(of == OPPONENT for of, _ in self.chosen)

    @property
    def pushables(self) -> list[Thing]:
        """What agents push."""
        return [thing for thing in self.things if thing.pushable]

    @property
    def roamers(self) -> list[Thing]:
        """What moves by itself."""
        return [thing for thing in self.things if thing.roams]

    @property
    def crowded(self) -> bool:
        """Whether something solid could be in the way of a pushable thing."""
        return bool(self.pushables) and sum(thing.most for thing in self.solids) > 1

    @property
    def circles(self) -> bool:
        """Whether there are round things."""
        return any(not thing.box for thing in self.things)

    @property
    def boxes(self) -> bool:
        """Whether there are boxes."""
        return any(thing.box for thing in self.things)

    @cached_property
    def measured(self) -> bool:
        """Whether the distance to a surface is needed."""
        kinds = {event.kind for event in self.events_used}
        return bool(self.solids or kinds & {"enter", "visit", "collect"})

    @property
    def missing(self) -> bool:
        """Whether anything need not be there."""
        return any(thing.may_be_missing for thing in self.things)

    @cached_property
    def speeds(self) -> list[Thing]:
        """Things whose velocity somebody looks at."""
        asked = {part.of for part in self.spec.observations.vector if part.kind == "velocity"}
        asked |= {reward.of for reward in self.spec.rewards if reward.when == "align"}
        return [thing for thing in self.things if thing.entity.name in asked]

    @cached_property
    def noted(self) -> list[Thing]:
        """Things of which one has to know where they were before a physics step."""
        subjects = {reward.subject for reward in self.spec.rewards if reward.when == "approach"}
        names = {thing.entity.name for thing in self.speeds} | subjects
        return [thing for thing in self.things if thing.entity.name in names]

    @cached_property
    def own_speed(self) -> bool:
        """Whether an agent's velocity is needed."""
        observed = {part.of for part in self.spec.observations.vector if part.kind == "velocity"}
        aligned = any(reward.when == "align" for reward in self.spec.rewards)
        return self.motion.kind in {"force", "tilt"} or aligned or bool(observed & {None, OPPONENT, MATE})

    @cached_property
    def own_past(self) -> bool:
        """Whether one has to know where an agent was before a physics step."""
        shaped = any(reward.when == "approach" and reward.subject is None for reward in self.spec.rewards)
        return bool(self.solids) or shaped or self.own_speed

    @property
    def forward(self) -> bool:
        """Whether the way an agent faces is needed."""
        return (
            self.motion.kind == "car" or self.framed or any(p.kind == "heading" for p in self.spec.observations.vector)
        )

    @property
    def framed(self) -> bool:
        """Whether something is observed in the agent's frame, and that is not the world's."""
        return self.turns and any(getattr(part, "frame", "") == "agent" for part in self.spec.observations.vector)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """What ray sensors look for, in the order of the spec; all teams, if one of them."""
        looked_for = [tag for ray in self.spec.observations.rays for tag in ray.tags]
        teams = [team.name for team in self.spec.teams]
        return tuple(dict.fromkeys([*looked_for, *(teams if set(teams) & set(looked_for) else [])]))

    @cached_property
    def events_used(self) -> list[Event]:
        """Events that are worth something, end an episode, or change something."""
        spoken = {reward.event for reward in self.spec.rewards if reward.when == "event"}
        spoken |= {ending.event for ending in self.spec.endings}
        return [event for event in self.spec.events if event.name in spoken or event.kind in {"visit", "collect"}]

    @property
    def mean_velocities(self) -> set[str]:
        """Groups whose mean velocity is looked at."""
        looked = [(part.of, part.pick) for part in self.spec.observations.vector if part.kind == "velocity"]
        looked += [(reward.of, reward.pick) for reward in self.spec.rewards if reward.when == "align"]
        return {of for of, pick in looked if of and pick == "mean"}

    @cached_property
    def chosen(self) -> list[tuple[str, str]]:
        """(of, pick) of every part of the spec that speaks of one of a group."""
        kinds = {"relative", "bearing", "velocity", "near", "far", "approach", "keep", "align", "within"}
        return [
            (of, getattr(part, "pick", "nearest"))
            for part in (*self.spec.observations.vector, *self.events_used, *self.spec.rewards)
            if getattr(part, "kind", getattr(part, "when", "")) in kinds and (of := getattr(part, "of", None))
        ]


def _property(parameter: str, names: naming.Names) -> str:
    """A name that no constant of the area can have."""
    own = naming.pascal(parameter)
    constant = own.endswith(("Region", "Places")) or own.startswith("Respawn")
    return names.take(f"{own}Value" if constant else own, f"{own}Value")


def _texts(part: Part) -> Iterator[str]:
    """Every text in a part that may be a parameter's name, but for the counts of entities."""
    for name in type(part).model_fields:
        if name in {"count", "name", "description", "parameters", "tag", "of", "subject", "team", "event"}:
            continue
        yield from _in_value(getattr(part, name))


def _in_value(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Part):
        yield from _texts(value)
    elif isinstance(value, Iterable):
        for one in value:
            yield from _in_value(one)
