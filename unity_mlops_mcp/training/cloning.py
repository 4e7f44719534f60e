"""The part of a training job that learns from a dataset: its files, and the command that clones them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, SetupError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.protocol.simulation import require_behavior_name
from unity_mlops_mcp.training.configuration.schema import version_key
from unity_mlops_mcp.training.datasets.demo import write_demo
from unity_mlops_mcp.training.datasets.reading import read_dataset
from unity_mlops_mcp.training.datasets.recorded import Recorded
from unity_mlops_mcp.training.datasets.splitting import TRAINING, VALIDATION, split, write_arrays
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.request import TrainingRequest
from unity_mlops_mcp.training.trainer.environment import TRAINER_ENV

DATA, PRETRAINING = "demonstrations", "pretraining"
"""Folders of a run: the dataset as it is learned from, and what a hybrid training begins with."""
DEMONSTRATION = "online.demo"
"""The dataset for mlagents' own signals, its actions in the network's units (see ``trainer_env/cloning.py``)."""
ACTION_RANGE = 3.0
LEAST_SPREAD = 0.2
"""Standard deviation that a hybrid training's actions keep after cloning, so that it explores."""
_OLDEST = (1, 0)
_READY = "ready.json"


def cloned_into(request: TrainingRequest, folder: RunFolder) -> RunFolder:
    """Where cloning leaves its checkpoint: in the run's own folder, or in one of it that the training begins with."""
    return folder if request.training_mode == "offline" else RunFolder(folder.path / PRETRAINING)


def initial_weights(folder: RunFolder) -> str:
    """What ``--initialize-from`` is given for a run that has cloned, relative to the folder of all runs."""
    return f"{folder.run_id}/{PRETRAINING}"


def is_cloned(request: TrainingRequest, folder: RunFolder) -> bool:
    """Whether the cloning that precedes a hybrid training is done: its policy is copied last."""
    return (folder.path / PRETRAINING / f"{request.behavior_name}.onnx").is_file()


def write_data(settings: Settings, request: TrainingRequest, folder: RunFolder) -> None:
    """Write the dataset into the run's folder, where it stays as it was when the training was asked for.

    Raises:
        ConflictError: its files were changed since.
        InvalidInputError: they are gone.
    """
    recorded = _recorded(request)
    target = folder.path / DATA
    if (target / _READY).is_file():
        return
    dataset = read_dataset(settings, recorded.path)
    if dataset.sha256 != recorded.sha256:
        raise ConflictError(
            f"The dataset {recorded.path} was changed since the training was asked for.",
            fix="Start the training again with the dataset as it is now.",
            cause="dataset_changed",
        )
    target.mkdir(exist_ok=True)
    training, validation = split(dataset, seed=request.seed)
    write_arrays(target / TRAINING, training)
    write_arrays(target / VALIDATION, validation)
    if request.training_mode == "hybrid":
        write_demo(target / DEMONSTRATION, recorded.spec, dataset.trajectories, gain=ACTION_RANGE)
    told = {**recorded.model_dump(mode="json"), "training": len(training), "validation": len(validation)}
    write_atomically(target / _READY, json.dumps(told, indent=1).encode())


def demonstration_of(folder: Path) -> Path:
    """The .demo file of a run's dataset."""
    return folder / DATA / DEMONSTRATION


def rewards_command(request: TrainingRequest, folder: RunFolder, environment: Trainer) -> list[str]:
    """The command that learns from the dataset's rewards; it goes on from its own checkpoint where there is one."""
    recorded = _recorded(request)
    body = request.configuration["behaviors"][str(request.behavior_name)]
    signals = body.get("reward_signals") or {}
    task = {
        "behavior": _behavior(request, recorded),
        "data": str(folder.path / DATA),
        "target": str(folder.path),
        "updates": request.max_steps,
        "seed": request.seed,
        "from_step": folder.checkpoint_step() or 0,
        "look": int(body.get("summary_freq", 500)),
        "save": int(body.get("checkpoint_interval", 2_000)),
        "batch_size": int(body["hyperparameters"].get("batch_size", 256)),
        "learning_rate": float(body["hyperparameters"].get("learning_rate", 3e-4)),
        "gamma": float((signals.get("extrinsic") or {}).get("gamma", 0.99)),
    }
    file = folder.path / DATA / "task.json"
    write_atomically(file, json.dumps(task, indent=1).encode())
    return [str(environment.python), str(TRAINER_ENV / "offline_rl.py"), str(file)]


def _behavior(request: TrainingRequest, recorded: Recorded) -> dict[str, Any]:
    """The behaviour as a task file tells it: the last gate before its name is a folder's."""
    try:
        name = require_behavior_name(str(request.behavior_name))
    except ValueError as error:
        raise InvalidInputError(
            f"Run {request.run_id} cannot learn: {error}.",
            fix="Rename the behaviour in its dataset, spec or player, and start another training.",
            cause="behavior_name",
        ) from error
    return {
        "name": name,
        "observations": [{"name": name, "shape": list(shape)} for name, shape in recorded.sensors],
        "continuous": recorded.continuous,
        "branches": list(recorded.branches),
    }


def cloning_command(request: TrainingRequest, folder: RunFolder, trainer: Trainer) -> list[str]:
    """The command that clones; it goes on from its own checkpoint where there is one.

    Raises:
        SetupError: this trainer's mlagents is too old.
    """
    found = trainer.versions.mlagents or "0"
    if version_key(found) < _OLDEST:
        raise SetupError(
            f"Cloning needs mlagents 1.0.0 or newer; the trainer {trainer.python} has {found}.",
            fix="Run `unity-mlops trainer install`, and unset UNITY_MLOPS_TRAINER.",
            cause="trainer_unusable",
        )
    recorded, target = _recorded(request), cloned_into(request, folder)
    task = {
        "behavior": _behavior(request, recorded),
        "configuration": str(folder.configuration),
        "data": str(folder.path / DATA),
        "target": str(target.path),
        "updates": updates_of(request),
        "seed": request.seed,
        "resume": target.checkpoint_step() is not None,
        "least_spread": 0.0 if request.training_mode == "offline" else LEAST_SPREAD,
    }
    file = folder.path / DATA / "task.json"
    write_atomically(file, json.dumps(task, indent=1).encode())
    return [str(trainer.python), str(TRAINER_ENV / "offline.py"), str(file)]


def updates_of(request: TrainingRequest) -> int:
    """Gradient steps of the cloning at most."""
    return request.max_steps if request.training_mode == "offline" else request.cloning_updates


def _recorded(request: TrainingRequest) -> Recorded:
    if request.recorded is None:
        raise ValueError(f"Run {request.run_id} learns from no dataset.")
    return request.recorded
