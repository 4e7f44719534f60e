"""What a reward curve says: its direction, and whether the training has stalled or gone wrong, with the reason.

The rules are simple on purpose, and each is told in the reason:

- below ten summaries it is too early;
- the direction is that of a straight line through the last 30 % of summaries, if it rises or falls by at least 2 % of
  the curve's range and by more than twice its standard error;
- diverging: a reward or loss that is not a number; a mean reward that has lost more than half of what it had gained, by
  far more than the noise; a value loss ten times its usual size without a rising reward;
- plateau: no direction, and either a change below 2 % of the range or noise small enough to see one of 10 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.metrics.records import Trend, Verdict

FEWEST_SUMMARIES = 10
WINDOW = 0.3
SMALL_CHANGE = 0.02
VISIBLE_CHANGE = 0.1
LOST_SHARE = 0.5
LOSS_FACTOR = 10.0
_NOISE_FACTOR = 4.0
_FEWEST_IN_WINDOW = 5

_Floats = npt.NDArray[np.float64]


class Judgement(NamedTuple):
    """A verdict and what it rests on; trend and slope are None when it is too early."""

    verdict: Verdict
    reason: str
    trend: Trend | None = None
    slope_per_1000_steps: float | None = None


class _Line(NamedTuple):
    """The straight line through the last summaries; rise and noise are shares of the whole curve's range."""

    points: int
    slope: float
    rise: float
    noise: float

    @property
    def trend(self) -> Trend:
        if abs(self.rise) < SMALL_CHANGE or abs(self.rise) <= self.noise:
            return "flat"
        return "improving" if self.rise > 0 else "falling"


def judge(steps: npt.NDArray[np.int64], rewards: _Floats, losses: Mapping[str, _Floats]) -> Judgement:
    """Judge a training by its curves.

    Args:
        steps: agent steps of the summaries in which an episode ended, ascending, shape (n,).
        rewards: mean reward of each, shape (n,); may hold NaN and infinity.
        losses: name → values over the training, any length.
    """
    for name, values in {"mean reward": rewards, **losses}.items():
        if len(values) and not np.isfinite(values[-1]):
            return Judgement("diverging", f"The last {name} is not a number ({values[-1]}).")
    usable = np.isfinite(rewards)
    steps, rewards = steps[usable], rewards[usable]
    if len(rewards) < FEWEST_SUMMARIES:
        found = f"{len(rewards)} of the {FEWEST_SUMMARIES} summaries with a finished episode that a verdict needs"
        return Judgement("too_early", f"Too early to tell: {found} are there.")
    line = _fit(steps, rewards)
    verdict, reason = _diverging(steps, rewards, losses, line.trend) or _settled(line, float(np.ptp(rewards)))
    return Judgement(verdict, reason, line.trend, 1000 * line.slope)


def _fit(steps: npt.NDArray[np.int64], rewards: _Floats) -> _Line:
    count = max(_FEWEST_IN_WINDOW, round(WINDOW * len(rewards)))
    x, y = steps[-count:].astype(np.float64), rewards[-count:]
    x = x - x.mean()
    spread = float((x * x).sum()) or 1.0
    slope = float((x * y).sum()) / spread
    residual = y - y.mean() - slope * x
    error = float(np.sqrt((residual * residual).sum() / (count - 2) / spread))
    length = float(np.ptp(x)) / (float(np.ptp(rewards)) or 1.0)
    return _Line(count, slope, slope * length, 2 * error * length)


def _settled(line: _Line, reward_range: float) -> tuple[Verdict, str]:
    over = f"over the last {line.points} summaries"
    if not reward_range:
        return "plateau", "The mean reward has never changed."
    change = f"{100 * abs(line.rise):.1f} % of its range {over} (noise {100 * line.noise:.1f} %)"
    if line.trend == "improving":
        return "learning", f"The mean reward rose by {change}."
    if line.trend == "falling":
        return "unsettled", f"The mean reward fell by {change}; not enough to call it divergence."
    if abs(line.rise) < SMALL_CHANGE:
        return "plateau", f"The mean reward changed by less than 2 % of its range: by {change}."
    if line.noise < VISIBLE_CHANGE:
        return "plateau", f"The mean reward changed by no more than its noise: by {change}."
    return "unsettled", f"The mean reward is too noisy to tell: it changed by {change}."


def _diverging(
    steps: npt.NDArray[np.int64], rewards: _Floats, losses: Mapping[str, _Floats], trend: Trend
) -> tuple[Verdict, str] | None:
    if trend == "improving":
        return None
    width = max(3, len(rewards) // 10)
    smooth = np.convolve(rewards, np.ones(width) / width, mode="valid")
    noise = float(np.std(np.diff(rewards))) / np.sqrt(width)
    best = int(smooth.argmax())
    lost, gained = smooth[best] - smooth[-1], smooth[best] - smooth.min()
    if lost > LOST_SHARE * gained and lost > _NOISE_FACTOR * noise:
        fell = f"fell from {smooth[best]:.3g} around step {steps[best + width - 1]} to {smooth[-1]:.3g}"
        return "diverging", f"The mean reward {fell}, more than half of the way down to its lowest."
    for name, values in losses.items():
        usual, last = _usual_and_last(values)
        if last > LOSS_FACTOR * usual > 0:
            return "diverging", f"The {name} is {last:.3g}, {last / usual:.0f} times its usual {usual:.3g}."
    return None


def _usual_and_last(values: _Floats) -> tuple[float, float]:
    """Medians of the size of a loss: of the first 70 % of its finite values, and of the rest; 0 for too few."""
    sizes = np.abs(values[np.isfinite(values)])
    if len(sizes) < FEWEST_SUMMARIES:
        return 0.0, 0.0
    cut = round((1 - WINDOW) * len(sizes))
    return float(np.median(sizes[:cut])), float(np.median(sizes[cut:]))
