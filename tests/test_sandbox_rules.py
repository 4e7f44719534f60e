"""What happens and what it is worth: each kind of event and reward in a small scene, step by step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.worlds import act, act_all, random_actions, spec_of
from unity_mlops_mcp.sandbox.world import World

STEPWISE = {"max_step": 100, "decision_period": 1}
COINS: dict[str, Any] = {
    "name": "coin",
    "count": 3,
    "shape": {"kind": "circle", "radius": 0.5},
    "spawn": {"positions": [[-0.5, 0], [0, 0.5], [0.5, 0.5]]},
}
"""Three coins of radius 0.5 at (-2.25, 0), (0, 2.25) and (2.25, 2.25) in an arena of 10 m."""


def world_of(areas: int = 1, **changes: Any) -> World:
    """A world that decides in every physics step, its episodes begun."""
    world = World(spec_of(**{"episode": STEPWISE, **changes}), areas=areas, seed=0)
    world.reset()
    return world


def collecting(**event: Any) -> World:
    """Three coins; each one that is collected pays 1, divided by their number, and the last one ends the episode."""
    respawn = bool(event.get("respawn"))
    cleared = [] if respawn else [{"kind": "cleared", "name": "rich", "of": "coin"}]
    return world_of(
        entities=[COINS],
        observations={"vector": [{"kind": "remaining", "of": "coin"}, {"kind": "relative", "of": "coin"}]},
        events=[
            {"kind": "collect", "name": "grabbed", "of": "coin", **event},
            *cleared,
            {"kind": "timeout", "name": "late"},
        ],
        rewards=[{"when": "event", "event": "grabbed", "value": 3.0, "shared_by": "coin"}],
        endings=[{"event": "late" if respawn else "rich", "result": "success"}],
    )


def test_what_is_collected_is_gone_and_the_last_one_clears() -> None:
    world = collecting()
    seen: list[tuple[float, float]] = []
    for place in ((-2.25, 0.1), (-2.25, 0.1), (0, 2.25)):
        world.state.position[0] = place
        step = act(world, [0, 0]).decisions
        seen.append((float(step.rewards[0]), float(step.observations[0][0, 0])))
    assert np.array(seen) == pytest.approx(np.array([[1, 2 / 3], [0, 2 / 3], [1, 1 / 3]]))
    assert step.observations[0][0, 1:] == pytest.approx([0.225, 0])  # the nearest one that is left
    assert world.state.count["coin"].tolist() == [3]
    world.state.position[0] = (2.25, 2.25)
    last = act(world, [0, 0])
    assert last.terminals.rewards.tolist() == [1]
    assert last.terminals.observations[0].tolist() == [[0, 0, 0]]
    assert {stat.name: stat.value for stat in world.drain_stats()}["Environment/Ending/rich"] == 1
    assert world.state.there("coin").all()


def test_of_two_agents_in_one_place_the_first_collects() -> None:
    world = world_of(
        agent={"count": 2, "spawn": {"positions": [[0, 0], [0, 0]]}},
        entities=[COINS],
        events=[
            {"kind": "collect", "name": "grabbed", "of": "coin"},
            {"kind": "cleared", "name": "rich", "of": "coin"},
        ],
        rewards=[
            {"when": "event", "event": "grabbed", "value": 1.0},
            {"when": "event", "event": "rich", "value": 10.0},
        ],
        endings=[{"event": "rich", "result": "success"}],
    )
    for coin, paid in ((0, [1, 0]), (1, [1, 0])):
        world.state.position[:] = world.state.centre[0, coin]
        assert act(world, [0, 0]).decisions.rewards.tolist() == paid
    world.state.position[:] = world.state.centre[0, 2]
    assert act(world, [0, 0]).terminals.rewards.tolist() == [11, 10]


def test_what_respawns_lies_somewhere_else_in_its_region_and_keeps_its_number() -> None:
    region = {"x": [0.5, 1.0], "z": [-1.0, 0.0]}
    coin = {"name": "coin", "count": 2, "shape": {"kind": "circle", "radius": 0.5}, "spawn": {"region": region}}
    world = world_of(
        areas=32,
        entities=[coin],
        observations={"vector": [{"kind": "remaining", "of": "coin"}]},
        events=[
            {"kind": "collect", "name": "grabbed", "of": "coin", "respawn": True},
            {"kind": "timeout", "name": "late"},
        ],
        rewards=[{"when": "event", "event": "grabbed", "value": 1.0}],
        endings=[{"event": "late", "result": "success"}],
    )
    places = set()
    for _ in range(5):
        before = world.state.centre.copy()
        world.state.position[:] = before[:, 0]
        step = act(world, [0, 0]).decisions
        assert (step.rewards == 1).all()
        assert (step.observations[0] == 1).all()
        assert (world.state.centre[:, 0] != before[:, 0]).all()
        places |= {tuple(place) for place in world.state.centre[:, 0].tolist()}
    assert len(places) == 160
    x, z = np.array(sorted(places)).T
    assert np.all((x >= 2.25) & (x <= 4.5) & (z >= -4.5) & (z <= 0))
    assert x.max() - x.min() > 2


def test_what_has_a_fixed_position_respawns_there() -> None:
    world = collecting(respawn=True)
    world.state.position[0] = (0, 2.25)
    assert [float(act(world, [0, 0]).decisions.rewards[0]) for _ in range(3)] == [1, 1, 1]
    assert world.state.centre[0, 1] == pytest.approx((0, 2.25))


def test_an_episode_without_anything_to_collect_is_cleared_at_once() -> None:
    world = world_of(
        entities=[{**COINS, "count": "coins", "spawn": {}}],
        parameters={"coins": {"default": 0, "minimum": 0, "maximum": 3}},
        events=[
            {"kind": "collect", "name": "grabbed", "of": "coin"},
            {"kind": "cleared", "name": "rich", "of": "coin"},
        ],
        rewards=[{"when": "event", "event": "rich", "value": 1.0}],
        observations={"vector": [{"kind": "remaining", "of": "coin"}]},
        endings=[{"event": "rich", "result": "success"}],
    )
    assert act(world, [0, 0]).terminals.rewards.tolist() == [1]


def test_near_and_far_fire_when_they_begin() -> None:
    target = {"name": "target", "shape": {"kind": "circle", "radius": 0.1}, "spawn": {"positions": [[0, 0]]}}
    world = world_of(
        entities=[target],
        events=[
            {"kind": "near", "name": "close", "of": "target", "distance": 1.0},
            {"kind": "far", "name": "lost", "of": "target", "distance": 2.0},
            {"kind": "timeout", "name": "late"},
        ],
        rewards=[{"when": "event", "event": "close", "value": 1.0}, {"when": "event", "event": "lost", "value": 10.0}],
        endings=[{"event": "late", "result": "success"}],
    )
    paid = []
    for x in (0.0, 0.9, 1.0, 1.1, 1.0, 2.0, 2.1, 3.0, 1.9, 2.5):
        world.state.position[0] = (x, 0)
        paid.append(float(act(world, [0, 0]).decisions.rewards[0]))
    assert paid == [1, 0, 0, 0, 1, 0, 10, 0, 0, 10]


def test_nothing_is_near_or_far_while_there_is_none() -> None:
    world = world_of(
        entities=[{"name": "target", "count": "targets"}],
        parameters={"targets": {"default": 0, "minimum": 0, "maximum": 2}},
        observations={"vector": [{"kind": "velocity", "of": "target", "pick": "mean"}]},
        events=[
            {"kind": "near", "name": "close", "of": "target", "distance": 1.0},
            {"kind": "far", "name": "lost", "of": "target", "distance": 2.0},
        ],
        rewards=[
            {"when": "event", "event": "close", "value": 1.0},
            {"when": "event", "event": "lost", "value": 1.0},
            {"when": "keep", "of": "target", "distance": 1.0, "value": 1.0},
            {"when": "align", "of": "target", "value": 1.0},
            {"when": "within", "of": "target", "distance": 5.0, "value": 1.0},
            {"when": "approach", "of": "target", "pick": "mean", "value": 1.0},
        ],
        endings=[{"event": "close", "result": "success"}],
    )
    for _ in range(5):
        step = act(world, [1, 0]).decisions
        assert (step.rewards.tolist(), step.observations[0].tolist()) == ([0], [[0, 0]])


def test_a_timeout_that_is_an_ending_counts_as_one_and_is_not_interrupted() -> None:
    events = [{"kind": "timeout", "name": "late"}]
    rewards = [{"when": "event", "event": "late", "value": 1.0}]
    world = world_of(events=events, rewards=rewards, endings=[{"event": "late", "result": "success"}])
    steps = [act(world, [0, 0]) for _ in range(100)]
    assert [len(step.terminals.ids) for step in steps] == [0] * 99 + [1]
    assert (steps[-1].terminals.interrupted.tolist(), steps[-1].terminals.rewards.tolist()) == ([False], [1])
    stats = [(stat.name, stat.value) for stat in world.drain_stats()]
    assert stats == [("Environment/Success", 1), ("Environment/Ending/late", 1), ("Environment/Ending/timeout", 0)]


def test_an_ending_may_be_named_timeout_itself() -> None:
    events = [{"kind": "timeout", "name": "timeout"}]
    world = world_of(
        events=events, rewards=[{"when": "step", "value": 1.0}], endings=[{"event": "timeout", "result": "success"}]
    )
    for _ in range(100):
        act(world, [0, 0])
    assert [(stat.name, stat.value) for stat in world.drain_stats()] == [
        ("Environment/Success", 1),
        ("Environment/Ending/timeout", 1),
    ]


def shaped(reward: dict[str, Any]) -> World:
    """An agent at (0, 0) and a leader at (3, 0) that heads to +z at 2 m/s."""
    leader = {"name": "leader", "motion": {"kind": "roam", "speed": 2.0}, "spawn": {"positions": [[3 / 4.5, 0]]}}
    world = world_of(
        entities=[leader],
        events=[{"kind": "enter", "name": "reached", "of": "leader"}],
        rewards=[{"of": "leader", **reward}],
    )
    world.state.entity_yaw[:] = 0
    return world


def test_keeping_a_distance_pays_by_how_near_it_is_kept() -> None:
    world = shaped({"when": "keep", "distance": 2.0, "width": 0.5, "value": 10.0})
    paid = act(world, [0, 0]).decisions.rewards[0]
    assert paid == pytest.approx(0.1 * math.exp(-(((math.hypot(3, 0.04) - 2) / 0.5) ** 2)), rel=1e-4)
    world.state.position[0] = (1, 0.08)
    assert act(world, [0, 0]).decisions.rewards[0] == pytest.approx(0.1, rel=1e-3)


def test_moving_the_same_way_pays_by_the_angle_between() -> None:
    world = shaped({"when": "align", "value": 100.0})
    ways: list[list[float]] = [[0, 1], [0, -0.2], [1, 0], [1, 1], [0, 0]]
    paid = [float(act(world, way).decisions.rewards[0]) for way in ways]
    assert paid == pytest.approx([1, -1, 0, math.sqrt(0.5), 0], abs=1e-4)


def test_being_within_a_distance_pays_in_each_step() -> None:
    world = shaped({"when": "within", "distance": 3.1, "value": 100.0})
    assert [float(act(world, [-1, 0]).decisions.rewards[0]) for _ in range(3)] == [1, 0, 0]


def test_approach_pays_only_for_the_own_way_while_the_goal_moves() -> None:
    world = shaped({"when": "approach", "value": 10.0})
    assert act(world, [0, 0]).decisions.rewards[0] == 0
    goal = np.array([3, 0.08])
    nearer = np.hypot(*goal) - np.hypot(*(goal - (0.08, 0)))
    assert act(world, [1, 0]).decisions.rewards[0] == pytest.approx(nearer, abs=1e-5)


@pytest.mark.parametrize(
    "reward",
    [
        {"when": "step", "value": 100.0},
        {"when": "within", "of": "opponent", "distance": 9.0, "value": 100.0},
        {"when": "event", "event": "met", "value": 1.0},
    ],
)
def test_a_reward_of_a_team_is_paid_to_no_other(reward: dict[str, Any]) -> None:
    world = world_of(
        areas=3,
        teams=[{"name": "red"}, {"name": "blue", "count": 2}],
        agent={},
        entities=[],
        events=[
            {"kind": "near", "name": "met", "of": "opponent", "distance": 20.0},
            {"kind": "timeout", "name": "late"},
        ],
        rewards=[{**reward, "team": "blue"}],
        endings=[{"event": "late", "result": "success"}],
    )
    red, blue = act_all(world, [0, 0]).values()
    assert (red.decisions.rewards.tolist(), blue.decisions.rewards.tolist()) == ([0] * 3, [1] * 6)


def test_a_random_walk_collects_everything_exactly_once() -> None:
    world = World(collecting()._spec, areas=8, seed=1)
    world.reset()
    total = np.zeros(8)
    for action in random_actions(world, 100):
        step = act(world, action * 3)
        left = (step.decisions.observations[0][:, 0] * 3).round()
        ended = np.isin(np.arange(8), step.terminals.ids % 8)
        total = np.where(ended, 0, total + step.decisions.rewards)
        assert total == pytest.approx(3 - left)
