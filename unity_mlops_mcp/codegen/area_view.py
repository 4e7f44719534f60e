"""What the templates of the area and of the scene read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from unity_mlops_mcp.codegen.naming import camel, number, pascal, words
from unity_mlops_mcp.codegen.view import Thing, View
from unity_mlops_mcp.spec.base import Parameter
from unity_mlops_mcp.spec.body import AGENT_TAG, Grid, Region, Spawn
from unity_mlops_mcp.spec.entities import Box, Circle, Roam

EVERYWHERE = Region()


@dataclass(frozen=True)
class NamedRegion:
    """A region of the arena as a constant."""

    name: str
    code: str


@dataclass(frozen=True)
class FixedPlaces:
    """Fixed positions as a constant."""

    name: str
    positions: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class AgentPlace:
    """Where some agents begin: a loop over them if they are several, C# of the agent's transform, and of its place."""

    loop: str
    agent: str
    code: str


@dataclass(frozen=True)
class Property:
    """A parameter as a property of the area."""

    name: str
    type: str
    default: str
    read: str
    words: str


class AreaView(View):
    """A spec as the templates of its area and its scene see it."""

    # Numbers that the trainer may set.

    @property
    def parameters(self) -> list[Property]:
        """One property for each parameter of the spec."""
        return [self._property(name, parameter) for name, parameter in self.spec.parameters.items()]

    def _property(self, name: str, parameter: Parameter) -> Property:
        low, high = number(parameter.minimum), number(parameter.maximum)
        default = f"Random.Range({low}, {high})" if parameter.sample else number(parameter.default)
        read = f'Mathf.Clamp(trainer.GetWithDefault("{name}", {default}), {low}, {high})'
        told = " ".join(parameter.description.split()).rstrip(".") or words(name).capitalize()
        whole = name in self.whole
        return Property(
            name=self.property_of(name),
            type="int" if whole else "float",
            default=str(round(parameter.default)) if whole else number(parameter.default),
            read=f"Mathf.RoundToInt({read})" if whole else read,
            words=f"{told} (environment parameter {name}, {parameter.minimum:g} to {parameter.maximum:g}).",
        )

    @property
    def stretches(self) -> bool:
        """Whether the arena's size is a parameter."""
        return isinstance(self.spec.arena.half_extent, str)

    @property
    def widest(self) -> float:
        """The greatest half extent."""
        extent = self.spec.arena.half_extent
        return self.spec.parameters[extent].maximum if isinstance(extent, str) else extent

    @property
    def area_spacing(self) -> float:
        """Metres between the middles of two areas, so that no ray reaches the next one's things."""
        rays = max((ray.length for ray in self.spec.observations.rays), default=0.0)
        return round(2 * self.widest + 2 + (0 if self.spec.arena.walls else rays), 3)

    # Where things are put.

    @property
    def places_more(self) -> bool:
        """Whether anything is placed besides one agent."""
        return bool(self.things) or self.several

    @cached_property
    def _spawns(self) -> list[tuple[str, Spawn]]:
        sides = [("Agent", self.spec.spawn_of(side)) for side in self.spec.sides if self._shared_spawn]
        sides = sides[:1] or [(pascal(side.name), self.spec.spawn_of(side)) for side in self.spec.sides]
        return [*sides, *((thing.pascal, thing.entity.spawn) for thing in self.things)]

    @property
    def _shared_spawn(self) -> bool:
        return len({self.spec.spawn_of(side) for side in self.spec.sides}) == 1

    @property
    def regions(self) -> list[NamedRegion]:
        """Every region of the spec once."""
        named: dict[str, NamedRegion] = {}
        for name, spawn in self._spawns:
            if spawn.positions is None:
                x, z = spawn.region.x, spawn.region.z
                code = f"Rect.MinMaxRect({number(x[0])}, {number(z[0])}, {number(x[1])}, {number(z[1])})"
                own = "Everywhere" if spawn.region == EVERYWHERE else f"{name}Region"
                named.setdefault(code, NamedRegion(own, code))
        return list(named.values())

    @property
    def fixed_places(self) -> list[FixedPlaces]:
        """The fixed positions of the spec."""
        named: dict[tuple[tuple[float, float], ...], str] = {}
        for name, spawn in self._spawns:
            if spawn.positions is not None:
                named.setdefault(spawn.positions, f"{name}Places")
        return [FixedPlaces(name, positions) for positions, name in named.items()]

    def _region(self, spawn: Spawn) -> str:
        x, z = spawn.region.x, spawn.region.z
        code = f"Rect.MinMaxRect({number(x[0])}, {number(z[0])}, {number(x[1])}, {number(z[1])})"
        return next(region.name for region in self.regions if region.code == code)

    def _fixed(self, spawn: Spawn) -> str:
        return next(places.name for places in self.fixed_places if places.positions == spawn.positions)

    @property
    def seeks(self) -> bool:
        """Whether room is looked for in a region."""
        sought = [thing.entity.spawn for thing in self.things]
        sought += [spawn for _, spawn in self._spawns[: 2 if not self._shared_spawn else 1] if self.several]
        return any(spawn.positions is None for spawn in sought)

    def place(self, thing: Thing, body: str) -> str:
        """C# of where a thing is put when an episode begins."""
        spawn = thing.entity.spawn
        if spawn.positions is not None:
            index = "i" if thing.many else "0"
            return f"At({self._fixed(spawn)}[{index}], {body}.Reach)"
        return f"FindPlace({self._region(spawn)}, {body}.Reach, {self.here(spawn.min_distance)})"

    def respawn(self, thing: Thing) -> str:
        """C# of where a thing is put again."""
        spawn, body = thing.entity.spawn, thing.element
        if spawn.positions is not None:
            index = f"System.Array.IndexOf({thing.field}, {body})" if thing.many else "0"
            return f"At({self._fixed(spawn)}[{index}], {body}.Reach)"
        return f"InRegion({self._region(spawn)}, {body}.Reach)"

    @property
    def agent_places(self) -> Iterator[AgentPlace]:
        """Where the agents begin, the first of the first team first."""
        if not self.several:
            yield AgentPlace("", "agent.transform", self._agent_place(self.spec.agent.spawn, "0", seek=False))
            return
        first = 0
        if self._shared_spawn and self.spec.spawn_of(self.spec.sides[0]).positions is None:
            code = self._agent_place(self.spec.spawn_of(self.spec.sides[0]), "0", seek=True)
            yield AgentPlace(f"foreach ({self.agent_type} agent in agents)", "agent.transform", code)
            return
        for side in self.spec.sides:
            spawn, last = self.spec.spawn_of(side), first + side.count
            if side.count == 1:
                yield AgentPlace("", f"agents[{first}].transform", self._agent_place(spawn, "0", seek=True))
            else:
                loop = f"for (int i = {first}; i < {last}; i++)"
                index = "i" if first == 0 else f"i - {first}"
                yield AgentPlace(loop, "agents[i].transform", self._agent_place(spawn, index, seek=True))
            first = last

    def _agent_place(self, spawn: Spawn, index: str, *, seek: bool) -> str:
        if spawn.positions is not None:
            return f"At({self._fixed(spawn)}[{index}], AgentRadius)"
        if seek:
            return f"FindPlace({self._region(spawn)}, AgentRadius, {self.here(spawn.min_distance)})"
        return f"InRegion({self._region(spawn)}, AgentRadius)"

    @property
    def first_rotation(self) -> str:
        """C# of how an agent faces when an episode begins."""
        random = self.spec.agent.random_heading
        return "Quaternion.Euler(0f, Random.Range(0f, 360f), 0f)" if random else "Quaternion.identity"

    @property
    def cell(self) -> str:
        """C# of the size of a cell, for grid motion."""
        if not isinstance(self.motion, Grid):
            return ""
        return self.here(self.motion.cell) if isinstance(self.motion.cell, str) else "Cell"

    # What the bodies are.

    @property
    def resized(self) -> list[Thing]:
        """Things whose size is a parameter."""
        return [thing for thing in self.things if any(isinstance(size, str) for size in _sizes(thing))]

    def resize(self, thing: Thing) -> str:
        """C# that gives a thing its size for the episode."""
        return f"Resize({', '.join(self.here(size) for size in _sizes(thing))})"

    @property
    def weaves(self) -> bool:
        """Whether anything that roams weaves."""
        return any(self.weaves_itself(thing) for thing in self.roamers)

    def weaves_itself(self, thing: Thing) -> bool:
        """Whether a thing weaves."""
        return isinstance(thing.entity.motion, Roam) and thing.entity.motion.turn != 0

    def roam(self, thing: Thing) -> str:
        """C# of the numbers with which a thing roams."""
        motion = thing.entity.motion
        if not isinstance(motion, Roam):
            return ""
        numbers = (motion.speed, motion.turn, motion.period) if self.weaves else (motion.speed,)
        return ", ".join(self.here(one) for one in numbers)

    @property
    def pushes(self) -> bool:
        """Whether somebody is pushed along a normal."""
        return bool(self.pushables) or (bool(self.solids) and self.motion.kind != "grid")

    @property
    def gap_words(self) -> str:
        """What the distance to a surface is inside, and of nothing."""
        told = ["0 inside a box"] * self.boxes + ["negative inside a circle"] * self.circles
        return "; ".join([", ".join(told), *["infinite when it is not there"] * self.missing])

    @property
    def held_things(self) -> bool:
        """Whether the arena holds things."""
        return bool(self.roamers) or (bool(self.pushables) and self.spec.arena.walls)

    # What agents ask.

    @property
    def touches_walls(self) -> bool:
        """Whether contact with the walls is looked at."""
        return any(event.kind == "touch" and event.of == "wall" for event in self.events_used)

    @property
    def skinned(self) -> bool:
        """Whether there is contact with anything."""
        touches = any(event.kind == "touch" for event in self.events_used)
        return touches or (bool(self.solids) and self.motion.kind != "grid") or self.crowded

    @property
    def picks_nearest(self) -> bool:
        """Whether the nearest of several things is looked for."""
        return any(pick == "nearest" and self._many(of) for of, pick in self.chosen)

    def _many(self, of: str) -> bool:
        thing = self.thing(of)
        return thing is not None and thing.many

    @property
    def means(self) -> bool:
        """Whether the mean of several things is looked at."""
        return any(pick == "mean" and self._many(of) for of, pick in self.chosen)

    @property
    def mean_speeds(self) -> bool:
        """Whether the mean of their velocities is."""
        return self.means and any(self._many(of) for of in self.mean_velocities)

    @property
    def gaps_many(self) -> bool:
        """Whether the distance to the nearest surface of several things is needed."""
        return any(event.kind in {"enter", "touch"} and self._many(event.of) for event in self.events_used)

    @property
    def counts(self) -> bool:
        """Whether the things that are left are counted."""
        asked = [event.of for event in self.events_used if event.kind == "cleared"]
        asked += [part.of for part in self.spec.observations.vector if part.kind == "remaining"]
        things = [thing for name in asked if (thing := self.thing(name))]
        return any(thing.many and thing.may_be_missing for thing in things)

    @property
    def respawned(self) -> list[Thing]:
        """Things that are put somewhere else when they are collected."""
        names = {event.of for event in self.events_used if event.kind == "collect" and event.respawn}
        return [thing for thing in self.things if thing.entity.name in names]

    # The scene.

    @property
    def crew(self) -> list[tuple[int, str]]:
        """(team, name of the team) of each agent in an area."""
        return [(team, side.name) for team, side in enumerate(self.spec.sides) for _ in range(side.count)]

    @property
    def tagged_agents(self) -> str:
        """The tag of the agents: ``side`` for that of their team, empty for none."""
        names = {side.name for side in self.spec.sides} & set(self.tags)
        return ("side" if self.spec.teams else AGENT_TAG) if names else ""

    @property
    def tagged_things(self) -> bool:
        """Whether a thing has a tag."""
        return any(thing.entity.seen_as in self.tags for thing in self.things)

    def add_thing(self, thing: Thing) -> str:
        """C# that makes one of these things in the scene."""
        sizes = [number(self._default(size)) for size in _sizes(thing)]
        shape = [f"new Vector2({', '.join(sizes)})"] if thing.box else sizes
        if self.circles and self.boxes:
            shape = ["0f", *shape] if thing.box else [*shape, "Vector2.zero"]
        tag = thing.entity.seen_as if thing.entity.seen_as in self.tags else "Untagged"
        name = camel(thing.entity.name)
        arguments = ["area", f'"{name[:1].upper()}{name[1:]}"', *shape, *[f'"{tag}"'] * self.tagged_things]
        return f"AddBody({', '.join(arguments)})"

    def _default(self, quantity: float | str) -> float:
        return self.spec.parameters[quantity].default if isinstance(quantity, str) else quantity

    @property
    def body_arguments(self) -> str:
        """Parameters of the scene's maker of things."""
        return ", ".join(["float radius"] * self.circles + ["Vector2 size"] * self.boxes)

    @property
    def body_fields(self) -> str:
        """What the scene's maker of things sets."""
        shape = ["radius = radius"] * self.circles + ["halfSize = size / 2f"] * self.boxes
        return ", ".join(["transform = thing", *shape])


def _sizes(thing: Thing) -> tuple[float | str, ...]:
    shape = thing.entity.shape
    if isinstance(shape, Box):
        return shape.size
    return (shape.radius,) if isinstance(shape, Circle) else ()
