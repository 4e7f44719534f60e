"""Two teams in self-play and several agents in an area are trained for real, fast and as ML-Agents itself would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trainings import Training, train
from unity_mlops_mcp.builds.sandbox import build_sandbox, write_launcher
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.store.store import Store

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

SHORT: dict[str, Any] = {"summary_freq": 1000, "checkpoint_interval": 2000, "max_steps": 6000}
SELF_PLAY = {"save_steps": 500, "team_change": 2500, "swap_steps": 400, "window": 4}


def both_modes(name: str, changes: dict[str, Any], python: Path, folder: Path) -> list[Training]:
    """The same short training of a preset, fast and compat."""
    preset = load_archetype(name)
    settings = Settings(home=folder / "home")
    with Store(settings.home) as store:
        build = build_sandbox(preset.spec, archetype=name, settings=settings, store=store, job_id=None)
    player = write_launcher(build, folder / "player")
    configuration = folder / "trainer.yaml"
    body = {**preset.training, **SHORT, **changes}
    configuration.write_text(yaml.safe_dump({"behaviors": {preset.spec.name: body}}), "utf-8")
    options = ("--seed=3", "--num-areas=8", "--max-lifetime-restarts=0")
    executable = player.with_suffix(".x86_64")
    return [
        train(python, mode, configuration, executable, run=f"{name}-{mode}", options=options)
        for mode in ("fast", "compat")
    ]


def test_two_teams_of_the_sandbox_play_against_themselves(trainer_python: Path, tmp_path: Path) -> None:
    fast, compat = both_modes("chase_evade", {"self_play": SELF_PLAY}, trainer_python, tmp_path)
    assert (fast.exit_code, compat.exit_code) == (0, 0), fast.output[-3000:] + compat.output[-3000:]
    ratings = [float(elo) for elo in re.findall(r"ELO: ([\d.]+)\.", "\n".join(fast.summaries))]
    assert len(set(ratings)) > 1
    assert fast.summaries == compat.summaries != []
    assert fast.digests(trainer_python, "ChaseEvade") == compat.digests(trainer_python, "ChaseEvade")
    assert "ChaseEvade.onnx" in fast.files
    connected = set(re.findall(r"Connected new brain: (\S+)", fast.output))
    assert connected == {"ChaseEvade?team=0", "ChaseEvade?team=1"}


def test_several_agents_of_the_sandbox_learn_one_policy(trainer_python: Path, tmp_path: Path) -> None:
    fast, compat = both_modes("follow_leader_flock", {}, trainer_python, tmp_path)
    assert (fast.exit_code, compat.exit_code) == (0, 0), fast.output[-3000:] + compat.output[-3000:]
    assert fast.summaries == compat.summaries != []
    assert fast.digests(trainer_python, "FlockLeader") == compat.digests(trainer_python, "FlockLeader")
