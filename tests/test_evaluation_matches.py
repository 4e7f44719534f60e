"""Two policies against each other, on the sandbox as a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.onnx_models import linear
from tests.test_evaluation_playing import Start, seeking, start
from tests.worlds import spec_of
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.matches import Match, win_rate
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.spec.environment import EnvironmentSpec

__all__ = ["start"]  # a fixture


def race() -> EnvironmentSpec:
    """Two sides begin in the middle; whoever leaves the arena first has won, red when both do at once."""
    return spec_of(
        arena={"half_extent": 5.0, "walls": False},
        entities=[],
        teams=[{"name": "red"}, {"name": "blue"}],
        observations={"vector": [{"kind": "team"}]},
        events=[{"kind": "leave", "name": "left"}],
        rewards=[{"when": "step", "value": -1.0}],
        endings=[{"event": "left", "result": "success", "team": team} for team in ("red", "blue")],
    )


def runner(folder: Path, pace: float) -> Policy:
    """Goes straight on, at this share of full speed."""
    return Policy(linear(folder / f"{pace}.onnx", [[0, 0], [0, 0]], bias=[pace, 0]))


def test_a_faster_policy_wins_on_either_side(start: Start, tmp_path: Path) -> None:
    fast, slow = runner(tmp_path, 1.0), runner(tmp_path, 0.7)
    with start(race()) as environment:
        assert win_rate(fast, slow, environment, episodes=20) == Match(20, 1.0, 1.0, 1.0, 0)
        assert win_rate(slow, fast, environment, episodes=20) == Match(20, 0.0, 0.0, 0.0, 0)


def test_equals_win_half_and_what_nobody_wins_is_a_draw(start: Start, tmp_path: Path) -> None:
    fast, still = runner(tmp_path, 1.0), runner(tmp_path, 0.0)
    with start(race()) as environment:
        assert win_rate(fast, fast, environment, episodes=10) == Match(10, 0.5, 1.0, 0.0, 0)
        assert win_rate(still, still, environment, episodes=10) == Match(10, 0.5, 0.5, 0.5, 10)


def test_the_same_seed_gives_the_same_match_twice(start: Start, tmp_path: Path) -> None:
    noisy = [Policy(linear(tmp_path / f"{at}.onnx", [[0, 0]] * 2, bias=[0.9, at], noise=0.4)) for at in (0.0, 0.1)]

    def match(seed: int) -> Match:
        with start(race(), areas=10) as environment:
            return win_rate(noisy[0], noisy[1], environment, episodes=60, seed=seed)

    assert match(1) == match(1) != match(7)


def test_what_cannot_be_a_match_is_refused(start: Start, tmp_path: Path) -> None:
    policy = runner(tmp_path, 1.0)
    with start(seeking()) as environment, pytest.raises(InvalidInputError, match=r"two teams.*Test\?team=0"):
        win_rate(policy, policy, environment, episodes=2)
    with start(race()) as environment, pytest.raises(InvalidInputError, match="7 episodes cannot be halved"):
        win_rate(policy, policy, environment, episodes=7)
