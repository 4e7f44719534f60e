"""Environment specs: reading, writing, sizes, schema, and what they refuse."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec

BASE: dict[str, Any] = {
    "name": "Test",
    "entities": [
        {"name": "target", "shape": {"kind": "circle", "radius": 0.4}},
        {"name": "rock", "tag": "stone", "count": "rocks", "shape": {"kind": "box", "size": [1, 2]}, "solid": True},
        {"name": "point", "count": 3, "ordered": True},
    ],
    "observations": {"vector": [{"kind": "position"}, {"kind": "one_hot", "of": "point"}]},
    "events": [{"kind": "enter", "name": "reached", "of": "target"}],
    "rewards": [{"when": "event", "event": "reached", "value": 1}],
    "endings": [{"event": "reached", "result": "success"}],
    "parameters": {"rocks": {"default": 2, "minimum": 0, "maximum": 4}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """A copy of BASE with one value replaced, such as ``entities.0.count``."""
    data: Any = copy.deepcopy(BASE)
    place = data
    *folders, last = path.split(".")
    for key in folders:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    if isinstance(place, list):
        place.append(value) if int(last) == len(place) else place.__setitem__(int(last), value)
    else:
        place[last] = value
    result: dict[str, Any] = data
    return result


@pytest.mark.parametrize("name", archetype_names())
def test_a_spec_survives_json_and_yaml(name: str) -> None:
    spec = load_archetype(name).spec
    assert EnvironmentSpec.from_text(spec.to_json()) == spec
    assert EnvironmentSpec.from_text(spec.to_yaml()) == spec
    assert EnvironmentSpec.from_text(spec.to_yaml()).digest() == spec.digest()


def test_the_digest_does_not_depend_on_how_a_spec_was_written() -> None:
    shuffled = dict(reversed(list(BASE.items())))
    explicit = {**BASE, "actions": {"kind": "continuous"}}
    digests = {EnvironmentSpec.from_data(data).digest() for data in (BASE, shuffled, explicit)}
    assert len(digests) == 1
    assert EnvironmentSpec.from_data(changed("arena.half_extent", 6)).digest() not in digests


def test_sizes_follow_from_the_parts() -> None:
    data = changed(
        "observations",
        {
            "vector": [
                {"kind": "position"},
                {"kind": "relative", "of": "target"},
                {"kind": "bearing", "of": "rock"},
                {"kind": "velocity"},
                {"kind": "heading"},
                {"kind": "wall_distance"},
                {"kind": "time_left"},
                {"kind": "progress", "of": "point"},
                {"kind": "one_hot", "of": "point"},
            ],
            "rays": [
                {"name": "Zoom", "tags": ["wall"]},
                {"name": "far", "tags": ["stone", "wall"], "rays_per_direction": 5},
            ],
        },
    )
    spec = EnvironmentSpec.from_data(data)
    assert spec.sensors() == (("far", (44,)), ("VectorSensor_size20", (20,)), ("Zoom", (21,)))
    assert (spec.continuous_size, spec.branches) == (2, ())
    discrete = EnvironmentSpec.from_data(changed("actions", {"kind": "discrete"}))
    assert (discrete.continuous_size, discrete.branches) == (0, (5,))


def test_every_field_of_the_published_schema_is_described() -> None:
    command = [sys.executable, "-m", "unity_mlops_mcp", "spec-schema"]
    schema = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    bare = [
        f"{name}.{key}"
        for name, part in [("spec", schema), *schema["$defs"].items()]
        for key, entry in part["properties"].items()
        if key not in {"kind", "when"} and "description" not in entry
    ]
    assert bare == []
    assert json.dumps(schema)
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("name", "lower case", "name"),
        ("colour", "red", "colour"),
        ("entities.0.count", "target_count", "unknown parameter 'target_count'"),
        ("entities.0.name", "rock", "used twice"),
        ("entities.0.name", "wall", "belongs to the arena"),
        ("entities.0.shape.radius", 0, "greater than 0"),
        ("entities.0.shape.radius", float("nan"), "finite"),
        ("entities.0.spawn", {"region": {"x": [0.5, -0.5]}}, "not a range"),
        ("entities.0.spawn", {"positions": []}, "0 positions for 1"),
        ("entities.0.spawn", {"positions": [[2, 0]]}, "fractions"),
        ("entities.2.solid", True, "cannot be solid"),
        ("entities.2.count", 1, "at least 2"),
        ("parameters.rocks.default", 9, "within minimum..maximum"),
        ("observations", {}, "sees nothing"),
        ("observations.vector.0", {"kind": "relative", "of": "targte"}, "did you mean 'target'"),
        ("observations.vector.0", {"kind": "relative", "of": "rock", "pick": "current"}, "ordered"),
        ("observations.vector.0", {"kind": "progress", "of": "target"}, "ordered"),
        ("observations.rays", [{"tags": ["rock"]}], "unknown tag 'rock'"),
        ("observations.rays", [{"tags": ["wall", "wall"]}], "listed twice"),
        ("agent.motion", {"kind": "grid"}, "needs discrete actions"),
        ("agent.motion", {"kind": "car", "speed": "fast"}, "unknown parameter 'fast'"),
        ("agent.motion", {"kind": "hover"}, "hover"),
        ("events.0", {"kind": "touch", "name": "reached", "of": "target"}, "unknown solid entity"),
        ("events.0", {"kind": "enter", "name": "reached", "of": "rock"}, "use touch"),
        ("events.0", {"kind": "leave", "name": "reached"}, "nothing can leave"),
        ("events.0", {"kind": "complete", "name": "reached", "of": "point"}, "needs a visit"),
        ("rewards.0", {"when": "event", "event": "won", "value": 1}, "unknown event 'won'"),
        ("rewards.0", {"when": "event", "event": "reached", "value": 1, "shared_by": "x"}, "unknown entity 'x'"),
        ("endings.0.event", "reach", "did you mean 'reached'"),
        ("endings.0.result", "failure", "no ending is a success"),
        ("episode", {"decision_period": 0}, "decision_period"),
    ],
)
def test_what_does_not_fit_is_named(path: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        EnvironmentSpec.from_data(changed(path, value))
    assert says in caught.value.message
    assert caught.value.evidence


def test_text_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="neither YAML nor JSON"):
        EnvironmentSpec.from_text("{name: [")
    with pytest.raises(InvalidInputError):
        EnvironmentSpec.from_text("just words")
    with pytest.raises(InvalidInputError):
        EnvironmentSpec.from_text("[" * 5000)


def test_json_may_be_indented_by_tabs() -> None:
    spec = load_archetype("reach_target").spec
    assert EnvironmentSpec.from_text(json.dumps(spec.model_dump(mode="json"), indent="\t")) == spec


@pytest.mark.parametrize("name", archetype_names())
def test_an_archetype_keeps_its_promises(name: str) -> None:
    archetype = load_archetype(name)
    spec, training = archetype.spec, archetype.training
    goals = [entity for entity in spec.entities if entity.name in ("target", "waypoint", "item")]
    for shape in (goal.shape for goal in goals):
        assert shape.kind == "circle"
        assert float(shape.radius) <= 0.08 * float(spec.arena.half_extent), "what is to be reached is small"
    assert bool(archetype.goal.win_rate) == bool(spec.teams) == ("self_play" in training)
    assert 10 <= training["max_steps"] / training["summary_freq"] <= 25
    assert training["checkpoint_interval"] <= training["max_steps"] / 4
    learners = archetype.areas * spec.sides[0].count
    assert training["time_horizon"] == max(training["hyperparameters"]["buffer_size"] // learners, 8)
    assert yaml.safe_load(yaml.safe_dump(training)) == training


def test_the_archetypes_hold_enough_to_do() -> None:
    assert load_archetype("navigate_obstacles").spec.parameters["obstacle_count"].default >= 6
    assert load_archetype("patrol_waypoints").spec.most("waypoint") >= 4


def test_an_unknown_archetype_names_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="patrol_waypoints"):
        load_archetype("patrol")


def test_a_training_request_becomes_trainer_yaml() -> None:
    config = RLTrainingConfig.model_validate(
        {"algorithm": "sac", "max_steps": 5000, "learning_rate": 3e-4, "hidden_units": 32, "gamma": 0.9, "tau": 0.01}
    )
    assert config.behavior_settings() == {
        "trainer_type": "sac",
        "max_steps": 5000,
        "hyperparameters": {"learning_rate": 3e-4, "tau": 0.01},
        "network_settings": {"hidden_units": 32},
        "reward_signals": {"extrinsic": {"gamma": 0.9}},
    }
    assert RLTrainingConfig().behavior_settings() == {}
    assert RLTrainingConfig(num_envs=2, seed=3, max_steps=9).run_settings() == {"num_envs": 2, "seed": 3}


@pytest.mark.parametrize(
    "wrong",
    [{"algorithm": "A2C"}, {"max_steps": 0}, {"learning_rate": 2}, {"epsilon": 1}, {"batchsize": 64}, {"seed": -1}],
)
def test_a_training_request_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RLTrainingConfig.model_validate(wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_step": 3}, r"unknown; did you mean max_steps\?"),
        ({"max_step": 3, "seed": -1}, "greater than or equal to 0"),
        ({"reward": 1}, r"unknown; there are: algorithm, max_steps, num_envs,"),
        ({"training_mode": "offline"}, "training_mode offline needs offline_dataset_path"),
        ({"use_offline_demonstrations": True}, "training_mode hybrid needs offline_dataset_path"),
    ],
)
def test_a_training_request_says_what_there_is_and_what_it_needs(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        RLTrainingConfig(**wrong)
    assert "https:" not in str(refused.value)


def test_requests_are_frozen() -> None:
    asset = UnityAssetSpec(description="patrol")
    with pytest.raises(ValidationError):
        asset.description = "chase"  # type: ignore[misc]
