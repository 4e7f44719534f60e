"""Sentences and sizes become plans, or errors that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.worlds import act_all, random_actions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.by_rules import plan_by_rules
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.language import vocabulary
from unity_mlops_mcp.spec.nearest import nearest_archetype
from unity_mlops_mcp.spec.plans import Plan
from unity_mlops_mcp.spec.requests import UnityAssetSpec

SENTENCES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "planner_sentences.yaml").read_text("utf-8"))
PLACED = [case for case in SENTENCES if "expect" in case]
REFUSED = [case for case in SENTENCES if "refuse" in case]


def facts(made: Plan) -> dict[str, Any]:
    """What the sentences' expectations speak of."""
    spec = made.spec
    counts = {entity.name: entity.count for entity in spec.entities}
    ranges = {name: [count, count] if isinstance(count, int) else _range(spec, count) for name, count in counts.items()}
    laps = [event.laps for event in spec.events if event.kind == "complete"]
    return {
        "archetype": made.archetype,
        "entities": ranges,
        "motion": spec.agent.motion.kind,
        "actions": spec.actions.kind,
        "walls": spec.arena.walls,
        "endings": [ending.event for ending in spec.endings],
        "half_extent": spec.arena.half_extent,
        "max_step": spec.episode.max_step,
        "laps": laps[0] if laps else None,
        "speed": getattr(spec.agent.motion, "speed", None),
        "rays": spec.observations.rays[0].rays if spec.observations.rays else 0,
        "tags": list(spec.observations.rays[0].tags) if spec.observations.rays else [],
        "roams": {e.name: e.motion.speed for e in spec.entities if e.motion.kind == "roam"},
        "teams": {team.name: [team.count, team.pace] for team in spec.teams},
        "agents": spec.agents_per_area,
        "keep": next((reward.distance for reward in spec.rewards if reward.when == "keep"), None),
        "shapes": {entity.name: entity.shape.kind for entity in spec.entities},
    }


def _range(spec: EnvironmentSpec, name: str) -> list[float]:
    parameter = spec.parameters[name]
    return [parameter.minimum, parameter.maximum] if parameter.sample else [parameter.default, parameter.default]


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case["sentence"])
def test_a_sentence_becomes_a_fitting_spec(case: dict[str, Any]) -> None:
    made = plan_by_rules(UnityAssetSpec(description=case["sentence"]))
    expected, found = dict(case["expect"]), facts(made)
    for part in ("entities", "roams", "shapes"):
        wanted = expected.pop(part, {})
        assert {name: found[part].get(name) for name in wanted} == wanted
    assert {name: found[name] for name in expected} == expected
    assert made.words, "the plan says which words led to it"


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case["sentence"])
def test_the_spec_of_a_sentence_can_be_simulated(case: dict[str, Any]) -> None:
    spec = plan_by_rules(UnityAssetSpec(description=case["sentence"])).spec
    world = World(spec, areas=2, seed=3)
    steps = list(world.reset().values())
    assert sum(len(step.decisions.ids) for step in steps) == 2 * spec.agents_per_area
    for action in random_actions(world, 20):
        steps += act_all(world, action).values()
    assert all(np.isfinite(seen).all() for step in steps for seen in step.decisions.observations)
    assert all(np.isfinite(step.decisions.rewards).all() for step in steps)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["sentence"] or "nothing")
def test_a_sentence_that_fits_nothing_gives_an_error_that_helps(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        plan_by_rules(UnityAssetSpec(description=case["sentence"]))
    assert caught.value.cause == case["refuse"]
    for words in case["says"]:
        assert words in str(caught.value)


def test_every_archetype_is_listed_with_its_description_when_a_sentence_fits_none() -> None:
    with pytest.raises(InvalidInputError) as caught:
        plan_by_rules(UnityAssetSpec(description="bake bread"))
    for name in archetype_names():
        assert f"{name}: {load_archetype(name).description}" in caught.value.fix


def test_the_example_in_the_error_is_a_valid_spec() -> None:
    spec = EnvironmentSpec.from_text(vocabulary()["example_spec"])
    assert spec.vector_size == 6


def test_the_plan_says_which_words_led_to_what_and_what_it_assumed() -> None:
    made = plan_by_rules(UnityAssetSpec(description="A car visits 5 waypoints"))
    meanings = {word.text: word.meaning for word in made.words}
    assert meanings["car"] == "motion model car"
    assert meanings["5 waypoints"] in {"5 waypoints", "archetype patrol_waypoints"}
    assert any("16 s" in sentence or "lasts" in sentence for sentence in made.assumptions)
    assert made.planner == "rules"


@pytest.mark.parametrize(
    ("name", "behavior"),
    [
        ("patrol guard", "PatrolGuard"),
        ("Nav_Agent-2", "NavAgent2"),
        ("3 musketeers", "Musketeers"),
        ("", "PatrolWaypoints"),
        ("警備員", "PatrolWaypoints"),
        ("x" * 200, "X" + "x" * 63),
    ],
)
def test_the_behaviour_is_named_after_the_asset(name: str, behavior: str) -> None:
    assert plan_by_rules(UnityAssetSpec(name=name, description="patrol")).spec.behavior_name == behavior


def test_the_same_request_gives_the_same_spec() -> None:
    asset = UnityAssetSpec(description="avoid 7 obstacles", observation_space={"raycast": 9})
    assert plan_by_rules(asset).spec.digest() == plan_by_rules(asset).spec.digest()


def test_sizes_that_ask_for_rays_and_velocity_are_met() -> None:
    made = plan_by_rules(
        UnityAssetSpec(
            description="Navigate to the goal and avoid obstacles",
            observation_space={"raycast": 8, "velocity": 2},
            action_space={"type": "continuous", "size": 2},
        )
    )
    (ray,) = made.spec.observations.rays
    assert (ray.rays, ray.tags) == (9, ("target", "obstacle", "wall"))
    assert made.spec.continuous_size == 2
    assert any("9 rays instead of 8" in sentence for sentence in made.assumptions)
    assert any("bearing of target" in sentence for sentence in made.assumptions)


def test_sizes_add_parts_and_leave_parts_out() -> None:
    made = plan_by_rules(
        UnityAssetSpec(description="reach the target", observation_space={"heading": 2, "velocity": 0})
    )
    assert [part.kind for part in made.spec.observations.vector] == ["position", "relative", "heading"]


def test_rays_of_a_patrol_see_its_waypoints_and_walls() -> None:
    made = plan_by_rules(UnityAssetSpec(description="patrol", observation_space={"lidar": 7}))
    assert made.spec.observations.rays[0].tags == ("waypoint", "wall")


@pytest.mark.parametrize(
    ("description", "observation_space", "action_space", "says"),
    [
        ("reach the target", {}, {"type": "continuous", "size": 3}, "has 2"),
        ("reach the target", {}, {"type": "discrete", "size": 9}, "one branch of 5"),
        ("reach the target", {}, {"type": "analog"}, "'continuous' or 'discrete'"),
        ("reach the target", {}, {"kind": "continuous"}, "type, size and branches"),
        ("discrete agent reaches the target", {}, {"type": "continuous", "size": 2}, "says discrete"),
        ("reach the target on a grid", {}, {"type": "continuous", "size": 2}, "Grid motion"),
        ("avoid obstacles", {"raycast": 0}, {}, "must be seen"),
        ("avoid obstacles", {"raycast": 500}, {}, "at most 101"),
        ("avoid obstacles", {"raycast": -1}, {}, "is -1"),
        ("reach the target", {"velocity": 3}, {}, "on the ground plane it has 2"),
        ("reach the target", {"velocty": 2}, {}, "Did you mean 'velocity'"),
        ("reach the target", {"target": 0}, {}, "could not see the target"),
        ("reach the target", {"progress": 1}, {}, "ordered"),
    ],
)
def test_sizes_that_contradict_are_errors(
    description: str, observation_space: dict[str, int], action_space: dict[str, Any], says: str
) -> None:
    asset = UnityAssetSpec(description=description, observation_space=observation_space, action_space=action_space)
    with pytest.raises(InvalidInputError, match=says):
        plan_by_rules(asset)


def test_obstacles_on_a_patrol_lengthen_its_training() -> None:
    plain = plan_by_rules(UnityAssetSpec(description="patrol")).training
    hard = plan_by_rules(UnityAssetSpec(description="patrol and avoid obstacles")).training
    assert hard["max_steps"] > plain["max_steps"]
    assert hard["max_steps"] / hard["summary_freq"] == plain["max_steps"] / plain["summary_freq"]


def test_a_body_that_does_not_turn_sees_all_around_itself() -> None:
    still = plan_by_rules(
        UnityAssetSpec(description="an omnidirectional robot avoids obstacles")
    ).spec.observations.rays[0]
    turning = plan_by_rules(UnityAssetSpec(description="a car avoids obstacles")).spec.observations.rays[0]
    angles = sorted(still.angles)
    steps = {round(b - a, 1) for a, b in zip(angles, [*angles[1:], angles[0] + 360], strict=True)}
    assert max(steps) - min(steps) <= 0.3
    assert turning.max_degrees == 90


def test_the_sentences_are_many_and_cover_every_archetype() -> None:
    told = {case["expect"]["archetype"] for case in PLACED}
    assert told == set(archetype_names())
    assert (len(PLACED) >= 75, len(REFUSED) >= 15) == (True, True)


def test_words_that_no_rule_takes_up_are_told() -> None:
    made = plan_by_rules(UnityAssetSpec(description="a heavy robot reaches the target and sings a merry song"))
    assert made.left_out == (
        "'heavy': no rule takes it up.",
        "'sings': no rule takes it up.",
        "'merry song': no rule takes it up.",
    )


def test_each_side_of_a_contest_fails_for_itself_where_the_arena_has_no_walls() -> None:
    spec = plan_by_rules(UnityAssetSpec(description="a hunter chases two rabbits, no walls")).spec
    assert [(e.event, e.result, e.team) for e in spec.endings if e.event == "left_arena"] == [
        ("left_arena", "failure", "chaser"),
        ("left_arena", "failure", "evader"),
    ]


@pytest.mark.parametrize(
    ("description", "space", "kinds"),
    [
        ("chase the player", {"opponent": 2, "heading": 2}, {"team", "position", "velocity", "relative", "heading"}),
        ("collect coins", {"bearing": 3, "remaining": 0}, {"position", "relative", "velocity", "bearing"}),
        ("balance a ball", {"tilt": 2, "time_left": 1}, {"tilt", "position", "velocity", "time_left"}),
    ],
)
def test_sizes_speak_of_each_presets_own_goal(description: str, space: dict[str, int], kinds: set[str]) -> None:
    made = plan_by_rules(UnityAssetSpec(description=description, observation_space=space))
    assert {part.kind for part in made.spec.observations.vector} == kinds


def test_a_goal_that_does_not_exist_cannot_be_seen() -> None:
    with pytest.raises(InvalidInputError, match="no goal"):
        plan_by_rules(UnityAssetSpec(description="balance a ball", observation_space={"target": 2}))


@pytest.mark.parametrize("name", archetype_names())
def test_a_spec_is_trained_as_the_preset_that_it_resembles(name: str) -> None:
    assert nearest_archetype(load_archetype(name).spec).name == name


def test_only_a_contest_is_trained_by_self_play() -> None:
    for case in PLACED:
        spec = plan_by_rules(UnityAssetSpec(description=case["sentence"])).spec
        assert ("self_play" in nearest_archetype(spec).training) == bool(spec.teams)
