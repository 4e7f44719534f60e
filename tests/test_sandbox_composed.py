"""What holds in every world, whatever its spec is composed of."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.composed import composed
from tests.test_sandbox_world import same, trace
from tests.worlds import act_all, random_actions
from unity_mlops_mcp.protocol.simulation import BehaviorStep
from unity_mlops_mcp.sandbox.world import World

DECISIONS = 60
seeds = st.integers(0, 2**20)
thorough = settings(max_examples=25, deadline=None)


def played(world: World) -> Iterator[list[BehaviorStep]]:
    """What all behaviours report, exchange by exchange, under random actions."""
    yield list(world.reset().values())
    for action in random_actions(world, DECISIONS):
        yield list(act_all(world, action).values())


@thorough
@given(seed=seeds)
def test_every_number_is_finite_and_of_the_promised_shape(seed: int) -> None:
    spec = composed(seed)
    world = World(spec, areas=3, seed=seed)
    shapes = [shape for _, shape in spec.sensors()]
    for steps in played(world):
        for step, side in zip(steps, spec.sides, strict=True):
            assert len(step.decisions.ids) == 3 * side.count
            for part in (step.decisions, step.terminals):
                assert [array.shape for array in part.observations] == [(len(part.ids), *shape) for shape in shapes]
                for array in (part.rewards, *part.observations):
                    assert array.dtype == np.float32
                    assert np.isfinite(array).all()


@thorough
@given(seed=seeds)
def test_ids_are_never_used_twice_and_an_area_ends_with_all_its_agents(seed: int) -> None:
    spec = composed(seed)
    world = World(spec, areas=3, seed=seed)
    crew, gone, successes = spec.agents_per_area, set[int](), 0
    for steps in played(world):
        asking = [agent for step in steps for agent in step.decisions.ids.tolist()]
        ended = [agent for step in steps for agent in step.terminals.ids.tolist()]
        assert len({*asking, *ended}) == len(asking) + len(ended)
        assert not gone & {*asking, *ended}
        gone |= set(ended)
        episodes = {agent // crew for agent in ended}
        assert len(ended) == crew * len(episodes)
        told = [stat.name for stat in world.drain_stats()]
        successes += told.count("Environment/Success")
        assert told.count("Environment/Success") == len(episodes)
    assert successes * crew == len(gone)


@thorough
@given(seed=seeds)
def test_a_seed_says_everything_and_areas_do_not_touch_each_other(seed: int) -> None:
    spec = composed(seed)
    first, again = (trace(World(spec, areas=3, seed=seed), DECISIONS) for _ in range(2))
    assert all(same(one, two) for one, two in zip(first, again, strict=True))
    few, many = World(spec, areas=2, seed=seed), World(spec, areas=3, seed=seed)
    few.reset(), many.reset()
    for action in random_actions(many, DECISIONS):
        alone = act_all(few, action[: 2 * spec.agents_per_area])
        for behavior, step in act_all(many, action).items():
            assert same(alone[behavior], step, slice(len(alone[behavior].decisions.ids)))


@thorough
@given(seed=seeds, taken=st.integers(0, DECISIONS))
def test_a_snapshot_is_all_that_an_area_needs_to_go_on(seed: int, taken: int) -> None:
    spec = composed(seed)
    world, other = World(spec, areas=2, seed=seed), World(spec, areas=2, seed=seed)
    world.reset(), other.reset()
    for number, action in enumerate(random_actions(world, DECISIONS)):
        if number == taken:
            other.restore(1, json.loads(json.dumps(world.snapshot(1), allow_nan=False)))
        mine, theirs = act_all(world, action), act_all(other, action if number >= taken else -action)
        if number >= taken:
            for (behavior, step), side in zip(mine.items(), spec.sides, strict=True):
                assert same(step, theirs[behavior], slice(side.count, None))


def test_nearly_every_composed_world_ends_its_episodes_and_pays() -> None:
    ended = paid = 0
    for seed in range(20):
        steps = trace(World(composed(seed), areas=4, seed=seed), 160)
        ended += any(step.terminals.ids.size for step in steps)
        paid += any(step.decisions.rewards.any() or step.terminals.rewards.any() for step in steps)
    assert min(ended, paid) >= 15
