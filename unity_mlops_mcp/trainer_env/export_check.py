"""Exports a tiny policy through mlagents' own exporter, to learn before a training whether its export will work.

Usage: ``PYTHON .../trainer_env/export_check.py OUT.onnx [--mode compat|stock]``. Prints one JSON line, ``{"ok": true,
"opset": 9, "seconds": 3.1, …}`` or ``{"ok": false, "error": "…", …}``, and exits with 0 or 1. Mode stock leaves the
trainer as it is (mlagents 0.28 to 1.1.0, so no newer syntax here); mode compat makes the launcher's changes first.
"""
# ruff: noqa: UP006, UP035

import contextlib
import importlib
import inspect
import json
import sys
import time
import traceback
from importlib import util
from pathlib import Path
from typing import Dict, List

FOLDER = str(Path(__file__).resolve().parent)
OBSERVATIONS, CONTINUOUS, BRANCHES = 4, 2, (3,)


def policy() -> object:
    """A policy of one hidden layer, with continuous and discrete actions, as mlagents would make it for a behaviour."""
    from mlagents.trainers.policy.torch_policy import TorchPolicy
    from mlagents.trainers.settings import NetworkSettings, TrainerSettings
    from mlagents_envs.base_env import ActionSpec, BehaviorSpec, DimensionProperty, ObservationSpec, ObservationType

    observation = ObservationSpec((OBSERVATIONS,), (DimensionProperty.NONE,), ObservationType.DEFAULT, "vector")
    spec = BehaviorSpec([observation], ActionSpec(CONTINUOUS, BRANCHES))
    network = NetworkSettings(hidden_units=8, num_layers=1)
    networks = importlib.import_module(torch_folder() + ".networks")
    if hasattr(networks, "SimpleActor") and "actor_cls" in inspect.signature(TorchPolicy).parameters:
        actor = {"conditional_sigma": False, "tanh_squash": False}
        return TorchPolicy(0, spec, network, networks.SimpleActor, actor)
    # mlagents 0.28 and 0.29 choose the networks of a policy themselves
    return TorchPolicy(0, spec, TrainerSettings(network_settings=network))


def torch_folder() -> str:
    """The package of mlagents' networks, which 0.28 names otherwise."""
    newer = "mlagents.trainers.torch_entities"
    return newer if util.find_spec(newer) else "mlagents.trainers.torch"


def export(target: str) -> Dict[str, object]:
    """Write the tiny policy to ``target`` (an .onnx path); what was written."""
    serialization = importlib.import_module(torch_folder() + ".model_serialization")
    tiny = policy()
    serialization.ModelSerializer(tiny).export_policy_model(str(Path(target).with_suffix("")))
    return {"opset": serialization.SerializationSettings.onnx_opset, "bytes": Path(target).stat().st_size}


def _apply_compat() -> None:
    sys.path.insert(0, FOLDER)
    launcher = importlib.import_module("launcher")
    launcher.adopt_package()  # which takes the folder off the path again
    importlib.import_module(launcher.PACKAGE + ".start").prepare("compat")


def check(target: str, mode: str) -> Dict[str, object]:
    """What the export gave, as the JSON line says it; an error is part of the answer, never raised."""
    started = time.monotonic()
    result: Dict[str, object] = {"ok": False, "mode": mode}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            if mode == "compat":
                _apply_compat()
            result.update(export(target))
        result["ok"] = True
    except Exception as error:  # noqa: BLE001 - the top of a process whose answer is the error
        result["error"] = type(error).__name__ + ": " + str(error)
        result["traceback"] = traceback.format_exc().splitlines()[-12:]
    result["seconds"] = round(time.monotonic() - started, 2)
    return result


def main(arguments: List[str]) -> int:
    """Run the check and print its answer; the exit code."""
    mode = "compat"
    if "--mode" in arguments[:-1]:
        place = arguments.index("--mode")
        mode = arguments[place + 1]
        arguments = arguments[:place] + arguments[place + 2 :]
    if len(arguments) != 1 or mode not in ("compat", "stock") or not arguments[0].endswith(".onnx"):
        sys.stderr.write("usage: export_check.py OUT.onnx [--mode compat|stock]\n")
        return 2
    result = check(str(Path(arguments[0]).resolve()), mode)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry != FOLDER]
    sys.exit(main(sys.argv[1:]))
