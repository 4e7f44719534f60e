"""What evaluations answer."""

from __future__ import annotations

from pydantic import Field

from unity_mlops_mcp.results.base import Result, State


class Figure(Result):
    """A figure and how sure it is."""

    mean: float
    sd: float | None = Field(default=None, description="Standard deviation between episodes.")
    low: float | None = Field(default=None, description="Lower end of the 95 % interval.")
    high: float | None = Field(default=None, description="Upper end of it.")
    n: int = Field(description="Values it rests on.")


class RobustnessPoint(Result):
    """What was reached with one parameter held at one value."""

    parameter: str
    value: float
    success: Figure | None = None
    returns: Figure


class SensorReach(Result):
    """What one sensor saw, against the training."""

    behavior: str
    sensor: str
    low: float
    high: float
    trained_low: float | None = Field(default=None, description="Null: the policy does not tell (no `normalize`).")
    trained_high: float | None = None
    outside: float | None = Field(default=None, description="Share of values outside the training's range.")
    not_finite: int = 0


class ActionUse(Result):
    """How one action was used."""

    behavior: str
    action: str
    mean: float | None = None
    sd: float | None = None
    at_limit: float | None = Field(default=None, description="Share of decisions at -1 or 1.")
    shares: list[float] = Field(default_factory=list, description="Of a discrete branch: the share of each choice.")


class EvaluationFigures(Result):
    """What an evaluation found."""

    evaluation_id: str
    episodes: int
    seed: int
    deterministic: bool
    success: Figure | None = Field(default=None, description="Share of successful episodes; null: not reported.")
    returns: dict[str, Figure] = Field(description="By behaviour: summed reward of an episode.")
    endings: dict[str, Figure] = Field(description="Share of episodes that each cause ended.")
    measures: dict[str, Figure] = Field(default_factory=dict, description="Other statistics, such as collisions.")
    episode_length: Figure = Field(description="Decisions of an episode.")
    actions: list[ActionUse] = Field(default_factory=list)
    sensors: list[SensorReach] = Field(default_factory=list)
    inference_us: Figure | None = Field(default=None, description="Microseconds of policy time for one decision.")
    robustness: list[RobustnessPoint] = Field(default_factory=list)
    file: str = Field(description="All of it, with every episode, as JSON.")


class StartedEvaluation(Result):
    """An evaluation that was accepted; it goes on without the caller."""

    evaluation_id: str
    job_id: str
    state: State
    episodes: int = Field(description="Of the evaluation and of all points of its sweeps.")
    player: str = Field(description="What is played on: a build, or a player of your own.")
    waiting_for: str | None = Field(default=None, description="Why it does not run yet.")
    notes: list[str] = Field(default_factory=list, description="What was decided for the caller.")
    next: str
