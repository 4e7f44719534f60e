"""A trainer of the user's own: an environment with mlagents 0.28.0 or 1.1.0 in it, whose mlagents-learn is this file.

``make_stock_trainer`` makes a virtual environment that lists the packages of such a trainer, with an ``mlagents`` that
takes the real command line, prints the real lines and writes the real files, in seconds; it starts no player and learns
nothing. SIGINT makes it save and end with code 0, as the real one does. A fault makes it end otherwise:

    exit0@K   ends with code 0 at step K, all saved           crash@K   ends with a traceback at step K
    hang@K    says nothing more from step K on                exit1     ends with code 1 after all is done
    noonnx    writes no final policy                          cutonnx   writes half of the final policy
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

THIS = Path(__file__).resolve()
PACKAGES = {
    "torch": "1.13.1",
    "numpy": "1.23.5",
    "protobuf": "3.20.3",
    "grpcio": "1.48.2",
    "onnx": "1.12.0",
    "setuptools": "65.5.0",
}
SECONDS_PER_SUMMARY = 0.02
FOREVER_S = 3600.0

_ENVS = {
    "mlagents_envs/__init__.py": "",
    "mlagents_envs/base_env.py": """
class ActionSpec:
    def __init__(self, continuous_size, discrete_branches): pass
class BehaviorSpec:
    def __init__(self, observation_specs, action_spec): pass
class ObservationSpec:
    def __init__(self, shape, dimension_property, observation_type, name): pass
class DimensionProperty:
    NONE = 1
class ObservationType:
    DEFAULT = 0
""",
}
_MLAGENTS = {
    "mlagents/__init__.py": "",
    "mlagents/trainers/__init__.py": "__version__ = {version!r}\n",
    "mlagents/trainers/learn.py": """
import sys
sys.path.insert(0, {folder!r})
import stock_trainer
def main():
    return stock_trainer.learn(sys.argv[1:], version={version!r}, fault={fault!r})
if __name__ == "__main__":
    sys.exit(main())
""",
    "mlagents/trainers/settings.py": """
class NetworkSettings:
    def __init__(self, hidden_units=128, num_layers=2): pass
class TrainerSettings:
    def __init__(self, network_settings=None): pass
""",
    "mlagents/trainers/policy/__init__.py": "",
    "mlagents/trainers/policy/torch_policy.py": """
class TorchPolicy:
    def __init__(self, seed, spec, {rest}): pass
""",
    "mlagents/trainers/{torch}/__init__.py": "",
    "mlagents/trainers/{torch}/networks.py": "{networks}",
    "mlagents/trainers/{torch}/model_serialization.py": """
import sys
sys.path.insert(0, {folder!r})
import stock_trainer
class SerializationSettings:
    onnx_opset = 9
class ModelSerializer:
    def __init__(self, policy): pass
    def export_policy_model(self, output_filepath):
        with open(output_filepath + ".onnx", "wb") as file:
            file.write(stock_trainer.tiny_onnx())
""",
}
_SCRIPT = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys
from mlagents.trainers.learn import main
sys.exit(main())
"""


def make_stock_trainer(folder: Path, *, version: str = "1.1.0", fault: str = "") -> Path:
    """Make the environment; the path of its ``mlagents-learn``, which is written as pip writes scripts."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, timeout=120)
    site = next(iter([*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")  # for yaml and tensorboard
    for package, found in {"mlagents": version, "mlagents-envs": version, **PACKAGES}.items():
        info = site / f"{package.replace('-', '_')}-{found}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {found}\n")
    older = version.startswith("0.28")
    words = {
        "version": version,
        "fault": fault,
        "folder": str(THIS.parent),
        "torch": "torch" if older else "torch_entities",
        "rest": "trainer_settings" if older else "network_settings, actor_cls, actor_kwargs",
        "networks": "" if older else "class SimpleActor: pass\n",
    }
    for name, text in {**_ENVS, **_MLAGENTS}.items():
        path = site / name.format(**words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**words))
    python = next(path for path in (folder / "Scripts" / "python.exe", folder / "bin" / "python") if path.exists())
    script = python.parent / "mlagents-learn"
    script.write_text(_SCRIPT.format(python=python))
    script.chmod(0o755)
    return script


def tiny_onnx() -> bytes:
    """A model that gives back its input, in ONNX's wire format (onnx.proto: ModelProto and what is in it)."""
    shape = _field(1, _field(1, 1)) + _field(1, _field(1, 2))
    kind = _field(1, _field(1, 1) + _field(2, shape))  # a tensor of floats
    node = _field(1, b"obs_0") + _field(2, b"continuous_actions") + _field(4, b"Identity")
    graph = (
        _field(1, node)
        + _field(2, b"policy")
        + _field(11, _field(1, b"obs_0") + _field(2, kind))
        + _field(12, _field(1, b"continuous_actions") + _field(2, kind))
    )
    return _field(1, 7) + _field(7, graph) + _field(8, _field(2, 9))


def write_policy(path: Path, run_id: str) -> None:
    """A policy such as Unity loads, which sees four floats and moves by two; no two runs learn the same one."""
    sys.path.insert(0, str(THIS.parents[2]))
    import numpy as np

    from tests.onnx_models import linear

    linear(path, np.random.default_rng(zlib.crc32(run_id.encode())).normal(size=(4, 2)), fixed=False)


def _field(number: int, value: int | bytes) -> bytes:
    """A protobuf field whose number, value or length fits into seven bits; the graph's length into fourteen."""
    if isinstance(value, int):
        return bytes((number << 3, value))
    low, high = len(value) & 0x7F, len(value) >> 7
    length = bytes((low | 0x80, high)) if high else bytes((low,))
    return bytes((number << 3 | 2,)) + length + value


def learn(arguments: list[str], *, version: str, fault: str) -> int:
    """What mlagents-learn does with such a command line; the exit code."""
    import yaml

    options = _parse(arguments, newer=not version.startswith("0.28"))
    folder = Path(options.results_dir, options.run_id)
    if folder.exists() and not (options.force or options.resume):
        raise UnityTrainerException(
            "Previous data from this run ID was found. Either specify a new run ID, use --resume to resume this run, "
            "or use the --force parameter to overwrite existing data."
        )
    configuration = yaml.safe_load(Path(options.trainer_config_path).read_text(encoding="utf-8"))
    behavior, body = next(iter(configuration["behaviors"].items()))
    run = _Run(folder, behavior, body, fault)
    _say(f"\n Version information:\n  ml-agents: {version},\n  ml-agents-envs: {version},\n  Communicator API: 1.5.0")
    print(f"  PyTorch: {PACKAGES['torch']}+cpu", flush=True)
    (folder / "run_logs").mkdir(parents=True, exist_ok=True)
    try:
        run.train(resume=options.resume)
    except KeyboardInterrupt:
        _say("[INFO] Learning was interrupted. Please wait while the graph is generated.")
    run.save()
    (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    (folder / "run_logs" / "training_status.json").write_text("{}")
    (folder / "run_logs" / "timers.json").write_text("{}")
    if fault == "exit1":
        _say("[ERROR] SubprocessEnvManager had workers that didn't signal shutdown")
    return int(fault == "exit1")


class UnityTrainerException(Exception):  # noqa: N818 - the name is mlagents'
    """What mlagents raises for a run id that cannot be used."""


def _parse(arguments: list[str], *, newer: bool) -> argparse.Namespace:
    """The options that the product uses (mlagents/trainers/cli_utils.py); 0.28.0 refuses those of later versions."""
    parser = argparse.ArgumentParser(prog="mlagents-learn", allow_abbrev=False)
    parser.add_argument("trainer_config_path")
    texts = ["env", "run-id", "results-dir", "initialize-from", "torch-device"]
    numbers = ["base-port", "num-envs", "num-areas", "seed", "time-scale", "width", "height"]
    flags = ["resume", "force", "no-graphics"]
    for name in texts:
        parser.add_argument(f"--{name}")
    for name in [*numbers, *(["timeout-wait"] if newer else [])]:
        parser.add_argument(f"--{name}", type=float)
    for name in [*flags, *(["no-graphics-monitor"] if newer else [])]:
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--env-args", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, flush=True)


class _Run:
    """One training of one behaviour, with its faults."""

    def __init__(self, folder: Path, behavior: str, body: dict[str, Any], fault: str) -> None:
        self.folder, self.behavior = folder, behavior
        self.own = folder / behavior
        self.last, self.summary = int(body["max_steps"]), int(body["summary_freq"])
        self.checkpoint = int(body.get("checkpoint_interval", 500_000))
        self.fault, _, at = fault.partition("@")
        self.at = int(at or 0)
        self.step = 0

    def train(self, *, resume: bool) -> None:
        """All summaries up to the last step."""
        self.own.mkdir(parents=True, exist_ok=True)
        _say("[INFO] Connected to Unity environment with package version 2.3.0-exp.3 and communication version 1.5.0")
        _say(f"[INFO] Connected new brain: {self.behavior}?team=0")
        if resume:
            _say(f"[INFO] Resuming from {self.own}.")
            self.step = max(int(path.stem.rsplit("-", 1)[1]) for path in self.own.glob(f"{self.behavior}-*.pt"))
            _say(f"[INFO] Resuming training from step {self.step}.")
        for reward in self._summaries():
            if self.fault in ("exit0", "crash", "hang") and self.step >= self.at:
                self._strike()
                return
            _say(
                f"[INFO] {self.behavior}. Step: {self.step}. Time Elapsed: {self.step / 5000:.3f} s. "
                f"Mean Reward: {reward:.3f}. Std of Reward: 0.250. Training."
            )
            if self.step % self.checkpoint < self.summary:
                self._export()

    def _summaries(self) -> Iterator[float]:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(self.own), flush_secs=1)
        try:
            while self.step < self.last:
                time.sleep(SECONDS_PER_SUMMARY)
                self.step = min(self.step + self.summary, self.last)
                reward = self.step / self.last
                value = summary_pb2.Summary.Value(tag="Environment/Cumulative Reward", simple_value=reward)
                made = summary_pb2.Summary(value=[value])
                writer.add_event(event_pb2.Event(wall_time=time.time(), step=self.step, summary=made))
                yield reward
        finally:
            writer.close()

    def _strike(self) -> None:
        if self.fault == "crash":
            raise RuntimeError("The rewards provided had NaN values.")
        if self.fault == "hang":
            time.sleep(FOREVER_S)

    def _export(self) -> Path:
        """A checkpoint and its policy, with the line that tells it."""
        stem = self.own / f"{self.behavior}-{self.step}"
        with zipfile.ZipFile(stem.with_suffix(".pt"), "w") as archive:
            archive.writestr("checkpoint/data.pkl", b"\x80\x02}q\x00.")
        shutil.copyfile(stem.with_suffix(".pt"), self.own / "checkpoint.pt")
        write_policy(stem.with_suffix(".onnx"), self.folder.name)
        _say(f"[INFO] Exported {stem}.onnx")
        return stem.with_suffix(".onnx")

    def save(self) -> None:
        """The last checkpoint, and the final policy beside the behaviour's folder."""
        exported, final = self._export(), self.folder / f"{self.behavior}.onnx"
        if self.fault == "noonnx":
            return
        whole = exported.read_bytes()
        final.write_bytes(whole[: len(whole) // 2] if self.fault == "cutonnx" else whole)
        _say(f"[INFO] Copied {exported} to {final}.")
