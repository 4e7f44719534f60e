"""EnvironmentSpec: a whole learning environment as data, from which the sandbox and Unity scripts are made."""

from __future__ import annotations

from typing import Annotated, Any

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.base import Name, Parameter, Part, digest_of
from unity_mlops_mcp.spec.body import AGENT_TAG, Actions, Agent, Arena, Episode, Spawn, Team
from unity_mlops_mcp.spec.checking import problems
from unity_mlops_mcp.spec.entities import Entity
from unity_mlops_mcp.spec.observations import PART_SIZES, Observations, VectorPart
from unity_mlops_mcp.spec.rules import Ending, Event, Reward
from unity_mlops_mcp.spec.yaml_text import read_mapping

BehaviorName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")]


class EnvironmentSpec(Part):
    """A learning environment: arena, body, things, what is seen, done, rewarded, and what ends an episode.

    Lengths are metres, angles degrees, the physics step is 0.02 s, x points right and z forward. Rewards are summed
    over the physics steps between two decisions. Sizes of observations and actions follow from the parts.
    """

    name: BehaviorName
    """The behaviour's name: CamelCase, the key under ``behaviors`` in the trainer YAML, the C# class."""
    description: str = ""
    """One sentence for people."""
    arena: Arena = Arena()
    """The ground."""
    agent: Agent = Agent()
    """The learning body."""
    entities: tuple[Entity, ...] = ()
    """Things in the arena, in the order in which they are placed."""
    observations: Observations
    """What the policy sees."""
    actions: Actions = Actions()
    """What the policy decides."""
    teams: tuple[Team, ...] = Field(
        default=(), max_length=2, description="None, or the two sides of a contest that one policy plays (self-play)."
    )
    events: tuple[Event, ...] = Field(default=(), description="What can happen, evaluated in this order.")
    rewards: tuple[Reward, ...] = Field(min_length=1, description="What the policy is paid for.")
    endings: tuple[Ending, ...] = Field(min_length=1, description="What ends an episode, besides max_step.")
    episode: Episode = Episode()
    """Length and decision period."""
    parameters: dict[Name, Parameter] = Field(
        default_factory=dict, description="Numbers that the trainer, a curriculum or randomisation may change."
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> EnvironmentSpec:
        found = problems(self)
        if found:
            raise ValueError("; ".join(found))
        return self

    @property
    def behavior_name(self) -> str:
        """The key under ``behaviors`` in the trainer YAML."""
        return self.name

    @property
    def vector_size(self) -> int:
        """Floats of the vector observation; 0 when there is none."""
        return sum(self.part_size(part) for part in self.observations.vector)

    def part_size(self, part: VectorPart) -> int:
        """Floats of one part of the vector observation."""
        if part.kind == "one_hot":
            return self.most(part.of)
        return len(self.teams) if part.kind == "team" else PART_SIZES[part.kind]

    @property
    def sides(self) -> tuple[Team, ...]:
        """The teams; without teams one of all agents, named ``agent``."""
        return self.teams or (Team(name=AGENT_TAG, count=self.agent.count),)

    @property
    def agents_per_area(self) -> int:
        """Agents in one area, those of the first team first."""
        return sum(side.count for side in self.sides)

    def spawn_of(self, side: Team) -> Spawn:
        """Where a team's agents begin."""
        return side.spawn or self.agent.spawn

    @property
    def continuous_size(self) -> int:
        """Number of continuous actions."""
        return 2 if self.actions.kind == "continuous" else 0

    @property
    def branches(self) -> tuple[int, ...]:
        """Sizes of the discrete branches."""
        return (5,) if self.actions.kind == "discrete" else ()

    def sensors(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of each sensor, ordered by name as ML-Agents orders ``obs_0..n``."""
        sensors: list[tuple[str, tuple[int, ...]]] = [(ray.name, (ray.size,)) for ray in self.observations.rays]
        if self.vector_size:
            sensors.append((f"VectorSensor_size{self.vector_size}", (self.vector_size,)))
        return tuple(sorted(sensors, key=lambda sensor: sensor[0].casefold()))

    def entity(self, name: str) -> Entity:
        """The entity of this name; the spec's checks have made sure that it exists."""
        return next(entity for entity in self.entities if entity.name == name)

    def most(self, name: str) -> int:
        """How many instances of this entity there can be at most."""
        count = self.entity(name).count
        return count if isinstance(count, int) else round(self.parameters[count].maximum)

    def digest(self) -> str:
        """Sha256 (hex) over the canonical JSON: equal specs have equal digests, however they were written."""
        return digest_of(self.model_dump(mode="json"))

    def to_json(self) -> str:
        """The whole spec as indented JSON text."""
        return self.model_dump_json(indent=2) + "\n"

    def to_yaml(self) -> str:
        """The spec as YAML text without what is at its default."""
        data = self.model_dump(mode="json", exclude_unset=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_text(cls, text: str) -> EnvironmentSpec:
        """Read YAML or JSON.

        Raises:
            InvalidInputError: the text is too large or no YAML or JSON, or the parts do not fit; all problems are told.
        """
        return cls.from_data(read_mapping(text, what="environment spec"))

    @classmethod
    def from_data(cls, data: Any) -> EnvironmentSpec:
        """Make a spec from what YAML or JSON gave.

        Raises:
            InvalidInputError: a field is missing, unknown or wrong, or the parts do not fit; every problem is listed.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            evidence = [
                f"{'.'.join(map(str, e['loc'])) or 'spec'}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            ]
            raise InvalidInputError(
                f"The environment spec has {len(evidence)} problem(s): {'; '.join(evidence)}.",
                fix="Mend these fields and pass the spec again; `unity-mlops spec-schema` describes every field.",
                evidence=evidence,
            ) from error
