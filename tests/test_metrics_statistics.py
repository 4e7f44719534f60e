from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unity_mlops_mcp.metrics.statistics import (
    difference_interval,
    iqm,
    iqm_interval,
    mean_interval,
    probability_of_improvement,
    share_interval,
)

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@given(NUMBERS)
def test_an_interval_holds_its_mean_and_is_the_same_twice(values: list[float]) -> None:
    found = mean_interval(values)

    assert found == mean_interval(values)
    assert found.n == len(values)
    assert found.low is not None
    assert found.high is not None
    assert min(values) - 1e-6 <= found.low <= found.high <= max(values) + 1e-6
    assert found.mean == pytest.approx(np.mean(values), abs=1e-6)


def test_one_value_has_no_interval_and_none_is_an_error() -> None:
    found = mean_interval([3.0])
    assert (found.mean, found.sd, found.low, found.high, found.n) == (3.0, None, None, None, 1)
    assert found.told() == "3 (n = 1)"
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


def test_nineteen_of_twenty_intervals_hold_the_true_mean() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        found = mean_interval(rng.normal(7, 2, size=50))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 7 <= found.high
    assert 180 <= held <= 199


def test_a_share_follows_wilson() -> None:
    half = share_interval(5, 10)
    assert half.low == pytest.approx(0.2366, abs=1e-4)
    assert half.high == pytest.approx(0.7634, abs=1e-4)
    sure = share_interval(200, 200)
    assert (sure.mean, sure.high) == (1.0, 1.0)
    assert sure.low == pytest.approx(0.9812, abs=1e-4)
    assert share_interval(0, 5).low == 0
    with pytest.raises(ValueError, match="3 of 2"):
        share_interval(3, 2)


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end() -> None:
    assert iqm([0, 1, 2, 100]) == pytest.approx(1.5)
    assert iqm([5]) == 5
    # of five values a quarter is one and a quarter: of the second and fourth three quarters are left
    assert iqm([0, 10, 20, 30, 99]) == pytest.approx((0.75 * 10 + 20 + 0.75 * 30) / 2.5)
    assert iqm_interval([1, 2, 3]).mean == pytest.approx(2)


@given(NUMBERS, NUMBERS)
def test_a_difference_is_the_other_way_round_when_swapped(first: list[float], second: list[float]) -> None:
    assert difference_interval(first, second).mean == pytest.approx(-difference_interval(second, first).mean)


def test_a_clear_difference_excludes_zero_and_equal_samples_do_not() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 1, 200), rng.normal(0, 1, 200)
    clear, same = difference_interval(first, second), difference_interval(first, first)
    assert clear.low is not None
    assert clear.low > 0.5
    assert same.low is not None
    assert same.high is not None
    assert same.low < 0 < same.high


@given(NUMBERS, NUMBERS)
def test_the_probability_of_improvement_counts_pairs(first: list[float], second: list[float]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    assert probability_of_improvement(first, second) == pytest.approx(np.mean(pairs))
