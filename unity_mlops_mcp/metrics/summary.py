"""One summary of a behaviour's training from its event files."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.metrics.reader import Points, RunReader
from unity_mlops_mcp.metrics.records import EpisodeCount, MetricsSummary
from unity_mlops_mcp.metrics.verdict import Judgement, judge

REWARD = "Environment/Cumulative Reward"
GROUP_REWARD = "Environment/Group Cumulative Reward"
EPISODE_LENGTH = "Environment/Episode Length"
SUCCESS = "Environment/Success"
ENDING = "Environment/Ending/"
LESSON = "Environment/Lesson Number/"
VALIDATION = "Losses/Validation Loss"
ELO = "Self-play/ELO"
LOSSES = {"policy loss": "Losses/Policy Loss", "value loss": "Losses/Value Loss"}

EPISODES_FOR_SUCCESS = 100
_PACE_SUMMARIES = 10
_IDLE_INTERVALS = 10
_IDLE_S = 60.0


class _Episodes(NamedTuple):
    """How many episodes ended in each summary, and whether that was recorded or worked out."""

    steps: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    are: EpisodeCount

    def at(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Episodes of the summaries at these steps; one where nothing is known of a summary."""
        index = np.searchsorted(self.steps, steps).clip(max=len(self.steps) - 1)
        return np.where(self.steps[index] == steps, self.numbers[index], 1.0)


def summarize(reader: RunReader, *, max_steps: int | None, now: float, behavior: str | None = None) -> MetricsSummary:
    """Sum up a behaviour's training; call ``reader.poll()`` first.

    Args:
        reader: the run's reader.
        max_steps: agent steps at which the training ends; None if unknown.
        now: the present, in seconds since 1970.
        behavior: which behaviour; the reader's own if None.
    """
    attempts = reader.attempts(behavior)
    return MetricsSummary(
        behavior=behavior or reader.behavior or "",
        attempts=len(attempts),
        **_rewards(reader, behavior),
        **_episodes(reader, behavior),
        **_pace(reader, behavior, max_steps=max_steps, now=now),
        lessons=_lessons(reader, behavior),
        group_reward=_last(reader, GROUP_REWARD, behavior),
        episode_length=_last(reader, EPISODE_LENGTH, behavior),
        policy_loss=_last(reader, LOSSES["policy loss"], behavior),
        value_loss=_last(reader, LOSSES["value loss"], behavior),
        learning_rate=_last(reader, "Policy/Learning Rate", behavior),
        entropy=_last(reader, "Policy/Entropy", behavior),
        elo=_last(reader, ELO, behavior),
        problems=reader.problems,
    )


def _last(reader: RunReader, tag: str, behavior: str | None) -> float | None:
    values = reader.points(tag, behavior).values
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else None


def _lessons(reader: RunReader, behavior: str | None) -> dict[str, int]:
    tags = [tag for tag in reader.tags_of(behavior) if tag.startswith(LESSON)]
    return {tag.removeprefix(LESSON): int(_last(reader, tag, behavior) or 0) for tag in tags}


def _rewards(reader: RunReader, behavior: str | None) -> dict[str, Any]:
    own = reader.points(REWARD, behavior)
    group = reader.points(GROUP_REWARD, behavior)
    judged = group if len(group.steps) else own
    losses = {name: reader.points(tag, behavior).values for name, tag in LOSSES.items()}
    judgement = judge(judged.steps, judged.values, losses)
    usable = np.flatnonzero(np.isfinite(own.values))
    if not len(usable):
        return _without_episodes(reader, behavior, judgement)._asdict()
    best = usable[own.values[usable].argmax()]
    return {
        "summaries": len(own.steps),
        "first_reward": float(own.values[usable[0]]),
        "last_reward": float(own.values[usable[-1]]),
        "last_reward_step": int(own.steps[usable[-1]]),
        "best_reward": float(own.values[best]),
        "best_reward_step": int(own.steps[best]),
        **judgement._asdict(),
    }


def _without_episodes(reader: RunReader, behavior: str | None, judgement: Judgement) -> Judgement:
    """The judgement of a run in which no episode has ended: one that learns from a dataset never has one."""
    held = reader.points(VALIDATION, behavior).values
    if not len(held):
        return judgement
    reason = (
        f"It learns from a dataset, without a player: the loss on the episodes held back went from {held[0]:.4f} to "
        f"{held[-1]:.4f}. How well it plays, evaluate_model tells."
    )
    return judgement._replace(reason=reason)


def _episode_counts(reader: RunReader, behavior: str | None) -> _Episodes | None:
    """Episodes of each summary.

    ML-Agents writes a histogram beside each mean reward; its count is the number of episodes. Without one it is worked
    out: an episode of n decisions counts n agent steps and is recorded with length n - 1 (mlagents 1.1.0,
    ``agent_processor.py``: the terminal step is not counted).
    """
    recorded = reader.counts(f"{REWARD}_hist", behavior)
    if len(recorded.steps):
        return _Episodes(recorded.steps, recorded.values, "recorded")
    lengths = reader.points(EPISODE_LENGTH, behavior)
    if not len(lengths.steps):
        return None
    return _Episodes(lengths.steps, np.diff(lengths.steps, prepend=0) / (lengths.values + 1), "estimated")


def _episodes(reader: RunReader, behavior: str | None) -> dict[str, Any]:
    episodes = _episode_counts(reader, behavior)
    if episodes is None:
        return {}
    told = {"episodes": round(float(np.nansum(episodes.numbers))), "episodes_are": episodes.are}
    success = reader.points(SUCCESS, behavior)
    if not len(success.steps):
        return told
    numbers = np.nan_to_num(episodes.at(success.steps))
    behind = np.cumsum(numbers[::-1])
    taken = min(int(np.searchsorted(behind, EPISODES_FOR_SUCCESS)) + 1, len(behind))
    first = int(success.steps[-taken])
    endings = [tag for tag in reader.tags_of(behavior) if tag.startswith(ENDING)]
    return {
        **told,
        "success": _share(success, episodes, first),
        "success_episodes": round(float(behind[taken - 1])),
        "success_summaries": taken,
        "endings": {tag.removeprefix(ENDING): _share(reader.points(tag, behavior), episodes, first) for tag in endings},
    }


def _share(points: Points, episodes: _Episodes, first: int) -> float:
    """Mean of the values from step ``first`` on, each weighted by the episodes of its summary."""
    chosen = (points.steps >= first) & np.isfinite(points.values)
    weights = np.nan_to_num(episodes.at(points.steps[chosen]))
    return float((points.values[chosen] * weights).sum() / (weights.sum() or 1.0))


def _pace(reader: RunReader, behavior: str | None, *, max_steps: int | None, now: float) -> dict[str, Any]:
    """Steps, steps per second and remaining time, from the tag that was written at most summaries."""
    attempts = reader.attempts(behavior)
    every = [reader.points(tag, behavior) for tag in reader.tags_of(behavior)]
    marks = max(every, key=lambda points: (points.steps[-1], len(points.steps)), default=None)
    if marks is None or not attempts:
        return {}
    of_last = marks.wall_times >= attempts[-1].started_at
    steps, times = marks.steps[of_last][-_PACE_SUMMARIES:], marks.wall_times[of_last][-_PACE_SUMMARIES:]
    told = {"steps": int(marks.steps[-1]), "updated_at": float(marks.wall_times[-1])}
    if len(steps) < 2 or times[-1] <= times[0]:  # noqa: PLR2004
        return told
    speed = float((steps[-1] - steps[0]) / (times[-1] - times[0]))
    idle = now - told["updated_at"]
    told["steps_per_second"] = speed
    if max_steps is not None and told["steps"] >= max_steps:
        told["eta_s"] = 0.0
    elif max_steps is not None and idle < max(_IDLE_S, _IDLE_INTERVALS * float(np.diff(times).mean())):
        told["eta_s"] = max(0.0, (max_steps - told["steps"]) / speed - idle)
    return told
