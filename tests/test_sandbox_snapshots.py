"""A snapshot of an area holds all that decides how it goes on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.test_sandbox_world import same
from tests.worlds import act, act_all, random_actions, spec_of
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype


@pytest.mark.parametrize("name", archetype_names())
def test_an_area_goes_on_from_a_snapshot_as_it_went_on_itself(name: str) -> None:
    spec = load_archetype(name).spec
    world, other = World(spec, areas=3, seed=5), World(spec, areas=3, seed=5)
    world.reset(), other.reset()
    actions = random_actions(world, 220)
    for action in actions[:37]:
        act_all(world, action)
    for area in range(3):
        text = json.dumps(world.snapshot(area), allow_nan=False)
        other.restore(area, json.loads(text))
        assert json.dumps(other.snapshot(area)) == text
    for action in actions[37:]:
        theirs = act_all(other, action)
        for behavior, step in act_all(world, action).items():
            assert same(step, theirs[behavior])
            assert np.array_equal(step.decisions.ids, theirs[behavior].decisions.ids)
            assert np.array_equal(step.terminals.rewards, theirs[behavior].terminals.rewards)


def test_what_respawns_goes_on_at_the_same_places() -> None:
    coin = {"name": "coin", "count": 4, "shape": {"kind": "circle", "radius": 1.0}}
    spec = spec_of(
        entities=[coin],
        observations={"vector": [{"kind": "position"}, {"kind": "relative", "of": "coin"}]},
        events=[
            {"kind": "collect", "name": "grabbed", "of": "coin", "respawn": True},
            {"kind": "leave", "name": "left"},
        ],
        arena={"walls": False},
        rewards=[{"when": "event", "event": "grabbed", "value": 1.0}],
        endings=[{"event": "left", "result": "success"}],
    )
    world, other = World(spec, areas=2, seed=5), World(spec, areas=2, seed=5)
    world.reset(), other.reset()
    collected = 0.0
    for number, action in enumerate(random_actions(world, 120)):
        if number == 60:
            other.restore(0, json.loads(json.dumps(world.snapshot(0))))
        step = act(world, action)
        collected += float(step.decisions.rewards.sum())
        if number >= 60:
            assert same(step, act(other, action), slice(1))
    assert collected >= 5
