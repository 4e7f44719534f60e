"""Random numbers that depend only on (seed, area, episode, index): splitmix64 as a counter-based generator.

Areas and episodes therefore never disturb each other, whatever the number of areas or the order of episode ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S40 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(40)


def _mix(word: Words) -> Words:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    word = (word ^ (word >> _S30)) * _MIX_1
    word = (word ^ (word >> _S27)) * _MIX_2
    mixed: Words = word ^ (word >> _S31)
    return mixed


def uniforms(
    seed: int, areas: NDArray[np.int64], episodes: NDArray[np.int64], count: int, *, first: NDArray[np.int64] | int = 0
) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1): one row of ``count`` for each (area, episode).

    Args:
        seed: the world's seed.
        areas: (n,) area numbers.
        episodes: (n,) episode numbers within each area.
        count: how many numbers per row.
        first: (n,) or one number: how many numbers of each (area, episode) to leave out.

    Returns:
        (n, count) float32; multiples of 2**-24.
    """
    key = _mix(np.full(len(areas), seed % 2**64, np.uint64) + _GOLDEN)
    key = _mix(_mix(key ^ areas.astype(np.uint64)) + _GOLDEN * (episodes.astype(np.uint64) + np.uint64(1)))
    index = np.arange(1, count + 1, dtype=np.uint64) + np.asarray(first, np.uint64).reshape(-1, 1)
    words = _mix(key[:, None] + _GOLDEN * index)
    numbers: NDArray[np.float32] = (words >> _S40).astype(np.float32) * np.float32(2**-24)
    return numbers
