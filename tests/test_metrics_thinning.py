from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unity_mlops_mcp.metrics.thinning import lttb

VALUES = st.lists(st.floats(width=32), max_size=300)


@given(values=VALUES, points=st.integers(0, 60))
def test_what_is_kept_is_finite_ascending_and_no_more_than_asked_for(values: list[float], points: int) -> None:
    y = np.array(values, dtype=np.float64)
    kept = lttb(np.arange(len(y), dtype=np.float64), y, points)
    usable = np.flatnonzero(np.isfinite(y))
    assert len(kept) == min(points, len(usable))
    assert (np.diff(kept) > 0).all()
    assert np.isfinite(y[kept]).all()
    if len(kept) >= 2:
        assert (kept[0], kept[-1]) == (usable[0], usable[-1])


@given(place=st.integers(1, 9998), height=st.sampled_from([-50.0, 50.0]), points=st.integers(3, 200))
def test_a_lone_spike_is_kept(place: int, height: float, points: int) -> None:
    y = np.zeros(10_000)
    y[place] = height
    assert place in lttb(np.arange(10_000, dtype=np.float64), y, points)


def test_few_points_are_kept_as_they_are() -> None:
    y = np.array([1.0, np.nan, 3.0, np.inf, 5.0])
    assert lttb(np.arange(5.0), y, 3).tolist() == [0, 2, 4]


def test_the_shape_of_a_noisy_curve_survives() -> None:
    x = np.arange(20_000, dtype=np.float64)
    y = np.sin(x / 1500) + 0.05 * np.random.default_rng(0).standard_normal(len(x))
    kept = lttb(x, y, 200)
    assert np.abs(np.interp(x, x[kept], y[kept]) - np.sin(x / 1500)).mean() < 0.12
    assert y[kept].max() > 1.0
    assert y[kept].min() < -1.0
