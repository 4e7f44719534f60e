"""Entities that move, by themselves or pushed, and ground that tilts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds import act, spec_of
from unity_mlops_mcp.sandbox.geometry import Bodies, separations
from unity_mlops_mcp.sandbox.world import World

DT = 0.02
STEPWISE = {"max_step": 1000, "decision_period": 1}
FAR_OFF = {"name": "target", "shape": {"kind": "circle", "radius": 0.1}, "spawn": {"positions": [[-1, -1]]}}


def roaming(**motion: Any) -> World:
    """One area of 10 m with a ghost of radius 0.5 that roams from (0, 0), and an agent in a corner."""
    ghost = {"name": "ghost", "motion": {"kind": "roam", **motion}, "spawn": {"positions": [[0, 0]]}}
    observations = {"vector": [{"kind": "velocity", "of": "ghost"}, {"kind": "relative", "of": "ghost"}]}
    world = World(
        spec_of(
            agent={"spawn": {"positions": [[-1, 1]]}},
            entities=[FAR_OFF, ghost],
            observations=observations,
            episode=STEPWISE,
        ),
        areas=1,
        seed=0,
    )
    world.reset()
    return world


def test_a_roaming_thing_goes_straight_on_and_is_mirrored_at_the_sides() -> None:
    world = roaming(speed=3.0)
    world.state.entity_yaw[0, 1] = math.radians(60)
    seen = act(world, [0, 0]).decisions.observations[0][0]
    way = 3 * DT * np.array([math.sin(math.radians(60)), 0.5])
    assert world.state.centre[0, 1] == pytest.approx(way, abs=1e-6)
    assert seen[:2] == pytest.approx(way / DT / 4, abs=1e-5)  # as a share of the agent's 4 m/s
    world.state.centre[0, 1] = (4.48, 0)
    act(world, [0, 0])
    assert world.state.centre[0, 1] == pytest.approx((4.5, 0.03), abs=1e-5)
    assert world.state.entity_yaw[0, 1] == pytest.approx(2 * math.pi - math.radians(60), abs=1e-5)
    world.state.centre[0, 1] = (0, 4.5)
    act(world, [0, 0])
    assert world.state.centre[0, 1, 1] == pytest.approx(4.5)
    assert world.state.entity_yaw[0, 1] == pytest.approx((math.pi + math.radians(60)) % (2 * math.pi), abs=1e-5)


def test_a_roaming_thing_weaves_by_the_formula() -> None:
    world = roaming(speed=1.0, turn=90.0, period=2.0)
    yaw, phase = (float(array[0, 1]) for array in (world.state.entity_yaw, world.state.entity_phase))
    x = z = 0.0
    for step in range(40):
        yaw += math.radians(90) * math.cos(2 * math.pi * step * DT / 2 + phase) * DT
        x, z = x + math.sin(yaw) * DT, z + math.cos(yaw) * DT
        act(world, [0, 0])
    assert world.state.centre[0, 1] == pytest.approx((x, z), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    speed=st.floats(0.1, 30),
    turn=st.floats(0, 720),
    walls=st.booleans(),
    size=st.tuples(st.floats(0.2, 3), st.floats(0.2, 3)),
    seed=st.integers(0, 99),
)
def test_a_roaming_thing_never_leaves_the_arena(
    speed: float, turn: float, walls: bool, size: tuple[float, float], seed: int
) -> None:
    ghost = {
        "name": "ghost",
        "count": 3,
        "shape": {"kind": "box", "size": size},
        "motion": {"kind": "roam", "speed": speed, "turn": turn},
    }
    world = World(spec_of(arena={"half_extent": 3.0, "walls": walls}, entities=[FAR_OFF, ghost]), areas=4, seed=seed)
    world.reset()
    for _ in range(30):
        act(world, [0, 0])
        assert (np.abs(world.state.centre[:, 1:]) <= 3 - np.array(size) / 2 + 1e-5).all()


def test_headings_differ_between_areas_episodes_and_instances() -> None:
    ghost = {"name": "ghost", "count": 4, "motion": "roam"}
    world = World(spec_of(entities=[FAR_OFF, ghost]), areas=8, seed=0)
    drawn: list[float] = []
    for _ in range(2):
        world.reset()
        drawn += world.state.entity_yaw[:, 1:].ravel().tolist() + world.state.entity_phase[:, 1:].ravel().tolist()
    assert len(set(drawn)) == len(drawn) == 128
    assert min(drawn) >= 0
    assert max(drawn) <= 2 * math.pi


CRATE: dict[str, Any] = {
    "name": "crate",
    "shape": {"kind": "box", "size": [1, 1]},
    "motion": {"kind": "pushable"},
    "solid": True,
}


def at(x: float, z: float, reach: float, **entity: Any) -> dict[str, Any]:
    """An entity with its centre at (x, z) metres, in an arena of 10 m."""
    return {**entity, "spawn": {"positions": [[x / (5 - reach), z / (5 - reach)]]}}


def pushing(*entities: dict[str, Any], **changes: Any) -> World:
    """One area in which the agent at (0, 0) moves by 0.08 m in each of its decisions."""
    defaults = {
        "entities": [at(-3, -3, 0.1, **{key: FAR_OFF[key] for key in ("name", "shape")}), *entities],
        "episode": STEPWISE,
    }
    world = World(spec_of(**{**defaults, **changes}), areas=1, seed=0)
    world.reset()
    return world


def test_a_crate_moves_by_the_overlap_and_the_agent_stays_in_touch() -> None:
    world = pushing(at(1.0, 0.1, math.sqrt(0.5), **CRATE))
    assert world.state.centre[0, 1] == pytest.approx((1.0, 0.1), abs=1e-5)
    for _ in range(10):
        act(world, [1, 0])
    assert world.state.position[0] == pytest.approx((0.8, 0), abs=1e-5)
    assert world.state.centre[0, 1] == pytest.approx((0.8 + 0.75, 0.1), abs=1e-5)
    assert world.state.velocity[0] == pytest.approx((4, 0), abs=1e-3)
    assert world.state.entity_velocity[0, 1] == pytest.approx((4, 0), abs=1e-3)


def test_a_round_block_is_pushed_along_the_line_between_the_centres() -> None:
    ball = {**CRATE, "shape": {"kind": "circle", "radius": 0.5}}
    world = pushing(at(0.6, 0.45, 0.5, **ball))  # exactly touching: 0.75 m between the centres
    act(world, [1, 0])
    offset = np.array([0.6 - 0.08, 0.45])
    apart = float(np.hypot(*offset))
    assert world.state.position[0] == pytest.approx((0.08, 0), abs=1e-5)
    expected = np.array([0.6, 0.45]) + offset / apart * (0.75 - apart)
    assert world.state.centre[0, 1] == pytest.approx(expected, abs=1e-5)


def test_a_crate_at_the_wall_stops_the_agent() -> None:
    world = pushing(at(4.2, 0, math.sqrt(0.5), **CRATE), agent={"spawn": {"positions": [[0.6, 0]]}})
    for _ in range(20):
        act(world, [1, 0])
    assert world.state.centre[0, 1] == pytest.approx((4.5, 0), abs=1e-5)
    assert world.state.position[0] == pytest.approx((3.75, 0), abs=1e-4)
    assert world.state.velocity[0] == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize("kind", ["rock", "crate"])
def test_a_crate_stops_at_another_solid_thing(kind: str) -> None:
    other = {"name": "rock", "shape": {"kind": "box", "size": [1, 1]}, "solid": True}
    other = other if kind == "rock" else {**CRATE, "name": "rock"}
    world = pushing(at(1.0, 0, math.sqrt(0.5), **CRATE), at(2.45, 0, math.sqrt(0.5), **other))
    for _ in range(16):
        act(world, [1, 0])
    assert world.state.centre[0, 2] == pytest.approx((2.45, 0), abs=1e-5)
    assert 2.45 - 1 - 0.08 <= world.state.centre[0, 1, 0] <= 2.45 - 1 + 1e-4
    assert world.state.position[0, 0] == pytest.approx(world.state.centre[0, 1, 0] - 0.75, abs=1e-4)


def test_without_walls_a_crate_can_be_pushed_out_of_the_arena() -> None:
    world = pushing(
        at(4.2, 0, math.sqrt(0.5), **CRATE), agent={"spawn": {"positions": [[0.6, 0]]}}, arena={"walls": False}
    )
    for _ in range(20):
        act(world, [1, 0])
    assert world.state.centre[0, 1, 0] > 5


def test_pushing_is_a_touch_and_the_crate_is_the_subject_of_rewards_events_and_observations() -> None:
    goal = at(2.2, 0, 0.5, name="goal", shape={"kind": "circle", "radius": 0.5})
    world = pushing(
        at(1.0, 0, math.sqrt(0.5), **CRATE),
        goal,
        observations={
            "vector": [
                {"kind": "relative", "of": "goal", "subject": "crate"},
                {"kind": "bearing", "of": "goal", "subject": "crate", "frame": "world"},
            ]
        },
        events=[
            {"kind": "touch", "name": "pushed", "of": "crate"},
            {"kind": "enter", "name": "scored", "of": "goal", "subject": "crate"},
        ],
        rewards=[
            {"when": "approach", "of": "goal", "subject": "crate", "value": 10.0},
            {"when": "event", "event": "pushed", "value": 100.0},
            {"when": "event", "event": "scored", "value": 1000.0},
        ],
        endings=[{"event": "scored", "result": "success"}],
    )
    world.state.position[0] = (0.2, 0)
    first = act(world, [1, 0]).decisions
    assert first.rewards[0] == pytest.approx(100 + 0.03, abs=1e-4)  # the crate came nearer by 3 cm
    assert first.observations[0][0] == pytest.approx([0.117, 0, 1, 0, 0.117], abs=1e-5)
    ended = next(step for step in iter(lambda: act(world, [1, 0]), None) if step.terminals.ids.size)
    assert ended.terminals.rewards[0] == pytest.approx(1000.08, abs=1e-3)
    assert ended.terminals.observations[0][0, 0] == pytest.approx(0.5 / 10, abs=0.01)


shapes = st.one_of(
    st.floats(0.2, 0.9).map(lambda radius: {"kind": "circle", "radius": radius}),
    st.tuples(st.floats(0.3, 1.8), st.floats(0.3, 1.8)).map(lambda size: {"kind": "box", "size": size}),
)


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(st.tuples(shapes, st.booleans()), min_size=1, max_size=4),
    agents=st.integers(1, 3),
    seed=st.integers(0, 2**31),
    actions=st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=15),
)
def test_solid_things_never_overlap_and_stay_within_the_walls_however_they_are_pushed(
    blocks: list[tuple[dict[str, Any], bool]], agents: int, seed: int, actions: list[tuple[float, float]]
) -> None:
    entities = [
        {"name": f"block{i}", "shape": shape, "solid": True, "motion": "pushable" if pushed else "static"}
        for i, (shape, pushed) in enumerate(blocks)
    ]
    agent = {"count": agents, "motion": {"kind": "holonomic", "speed": 6.0}}
    world = World(spec_of(arena={"half_extent": 3.0}, agent=agent, entities=[FAR_OFF, *entities]), areas=4, seed=seed)
    world.reset()
    state = world.state
    for action in actions:
        act(world, list(action))
        there = state.centre[:, 1:, 0] < 100
        corner = np.abs(state.centre[:, 1:]) + state.half[:, 1:] + state.radius[:, 1:, None]
        assert (corner.max(axis=2) <= 3 + 1e-4)[there].all()
        for slot in range(1, len(blocks)):
            one = Bodies(state.centre[:, slot, None], state.half[:, slot, None], state.radius[:, slot, None])
            rest = slice(slot + 1, None)
            others = Bodies(state.centre[:, rest], state.half[:, rest], state.radius[:, rest])
            both = there[:, slot - 1, None] & there[:, slot:]
            assert (separations(one, others) >= -2e-4)[both].all()


def test_boxes_overlap_by_the_smaller_of_both_overlaps() -> None:
    def box(x: float, z: float) -> Bodies:
        return Bodies(
            np.array([[[x, z]]], np.float32), np.array([[[1, 0.5]]], np.float32), np.zeros((1, 1), np.float32)
        )

    for x, z, distance in ((1.9, 0.2, -0.1), (0.5, 0.9, -0.1), (2.3, 0, 0.3), (2.3, 1.4, 0.5)):
        assert separations(box(0, 0), box(x, z))[0, 0] == pytest.approx(distance, abs=1e-6)


def tilting(**changes: Any) -> World:
    """One area with a body that rolls from (0, 0)."""
    motion = {"kind": "tilt", "rate": 100.0, "most": 20.0, "gravity": 7.0, "top_speed": 5.0}
    agent = {"spawn": {"positions": [[0, 0]]}, "motion": motion}
    observations = {"vector": [{"kind": "tilt"}, {"kind": "velocity"}]}
    world = World(
        spec_of(**{"agent": agent, "observations": observations, "episode": STEPWISE, **changes}), areas=1, seed=0
    )
    world.reset()
    return world


def test_the_ground_tilts_at_its_rate_up_to_its_most_and_the_body_rolls_down() -> None:
    world = tilting()
    angle = speed = way = 0.0
    for _ in range(15):
        seen = act(world, [1, -0.5]).decisions.observations[0][0]
        angle = min(angle + math.radians(100 * DT), math.radians(20))
        speed += 7 * math.sin(angle) * DT
        way += speed * DT
    assert world.state.position[0, 0] == pytest.approx(way, abs=1e-4)
    assert seen == pytest.approx([1, -0.75, speed / 5, seen[3]], abs=1e-4)
    assert seen[3] < 0


def test_a_wall_takes_the_speed_of_a_rolling_body_and_an_episode_begins_level() -> None:
    world = tilting()
    world.state.position[0] = (4.7, 0)
    for _ in range(20):
        act(world, [1, 0])
    assert world.state.position[0, 0] == pytest.approx(4.75)
    assert world.state.velocity[0, 0] == pytest.approx(0, abs=1e-4)
    world.reset()
    assert world.state.tilt[0].tolist() == [0, 0]
