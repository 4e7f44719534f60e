"""Learns from the rewards in a dataset with d3rlpy (implicit Q-learning), and exports as ML-Agents would have.

Usage: ``PYTHON .../trainer_env/offline_rl.py TASK.json``, under an interpreter that has d3rlpy; `Task` describes the
file. It imports nothing beside it, prints one line for each look at the validation episodes, and saves on SIGINT and
SIGTERM. Exit codes: 0 done or interrupted with everything saved, else an error.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = str(Path(__file__).resolve().parent)
VERSION_NUMBER = 3.0
"""ML-Agents' version of the ONNX format (``ModelSerializer`` of mlagents 0.28 to 1.1.0)."""
OPSET = 9
KEPT = 5


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Attributes:
        behavior: ``name``, ``observations`` (``name``, ``shape`` each, all of one dimension), ``continuous``.
        data: the folder of ``training.npz`` and ``validation.npz``, as for cloning, with ``outcomes`` too.
        target: the run's folder.
        updates: gradient steps, counted from the run's beginning; 1 or more.
        seed: of the network and of what is drawn from the data; 0 or more.
        from_step: the step of the checkpoint that it goes on from; 0 begins.
        look: updates between two looks at the validation episodes; 1 or more.
        save: updates between two checkpoints; 1 or more.
        batch_size: decisions in one update; 1 or more.
        learning_rate: of the policy's and the critics' Adam; above 0.
        gamma: how much a reward counts one decision earlier; from 0 to 1.
    """

    behavior: dict[str, Any]
    data: str
    target: str
    updates: int
    seed: int
    from_step: int
    look: int
    save: int
    batch_size: int
    learning_rate: float
    gamma: float


def main(arguments: list[str]) -> int:
    """Do what the task file says; the exit code."""
    sys.path[:] = [entry for entry in sys.path if entry != FOLDER]  # its modules are named like packages
    task = Task(**json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    _Learning(task).run()
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _arrays(path: Path, sensors: int) -> dict[str, Any]:
    """A file's decisions, the sensors side by side."""
    import numpy as np

    with np.load(path, allow_pickle=False) as data:
        found = {name: data[name] for name in data.files}
    seen = np.concatenate([found[f"observation_{index}"] for index in range(sensors)], axis=1).astype(np.float32)
    return {**found, "observations": seen}


class _Learning:
    """One training, from its network to its policy."""

    def __init__(self, task: Task) -> None:
        import d3rlpy
        import torch

        torch.set_num_threads(1)
        d3rlpy.seed(task.seed)
        self.task, self.name = task, task.behavior["name"]
        self.sizes = [int(sensor["shape"][0]) for sensor in task.behavior["observations"]]
        self.folder = Path(task.target) / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.held = _arrays(Path(task.data) / "validation.npz", len(self.sizes))
        data = _arrays(Path(task.data) / "training.npz", len(self.sizes))
        self.dataset = self._dataset(data)
        self.algo = self._algorithm(data["observations"])
        self.step = task.from_step
        if task.from_step:
            self.algo.load_model(str(self.folder / "checkpoint.pt"))

    def _dataset(self, data: dict[str, Any]) -> Any:
        import numpy as np
        from d3rlpy.constants import ActionSpace
        from d3rlpy.dataset import MDPDataset

        ends = np.cumsum(data["lengths"]) - 1
        terminals, timeouts = np.zeros(len(data["rewards"]), np.float32), np.zeros(len(data["rewards"]), np.float32)
        over = data["outcomes"] == 0
        terminals[ends[over]], timeouts[ends[~over]] = 1.0, 1.0
        return MDPDataset(
            observations=data["observations"],
            actions=data["continuous"].astype(np.float32),
            rewards=data["rewards"].astype(np.float32)[:, None],
            terminals=terminals,
            timeouts=timeouts,
            action_space=ActionSpace.CONTINUOUS,
        )

    def _algorithm(self, seen: Any) -> Any:
        from d3rlpy.algos import IQLConfig
        from d3rlpy.preprocessing import StandardObservationScaler

        algo = IQLConfig(
            actor_learning_rate=self.task.learning_rate,
            critic_learning_rate=self.task.learning_rate,
            batch_size=self.task.batch_size,
            gamma=self.task.gamma,
            observation_scaler=StandardObservationScaler(mean=seen.mean(axis=0), std=seen.std(axis=0)),
        ).create(device="cpu:0")
        algo.build_with_dataset(self.dataset)
        return algo

    def run(self) -> None:
        """Learn, whatever was done before; an interrupt saves."""
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(self.folder))
        try:
            self._learn(writer)
        except KeyboardInterrupt:
            _say("Learning was interrupted. Please wait while the policy is exported.")
        writer.close()
        policy = self._save()
        (Path(self.task.target) / f"{self.name}.onnx.part").write_bytes(policy.read_bytes())
        (Path(self.task.target) / f"{self.name}.onnx.part").replace(Path(self.task.target) / f"{self.name}.onnx")

    def _learn(self, writer: Any) -> None:
        import numpy as np

        began, losses = time.monotonic(), dict[str, list[float]]()
        while self.step < self.task.updates:
            told = self.algo.update(self.dataset.sample_transition_batch(self.task.batch_size))
            for name, value in told.items():
                losses.setdefault(name, []).append(float(value))
            self.step += 1
            if self.step % self.task.look == 0 or self.step == self.task.updates:
                means = {name: float(np.mean(values)) for name, values in losses.items()}
                self._look(writer, means, time.monotonic() - began)
                losses.clear()
            if self.step % self.task.save == 0:
                self._save()

    def _look(self, writer: Any, losses: dict[str, float], elapsed_s: float) -> None:
        """How far the policy is from what was done in the episodes that it never saw, and the losses."""
        import numpy as np

        chosen = self.algo.predict(self.held["observations"])
        away = float(np.mean((chosen - self.held["continuous"]) ** 2))
        for tag, value in losses.items():
            writer.add_scalar(f"Losses/{tag}", value, self.step)
        writer.add_scalar("Losses/Validation Loss", away, self.step)
        writer.flush()
        loss = losses.get("actor_loss", next(iter(losses.values()), 0.0))
        _say(
            f"{self.name}. Learning step: {self.step}. Time Elapsed: {elapsed_s:.3f} s. Loss: {loss:.6f}. "
            f"Validation: {away:.6f}."
        )

    def _save(self) -> Path:
        """A checkpoint and its policy; the oldest make room. The policy's file."""
        stem = self.folder / f"{self.name}-{self.step}"
        weights, policy = Path(f"{stem}.pt"), Path(f"{stem}.onnx")
        for file in (weights, self.folder / "checkpoint.pt"):
            part = file.with_name(file.name + ".part")
            self.algo.save_model(str(part))
            part.replace(file)
        self._export(policy)
        _say(f"Exported {policy}")
        kept = sorted(self.folder.glob(f"{self.name}-*.pt"), key=lambda file: file.stat().st_mtime_ns)
        for file in kept[:-KEPT]:
            file.unlink()
            file.with_suffix(".onnx").unlink(missing_ok=True)
        return policy

    def _export(self, path: Path) -> None:
        """The policy with ML-Agents' names of what goes in and comes out."""
        import torch

        algo, size = self.algo, int(self.task.behavior["continuous"])

        class Exported(torch.nn.Module):  # type: ignore[misc]  # untyped where torch is not installed
            """What ``obs_0..n`` become."""

            def __init__(self) -> None:
                super().__init__()
                self.version = torch.nn.Parameter(torch.tensor([VERSION_NUMBER]), requires_grad=False)
                self.memory = torch.nn.Parameter(torch.tensor([0.0]), requires_grad=False)
                self.shape = torch.nn.Parameter(torch.tensor([float(size)]), requires_grad=False)
                for index, (_, module) in enumerate(sorted(algo.impl.modules.get_torch_modules().items())):
                    self.add_module(f"part_{index}", module)

            def forward(self, *sensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
                seen = algo.observation_scaler.transform(torch.cat(sensors, dim=1))
                chosen = torch.clamp(algo.impl.inner_predict_best_action(seen), -1, 1)
                return self.version, self.memory, chosen, self.shape, chosen * 1.0

        names = [f"obs_{index}" for index in range(len(self.sizes))]
        told = ("version_number", "memory_size", "continuous_actions", "continuous_action_output_shape")
        outputs = [*told, "deterministic_continuous_actions"]
        batches = {name: {0: "batch"} for name in (*names, "continuous_actions", "deterministic_continuous_actions")}
        part = path.with_name(path.name + ".part")
        torch.onnx.export(
            Exported().eval(),
            tuple(torch.zeros(1, size) for size in self.sizes),
            str(part),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=outputs,
            dynamic_axes=batches,
        )
        part.replace(path)


def _say(line: str) -> None:
    print(f"[INFO] {line}", flush=True)  # noqa: T201 - as mlagents' own logger writes it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
