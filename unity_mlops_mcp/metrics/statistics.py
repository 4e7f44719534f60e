"""Figures with their doubt: means, shares, differences and interquartile means with intervals.

Bootstrap intervals are percentile intervals over resamples drawn from a fixed seed, so that the same values give the
same interval. The interquartile mean over several seeds, its stratified bootstrap and the probability of improvement
are those of Agarwal et al. 2021 (Deep Reinforcement Learning at the Edge of the Statistical Precipice).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from unity_mlops_mcp.metrics.records import LEVEL, Interval

RESAMPLES = 2000
FEWEST_FOR_INTERVAL = 2
FEWEST_SEEDS = 3
"""From so many seeds on an interquartile mean says more than the mean."""

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Of samples (..., n): one figure each, (...)."""


def mean_interval(values: Sequence[float] | Floats, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """The mean with a bootstrap interval.

    Args:
        values: finite numbers, at least one.
        level: of the interval, between 0 and 1.
        seed: of the resamples.

    Raises:
        ValueError: there are no values.
    """
    return _bootstrapped(_sample(values), _mean, level, seed)


def iqm_interval(values: Sequence[float] | Floats, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """The interquartile mean with a bootstrap interval; see `mean_interval`."""
    return _bootstrapped(_sample(values), iqm_of, level, seed)


def middle_interval(values: Sequence[float] | Floats) -> Interval:
    """The figure of some runs: their interquartile mean from `FEWEST_SEEDS` on, else their mean; with its interval."""
    return iqm_interval(values) if len(values) >= FEWEST_SEEDS else mean_interval(values)


def share_interval(successes: float, n: int, *, level: float = LEVEL) -> Interval:
    """A share of ``n`` with Wilson's interval, which holds near 0 and 1 and for few trials too.

    Args:
        successes: how many succeeded, 0 to n; a fraction where a trial succeeds in part.
        n: how many trials, at least 1.
        level: of the interval.

    Raises:
        ValueError: there are no trials, or more successes than trials.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share.")
    share, z = successes / n, NormalDist().inv_cdf(0.5 + level / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    spread = sqrt(share * (1 - share) * n / (n - 1)) if n > 1 else None
    low, high = min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))
    return Interval(mean=share, sd=spread, low=low, high=high, n=n, level=level)


def iqm(values: Sequence[float] | Floats) -> float:
    """The mean of the middle half: what is left when a quarter is cut off at either end.

    Raises:
        ValueError: there are no values.
    """
    return float(iqm_of(_sample(values)))


def iqm_of(samples: Floats) -> Floats:
    """The interquartile means of samples (..., n), (...); the cut values count by the part that is inside."""
    ordered = np.sort(samples, axis=-1)
    n = ordered.shape[-1]
    edges = np.arange(n + 1)
    inside = np.clip(np.minimum(edges[1:], 0.75 * n) - np.maximum(edges[:-1], 0.25 * n), 0, 1)
    weighed: Floats = (ordered * inside).sum(axis=-1) / inside.sum()
    return weighed


def difference_interval(
    first: Sequence[float] | Floats, second: Sequence[float] | Floats, *, level: float = LEVEL, seed: int = 0
) -> Interval:
    """Mean of the first minus mean of the second, two independent samples, with a bootstrap interval.

    Returns:
        ``n`` is the size of the smaller sample; ``sd`` is None. Without an interval when either has fewer than two.

    Raises:
        ValueError: a sample is empty.
    """
    a, b = _sample(first), _sample(second)
    n, mean = min(len(a), len(b)), float(a.mean() - b.mean())
    if n < FEWEST_FOR_INTERVAL:
        return Interval(mean=mean, n=n, level=level)
    draws = np.random.default_rng(seed)
    differences = _resampled(a, _mean, draws) - _resampled(b, _mean, draws)
    low, high = np.quantile(differences, _ends(level))
    return Interval(mean=mean, low=float(low), high=float(high), n=n, level=level)


def probability_of_improvement(first: Sequence[float] | Floats, second: Sequence[float] | Floats) -> float:
    """How likely a value of the first sample is greater than one of the second, 0 to 1; a tie counts half.

    Raises:
        ValueError: a sample is empty.
    """
    a, b = _sample(first), np.sort(_sample(second))
    below, upto = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
    return float((below + upto).sum() / (2 * len(a) * len(b)))


def _sample(values: Sequence[float] | Floats) -> Floats:
    sample = np.asarray(values, np.float64).ravel()
    if not len(sample):
        raise ValueError("There are no values.")
    return sample


def _bootstrapped(sample: Floats, statistic: Statistic, level: float, seed: int) -> Interval:
    mean, n = float(statistic(sample)), len(sample)
    if n < FEWEST_FOR_INTERVAL:
        return Interval(mean=mean, n=n, level=level)
    low, high = np.quantile(_resampled(sample, statistic, np.random.default_rng(seed)), _ends(level))
    return Interval(mean=mean, sd=float(sample.std(ddof=1)), low=float(low), high=float(high), n=n, level=level)


def _resampled(sample: Floats, statistic: Statistic, draws: np.random.Generator) -> Floats:
    """The statistic of resamples, (RESAMPLES,); chunk by chunk, so that long samples need little memory."""
    rows = max(1, 1_000_000 // len(sample))
    parts = []
    for start in range(0, RESAMPLES, rows):
        chosen = draws.integers(len(sample), size=(min(rows, RESAMPLES - start), len(sample)))
        parts.append(statistic(sample[chosen]))
    return np.concatenate(parts)


def _mean(samples: Floats) -> Floats:
    found: Floats = samples.mean(axis=-1)
    return found


def _ends(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2
