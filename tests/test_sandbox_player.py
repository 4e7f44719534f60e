"""The sandbox as a process: its command line, its log, its exit codes, and that it is reproducible."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.simulations import assert_equal
from tests.test_protocol_conversation import free_port
from unity_mlops_mcp.protocol.agents import random_actions
from unity_mlops_mcp.protocol.side_channels import Sampler
from unity_mlops_mcp.protocol.trainer import Environment
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec

REPOSITORY = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "unity_mlops_mcp.sandbox")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec.json"
    file.write_text(load_archetype("reach_target").spec.to_json(), "utf-8")
    return file


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def trajectory(spec: Path, *, seed: int, areas: int = 3) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """All observations of 60 steps with fixed actions."""
    rng = np.random.default_rng(0)
    with Environment([*COMMAND, str(spec)], seed=seed, areas=areas, timeout_s=30) as environment:
        current = environment.reset()
        (name,) = environment.behaviors
        seen = []
        for _ in range(60):
            seen.append(current[name].decisions.observations[0])
            actions = random_actions(environment.behaviors[name], current[name].decisions, rng)
            current = environment.step({name: actions})
        return seen


def test_one_seed_is_one_course_of_events_and_another_seed_another(spec: Path) -> None:
    first, again, other = (trajectory(spec, seed=seed) for seed in (5, 5, 6))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_num_areas_are_that_many_agents(spec: Path) -> None:
    assert trajectory(spec, seed=1, areas=7)[0].shape == (7, 6)


@pytest.mark.parametrize("name", ["chase_evade", "follow_leader_flock"])
def test_teams_and_several_agents_come_over_the_protocol_as_they_are(name: str, tmp_path: Path) -> None:
    spec = load_archetype(name).spec
    file = tmp_path / "spec.json"
    file.write_text(spec.to_json(), "utf-8")
    rng, world = np.random.default_rng(0), World(spec, areas=3, seed=4)
    with Environment([*COMMAND, str(file)], seed=4, areas=3, timeout_s=30) as environment:
        sent, ours = environment.reset(), world.reset()
        assert list(environment.behaviors.values()) == list(world.behaviors)
        for _ in range(100):
            for behavior, step in ours.items():
                assert_equal(sent[behavior], step)
            actions = {
                behavior: random_actions(spec, ours[behavior].decisions, rng)
                for behavior, spec in environment.behaviors.items()
            }
            sent, ours = environment.step(actions), world.step(actions)


def test_a_sampled_parameter_differs_by_area_and_episode_but_not_by_run() -> None:
    data = load_archetype("reach_target").spec.model_dump(mode="json")
    data["arena"]["half_extent"] = "size"
    data["parameters"] = {"size": {"default": 5, "minimum": 4, "maximum": 9}}
    spec = EnvironmentSpec.from_data(data)

    def sizes(seed: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        world = World(spec, areas=50, seed=seed)
        world.set_sampler("size", Sampler("uniform", (5.0, 12.0), seed=3).draw)
        found = []
        for _ in range(2):
            world.reset()
            found.append(world.state.half_extent.copy())
        world.set_parameter("size", 6.0)
        world.reset()
        return [*found, world.state.half_extent.copy()]

    first, second, fixed = sizes(seed=1)
    assert len(set(first.tolist())) > 20
    assert first.min() >= 5
    assert first.max() == 9
    assert not np.array_equal(first, second)
    assert set(fixed.tolist()) == {6.0}
    assert np.array_equal(sizes(seed=1)[0], first)
    assert not np.array_equal(sizes(seed=2)[0], first)


def test_unity_flags_are_ignored_and_the_log_goes_to_the_file(spec: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs of the run"
    extra = ["-screen-width", "84", "--mlagents-quality", "5", "-force-vulkan"]
    with Environment([*COMMAND, str(spec)], arguments=extra, log_folder=folder, timeout_s=30) as environment:
        environment.reset()
    log = (folder / "player.log").read_text("utf-8")
    assert "Sandbox for ReachTarget" in log
    assert "1 areas, seed 0" in log
    assert "The trainer ended the conversation" in log


def test_it_reports_success_and_the_causes_of_endings(spec: Path) -> None:
    with Environment([*COMMAND, str(spec)], areas=64, timeout_s=30) as environment:
        current = environment.reset()
        (name,) = environment.behaviors
        ended = 0
        for _ in range(150):
            current = environment.step({})
            ended += len(current[name].terminals.ids)
        successes = [stat for stat in environment.drain_stats() if stat.name == "Environment/Success"]
    assert ended > 0
    assert len(successes) == ended


def test_wrong_arguments_and_specs_are_told_on_the_error_output(tmp_path: Path) -> None:
    broken, wrong = tmp_path / "broken.json", tmp_path / "wrong.json"
    broken.write_text("{")
    wrong.write_text('{"name": "X"}')
    for arguments, words in (
        ((), "Usage"),
        ((tmp_path / "none.json",), "cannot be read"),
        ((broken,), "is not JSON"),
        ((wrong,), "problem(s)"),
        ((wrong, "--mlagents-port", "x"), "Usage"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr


_TRAINER = """
import sys, time
from unity_mlops_mcp.protocol.trainer import Environment
environment = Environment(port=int(sys.argv[1]), timeout_s=20)
environment.reset()
print("reset", flush=True)
while True:
    environment.step({})
"""


def test_it_leaves_within_two_seconds_when_the_trainer_is_killed(spec: Path) -> None:
    port = str(free_port())
    player = subprocess.Popen([*COMMAND, spec, "--mlagents-port", port], stderr=subprocess.PIPE, text=True)
    trainer = subprocess.Popen([sys.executable, "-c", _TRAINER, port], stdout=subprocess.PIPE, text=True)
    with player, trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "reset\n"
        trainer.send_signal(signal.SIGKILL)
        start = time.monotonic()
        _, log = player.communicate(timeout=20)
        assert time.monotonic() - start < 2
    assert player.returncode == 0
    assert "is gone" in log


def test_starting_it_imports_no_heavy_library() -> None:
    heavy = ("sqlalchemy", "pydantic_settings", "typer", "rich", "mcp", "psutil", "onnxruntime", "tensorboard")
    code = f"import sys, unity_mlops_mcp.sandbox.player; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
