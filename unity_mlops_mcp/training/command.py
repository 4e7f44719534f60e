"""The argument list that starts mlagents-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unity_mlops_mcp.training.configuration.schema import version_key
from unity_mlops_mcp.training.records import Trainer

ENVIRONMENT = {"PYTHONHASHSEED": "0"}
"""Self-play's opponents depend on the order of a set of strings; with a fixed hash a seed gives the same run again."""
_SINCE = {"--timeout-wait": (1, 0), "--no-graphics-monitor": (1, 1)}
"""Flags that mlagents 0.28.0 does not know yet (mlagents/trainers/cli_utils.py of 0.28.0, 0.30.0, 1.0.0, 1.1.0)."""


def learn_command(
    trainer: Trainer,
    *,
    config_path: Path,
    run_id: str,
    results_dir: Path,
    env_path: Path | None,
    base_port: int,
    mode: str = "fast",
    num_envs: int = 1,
    num_areas: int = 1,
    seed: int | None = None,
    time_scale: float | None = None,
    resume: bool = False,
    force: bool = False,
    initialize_from: str | None = None,
    no_graphics: bool = True,
    no_graphics_monitor: bool = False,
    width: int | None = None,
    height: int | None = None,
    timeout_wait: int | None = None,
    torch_device: str | None = None,
    env_args: Sequence[str] = (),
) -> list[str]:
    """The command of one attempt, without a shell and without quoting.

    Args:
        trainer: what starts mlagents-learn.
        config_path: the trainer YAML.
        run_id: the name of the run's folder under ``results_dir``.
        results_dir: ML-Agents' results folder.
        env_path: the player; None waits for the Editor's Play on port 5004, whatever ``base_port`` says.
        base_port: the first of ``num_envs`` ports.
        mode: ``fast`` or ``compat``; a stock trainer has none.
        num_envs: how many players are started.
        num_areas: how many training areas each player is told to make.
        seed: 0 or more; None lets mlagents draw one.
        time_scale: Unity's ``Time.timeScale``.
        resume: go on from the run's checkpoint.
        force: overwrite what is in the run's folder.
        initialize_from: another run id in ``results_dir`` whose weights are loaded.
        no_graphics: start players without a graphics driver; it must be False for cameras.
        no_graphics_monitor: graphics for the first player only; from mlagents 1.1.0.
        width: the player's window in pixels.
        height: the player's window in pixels.
        timeout_wait: seconds to wait for a player's answer; from mlagents 1.0.0.
        torch_device: such as ``cpu`` or ``cuda:0``; None lets mlagents choose.
        env_args: arguments for the player; they end the command.
    """
    options: dict[str, object] = {
        "--env": env_path,
        "--run-id": run_id,
        "--results-dir": results_dir,
        "--base-port": base_port if env_path else None,
        "--num-envs": num_envs if env_path else None,
        "--num-areas": num_areas if num_areas != 1 else None,
        "--seed": seed,
        "--time-scale": None if time_scale is None else f"{time_scale:g}",
        "--initialize-from": None if resume else initialize_from,
        "--width": width,
        "--height": height,
        "--timeout-wait": timeout_wait,
        "--torch-device": torch_device,
    }
    flags = {
        "--resume": resume,
        "--force": force and not resume,
        "--no-graphics": no_graphics and env_path is not None,
        "--no-graphics-monitor": no_graphics_monitor,
    }
    named = [f"{name}={value}" for name, value in options.items() if value is not None and _knows(trainer, name)]
    switched = [name for name, on in flags.items() if on and _knows(trainer, name)]
    player = ["--env-args", *env_args] if env_args and env_path else []
    return [*trainer.prefix(mode), str(config_path), *named, *switched, *player]


def _knows(trainer: Trainer, flag: str) -> bool:
    found = trainer.versions.mlagents
    return flag not in _SINCE or found is None or version_key(found) >= _SINCE[flag]
