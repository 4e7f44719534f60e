"""The simulated world: episodes, rewards, endings, randomness, parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.worlds import act, act_all, random_actions, spec_of
from unity_mlops_mcp.protocol.simulation import BehaviorStep
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec


def trace(world: World, decisions: int, *, drain: bool = False) -> list[BehaviorStep]:
    """Everything that a world reports under fixed random actions, behaviour by behaviour."""
    steps = list(world.reset().values())
    for action in random_actions(world, decisions):
        steps += act_all(world, action).values()
        if drain:
            world.drain_stats()
    return steps


def same(first: BehaviorStep, second: BehaviorStep, rows: slice = slice(None)) -> bool:
    """Whether the decisions of two reports are equal to the last bit for these agents."""
    one, two = first.decisions, second.decisions
    pairs = [(one.rewards, two.rewards), *zip(one.observations, two.observations, strict=True)]
    return all(np.array_equal(a[rows], b[rows]) for a, b in pairs)


@pytest.mark.parametrize("name", archetype_names())
def test_one_seed_gives_identical_arrays_whenever_statistics_are_drained(name: str) -> None:
    spec = load_archetype(name).spec
    first = trace(World(spec, areas=8, seed=3), 150)
    second = trace(World(spec, areas=8, seed=3), 150, drain=True)
    other = trace(World(spec, areas=8, seed=4), 150)
    assert all(same(a, b) for a, b in zip(first, second, strict=True))
    assert not same(first[0], other[0])
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.terminals.ids, b.terminals.ids)
        assert np.array_equal(a.terminals.rewards, b.terminals.rewards)


@pytest.mark.parametrize("name", archetype_names())
def test_an_area_does_not_depend_on_the_others(name: str) -> None:
    spec = load_archetype(name).spec
    few, many = World(spec, areas=3, seed=1), World(spec, areas=7, seed=1)
    few.reset(), many.reset()
    for action in random_actions(many, 200):
        alone = act_all(few, action[: 3 * spec.agents_per_area])
        for behavior, step in act_all(many, action).items():
            assert same(alone[behavior], step, slice(len(alone[behavior].decisions.ids)))


def test_areas_and_episodes_differ() -> None:
    world = World(load_archetype("reach_target").spec, areas=16, seed=0)
    starts = [world.reset()["ReachTarget?team=0"].decisions.observations[0] for _ in range(3)]
    assert len({row.tobytes() for start in starts for row in start}) == 48


@pytest.mark.parametrize("name", archetype_names())
def test_observations_are_finite_within_bounds_and_of_the_promised_shape(name: str) -> None:
    spec = load_archetype(name).spec
    world = World(spec, areas=8, seed=0)
    for step in trace(world, 200):
        for part in (step.decisions, step.terminals):
            assert [array.shape[1:] for array in part.observations] == [shape for _, shape in spec.sensors()]
            for array in part.observations:
                assert array.dtype == np.float32
                assert np.isfinite(array).all()
                assert (
                    np.abs(array).max(initial=0) <= 1.2
                )  # pushed aside by a body, an agent may go a little faster than it drives


@pytest.mark.parametrize("name", [name for name in archetype_names() if load_archetype(name).goal.success])
@pytest.mark.parametrize("policy", ["uniform", "untrained"])
def test_a_random_policy_succeeds_in_at_most_a_tenth_of_the_episodes(name: str, policy: str) -> None:
    world = World(load_archetype(name).spec, areas=64, seed=0)
    world.reset()
    rng = np.random.default_rng(0)
    results: list[float] = []
    agents = len(world.state.yaw)
    while len(results) < 400:
        uniform = rng.uniform(-1, 1, (agents, 2))
        untrained = np.clip(rng.standard_normal((agents, 2)), -3, 3) / 3  # what ML-Agents' first policy does
        act(world, uniform if policy == "uniform" else untrained)
        results += [stat.value for stat in world.drain_stats() if stat.name == "Environment/Success"]
    assert np.mean(results) <= 0.1


def test_reaching_the_target_ends_the_episode_with_success() -> None:
    world = World(spec_of(), areas=2, seed=0)
    first = world.reset()["Test?team=0"].decisions
    assert act(world, [1, 0]).terminals.ids.size == 0  # 0.4 m per decision; the target begins at 3.5 m
    for _ in range(7):
        act(world, [1, 0])
    last = act(world, [1, 0])
    assert np.array_equal(last.terminals.ids, first.ids)
    assert last.terminals.rewards == pytest.approx([1, 1])
    assert not last.terminals.interrupted.any()
    assert last.terminals.observations[0][0, 0] == pytest.approx(3.52 / 5)
    assert not set(last.decisions.ids) & set(first.ids)
    assert last.decisions.rewards.tolist() == [0, 0]
    assert last.decisions.observations[0].tolist() == [[0, 0], [0, 0]]  # begun anew, at rest until the next decision
    stats = {stat.name: stat.value for stat in world.drain_stats()}
    assert stats == {"Environment/Success": 1, "Environment/Ending/reached": 1, "Environment/Ending/timeout": 0}
    assert world.drain_stats() == []


def test_max_step_interrupts_and_counts_as_a_timeout() -> None:
    world = World(spec_of(rewards=[{"when": "step", "value": -1.0}]), areas=1, seed=0)
    world.reset()
    steps = [act(world, [0, 0]) for _ in range(20)]
    assert [step.terminals.ids.size for step in steps] == [0] * 19 + [1]
    assert steps[-1].terminals.interrupted.tolist() == [True]
    total = sum(float(step.decisions.rewards[0]) for step in steps[:-1]) + float(steps[-1].terminals.rewards[0])
    assert total == pytest.approx(-1)
    stats = {stat.name: stat.value for stat in world.drain_stats()}
    assert stats == {"Environment/Success": 0, "Environment/Ending/reached": 0, "Environment/Ending/timeout": 1}


def test_shaping_pays_for_the_way_that_was_made() -> None:
    rewards = [{"when": "approach", "of": "target", "value": 2.0}]
    world = World(spec_of(rewards=rewards), areas=1, seed=0)
    world.reset()
    assert act(world, [1, 0]).decisions.rewards[0] == pytest.approx(2 * 0.4 / 10, abs=1e-6)
    assert act(world, [-1, 0]).decisions.rewards[0] == pytest.approx(-2 * 0.4 / 10, abs=1e-6)


@pytest.mark.parametrize(
    ("motion", "action", "expected"),
    [
        ({"kind": "holonomic", "speed": 2.0}, [1, -0.5], (0.2, -0.1)),
        ({"kind": "car", "speed": 2.0, "turn": 90.0}, [1, 0], (0, 0.2)),
        ({"kind": "car", "speed": 2.0, "turn": 90.0}, [0, 1], (0, 0)),
        ({"kind": "force", "force": 5.0, "mass": 1.0, "damping": 0.5}, [0, 1], (0, 0.0293070)),
    ],
)
def test_bodies_move_by_their_model(motion: dict[str, Any], action: list[float], expected: tuple[float, float]) -> None:
    agent = {"spawn": {"positions": [[0, 0]]}, "motion": motion}
    world = World(spec_of(agent=agent), areas=1, seed=0)
    world.reset()
    act(world, action)
    assert world.state.position[0] == pytest.approx(expected, abs=1e-6)


def test_a_car_turns_clockwise_and_drives_where_it_looks() -> None:
    agent = {"spawn": {"positions": [[0, 0]]}, "motion": {"kind": "car", "speed": 2.0, "turn": 180.0}}
    observations = {"vector": [{"kind": "heading"}, {"kind": "velocity", "frame": "agent"}]}
    world = World(spec_of(agent=agent, observations=observations), areas=1, seed=0)
    world.reset()
    for _ in range(5):
        act(world, [0, 1])
    step = act(world, [1, 0])
    assert world.state.yaw[0] == pytest.approx(math.pi / 2, abs=1e-5)
    assert world.state.position[0] == pytest.approx((0.2, 0), abs=1e-5)
    assert step.decisions.observations[0][0] == pytest.approx([1, 0, 0, 1], abs=1e-4)


def test_a_grid_body_jumps_once_per_decision_and_never_leaves_the_cells() -> None:
    spec = spec_of(
        agent={"motion": {"kind": "grid", "cell": 1.0}},
        actions={"kind": "discrete"},
        entities=[
            {"name": "target", "shape": {"kind": "circle", "radius": 0.4}, "spawn": {"min_distance": 1.0}},
            {"name": "rock", "count": 6, "shape": {"kind": "circle", "radius": 0.4}, "solid": True},
        ],
    )
    world = World(spec, areas=16, seed=0)
    world.reset()
    for action in random_actions(world, 200):
        before = world.state.position.copy()
        ended = act(world, action).terminals.ids % 16
        moved = np.abs(world.state.position - before).sum(axis=1)
        assert set(np.delete(moved, ended).tolist()) <= {0.0, 1.0}
        assert np.array_equal(world.state.position, np.rint(world.state.position))


@pytest.mark.parametrize(
    ("action", "expected"), [(0, (0, 0)), (1, (0.4, 0)), (2, (-0.4, 0)), (3, (0, 0.4)), (4, (0, -0.4))]
)
def test_discrete_actions_are_five_ways_to_move(action: int, expected: tuple[float, float]) -> None:
    world = World(spec_of(actions={"kind": "discrete"}), areas=1, seed=0)
    world.reset()
    act(world, action)
    assert world.state.position[0] == pytest.approx(expected, abs=1e-6)


def test_actions_beyond_one_count_as_one() -> None:
    world = World(spec_of(), areas=1, seed=0)
    world.reset()
    act(world, [50, 0])
    assert world.state.position[0, 0] == pytest.approx(0.4)


def patrol(laps: int) -> EnvironmentSpec:
    """Three waypoints on a line to the right of the agent."""
    return spec_of(
        entities=[
            {
                "name": "point",
                "count": 3,
                "ordered": True,
                "shape": {"kind": "circle", "radius": 0.3},
                "spawn": {"positions": [[0.2, 0], [0.4, 0], [0.6, 0]]},
            }
        ],
        observations={
            "vector": [
                {"kind": "relative", "of": "point", "pick": "current"},
                {"kind": "relative", "of": "point", "pick": "next"},
                {"kind": "progress", "of": "point"},
                {"kind": "one_hot", "of": "point"},
            ]
        },
        events=[
            {"kind": "visit", "name": "visited", "of": "point"},
            {"kind": "complete", "name": "lap", "of": "point", "laps": laps},
        ],
        rewards=[
            {"when": "event", "event": "visited", "value": 1.0, "shared_by": "point"},
            {"when": "event", "event": "lap", "value": 10.0},
        ],
        endings=[{"event": "lap", "result": "success"}],
        episode={"max_step": 500},
    )


def test_waypoints_count_in_their_order_and_a_full_lap_ends_the_episode() -> None:
    world = World(patrol(1), areas=1, seed=0)
    world.reset()
    seen, total, ended = [], 0.0, 0
    while not ended:
        step = act(world, [1, 0])
        ended = len(step.terminals.ids)
        total += float((step.terminals if ended else step.decisions).rewards[0])
        seen.append(float(step.decisions.observations[0][0, 4]))
    assert total == pytest.approx(1 + 10)
    assert sorted({round(share, 3) for share in seen}) == [0, 0.333, 0.667]
    assert {stat.name: stat.value for stat in world.drain_stats()}["Environment/Ending/lap"] == 1


def test_waypoints_out_of_order_do_not_count() -> None:
    world = World(patrol(1), areas=1, seed=0)
    world.reset()
    world.state.position[0] = world.state.centre[0, 2]
    assert act(world, [0, 0]).decisions.rewards[0] == 0
    world.state.position[0] = world.state.centre[0, 0]
    step = act(world, [0, 0])
    assert step.decisions.rewards[0] == pytest.approx(1 / 3)
    assert step.decisions.observations[0][0, 5:].tolist() == [0, 1, 0]
    offset = world.state.centre[0, 1] - world.state.position[0]
    assert step.decisions.observations[0][0, :2] == pytest.approx(offset / 10)


def test_several_laps_are_counted() -> None:
    world = World(patrol(2), areas=1, seed=0)
    world.reset()
    for i in (0, 1, 2, 0, 1):
        world.state.position[0] = world.state.centre[0, i]
        assert act(world, [0, 0]).terminals.ids.size == 0
    world.state.position[0] = world.state.centre[0, 2]
    assert act(world, [0, 0]).terminals.ids.size == 1


def test_a_touch_is_paid_once_per_contact() -> None:
    spec = spec_of(
        entities=[
            {
                "name": "rock",
                "solid": True,
                "spawn": {"positions": [[0.4, 0]]},
                "shape": {"kind": "box", "size": [1, 1]},
            }
        ],
        events=[{"kind": "touch", "name": "crashed", "of": "rock"}, {"kind": "touch", "name": "bumped", "of": "wall"}],
        rewards=[
            {"when": "event", "event": "crashed", "value": -1.0},
            {"when": "event", "event": "bumped", "value": -7.0},
        ],
        endings=[{"event": "bumped", "result": "success"}],
        episode={"max_step": 1000},
    )
    world = World(spec, areas=1, seed=0)
    world.reset()
    rewards = [float(act(world, [1, 0]).decisions.rewards[0]) for _ in range(10)]
    assert sum(rewards) == pytest.approx(-1)
    act(world, [-1, 0])
    assert act(world, [1, 0]).decisions.rewards[0] + act(world, [1, 0]).decisions.rewards[0] == pytest.approx(-1)
    ended = next(step for step in iter(lambda: act(world, [0, 1]), None) if step.terminals.ids.size)
    assert ended.terminals.rewards[0] == pytest.approx(-7)


def test_leaving_an_arena_without_walls_is_an_event() -> None:
    spec = spec_of(
        arena={"half_extent": 1.0, "walls": False},
        events=[{"kind": "leave", "name": "left"}, {"kind": "enter", "name": "reached", "of": "target"}],
        endings=[{"event": "left", "result": "failure"}, {"event": "reached", "result": "success"}],
        entities=[{"name": "target", "shape": {"kind": "circle", "radius": 0.1}, "spawn": {"positions": [[0, 1]]}}],
    )
    world = World(spec, areas=1, seed=0)
    world.reset()
    steps = [act(world, [1, 0]) for _ in range(3)]
    assert [step.terminals.ids.size for step in steps] == [0, 0, 1]
    assert {stat.name: stat.value for stat in world.drain_stats()}["Environment/Ending/left"] == 1


PARAMETERS = {"speed": {"default": 1.0, "minimum": 0.5, "maximum": 4.0}}


def test_a_parameter_counts_from_the_next_episode_and_keeps_to_its_range() -> None:
    agent = {"spawn": {"positions": [[0, 0]]}, "motion": {"kind": "holonomic", "speed": "speed"}}
    world = World(spec_of(agent=agent, parameters=PARAMETERS), areas=1, seed=0)
    world.reset()
    world.set_parameter("speed", 100.0)
    world.set_parameter("unknown", 1.0)
    act(world, [1, 0])
    assert world.state.position[0, 0] == pytest.approx(0.1)
    world.reset()
    act(world, [1, 0])
    assert world.state.position[0, 0] == pytest.approx(0.4)


def test_a_sampled_parameter_differs_between_episodes_until_it_is_set() -> None:
    parameters = {"rocks": {"default": 2, "minimum": 0, "maximum": 5, "sample": True}}
    entities = [
        {"name": "target", "shape": {"kind": "circle", "radius": 0.4}},
        {"name": "rock", "count": "rocks", "shape": {"kind": "circle", "radius": 0.3}, "solid": True},
    ]
    world = World(spec_of(entities=entities, parameters=parameters), areas=32, seed=0)
    world.reset()
    assert set(world.state.count["rock"].tolist()) == {0, 1, 2, 3, 4, 5}
    world.set_parameter("rocks", 3)
    world.reset()
    assert set(world.state.count["rock"].tolist()) == {3}
    there = world.state.centre[:, 1:, 0] < 100
    assert (there.sum(axis=1) == 3).all()


def test_what_does_not_exist_is_observed_as_zeros() -> None:
    spec = spec_of(
        entities=[
            {"name": "target", "shape": {"kind": "circle", "radius": 0.4}},
            {"name": "rock", "count": "rocks", "solid": True},
        ],
        parameters={"rocks": {"default": 0, "minimum": 0, "maximum": 2}},
        observations={
            "vector": [{"kind": "relative", "of": "rock"}, {"kind": "bearing", "of": "rock"}],
            "rays": [{"tags": ["rock"], "rays_per_direction": 1, "length": 3.0}],
        },
    )
    rays, vector = World(spec, areas=1, seed=0).reset()["Test?team=0"].decisions.observations
    assert vector.tolist() == [[0] * 5]
    assert rays.reshape(3, 3)[:, 0].tolist() == [0, 0, 0]


def test_walls_and_time_are_observed() -> None:
    observations = {"vector": [{"kind": "wall_distance"}, {"kind": "time_left"}]}
    world = World(spec_of(observations=observations), areas=1, seed=0)
    world.reset()
    row = act(world, [1, 0]).decisions.observations[0][0]
    assert row == pytest.approx([4.6 / 10, 5.4 / 10, 0.5, 0.5, 0.95], abs=1e-6)
