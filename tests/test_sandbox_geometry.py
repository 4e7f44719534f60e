"""Push-out and spawning: nothing ends up inside of something solid or outside of the walls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds import act, spec_of
from unity_mlops_mcp.sandbox.draws import uniforms
from unity_mlops_mcp.sandbox.geometry import Bodies, gaps
from unity_mlops_mcp.sandbox.world import World

TOLERANCE = 2e-3

shapes = st.one_of(
    st.floats(0.1, 1.2).map(lambda radius: {"kind": "circle", "radius": radius}),
    st.tuples(st.floats(0.1, 2.5), st.floats(0.1, 2.5)).map(lambda size: {"kind": "box", "size": size}),
)
motions = st.sampled_from(
    [
        {"kind": "holonomic", "speed": 8.0},
        {"kind": "car", "speed": 8.0, "turn": 360.0},
        {"kind": "force", "force": 60.0, "mass": 1.0, "damping": 3.0},
    ]
)


def free(world: World) -> float:
    """The least distance in metres from the agents' surface to anything solid; negative where they overlap."""
    state = world.state
    solid = gaps(state.position, state.bodies(state.slots.solid)) - 0.25
    walls = state.half_extent - np.abs(state.position).max(axis=1) - 0.25
    return float(min(solid.min(initial=1.0), walls.min()))


@settings(max_examples=60, deadline=None)
@given(
    solids=st.lists(st.tuples(shapes, st.integers(1, 6), st.floats(0, 0.6)), min_size=1, max_size=3),
    motion=motions,
    seed=st.integers(0, 2**31),
    actions=st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=15),
)
def test_no_agent_is_inside_something_solid_or_outside_the_arena(
    solids: list[tuple[dict[str, Any], int, float]],
    motion: dict[str, Any],
    seed: int,
    actions: list[tuple[float, float]],
) -> None:
    rocks = [
        {"name": f"rock{i}", "shape": shape, "count": count, "spawn": {"min_distance": gap}, "solid": True}
        for i, (shape, count, gap) in enumerate(solids)
    ]
    target = {"name": "target", "shape": {"kind": "circle", "radius": 0.1}}
    world = World(
        spec_of(
            arena={"half_extent": 3.0}, agent={"motion": motion, "random_heading": True}, entities=[target, *rocks]
        ),
        areas=4,
        seed=seed,
    )
    world.reset()
    assert free(world) >= -TOLERANCE
    for action in actions:
        act(world, list(action))
        assert free(world) >= -TOLERANCE


def test_a_body_slides_along_a_wall_and_stops_in_the_corner() -> None:
    world = World(spec_of(episode={"max_step": 1000}), areas=1, seed=0)
    world.reset()
    for _ in range(30):
        act(world, [-1, -0.5])
    assert world.state.position[0] == pytest.approx((-4.75, -4.75), abs=1e-5)
    assert world.state.velocity[0] == pytest.approx((0, 0), abs=1e-4)


def test_a_body_slides_around_a_circle_that_it_is_pushed_against() -> None:
    rock = {
        "name": "rock",
        "shape": {"kind": "circle", "radius": 0.5},
        "spawn": {"positions": [[0.4, 0.05]]},
        "solid": True,
    }
    target = {"name": "target", "spawn": {"positions": [[-1, -1]]}}
    world = World(spec_of(entities=[target, rock], episode={"max_step": 1000}), areas=1, seed=0)
    world.reset()
    for _ in range(40):
        act(world, [1, 0])
    assert world.state.position[0, 0] == pytest.approx(4.75, abs=1e-5)  # past the rock, on its lower side


def test_bodies_keep_their_distance_when_there_is_room() -> None:
    spec = spec_of(
        agent={},
        entities=[
            {"name": "target", "shape": {"kind": "circle", "radius": 0.4}, "spawn": {"min_distance": 1.5}},
            {
                "name": "rock",
                "count": 4,
                "shape": {"kind": "circle", "radius": 0.5},
                "spawn": {"min_distance": 0.6},
                "solid": True,
            },
        ],
    )
    state = World(spec, areas=200, seed=0)
    state.reset()
    centre, radius = state.state.centre, state.state.radius
    target_to_agent = np.hypot(*(centre[:, 0] - state.state.position).T) - 0.4 - 0.25
    assert target_to_agent.min() >= 1.5 - 1e-5
    for i in range(1, 5):
        for j in range(i):
            assert (np.hypot(*(centre[:, i] - centre[:, j]).T) - radius[:, i] - radius[:, j]).min() >= 0.6 - 1e-5


def test_solid_bodies_that_find_no_room_are_left_out() -> None:
    crowd = {"name": "rock", "count": 40, "shape": {"kind": "circle", "radius": 1.0}, "solid": True}
    target = {"name": "target", "shape": {"kind": "circle", "radius": 0.1}}
    world = World(spec_of(agent={}, arena={"half_extent": 3.0}, entities=[target, crowd]), areas=8, seed=0)
    world.reset()
    there = (world.state.centre[:, 1:, 0] < 100).sum(axis=1)
    assert (there >= 3).all()
    assert (there < 9).all()
    assert free(world) >= -TOLERANCE


def test_a_region_and_fixed_positions_are_kept() -> None:
    spec = spec_of(
        agent={"spawn": {"region": {"x": [-1, -0.5], "z": [0.5, 1]}}},
        entities=[{"name": "target", "spawn": {"positions": [[1, -1]]}, "shape": {"kind": "circle", "radius": 0.5}}],
    )
    world = World(spec, areas=100, seed=0)
    world.reset()
    x, z = world.state.position.T
    assert (x >= -4.75).all()
    assert (x <= -2.375).all()
    assert (z >= 2.375).all()
    assert world.state.centre[:, 0] == pytest.approx(np.tile([4.5, -4.5], (100, 1)))


def test_distances_to_boxes_and_circles() -> None:
    point = np.array([[3, 0], [2, 2], [0.2, 0.1]], np.float32)
    one = np.zeros((3, 1, 2), np.float32)
    box = Bodies(one, one + np.array([1, 1], np.float32), np.zeros((3, 1), np.float32))
    disc = Bodies(one, one, np.ones((3, 1), np.float32))
    assert gaps(point, box)[:, 0] == pytest.approx([2, np.sqrt(2), 0])
    assert gaps(point, disc)[:, 0] == pytest.approx([2, np.sqrt(8) - 1, np.hypot(0.2, 0.1) - 1])


def test_random_numbers_are_uniform_and_depend_on_seed_area_and_episode_only() -> None:
    areas, episodes = np.arange(500), np.arange(500) % 7
    draws = uniforms(5, areas, episodes, 40)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert np.var(draws) == pytest.approx(1 / 12, abs=0.005)
    assert len(np.unique(draws)) > 19_900
    assert np.array_equal(uniforms(5, areas[100:101], episodes[100:101], 10), draws[100:101, :10])
    assert not np.array_equal(uniforms(6, areas, episodes, 40), draws)
