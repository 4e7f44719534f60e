"""What an evaluation found, as frozen records; kept as ``evaluation.json`` in the folder of its job."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.metrics.records import Interval

RECORDINGS = "demonstrations"
"""Where recordings lie in the home."""


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyUsed(Record):
    """Which policy played a behaviour.

    Attributes:
        behavior: its name without the team.
        path: the ONNX file.
        sha256: of the file (hex).
    """

    behavior: str
    path: str
    sha256: str


class ActionFigures(Record):
    """How one action was used over all decisions.

    Attributes:
        name: ``continuous 0``, …, or ``branch 0``, ….
        mean: of a continuous action, in [-1, 1]; None for a branch.
        sd: standard deviation of it.
        at_limit: share of decisions at -1 or 1.
        shares: of a branch, the share of each choice, 0 to 1.
    """

    name: str
    mean: float | None = None
    sd: float | None = None
    at_limit: float | None = None
    shares: tuple[float, ...] = ()


class SensorRange(Record):
    """What one sensor saw, against what the policy was trained on.

    Attributes:
        sensor: its name.
        shape: of one agent's observation.
        low: lowest value that was seen.
        high: highest.
        mean: of all values.
        not_finite: how many values were NaN or infinite.
        trained_low: per value the training's mean minus four standard deviations, the lowest of them; None where the
            policy does not tell (it was trained without ``normalize``, or the sensor is not normalised).
        trained_high: the highest of mean plus four standard deviations.
        outside: share of values further than four of the training's standard deviations from its mean; None as above.
    """

    sensor: str
    shape: tuple[int, ...]
    low: float
    high: float
    mean: float
    not_finite: int = 0
    trained_low: float | None = None
    trained_high: float | None = None
    outside: float | None = None


class BehaviorFigures(Record):
    """What one behaviour did.

    Attributes:
        behavior: full name, with the team where there are two.
        returns: summed reward of an episode, as the mean over its agents.
        decisions: of all agents together.
        actions: how each action was used.
        sensors: what each sensor saw.
        inference_us: microseconds of policy time for each decision of one agent, over the exchanges; None when it
            acted at random.
    """

    behavior: str
    returns: Interval
    decisions: int
    actions: tuple[ActionFigures, ...]
    sensors: tuple[SensorRange, ...]
    inference_us: Interval | None = None


class Columns(Record):
    """One value for each episode, in the order in which the episodes count; tests of gates are made over them.

    Attributes:
        returns: full behaviour name → summed reward.
        success: 0 to 1, of the first team where there are two; None where the player reports none.
        decisions: of the longest agent.
        endings: what ended it: an event's name, ``timeout`` where max_step cut it off, ``ended`` where the player
            names none.
        measures: other statistics that the player reported → their mean over the episode; only those that were
            reported for every episode.
    """

    returns: dict[str, tuple[float, ...]]
    success: tuple[float, ...] | None
    decisions: tuple[int, ...]
    endings: tuple[str, ...]
    measures: dict[str, tuple[float, ...]] = Field(default_factory=dict)


class SweepPoint(Record):
    """What was reached with one parameter held at one value.

    Attributes:
        parameter: its name.
        value: what it was held at.
        episodes: how many were played.
        success: None where the player reports none.
        returns: of the first behaviour.
    """

    parameter: str
    value: float
    episodes: int
    success: Interval | None
    returns: Interval


class Evaluation(Record):
    """A policy over whole episodes on a player.

    Attributes:
        evaluation_id: the job's id.
        created_at: when it ended; UTC.
        policies: who played what.
        run_id: the run that the policies are of, where known.
        version_id: the model version that they are of, where known.
        build_id: the player's build; None for a player of the user's own.
        player: what was played on: ``sandbox`` or the executable's path.
        player_name: what it calls itself, and its package's version.
        seed: of the player, the policies' noise and random actions.
        areas: training areas that played side by side.
        deterministic: whether the most likely actions were taken.
        episodes: how many count.
        behaviors: figures of each behaviour, the first team first.
        success: share of successful episodes; None where the player reports no ``Environment/Success``.
        endings: share of episodes that each cause ended.
        measures: every other statistic the player reports, such as collisions.
        decisions: decisions of an episode.
        parameters: environment parameters that were held at a value.
        sweeps: robustness, point by point.
        columns: every episode.
        trajectories: name of the file beside this one with positions; None where the player cannot tell them.
        seconds: how long it took.
        notes: what a reader should know.
    """

    schema_version: Literal[1] = 1
    evaluation_id: str
    created_at: datetime
    policies: tuple[PolicyUsed, ...]
    run_id: str | None = None
    version_id: str | None = None
    build_id: str | None = None
    player: str
    player_name: str
    seed: int
    areas: int
    deterministic: bool
    episodes: int
    behaviors: tuple[BehaviorFigures, ...]
    success: Interval | None
    endings: dict[str, Interval]
    measures: dict[str, Interval] = Field(default_factory=dict)
    decisions: Interval
    parameters: dict[str, float] = Field(default_factory=dict)
    sweeps: tuple[SweepPoint, ...] = ()
    columns: Columns
    trajectories: str | None = None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def returns(self) -> Interval:
        """The summed reward of the first behaviour."""
        return self.behaviors[0].returns

    def told(self) -> str:
        """One sentence, such as ``success 97 % (94 % to 99 %), return 0.91 (…) over 200 episodes``."""
        success = f"success {shares(self.success)}, " if self.success else ""
        return f"{success}return {self.returns.told()} over {self.episodes} episodes"


class Trajectory(Record):
    """One episode's ways in its area, in metres.

    Attributes:
        ending: what ended it.
        half_extent: half the side of the square arena.
        agents: for each agent its team and its (x, z) at every decision.
        entities: for each entity instance that was there: its name, its (x, z) at every decision (one point when it
            never moved), and ``radius`` or ``half`` sizes with ``yaw``.
    """

    ending: str
    half_extent: float
    agents: tuple[AgentWay, ...]
    entities: tuple[EntityWay, ...]


class AgentWay(Record):
    """Where one agent went."""

    team: str
    points: tuple[tuple[float, float], ...]


class EntityWay(Record):
    """Where one instance of an entity was; a circle has a radius, a box half sizes and a yaw (radians)."""

    name: str
    points: tuple[tuple[float, float], ...]
    radius: float | None = None
    half: tuple[float, float] | None = None
    yaw: float = 0.0


class Trajectories(Record):
    """``trajectories.json``: the first episodes of an evaluation."""

    episodes: tuple[Trajectory, ...]


Trajectory.model_rebuild()


def shares(interval: Interval) -> str:
    """A share in percent, such as ``97 % (94 % to 99 %)``."""
    if interval.low is None or interval.high is None:
        return f"{interval.mean:.0%}".replace("%", " %")
    return f"{interval.mean:.0%} ({interval.low:.0%} to {interval.high:.0%})".replace("%", " %")
