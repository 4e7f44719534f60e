"""What the making of a player answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class ActionSize(Result):
    """The size of a behaviour's actions."""

    continuous: int = Field(default=0, description="How many continuous actions, each in [-1, 1].")
    branches: list[int] = Field(default_factory=list, description="The sizes of the discrete branches.")


class BehaviorShape(Result):
    """One behaviour of a player as the trainer sees it."""

    name: str
    observation_shapes: list[list[int]] = Field(description="One shape per sensor, in the trainer's order.")
    action_spec: ActionSize


class WordMeaning(Result):
    """What a word of the description led to."""

    text: str
    meaning: str


class ProbeFigures(Result):
    """What probing a built player told."""

    package_version: str = Field(description="Of its ML-Agents package.")
    agents: int = Field(description="Agents that decide at once.")
    steps: int = Field(description="Exchanges that were made.")
    episodes: int = Field(description="Episodes that ended in them.")
    mean_return: float | None = Field(default=None, description="Of those episodes, with random actions.")
    agent_steps_per_second: float


class BuildResult(Result):
    """A player that training can start."""

    build_id: str
    job_id: str
    state: State
    spec_id: str | None = None
    archetype: str | None = None
    assumptions: list[str] = Field(default_factory=list, description="What the description left open and was assumed.")
    left_out: list[str] = Field(default_factory=list, description="What was asked for and could not be taken in.")
    words: list[WordMeaning] = Field(default_factory=list, description="Which words led to what.")
    planner: Literal["spec", "llm", "client", "rules"] | None = Field(
        default="spec", description="Who made the spec: the caller, a language model, the client's model, or the rules."
    )
    planner_model: str | None = Field(default=None, description="The language model that made it.")
    prompt_sha256: str | None = Field(default=None, description="Hash of the instructions that it followed.")
    player_path: str | None = Field(default=None, description="The folder of the build.")
    cached: bool = Field(description="True when the same build was there already.")
    behaviors: list[BehaviorShape] = Field(description="Empty until a Unity build of a project of your own is probed.")
    waiting_for: str | None = Field(default=None, description="Why a Unity build does not run yet.")
    probe: ProbeFigures | None = Field(default=None, description="Of a finished Unity build.")
    notes: list[str] = Field(default_factory=list, description="What was decided or is doubtful: tell the user.")
    next: str
