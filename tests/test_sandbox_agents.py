"""Several agents in an area: rows, ids, teams, what they see of each other, and endings that they share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.worlds import act, act_all, random_actions, spec_of
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import load_archetype

THREE = {"count": 3, "spawn": {"positions": [[0, 0], [0.5, 0], [0, 0.5]]}}
"""Three agents of radius 0.25 at (0, 0), (2.375, 0) and (0, 2.375)."""
DUEL: dict[str, Any] = {
    "teams": [
        {"name": "red", "spawn": {"positions": [[-0.5, 0]]}},
        {"name": "blue", "count": 2, "pace": 0.5, "spawn": {"positions": [[0.5, 0], [0.5, 0.5]]}},
    ],
    "entities": [],
    "events": [{"kind": "near", "name": "caught", "of": "opponent", "distance": 1.0}],
    "rewards": [
        {"when": "event", "event": "caught", "value": 1.0, "team": "red"},
        {"when": "event", "event": "caught", "value": -1.0, "team": "blue"},
    ],
    "endings": [{"event": "caught", "result": "success"}],
}
"""Red at (-2.375, 0) against two blues at (2.375, 0) and (2.375, 2.375), which are half as fast."""


def test_agents_of_one_policy_share_a_behavior_and_have_ids_of_their_own() -> None:
    world = World(spec_of(agent=THREE), areas=4, seed=0)
    step = world.reset()["Test?team=0"].decisions
    assert [behavior.name for behavior in world.behaviors] == ["Test?team=0"]
    assert len(set(step.ids.tolist())) == 12
    assert step.observations[0].reshape(4, 3, 2) == pytest.approx(np.tile([[0, 0], [0.475, 0], [0, 0.475]], (4, 1, 1)))


def test_each_agent_moves_and_is_paid_for_itself_but_all_end_together() -> None:
    spec = spec_of(
        agent=THREE,
        entities=[{"name": "target", "shape": {"kind": "circle", "radius": 0.5}, "spawn": {"positions": [[0.8, 0]]}}],
        rewards=[
            {"when": "event", "event": "reached", "value": 1.0},
            {"when": "approach", "of": "target", "value": 1.0},
        ],
    )
    world = World(spec, areas=2, seed=0)
    first = world.reset()["Test?team=0"].decisions
    right = np.tile(np.array([[0, 0], [1, 0], [0, 0]], np.float32), (2, 1))
    step = act(world, right)
    assert step.decisions.rewards == pytest.approx([0, 0.04, 0] * 2, abs=1e-6)
    last = act(world, right).terminals  # the second agent comes within 0.5 m of (3.6, 0)
    assert last.ids.tolist() == first.ids.tolist()
    assert (last.rewards > 0.9).tolist() == [False, True, False] * 2
    assert not last.interrupted.any()
    assert [stat.name for stat in world.drain_stats()].count("Environment/Success") == 2


def test_agents_pass_through_each_other() -> None:
    agent = {"count": 2, "spawn": {"positions": [[0, 0], [0.1, 0]]}}
    world = World(spec_of(agent=agent), areas=1, seed=0)
    world.reset()
    for _ in range(3):
        act(world, np.array([[1, 0], [-1, 0]], np.float32))
    assert world.state.position == pytest.approx(np.array([[1.2, 0], [0.475 - 1.2, 0]]), abs=1e-5)


def test_mates_are_seen_nearest_or_as_their_mean_and_alone_there_is_none() -> None:
    vector = [
        {"kind": "relative", "of": "mate"},
        {"kind": "relative", "of": "mate", "pick": "mean"},
        {"kind": "velocity", "of": "mate", "pick": "mean"},
    ]
    world = World(spec_of(agent=THREE, observations={"vector": vector}), areas=2, seed=0)
    world.reset()
    moves = np.array([[0, 0], [1, 0], [0, -1]] * 2, np.float32)
    seen = act(world, moves).decisions.observations[0]
    assert seen[0] == pytest.approx([0, 0.1975, 0.13875, 0.09875, 0.5, -0.5], abs=1e-5)
    assert seen[4] == pytest.approx([-0.2775, 0, -0.2775, 0.09875, 0, -0.5], abs=1e-5)


def test_two_teams_are_two_behaviors_with_their_own_rows_spawns_and_pace() -> None:
    world = World(spec_of(**DUEL, observations={"vector": [{"kind": "team"}, {"kind": "position"}]}), areas=2, seed=0)
    reset = world.reset()
    assert list(reset) == ["Test?team=0", "Test?team=1"]
    red, blue = reset.values()
    assert red.decisions.observations[0] == pytest.approx(np.tile([1, 0, -0.475, 0], (2, 1)))
    assert blue.decisions.observations[0] == pytest.approx(
        np.tile([[0, 1, 0.475, 0], [0, 1, 0.475, 0.475]], (2, 1)), abs=1e-6
    )
    assert len({*red.decisions.ids.tolist(), *blue.decisions.ids.tolist()}) == 6
    act(world, [1, 0])
    moved = world.state.position.reshape(2, 3, 2)[:, :, 0]
    assert moved == pytest.approx(np.tile([-2.375 + 0.4, 2.375 + 0.2, 2.375 + 0.2], (2, 1)), abs=1e-5)


def test_the_pace_may_be_a_parameter() -> None:
    teams = [DUEL["teams"][0], {**DUEL["teams"][1], "pace": "pace"}]
    parameters = {"pace": {"default": 0.5, "minimum": 0.1, "maximum": 1.0}}
    world = World(spec_of(**{**DUEL, "teams": teams, "parameters": parameters}), areas=1, seed=0)
    world.reset()
    world.set_parameter("pace", 0.25)
    act(world, [1, 0])
    assert world.state.position[1, 0] - world.state.position[0, 0] == pytest.approx(4.75 + 0.2 - 0.4, abs=1e-5)
    world.reset()
    act(world, [1, 0])
    assert world.state.position[1, 0] - world.state.position[0, 0] == pytest.approx(4.75 + 0.1 - 0.4, abs=1e-5)


def test_opponents_are_seen_with_their_velocity() -> None:
    vector = [{"kind": "relative", "of": "opponent"}, {"kind": "velocity", "of": "opponent"}]
    world = World(spec_of(**DUEL, observations={"vector": vector}), areas=1, seed=0)
    world.reset()
    red, blue = (step.decisions.observations[0] for step in act_all(world, [1, 0]).values())
    assert red[0] == pytest.approx([(4.75 - 0.2) / 10, 0, 0.5, 0], abs=1e-5)
    assert blue[0] == pytest.approx([-(4.75 - 0.2) / 10, 0, 1, 0], abs=1e-5)


@pytest.mark.parametrize(
    ("ending", "success"),
    [
        ({"result": "success"}, 1),
        ({"result": "success", "team": "red"}, 1),
        ({"result": "success", "team": "blue"}, 0),
        ({"result": "failure", "team": "blue"}, 1),
        ({"result": "failure"}, 0),
    ],
)
def test_an_ending_of_a_team_is_the_opposite_for_the_other_one(ending: dict[str, Any], success: int) -> None:
    world = World(spec_of(**{**DUEL, "endings": [{"event": "caught", **ending}]}), areas=1, seed=0)
    world.reset()
    world.state.position[0] = (1.5, 0)
    red, blue = act_all(world, [0, 0]).values()
    assert red.terminals.rewards.tolist() == [1]
    assert blue.terminals.rewards.tolist() == [-1, 0]  # the second blue was not the one that was near
    stats = {stat.name: stat.value for stat in world.drain_stats()}
    assert stats == {"Environment/Success": success, "Environment/Ending/caught": 1, "Environment/Ending/timeout": 0}


def test_an_ending_of_a_team_does_not_happen_when_only_the_others_event_fires() -> None:
    events = [{"kind": "enter", "name": "home", "of": "base"}]
    base = {"name": "base", "shape": {"kind": "circle", "radius": 0.5}, "spawn": {"positions": [[0, -0.9]]}}
    changes = {**DUEL, "events": events, "entities": [base], "rewards": [{"when": "step", "value": 1.0}]}
    world = World(
        spec_of(**{**changes, "endings": [{"event": "home", "result": "success", "team": "red"}]}), areas=1, seed=0
    )
    world.reset()
    world.state.position[1] = world.state.centre[0, 0]
    assert all(step.terminals.ids.size == 0 for step in act_all(world, [0, 0]).values())
    world.state.position[0] = world.state.centre[0, 0]
    assert all(step.terminals.ids.size for step in act_all(world, [0, 0]).values())


def test_rewards_of_a_contest_add_up_to_nothing_where_they_mirror_each_other() -> None:
    spec = load_archetype("chase_evade").spec
    rewards = [reward for reward in spec.rewards if reward.when == "event"]
    world = World(spec.model_copy(update={"rewards": tuple(rewards)}), areas=16, seed=0)
    world.reset()
    paid = 0.0
    for action in random_actions(world, 300):
        chaser, evader = act_all(world, action).values()
        assert chaser.terminals.rewards == pytest.approx(-evader.terminals.rewards)
        assert chaser.decisions.rewards == pytest.approx(-evader.decisions.rewards)
        paid += float(np.abs(chaser.terminals.rewards).sum())
    assert paid > 10


def test_rays_see_other_agents_by_their_team_and_never_the_own_body() -> None:
    rays = [{"tags": ["red", "blue"], "rays_per_direction": 1, "max_degrees": 90, "length": 6.0}]
    world = World(spec_of(**DUEL, observations={"rays": rays}), areas=1, seed=0)
    red, blue = (step.decisions.observations[0] for step in world.reset().values())
    ahead, right, left = red.reshape(1, 3, 4)[0]
    assert right == pytest.approx([0, 1, 0, 4.5 / 6], abs=1e-5)
    assert (ahead.tolist(), left.tolist()) == ([0, 0, 0, pytest.approx(5 / 6)], [0, 0, 0, pytest.approx(2.625 / 6)])
    assert blue.reshape(2, 3, 4)[0, 2] == pytest.approx([1, 0, 0, 4.5 / 6], abs=1e-5)
    assert blue.reshape(2, 3, 4)[0, 0] == pytest.approx([0, 1, 0, 2.125 / 6], abs=1e-5)


def test_without_teams_rays_see_agents_by_that_tag() -> None:
    rays = [{"tags": ["agent"], "rays_per_direction": 1, "max_degrees": 90, "length": 6.0}]
    world = World(spec_of(agent=THREE, observations={"rays": rays}), areas=1, seed=0)
    ahead, right, _ = world.reset()["Test?team=0"].decisions.observations[0].reshape(3, 3, 3)[0]
    assert ahead == pytest.approx([1, 0, 2.125 / 6], abs=1e-5)
    assert right == pytest.approx([1, 0, 2.125 / 6], abs=1e-5)


def test_agents_keep_their_distance_when_they_are_placed() -> None:
    agent = {"count": 4, "spawn": {"min_distance": 1.0}}
    world = World(spec_of(agent=agent, entities=[{"name": "target", "spawn": {"min_distance": 1.0}}]), areas=50, seed=0)
    world.reset()
    places = np.concatenate([world.state.position.reshape(50, 4, 2), world.state.centre], axis=1)
    reach = np.array([0.25] * 4 + [0.5])
    apart = np.hypot(*(places[:, :, None] - places[:, None]).transpose(3, 0, 1, 2)) - reach[:, None] - reach
    assert apart[:, ~np.eye(5, dtype=bool)].min() >= 1.0 - 1e-5


def test_each_agent_has_its_own_way_round_the_waypoints() -> None:
    points = {"name": "point", "count": 2, "ordered": True, "spawn": {"positions": [[-0.9, 0], [0.9, 0]]}}
    spec = spec_of(
        agent=THREE,
        entities=[points],
        observations={"vector": [{"kind": "progress", "of": "point"}, {"kind": "one_hot", "of": "point"}]},
        events=[
            {"kind": "visit", "name": "visited", "of": "point"},
            {"kind": "complete", "name": "lap", "of": "point"},
        ],
        rewards=[{"when": "event", "event": "visited", "value": 1.0}],
        endings=[{"event": "lap", "result": "success"}],
    )
    world = World(spec, areas=1, seed=0)
    world.reset()
    world.state.position[1] = world.state.centre[0, 0]
    step = act(world, [0, 0])
    assert step.decisions.rewards.tolist() == [0, 1, 0]
    assert step.decisions.observations[0].tolist() == [[0, 1, 0], [0.5, 0, 1], [0, 1, 0]]
    world.state.position[2] = world.state.centre[0, 0]
    assert act(world, [0, 0]).terminals.ids.size == 0
    world.state.position[2] = world.state.centre[0, 1]
    assert act(world, [0, 0]).terminals.rewards.tolist() == [0, 0, 1]
