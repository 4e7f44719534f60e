"""A spec's lessons and drawn parameters on their way through the trainer to the player."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.training_home import finish, small
from tests.worlds import spec_of
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.training.configuration.compose import check_configuration
from unity_mlops_mcp.training.configuration.parameters import environment_parameters

LESSONS = [
    {"value": 2.9, "threshold": 0.3, "min_lesson_length": 5},
    {"value": [0.5, 1.0], "measure": "reward", "threshold": -2.0, "signal_smoothing": False},
    {"value": 0.1},
]


def _spec(**parameters: dict[str, Any]) -> EnvironmentSpec:
    """A target of a size that lessons change, 3 m away; a big one is reached at once, a small one hardly ever."""
    target = {
        "name": "target",
        "shape": {"kind": "circle", "radius": "size"},
        "spawn": {"positions": [[0.6, 0.0]]},
    }
    size = {"default": 0.5, "minimum": 0.05, "maximum": 3.0}
    return spec_of(
        name="ReachTarget",
        entities=[target],
        parameters={"size": {**size, "curriculum": LESSONS}, **parameters},
        episode={"max_step": 50},
    )


def test_lessons_and_samplers_are_written_as_mlagents_reads_them() -> None:
    drawn = {"default": 1.0, "minimum": 0.5, "maximum": 2.0, "sample": True}
    found = environment_parameters(_spec(drawn=drawn, fixed={"default": 1.0, "minimum": 0.0, "maximum": 2.0}))
    uniform = {"sampler_type": "uniform", "sampler_parameters": {"min_value": 0.5, "max_value": 2.0}}
    assert found["drawn"] == uniform
    assert set(found) == {"drawn", "size"}, "what nobody varies is the player's own"
    first, second, last = found["size"]["curriculum"]
    assert first == {
        "name": "Lesson0",
        "value": 2.9,
        "completion_criteria": {
            "behavior": "ReachTarget",
            "measure": "progress",
            "threshold": 0.3,
            "min_lesson_length": 5,
            "signal_smoothing": True,
        },
    }
    assert second["value"]["sampler_parameters"] == {"min_value": 0.5, "max_value": 1.0}
    assert (second["completion_criteria"]["measure"], second["completion_criteria"]["signal_smoothing"]) == (
        "reward",
        False,
    )
    assert last == {"name": "Lesson2", "value": 0.1}
    whole = {"behaviors": {"ReachTarget": {"trainer_type": "ppo"}}, "environment_parameters": found}
    assert not check_configuration(whole, settings=Settings()).errors


@pytest.mark.trainer
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fast", "compat"])
def test_a_training_goes_through_the_lessons_of_its_spec(app: App, mode: Any) -> None:
    build = app.build_environment(spec=_spec().to_yaml()).build_id
    started = app.start_training(build_id=build, trainer_config=small(8000, summary=800), seed=1, trainer_mode=mode)
    status = finish(app, started.run_id)
    assert status.state == "succeeded", status.failure
    log = app.read_log(started.run_id, tail=400)
    said = [f"Parameter 'size' is in lesson 'Lesson{number}'" for number in range(3)]
    assert [line in log for line in said] == [True, True, True]
    metrics = app.get_metrics(started.run_id, tags="Environment/Success,Environment/Lesson Number/size")
    assert metrics.summary.lessons == {"size": 2}
    success, lessons = metrics.series
    assert (lessons.values[0], lessons.values[-1]) == (0.0, 2.0)
    assert success.values[0] > 0.9, "the target is nearly everywhere"
    assert success.values[-1] < 0.5, "the player took the small size of the last lesson"


@pytest.mark.trainer
@pytest.mark.slow
def test_a_trainer_yaml_of_the_users_own_wins_parameter_by_parameter(app: App) -> None:
    drawn = {"default": 1.0, "minimum": 0.5, "maximum": 2.0, "sample": True}
    build = app.build_environment(spec=_spec(drawn=drawn).to_yaml()).build_id
    own = (
        small(800, summary=400)
        + "\nenvironment_parameters: {size: {sampler_type: constant, sampler_parameters: {value: 2}}, extra: 3}"
    )
    status = finish(app, app.start_training(build_id=build, trainer_config=own).run_id)
    found = yaml.safe_load(status.configuration or "")["environment_parameters"]
    assert found["size"] == {"sampler_type": "constant", "sampler_parameters": {"value": 2}}
    assert found["extra"] == 3
    assert found["drawn"]["sampler_type"] == "uniform"
    assert Path(status.onnx or "").is_file()
