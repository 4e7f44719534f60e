"""Behaviour cloning with mlagents' own network, loss, optimiser, checkpoint and export; its trainer is not needed."""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from mlagents.plugins.trainer_type import get_default_trainer_types
from mlagents.trainers.buffer import AgentBuffer, BufferKey
from mlagents.trainers.model_saver.torch_model_saver import TorchModelSaver
from mlagents.trainers.policy.torch_policy import TorchPolicy
from mlagents.trainers.ppo.optimizer_torch import TorchPPOOptimizer
from mlagents.trainers.settings import BehavioralCloningSettings, RunOptions, TrainerSettings
from mlagents.trainers.torch_entities.agent_action import AgentAction
from mlagents.trainers.torch_entities.components.bc import module as bc_module
from mlagents.trainers.torch_entities.networks import SimpleActor
from mlagents.trainers.torch_entities.utils import ModelUtils
from mlagents.trainers.trajectory import ObsUtil
from mlagents_envs.base_env import ActionSpec, BehaviorSpec, DimensionProperty, ObservationSpec, ObservationType
from torch.utils.tensorboard import SummaryWriter

ACTION_RANGE = 3.0
"""A policy's continuous actions reach the player as ``clamp(raw, -3, 3) / 3`` (``ActionModel`` of mlagents 1.x)."""
PATIENCE = 6
"""So many looks at the validation episodes without a better one end the cloning."""
LEAST_GAIN = 0.01
"""What counts as better: this share of the best loss so far."""
FIRST_SPREAD = 0.3
"""The standard deviation that actions begin with: the loss is on drawn actions, and must not drown in their noise."""
BATCHES = 4
"""So many batches at least are made of the data in each pass, so that little of it is left over."""
LEAST_BATCH = 32
BEST = "best.pt"


@dataclass(frozen=True)
class Task:
    """What is to be cloned.

    Attributes:
        behavior: ``name``, ``observations`` (``name``, ``shape`` each), ``continuous``, ``branches``.
        configuration: the trainer YAML, whose settings of the behaviour make the network.
        data: the folder of ``training.npz`` and ``validation.npz``: ``lengths`` and ``outcomes`` of the episodes, and
            side by side ``observation_0..n``, ``continuous``, ``discrete``, ``rewards``.
        target: the run's folder, as mlagents-learn would have it.
        updates: gradient steps at most.
        seed: of the network and of the order of the data.
        resume: go on from the checkpoint in ``target``.
        least_spread: the policy's actions keep at least this standard deviation, for a training that shall explore; 0
            where none follows.
    """

    behavior: dict[str, Any]
    configuration: str
    data: str
    target: str
    updates: int
    seed: int
    resume: bool = False
    least_spread: float = 0.0


@dataclass
class _Best:
    """The best weights so far, by their loss on the validation episodes."""

    loss: float = float("inf")
    step: int = 0
    weights: dict[str, Any] | None = None


def clone(task: Task) -> None:
    """Train until the validation loss no longer falls, or the updates are used up; leave what a normal run leaves."""
    random.seed(task.seed)
    np.random.seed(task.seed)  # noqa: NPY002 - mlagents shuffles with the global generator
    torch.manual_seed(task.seed)
    get_default_trainer_types()
    settings = _settings(task)
    _Cloning(task, settings).run()


def _settings(task: Task) -> TrainerSettings:
    """The behaviour's settings, read as mlagents-learn reads them; its reward signals need no player here."""
    options = RunOptions.from_dict(yaml.safe_load(Path(task.configuration).read_text(encoding="utf-8")))
    settings = options.behaviors[task.behavior["name"]]
    signals = {kind: one for kind, one in settings.reward_signals.items() if kind.value == "extrinsic"}
    settings.reward_signals = signals
    settings.init_path = None
    return settings


def _spec(behavior: dict[str, Any]) -> BehaviorSpec:
    sensors = [
        ObservationSpec(
            tuple(one["shape"]),
            (DimensionProperty.UNSPECIFIED,) * len(one["shape"]),
            ObservationType.DEFAULT,
            one["name"],
        )
        for one in behavior["observations"]
    ]
    return BehaviorSpec(sensors, ActionSpec(behavior["continuous"], tuple(behavior["branches"])))


def _buffer(path: Path, spec: BehaviorSpec, sequence_length: int) -> AgentBuffer:
    """The decisions of a file, padded to whole sequences; actions in the network's own units.

    mlagents' loader of .demo files would add the last record of each episode as a decision, with an action that nobody
    took; here there are decisions only.
    """
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    whole, start = AgentBuffer(), 0
    lengths = arrays.pop("lengths").tolist()
    arrays.pop("outcomes")
    for length in lengths:
        _episode({name: values[start : start + length] for name, values in arrays.items()}, spec).resequence_and_append(
            whole, batch_size=None, training_length=sequence_length
        )
        start += length
    return whole


def _episode(data: dict[str, Any], spec: BehaviorSpec) -> AgentBuffer:
    episode, count = AgentBuffer(), len(data["rewards"])
    for index in range(len(spec.observation_specs)):
        episode[ObsUtil.get_name_at(index)].extend(list(data[f"observation_{index}"]))
    if spec.action_spec.continuous_size:
        episode[BufferKey.CONTINUOUS_ACTION].extend(list(data["continuous"] * ACTION_RANGE))
    if spec.action_spec.discrete_size:
        episode[BufferKey.DISCRETE_ACTION].extend(list(data["discrete"]))
    episode[BufferKey.ENVIRONMENT_REWARDS].extend(data["rewards"].tolist())
    episode[BufferKey.DONE].extend([0.0] * (count - 1) + [1.0])
    return episode


class _Cloning:
    """One cloning, from its network to its policy."""

    def __init__(self, task: Task, settings: TrainerSettings) -> None:
        self.task, self.settings = task, settings
        self.name = task.behavior["name"]
        self.spec = _spec(task.behavior)
        network = settings.network_settings
        self.policy = TorchPolicy(
            task.seed, self.spec, network, SimpleActor, {"conditional_sigma": False, "tanh_squash": False}
        )
        self.optimizer = TorchPPOOptimizer(self.policy, settings)
        folder = Path(task.target) / self.name
        self.saver = TorchModelSaver(settings, str(folder), task.resume)
        self.saver.register(self.policy)
        self.saver.register(self.optimizer)
        self.folder = folder
        self.training = _buffer(Path(task.data) / "training.npz", self.spec, self.policy.sequence_length)
        self.validation = _buffer(Path(task.data) / "validation.npz", self.spec, self.policy.sequence_length)
        self.module = self._module()
        self.best = _Best()
        self.step = self.began_at = 0

    def _module(self) -> Any:
        """The cloning module of mlagents over our buffer; it would read a .demo file itself."""
        bc_module.demo_to_buffer = lambda *_: (self.spec, self.training)
        hyper = self.settings.hyperparameters
        batch = max(min(LEAST_BATCH, hyper.batch_size), min(hyper.batch_size, self.training.num_experiences // BATCHES))
        self.chunk = max(1, self.settings.summary_freq)
        cloning = BehavioralCloningSettings(
            demo_path="", steps=self.task.updates, batch_size=batch, num_epoch=1, samples_per_update=self.chunk * batch
        )
        return bc_module.BCModule(self.policy, cloning, hyper.learning_rate, batch, 1)

    def run(self) -> None:
        """Clone, whatever was done before; an interrupt saves."""
        self._begin()
        try:
            self._learn()
        except KeyboardInterrupt:
            _say("Learning was interrupted. Please wait while the graph is generated.")
        self._conclude()

    def _begin(self) -> None:
        if self.task.resume:
            self.saver.initialize_or_load()
            self.step = self.began_at = int(self.policy.get_current_step())
            self._recall()
        else:
            self.policy.actor.update_normalization(self.training)
            self.optimizer.critic.update_normalization(self.training)
            self.policy.set_step(0)
            self._spread(FIRST_SPREAD, FIRST_SPREAD)

    def _recall(self) -> None:
        """The best weights of an earlier attempt."""
        file = self.folder / BEST
        if file.exists():
            kept = torch.load(file, weights_only=True)
            self.best = _Best(kept["loss"], kept["step"], kept["weights"])

    def _learn(self) -> None:
        writer = SummaryWriter(str(self.folder))
        per_pass = max(1, min(self.training.num_experiences // self.module.batch_size, self.chunk))
        next_look, next_save = self.step + self.chunk, self.step + self.settings.checkpoint_interval
        losses: list[float] = []
        began, dull = time.monotonic(), 0
        while self.step < self.task.updates and dull < PATIENCE:
            losses.append(float(self.module.update()["Losses/Pretraining Loss"]))
            self.step = min(self.task.updates, self.step + per_pass)
            self.policy.set_step(self.step)
            if self.step >= min(next_look, self.task.updates):
                next_look = self.step + self.chunk
                dull = 0 if self._look(writer, float(np.mean(losses)), time.monotonic() - began) else dull + 1
                losses.clear()
            if self.step >= next_save:
                next_save = self.step + self.settings.checkpoint_interval
                self._save()
        writer.close()
        if self.step < self.task.updates:
            _say(f"{self.name}. Stopped at step {self.step}: the validation loss has not fallen for {PATIENCE} looks.")

    def _look(self, writer: Any, loss: float, elapsed_s: float) -> bool:
        """Judge the network by the validation episodes; whether it is the best so far."""
        judged = self._validation_loss()
        for tag, value in (
            ("Losses/Pretraining Loss", loss),
            ("Losses/Validation Loss", judged),
            ("Policy/Learning Rate", float(self.module.current_lr)),
        ):
            writer.add_scalar(tag, value, self.step)
        writer.flush()
        _say(
            f"{self.name}. Cloning step: {self.step}. Time Elapsed: {elapsed_s:.3f} s. Loss: {loss:.6f}. "
            f"Validation: {judged:.6f}."
        )
        better = judged < self.best.loss * (1 - LEAST_GAIN)
        if better:
            self.best = _Best(judged, self.step, copy.deepcopy(self.policy.actor.state_dict()))
            self._keep_best()
        return better

    def _keep_best(self) -> None:
        file = self.folder / BEST
        part = file.with_suffix(".part")
        torch.save({"loss": self.best.loss, "step": self.best.step, "weights": self.best.weights}, part)
        part.replace(file)

    def _validation_loss(self) -> float:
        """The loss of mlagents on the most likely actions, in the units of the recorded actions."""
        length = self.policy.sequence_length
        count = self.validation.num_experiences // length
        batch = self.validation.make_mini_batch(0, count * length)
        seen = [ModelUtils.list_to_tensor(one) for one in ObsUtil.from_buffer(batch, len(self.spec.observation_specs))]
        masks = ModelUtils.list_to_tensor(
            np.ones((count * length, sum(self.spec.action_spec.discrete_branches)), np.float32)
        )
        memories = torch.zeros(1, count, self.policy.m_size) if self.policy.use_recurrent else []
        actions = self.policy.actor.action_model
        drawn, actions._deterministic = actions._deterministic, True
        try:
            with torch.no_grad():
                chosen, out, _ = self.policy.actor.get_action_and_stats(
                    seen,
                    masks=masks if self.spec.action_spec.discrete_size else None,
                    memories=memories,
                    sequence_length=length,
                )
                loss = self.module._behavioral_cloning_loss(chosen, out["log_probs"], AgentAction.from_buffer(batch))
        finally:
            actions._deterministic = drawn
        scale = ACTION_RANGE**2 if self.spec.action_spec.continuous_size else 1.0
        return float(loss) / scale

    def _save(self) -> None:
        """A checkpoint of the present weights, to go on from; the oldest make room."""
        self.saver.save_checkpoint(self.name, self.step)
        kept = sorted(self.folder.glob(f"{self.name}-*.pt"), key=lambda file: file.stat().st_mtime_ns)
        for file in kept[: -self.settings.keep_checkpoints]:
            file.unlink()
            file.with_suffix(".onnx").unlink(missing_ok=True)

    def _conclude(self) -> None:
        """Leave the best weights as the run's last checkpoint and policy."""
        if self.best.weights is not None:
            self.policy.actor.load_state_dict(self.best.weights)
            _say(f"{self.name}. The policy is that of step {self.best.step}, validation loss {self.best.loss:.6f}.")
        if self.task.least_spread > 0:
            self._spread(self.task.least_spread, ACTION_RANGE)
        self.policy.set_step(self.step)
        exported, _ = self.saver.save_checkpoint(self.name, self.step)
        self.saver.copy_final_model(exported)

    def _spread(self, least: float, most: float) -> None:
        """Hold the actions' spread within bounds: cloning pulls it down, and a training that follows must explore."""
        model = self.policy.actor.action_model._continuous_distribution
        if model is not None:
            low, high = np.log([least * ACTION_RANGE, most * ACTION_RANGE]).tolist()
            with torch.no_grad():
                model.log_sigma.clamp_(min=low, max=high)


def _say(line: str) -> None:
    print(f"[INFO] {line}", flush=True)  # noqa: T201 - as mlagents' own logger writes it
