"""What is known about a training from its event files: series of points, and one summary of a behaviour."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Trend = Literal["improving", "flat", "falling"]
Verdict = Literal["too_early", "learning", "plateau", "diverging", "unsettled"]
EpisodeCount = Literal["recorded", "estimated"]
LEVEL = 0.95


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Interval(_Record):
    """A figure and how sure it is.

    Attributes:
        mean: the figure; a mean, a share (0 to 1), an interquartile mean or a difference.
        sd: standard deviation of the values (n - 1 in the denominator); None for fewer than two.
        low: lower end of the interval; None for fewer than two values.
        high: upper end.
        n: how many values it rests on.
        level: share of such intervals that hold the true figure.
    """

    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    n: int
    level: float = LEVEL

    def told(self, digits: int = 3) -> str:
        """Such as ``0.913 (0.88 to 0.94, n = 200)``."""
        figure = f"{self.mean:.{digits}g}"
        if self.low is None or self.high is None:
            return f"{figure} (n = {self.n})"
        return f"{figure} ({self.low:.{digits}g} to {self.high:.{digits}g}, n = {self.n})"


class Series(_Record):
    """The points of one tag, in the order of their steps.

    Attributes:
        tag: the name under which the trainer recorded it, such as ``"Environment/Cumulative Reward"``.
        steps: agent steps at which a point was written.
        values: one finite value per step.
        wall_times: when each point was written, in seconds since 1970; None where nobody asked for them.
        points: how many points there are before thinning, those that are not finite numbers left out.
    """

    tag: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    wall_times: tuple[float, ...] | None = None
    points: int


class ReadProblem(_Record):
    """A place in an event file that could not be read; reading went on behind it.

    Attributes:
        file: path of the event file.
        offset: byte at which the unreadable record starts.
        message: what is wrong there.
    """

    file: str
    offset: int
    message: str


class Attempt(_Record):
    """One process of a run, as its event file shows it; a resume adds one.

    Attributes:
        started_at: when the event file was begun, in seconds since 1970.
        first_step: agent steps at its first summary.
        last_step: agent steps at its last summary.
    """

    started_at: float
    first_step: int
    last_step: int


class MetricsSummary(_Record):
    """How a training stands, in one record; a field is None where the event files do not tell.

    Rewards are means over the episodes that ended within one summary interval (ML-Agents' ``summary_freq``).

    Attributes:
        behavior: name of the behaviour.
        steps: agent steps at the last summary, over all attempts.
        summaries: number of summaries in which an episode ended.
        attempts: number of processes that wrote summaries.
        first_reward: mean reward of the first summary.
        last_reward: mean reward of the last summary.
        last_reward_step: agent steps at that summary.
        best_reward: highest mean reward of any summary.
        best_reward_step: agent steps at that summary.
        group_reward: last mean group reward (POCA only).
        success: share of successful episodes, 0 to 1, over as many last summaries as 100 episodes take.
        success_episodes: number of episodes behind ``success``.
        success_summaries: number of summaries behind ``success``.
        endings: share of each ending cause, 0 to 1, over the same summaries as ``success``.
        lessons: number of the lesson that each environment parameter is in, from 0 (a curriculum raises it).
        episodes: episodes that ended since the start of the run.
        episodes_are: ``"recorded"`` where the trainer wrote their number beside each reward, ``"estimated"`` where
            it was worked out from the steps and the mean episode length.
        episode_length: last mean episode length in decisions, the last decision of an episode not counted.
        trend: direction of the mean reward over the last 30 % of summaries.
        slope_per_1000_steps: change of the mean reward per 1000 agent steps over the same summaries.
        verdict: ``"too_early"``, ``"learning"``, ``"plateau"``, ``"diverging"``, or ``"unsettled"`` when the reward
            is too noisy to tell.
        reason: the verdict's reason, in words and figures.
        steps_per_second: agent steps per second over the last summaries of the last attempt.
        eta_s: seconds until ``max_steps`` at that speed; 0 when reached; None when nothing was written for long.
        policy_loss: last policy loss.
        value_loss: last value loss.
        learning_rate: last learning rate.
        entropy: last policy entropy.
        elo: last ELO rating (self-play only).
        updated_at: when the last summary was written, in seconds since 1970.
        problems: places in the event files that could not be read.
    """

    behavior: str
    steps: int = 0
    summaries: int = 0
    attempts: int = 0
    first_reward: float | None = None
    last_reward: float | None = None
    last_reward_step: int | None = None
    best_reward: float | None = None
    best_reward_step: int | None = None
    group_reward: float | None = None
    success: float | None = None
    success_episodes: int | None = None
    success_summaries: int | None = None
    endings: dict[str, float] = {}
    lessons: dict[str, int] = {}
    episodes: int | None = None
    episodes_are: EpisodeCount | None = None
    episode_length: float | None = None
    trend: Trend | None = None
    slope_per_1000_steps: float | None = None
    verdict: Verdict = "too_early"
    reason: str = ""
    steps_per_second: float | None = None
    eta_s: float | None = None
    policy_loss: float | None = None
    value_loss: float | None = None
    learning_rate: float | None = None
    entropy: float | None = None
    elo: float | None = None
    updated_at: float | None = None
    problems: tuple[ReadProblem, ...] = ()
