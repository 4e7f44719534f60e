"""Probing players: any observation and action, faults, and what is said of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.stand_ins.player import BRANCHES, IMAGE, SIZE, write_player
from unity_mlops_mcp.builds.probe import probe
from unity_mlops_mcp.builds.records import ActionSize
from unity_mlops_mcp.errors import ExternalError, NotFoundError


@pytest.mark.parametrize("observations", ["vector", "image", "png"])
@pytest.mark.parametrize("actions", ["continuous", "discrete", "hybrid"])
def test_every_kind_of_observation_and_action_is_probed(observations: str, actions: str, tmp_path: Path) -> None:
    player = write_player(tmp_path, "--observations", observations, "--actions", actions, "--agents", "5")
    found = probe(player, steps=10, areas=2)
    shapes = ((SIZE,),) if observations == "vector" else ((SIZE,), IMAGE)
    (behavior,) = found.behaviors
    assert behavior.name == "Nav"
    assert behavior.observation_shapes == shapes
    assert behavior.action_spec == ActionSize(
        continuous=0 if actions == "discrete" else 2, branches=() if actions == "continuous" else BRANCHES
    )
    assert (found.agents, found.steps, found.package_version) == (10, 10, "3.0.0")
    assert found.exchanges_per_second > 0
    assert found.agent_steps_per_second > found.exchanges_per_second
    assert found.problems == ()


def test_teams_are_one_behavior_and_episodes_of_all_agents_are_counted(tmp_path: Path) -> None:
    player = write_player(tmp_path, "--teams", "2", "--groups", "--agents", "8", "--episode", "5")
    found = probe(player, steps=12)
    assert [behavior.name.count("?") for behavior in found.behaviors] == [0]
    assert found.episodes >= 16
    assert found.mean_return is not None
    assert -2 < found.mean_return < 2


@pytest.mark.parametrize("fault", ["nan@3", "infobs@3"])
def test_numbers_that_would_stop_a_training_are_a_problem(fault: str, tmp_path: Path) -> None:
    found = probe(write_player(tmp_path, "--fault", fault), steps=6)
    assert found.not_finite == 1
    assert "NaN or infinite" in found.problems[0]


def test_an_absent_player_is_told_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "Other.x86_64").touch()
    with pytest.raises(NotFoundError) as caught:
        probe(tmp_path / "Game")
    assert caught.value.cause == "player_missing"
    assert caught.value.evidence == ("Other.x86_64",)


@pytest.mark.parametrize(
    ("fault", "cause"), [("crash", "player_exited"), ("exit@2", "player_exited"), ("hang@2", "player_timeout")]
)
def test_a_player_that_fails_is_told_and_ended(fault: str, cause: str, tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(ExternalError) as caught:
        probe(write_player(tmp_path, "--fault", fault), steps=5, timeout_s=3)
    assert caught.value.cause == cause
    assert time.monotonic() - start < 15


def test_the_players_last_words_are_the_evidence(tmp_path: Path) -> None:
    player = tmp_path / "Game.x86_64"
    player.write_text("#!/bin/sh\necho cannot find libfoo.so >&2\nexit 127\n")
    player.chmod(0o755)
    with pytest.raises(ExternalError) as caught:
        probe(player, log_folder=tmp_path / "logs")
    assert caught.value.evidence == ("cannot find libfoo.so",)
    assert (tmp_path / "logs" / "player.out").is_file()
