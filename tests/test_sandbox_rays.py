"""Ray sensors: ML-Agents' layout and exact distances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.worlds import spec_of
from unity_mlops_mcp.protocol.simulation import Floats
from unity_mlops_mcp.sandbox.world import World


def cast(ray: dict[str, Any], entities: list[dict[str, Any]], *, walls: bool = True, yaw: float = 0.0) -> Floats:
    """(rays, tags + 2) of an agent at (0, 0) in an arena of 10 m."""
    spec = spec_of(
        arena={"half_extent": 5.0, "walls": walls},
        entities=[
            {"name": "target", "shape": {"kind": "circle", "radius": 0.1}, "spawn": {"positions": [[-1, -1]]}},
            *entities,
        ],
        observations={"vector": [{"kind": "heading"}], "rays": [ray]},
    )
    world = World(spec, areas=1, seed=0)
    world.reset()
    world.state.yaw[:] = yaw
    still = world.step({"Test?team=0": _nothing()})["Test?team=0"]
    return still.decisions.observations[0].reshape(-1, len(ray["tags"]) + 2)


def _nothing() -> Any:
    from unity_mlops_mcp.protocol.simulation import Actions

    return Actions(np.zeros((1, 2), np.float32), np.zeros((1, 0), np.int32))


def circle(name: str, x: float, z: float, radius: float) -> dict[str, Any]:
    """A solid circle with its centre at (x, z) metres."""
    room = 5 - radius
    return {
        "name": name,
        "shape": {"kind": "circle", "radius": radius},
        "spawn": {"positions": [[x / room, z / room]]},
        "solid": True,
    }


def test_angles_alternate_from_straight_ahead_with_the_right_side_first() -> None:
    spec = spec_of(observations={"rays": [{"tags": ["wall"], "rays_per_direction": 3, "max_degrees": 60.0}]})
    assert spec.observations.rays[0].angles == (90, 70, 110, 50, 130, 30, 150)


def test_each_ray_gives_a_one_hot_of_the_tag_then_no_hit_then_the_fraction() -> None:
    ray = {"tags": ["rock", "wall"], "rays_per_direction": 1, "max_degrees": 90.0, "length": 4.0}
    ahead, right, left = cast(ray, [circle("rock", 0, 3, 1.0)])
    assert ahead == pytest.approx([1, 0, 0, 2 / 4])  # the near side of the circle at 2 m
    assert right == pytest.approx([0, 0, 1, 1])  # the wall at 5 m is beyond the ray's length
    assert left == pytest.approx([0, 0, 1, 1])


def test_a_worked_example_with_walls_and_a_slanting_ray() -> None:
    ray = {"tags": ["rock", "wall"], "rays_per_direction": 2, "max_degrees": 90.0, "length": 10.0}
    rows = cast(ray, [circle("rock", 2, 2, 0.5)])
    diagonal = 5 * math.sqrt(2)
    assert rows == pytest.approx(
        np.array(
            [
                [0, 1, 0, 0.5],  # 90 degrees: the wall ahead, 5 m
                [1, 0, 0, (2 * math.sqrt(2) - 0.5) / 10],  # 45: ahead to the right, the rock
                [0, 1, 0, diagonal / 10],  # 135: ahead to the left, into the corner
                [0, 1, 0, 0.5],  # 0: right
                [0, 1, 0, 0.5],  # 180: left
            ]
        ),
        abs=1e-5,
    )


def test_rays_turn_with_the_agent() -> None:
    ray = {"tags": ["rock"], "rays_per_direction": 1, "max_degrees": 90.0, "length": 4.0}
    ahead, right, left = cast(ray, [circle("rock", 3, 0, 1.0)], yaw=math.pi / 2)
    assert ahead[0] == 1
    assert ahead[2] == pytest.approx(0.5, abs=1e-5)
    assert (right[0], left[0]) == (0, 0)


def test_a_thing_without_a_listed_tag_blocks_the_ray_unseen() -> None:
    ray = {"tags": ["wall"], "rays_per_direction": 1, "max_degrees": 90.0, "length": 10.0}
    ahead, *_ = cast(ray, [circle("rock", 0, 3, 1.0)])
    assert ahead == pytest.approx([0, 0, 0.2])


def test_a_ray_hits_the_near_side_of_a_box_and_the_nearest_thing() -> None:
    box = {"name": "crate", "shape": {"kind": "box", "size": [2, 1]}, "spawn": {"positions": [[0, 0.5]]}, "solid": True}
    ray = {"tags": ["crate", "rock"], "rays_per_direction": 1, "max_degrees": 20.0, "length": 10.0}
    rows = cast(ray, [box, circle("rock", 0, 4, 0.5)], walls=False)
    near = 0.5 * (5 - math.hypot(1, 0.5)) - 0.5
    assert rows[0] == pytest.approx([1, 0, 0, near / 10], abs=1e-5)
    assert rows[1] == pytest.approx([1, 0, 0, near / math.cos(math.radians(20)) / 10], abs=1e-5)


def test_a_ray_does_not_see_what_it_starts_inside_of() -> None:
    zone = {"name": "zone", "shape": {"kind": "circle", "radius": 2.0}, "spawn": {"positions": [[0, 0]]}}
    ray = {"tags": ["zone", "wall"], "rays_per_direction": 1, "max_degrees": 90.0, "length": 10.0}
    assert cast(ray, [zone])[:, 0].tolist() == [0, 0, 0]


def test_nothing_to_hit_is_reported_as_no_hit() -> None:
    ray = {"tags": ["target"], "rays_per_direction": 1, "max_degrees": 45.0, "length": 3.0}
    assert cast(ray, [], walls=False) == pytest.approx(np.array([[0, 1, 1]] * 3))
