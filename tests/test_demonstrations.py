"""Demonstrations: scripted experts and policies play, and what they did becomes a file that training learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training_home import finish
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.evaluation.experts import expert_for
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.training.datasets.reading import read_dataset

MASTERED = {"reach_target": "reach", "patrol_waypoints": "patrol", "follow_leader": "follow", "balance": "balance"}


@pytest.fixture
def trainerless(home: Path) -> App:
    """An application over a fresh home."""
    home.mkdir()
    return App(settings())


@pytest.mark.parametrize("name", sorted(MASTERED))
def test_an_expert_masters_its_task(name: str) -> None:
    spec = load_archetype(name).spec
    world = World(spec, areas=64, seed=5)
    behavior, expert = world.behaviors[0], expert_for(spec)
    expert.require_fit(behavior)
    assert expert.task == MASTERED[name]
    step = world.reset()[behavior.name]
    told: list[float] = []
    while len(told) < 64:
        step = world.step({behavior.name: expert.act(step.decisions, {})})[behavior.name]
        told += [stat.value for stat in world.drain_stats() if stat.name == "Environment/Success"]
    assert np.mean(told) > 0.95


@pytest.mark.parametrize("name", sorted(set(archetype_names()) - set(MASTERED) - {"follow_leader_flock"}))
def test_where_no_formula_is_known_a_policy_is_asked_for(name: str) -> None:
    with pytest.raises(InvalidInputError, match="There is no scripted expert") as caught:
        expert_for(load_archetype(name).spec)
    assert "Name a policy" in caught.value.fix


@pytest.mark.slow
def test_a_recording_holds_whole_episodes_of_the_expert(trainerless: App) -> None:
    app = trainerless
    build = app.build_environment(description="reach the target").build_id
    started = app.record_demonstrations(build_id=build, episodes=20, seed=3, idempotency_key="once")
    status = finish(app, started.job_id)
    assert status.state == "succeeded", status.failure
    assert "20 episodes" in status.message
    dataset = read_dataset(app.settings, started.path)
    assert len(dataset.trajectories) == 20
    assert {one.outcome for one in dataset.trajectories} == {"ended"}
    assert dataset.behavior.name == "ReachTarget"
    again = app.record_demonstrations(build_id=build, episodes=20, seed=3, idempotency_key="once")
    assert (again.job_id, again.path, again.success) == (started.job_id, started.path, 1.0)
    assert again.mean_return == pytest.approx(np.mean([one.rewards.sum() for one in dataset.trajectories]))
    found = app.inspect_dataset(started.path, build_id=build)
    assert (found.fits, found.findings) == (True, [])
    app.close()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_recording(trainerless: App) -> None:
    app = trainerless
    build = app.build_environment(description="balance a ball on a plate").build_id
    paths = []
    for _ in range(2):
        started = app.record_demonstrations(build_id=build, episodes=3, seed=7)
        assert finish(app, started.job_id).state == "succeeded"
        paths.append(started.path)
    one, other = (read_dataset(app.settings, path) for path in paths)
    for first, second in zip(one.trajectories, other.trajectories, strict=True):
        np.testing.assert_array_equal(first.observations[0], second.observations[0])
        np.testing.assert_array_equal(first.actions.continuous, second.actions.continuous)
    app.close()


def test_what_cannot_be_recorded_is_refused(trainerless: App) -> None:
    app = trainerless
    push = app.build_environment(description="push the crate into the goal").build_id
    with pytest.raises(InvalidInputError, match="There is no scripted expert"):
        app.record_demonstrations(build_id=push)
    with pytest.raises(InvalidInputError, match="exactly one"):
        app.record_demonstrations()
    with pytest.raises(NotFoundError, match="nowhere"):
        app.record_demonstrations(build_id=push, policy=str(app.settings.home / "nowhere.onnx"))
    with pytest.raises(NotFoundError):
        app.record_demonstrations(build_id=push, policy="no-such-model")
    app.close()


@pytest.mark.slow
def test_noise_disturbs_the_play_and_not_what_is_kept(trainerless: App) -> None:
    app = trainerless
    build = app.build_environment(description="reach the target").build_id
    started = app.record_demonstrations(build_id=build, episodes=8, seed=3, noise=0.5)
    assert finish(app, started.job_id).state == "succeeded"
    spec = load_archetype("reach_target").spec
    for one in read_dataset(app.settings, started.path).trajectories:
        meant = expert_for(spec).formula(one.observations[0]).clip(-1, 1)
        np.testing.assert_allclose(one.actions.continuous, meant, atol=1e-5)
        moved = one.observations[0][1:, 4:6]  # the velocity that followed, as a share of the greatest
        assert np.abs(moved - one.actions.continuous[:-1]).max() > 0.05
    app.close()
