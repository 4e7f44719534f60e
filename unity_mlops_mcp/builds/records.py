"""What a build and a probe give, as frozen records."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True)


class ActionSize(Record):
    """How much one agent decides: continuous actions in [-1, 1], and the sizes of the discrete branches."""

    continuous: int = 0
    branches: tuple[int, ...] = ()


class Behavior(Record):
    """One behaviour of a player.

    Attributes:
        name: the key under ``behaviors`` in the trainer YAML, so without ``?team=``.
        observation_shapes: one per sensor, in ML-Agents' order.
        action_spec: the actions.
    """

    name: str
    observation_shapes: tuple[tuple[int, ...], ...]
    action_spec: ActionSize


class ProbeFacts(Record):
    """What a player turned out to be when it was probed: figures of `ProbeResult` that a build keeps."""

    package_version: str
    steps: int
    agents: int
    episodes: int
    mean_return: float | None
    agent_steps_per_second: float


class BuildFacts(Record):
    """What is known of a Unity build.

    Attributes:
        project: the project that was copied; None for one that was made.
        editor: the Editor's executable.
        editor_version: its version.
        ml_agents: version of the ML-Agents package that the project asks for.
        scenes: what was built; empty where the scene was made from a spec.
        areas: of a scene that was made from a spec.
        build_target: ``linux64``, ``win64`` or ``osx``.
        seconds: how long the Editor took.
        size: of the player in bytes, as Unity counts it.
        probe: None for a player that this machine cannot start.
        notes: what a person should know of it.
    """

    project: str | None
    editor: str
    editor_version: str
    ml_agents: str
    scenes: tuple[str, ...]
    areas: int | None = None
    build_target: str
    seconds: float
    size: int
    probe: ProbeFacts | None
    notes: tuple[str, ...] = ()


class PlayerBuild(Record):
    """A player, as data: what it is made from lies in its folder, whoever made it.

    Attributes:
        build_id: names it and its folder, such as ``sandbox-reachtarget-1a2b3c4d``.
        target: ``sandbox`` or ``unity``.
        digest: sha256 (hex) of all that went in; equal digests are the same build.
        spec_id: the environment spec that it was made from.
        archetype: the preset that the spec came from.
        behaviors: what it offers to the trainer.
        folder: where it lies.
        player: what ``--env`` is given; None for a sandbox build, whose launcher is written for each run.
        facts: of a Unity build: what was built by which Editor, and what probing the player told.
        created_at: when it was made.
        cached: True when it was there already and nothing was made.
    """

    build_id: str
    target: str
    digest: str
    spec_id: str | None = None
    archetype: str | None = None
    behaviors: tuple[Behavior, ...]
    folder: Path
    player: Path | None = None
    facts: BuildFacts | None = None
    created_at: datetime
    cached: bool = Field(default=False, exclude=True)


class ProbeResult(Record):
    """What a player turned out to be when it was connected to and stepped with random actions.

    Attributes:
        player: the executable.
        name: what it calls itself.
        package_version: of its ML-Agents package.
        behaviors: what it offers.
        steps: exchanges that were made.
        agents: agents that decided in the last exchange.
        episodes: episodes that ended.
        mean_return: of those episodes; None when none ended.
        seconds: how long the steps took.
        exchanges_per_second: steps by seconds.
        agent_steps_per_second: decisions of all agents by seconds.
        not_finite: numbers that were NaN or infinite, each of which would stop a training.
        stats: names of the statistics it sent.
        problems: what would go wrong in a training, one sentence each; empty when it is fit.
    """

    player: Path
    name: str
    package_version: str
    behaviors: tuple[Behavior, ...]
    steps: int
    agents: int
    episodes: int
    mean_return: float | None
    seconds: float
    exchanges_per_second: float
    agent_steps_per_second: float
    not_finite: int
    stats: tuple[str, ...]
    problems: tuple[str, ...]
