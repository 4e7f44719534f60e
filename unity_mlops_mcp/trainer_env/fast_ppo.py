"""PPO's work on a finished trajectory, on columns and with no forward pass whose result is thrown away."""

from __future__ import annotations

from typing import Any

import numpy as np
from mlagents.torch_utils import torch
from mlagents.trainers.buffer import AgentBuffer, BufferKey, RewardSignalUtil
from mlagents.trainers.optimizer.torch_optimizer import TorchOptimizer
from mlagents.trainers.ppo.trainer import PPOTrainer
from mlagents.trainers.torch_entities.utils import ModelUtils
from mlagents.trainers.trainer.rl_trainer import RLTrainer
from mlagents.trainers.trainer.trainer_utils import get_gae
from mlagents.trainers.trajectory import ObsUtil

from .fast_columns import Column, PieceBuffer
from .fast_trajectories import ColumnTrajectory


def _value_estimates(
    self: Any, batch: Any, next_obs: list[Any], done: bool
) -> tuple[dict[str, Any], dict[str, Any], None]:
    """TorchOptimizer.get_trajectory_value_estimates for a critic without memory.

    The same forward passes on the same shapes, since a batched one would differ in the last bits. The one that
    follows a finished episode is left out where every signal ignores its result.
    """
    count = len(self.policy.behavior_spec.observation_specs)
    with torch.no_grad():
        now = [ModelUtils.list_to_tensor(each) for each in ObsUtil.from_buffer(batch, count)]
        estimates, _ = self.critic.critic_pass(now, None, sequence_length=batch.num_experiences)
        ends = {name: done and not signal.ignore_done for name, signal in self.reward_signals.items()}
        following: dict[str, Any] = {}
        if not all(ends.values()):
            after = [ModelUtils.list_to_tensor(each).unsqueeze(0) for each in next_obs]
            following, _ = self.critic.critic_pass(after, None, sequence_length=1)
    values = {name: ModelUtils.to_numpy(estimate) for name, estimate in estimates.items()}
    bootstrap = {name: 0.0 if ends[name] else ModelUtils.to_numpy(following[name]) for name in values}
    return values, bootstrap, None


def _report_values(trainer: Any, values: dict[str, Any]) -> None:
    signals = trainer.optimizer.reward_signals
    for name, estimate in values.items():
        trainer._stats_reporter.add_stat(f"Policy/{signals[name].name.capitalize()} Value Estimate", np.mean(estimate))


def _collect_rewards(trainer: Any, buffer: Any, agent_id: str) -> dict[str, Any]:
    """Each signal's rewards for the trajectory; the totals are noted for the summaries."""
    collected = trainer.collected_rewards
    collected["environment"][agent_id] += np.sum(np.asarray(buffer[BufferKey.ENVIRONMENT_REWARDS]))
    rewards = {}
    for name, signal in trainer.optimizer.reward_signals.items():
        rewards[name] = np.asarray(signal.evaluate(buffer) * signal.strength)
        collected[name][agent_id] += np.sum(rewards[name])
    return rewards


def _set_targets(
    trainer: Any, buffer: Any, rewards: dict[str, Any], values: dict[str, Any], bootstrap: dict[str, Any]
) -> None:
    """Write rewards, returns and advantages of each signal, and their means, into the buffer."""
    advantages, returns = [], []
    for name, signal in trainer.optimizer.reward_signals.items():
        advantage = get_gae(
            rewards=rewards[name],
            value_estimates=values[name],
            value_next=bootstrap[name],
            gamma=signal.gamma,
            lambd=trainer.hyperparameters.lambd,
        )
        advantages.append(advantage)
        returns.append(advantage + values[name])
        buffer[RewardSignalUtil.rewards_key(name)] = rewards[name].view(Column)
        buffer[RewardSignalUtil.returns_key(name)] = returns[-1].view(Column)
        buffer[RewardSignalUtil.advantage_key(name)] = advantage.view(Column)
    for key, kept in ((BufferKey.ADVANTAGES, advantages), (BufferKey.DISCOUNTED_RETURNS, returns)):
        buffer[key] = np.mean(np.array(kept, dtype=np.float32), axis=0).view(Column)


def _append(trainer: Any, buffer: Any) -> None:
    """RLTrainer._append_to_update_buffer, for a buffer of columns."""
    if not trainer.should_still_train:
        return
    if not isinstance(trainer.update_buffer, PieceBuffer):
        pieces = PieceBuffer()
        if trainer.update_buffer.num_experiences:
            pieces.add(trainer.update_buffer)
        trainer.update_buffer = pieces
    trainer.update_buffer.add(buffer)


def _process(self: Any, trajectory: ColumnTrajectory) -> None:
    """PPOTrainer._process_trajectory."""
    RLTrainer._process_trajectory(self, trajectory)
    buffer = trajectory.columns()
    self._warn_if_group_reward(buffer)
    if self.is_training:
        self.policy.actor.update_normalization(buffer)
        self.optimizer.critic.update_normalization(buffer)
    done = trajectory.done_reached and not trajectory.interrupted
    values, bootstrap, _ = self.optimizer.get_trajectory_value_estimates(buffer, trajectory.next_obs, done)
    _report_values(self, values)
    rewards = _collect_rewards(self, buffer, trajectory.agent_id)
    _set_targets(self, buffer, rewards, values, bootstrap)
    _append(self, buffer)
    if trajectory.done_reached:
        self._update_end_episode_stats(trajectory.agent_id, self.optimizer)


def _resequence_and_append(original: Any) -> Any:
    """A trajectory that went the stock way becomes a piece like the others once the update buffer keeps pieces."""

    def append(self: Any, target_buffer: Any, *arguments: Any, **options: Any) -> None:
        if isinstance(target_buffer, PieceBuffer):
            target_buffer.add(self)
        else:
            original(self, target_buffer, *arguments, **options)

    return append


def skip_needless_passes() -> None:
    """Leave out what get_trajectory_value_estimates computes and throws away."""
    original = TorchOptimizer.get_trajectory_value_estimates

    def estimates(self: Any, batch: Any, next_obs: list[Any], done: bool, agent_id: str = "") -> Any:
        if self.policy.use_recurrent:
            return original(self, batch, next_obs, done, agent_id)
        return _value_estimates(self, batch, next_obs, done)

    TorchOptimizer.get_trajectory_value_estimates = estimates


def process_columns() -> None:
    """Let PPO take a trajectory of rows in as columns; a plug-in's trainer keeps its own way."""
    original = PPOTrainer._process_trajectory

    def process(self: Any, trajectory: Any) -> None:
        if type(self) is PPOTrainer and isinstance(trajectory, ColumnTrajectory):
            _process(self, trajectory)
        else:
            original(self, trajectory)

    PPOTrainer._process_trajectory = process
    AgentBuffer.resequence_and_append = _resequence_and_append(AgentBuffer.resequence_and_append)
