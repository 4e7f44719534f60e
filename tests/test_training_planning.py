"""What becomes of the caller's trainer YAML when a training is planned."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from unity_mlops_mcp.builds.records import ActionSize, Behavior, PlayerBuild
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.training.planning import Player, Wish, plan_training
from unity_mlops_mcp.training.records import Trainer, TrainerVersions
from unity_mlops_mcp.training.request import TrainingRequest

PRESET = {"trainer_type": "ppo", "hyperparameters": {"batch_size": 128, "buffer_size": 1280}, "max_steps": 50_000}
Plan = Callable[[str], TrainingRequest]


@pytest.fixture
def plan(home: Path) -> Plan:
    """Plans a training of a build with the one behaviour ``Nav``."""
    behavior = Behavior(name="Nav", observation_shapes=((4,),), action_spec=ActionSize(continuous=2, branches=()))
    build = PlayerBuild(
        build_id="sandbox-nav-1",
        target="sandbox",
        digest="1",
        behaviors=(behavior,),
        folder=home / "builds" / "sandbox-nav-1",
        created_at=datetime.now(timezone.utc),
    )
    player = Player("sandbox", build=build, preset=PRESET)
    trainer = Trainer(
        python=Path("python"), kind="stock", command=("mlagents-learn",), versions=TrainerVersions(), fingerprint="1"
    )

    def planned(text: str) -> TrainingRequest:
        wish = Wish(trainer_config=text)
        return plan_training(Settings(home=home), player, trainer, wish, run_id="nav", rng=random.SystemRandom())

    return planned


def _body(request: TrainingRequest) -> Any:
    return request.configuration["behaviors"]["Nav"]


def test_a_part_of_a_yaml_is_laid_over_the_preset(plan: Plan) -> None:
    body = _body(plan("behaviors: {Nav: {hyperparameters: {batch_size: 64}}}"))
    assert body["hyperparameters"]["batch_size"] == 64
    assert body["max_steps"] == 50_000
    assert _body(plan("time_horizon: 20"))["time_horizon"] == 20


def test_default_settings_lie_over_the_preset_and_under_the_behaviour(plan: Plan) -> None:
    body = _body(
        plan("default_settings: {max_steps: 9000, time_horizon: 30}\nbehaviors: {Nav: {time_horizon: 40}, Other: {}}")
    )
    assert (body["max_steps"], body["time_horizon"]) == (9000, 40)
    assert _body(plan("default_settings: {max_steps: 9000}\nbehaviors: {Other: {}}"))["max_steps"] == 9000


def test_a_yaml_for_another_behaviour_is_refused_and_not_left_out(plan: Plan) -> None:
    with pytest.raises(InvalidInputError, match="3DBall") as refused:
        plan("behaviors: {3DBall: {max_steps: 1000}}")
    assert "`Nav:`" in refused.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "behaviors: 3",
        "behaviors: [1]",
        "behaviors: {Nav: 4}",
        "behaviors: {Nav: {hyperparameters: 4}}",
        "behaviors: {Nav: {network_settings: {memory: yes}}}",
        "behaviors: {1: {}}",
        "default_settings: 4",
        "env_settings: [1]",
        "engine_settings: 7",
        "env_settings: {num_envs: hello}",
        "env_settings: {env_args: 5}",
        "hyperparameters: 4",
        "1: 2",
    ],
)
def test_a_yaml_of_another_shape_is_refused_in_words(plan: Plan, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(text)
    assert refused.value.cause == "trainer_config"
