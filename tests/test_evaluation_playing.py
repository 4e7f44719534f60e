"""Policies that play whole episodes on the sandbox as a process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.onnx_models import linear
from tests.worlds import spec_of
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.playing import Episode, play, success_rate
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.spec.environment import EnvironmentSpec

Start = Callable[..., AbstractContextManager[Environment]]
SEEN = {"vector": [{"kind": "relative", "of": "target"}]}


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts the sandbox with a spec."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))

    def started(spec: EnvironmentSpec, *, areas: int = 4, seed: int = 1) -> Environment:
        file = tmp_path / f"{spec.digest()[:8]}.json"
        file.write_text(spec.to_json(), "utf-8")
        command = [sys.executable, "-m", "unity_mlops_mcp.sandbox", str(file)]
        return Environment(command, areas=areas, seed=seed, timeout_s=30)

    return started


def seeking(**changes: Any) -> EnvironmentSpec:
    """A target somewhere, which the agent sees."""
    near = {"region": {"x": [-0.4, 0.4], "z": [-0.4, 0.4]}, "min_distance": 0.4}
    target = {"name": "target", "shape": {"kind": "circle", "radius": 0.5}, "spawn": near}
    return spec_of(entities=[target], observations=SEEN, **changes)


def test_a_policy_that_goes_there_succeeds_and_one_that_flees_does_not(start: Start, tmp_path: Path) -> None:
    there = Policy(linear(tmp_path / "there.onnx", [[10, 0], [0, 10]]), deterministic=True)
    away = Policy(linear(tmp_path / "away.onnx", [[-10, 0], [0, -10]]), deterministic=True)
    with start(seeking()) as environment:
        reached = play(environment, {"Test": there}, episodes=10)
        fled = play(environment, {"Test?team=0": away}, episodes=10)
        strayed = play(environment, {}, episodes=100)
    assert (len(reached), success_rate(reached)) == (10, 1.0)
    assert (len(fled), success_rate(fled)) == (10, 0.0)
    assert all(episode.cut_off and episode.decisions == 20 for episode in fled)
    assert all(episode.returns == {"Test?team=0": 1.0} and not episode.cut_off for episode in reached)
    assert 0 < (success_rate(strayed) or 0) < 0.5, "who is left out acts at random"


def test_one_seed_gives_the_same_episodes_twice(start: Start, tmp_path: Path) -> None:
    policy = Policy(linear(tmp_path / "a.onnx", [[2, 0], [0, 2]], noise=0.5))

    def episodes(seed: int, world: int = 1) -> tuple[Episode, ...]:
        with start(seeking(), seed=world) as environment:
            return play(environment, {"Test": policy}, episodes=12, seed=seed)

    first = episodes(3)
    assert first == episodes(3)
    assert first != episodes(4)
    assert first != episodes(3, world=2)


def test_short_episodes_do_not_count_more_than_long_ones(start: Start, tmp_path: Path) -> None:
    """Half of the episodes end at once and half never; counted as they end, nearly all would be of the first kind."""
    gone = {"default": 1, "minimum": 0, "maximum": 1, "sample": True}
    target = {
        "name": "target",
        "count": "gone",
        "shape": {"kind": "circle", "radius": 1.0},
        "spawn": {"positions": [[0.3, 0]]},
    }
    spec = spec_of(entities=[target], parameters={"gone": gone}, observations=SEEN, episode={"max_step": 500})
    forward = Policy(linear(tmp_path / "forward.onnx", [[0, 0], [0, 0]], bias=[1, 0]))
    with start(spec, areas=50) as environment:
        share = success_rate(play(environment, {"Test": forward}, episodes=200))
    assert 0.4 < (share or 0) < 0.6


def test_a_policy_or_behaviour_that_does_not_fit_is_refused(start: Start, tmp_path: Path) -> None:
    other = Policy(linear(tmp_path / "a.onnx", [[1, 0]] * 5))
    with start(seeking()) as environment:
        with pytest.raises(InvalidInputError, match=r"observes \(2\), the policy \(5\)"):
            play(environment, {"Test": other}, episodes=1)
        with pytest.raises(InvalidInputError, match="no behaviour Nobody") as refused:
            play(environment, {"Nobody": other}, episodes=1)
    assert "Test?team=0" in refused.value.fix
