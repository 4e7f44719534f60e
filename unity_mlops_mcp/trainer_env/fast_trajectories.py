"""Trajectories that refer to rows of the environment's answers, instead of an object per agent and step.

The stock AgentProcessor builds a dozen objects for each agent at each step and takes them apart again when a trajectory
ends. Here a step is one tuple, and a field is gathered from the rows when it is asked for. Recurrent policies and
agents in groups go the stock way; when a group appears in the middle of a run, all that was kept is handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from mlagents.trainers.agent_processor import AgentProcessor
from mlagents.trainers.behavior_id_utils import get_global_agent_id
from mlagents.trainers.buffer import AgentBuffer, AgentBufferField
from mlagents.trainers.buffer import BufferKey as Key
from mlagents.trainers.policy.torch_policy import TorchPolicy
from mlagents.trainers.torch_entities.action_log_probs import LogProbsTuple
from mlagents.trainers.torch_entities.utils import ModelUtils
from mlagents.trainers.trajectory import AgentExperience, GroupObsUtil, ObsUtil
from mlagents_envs.base_env import ActionTuple

from .fast_columns import Array, Column, LazyBuffer


class Record(NamedTuple):
    """One agent's step: where its observation and action are, and what came of it.

    Attributes:
        steps: the DecisionSteps in which it asked for the action; its row in them is ``row``.
        action: the ActionTuple of all agents of those steps, and ``log_probs`` their LogProbsTuple.
        previous: the discrete action before; None where there was none.
        reward: what the action brought, and ``group_reward`` what it brought the group.
    """

    steps: Any
    row: int
    action: Any
    log_probs: Any
    previous: Any
    reward: Any
    group_reward: Any


class Steps(Sequence[Any]):
    """The steps of a trajectory as AgentExperiences, each made when it is looked at."""

    def __init__(self, trajectory: ColumnTrajectory) -> None:
        self._trajectory = trajectory

    def __len__(self) -> int:
        return len(self._trajectory.records)

    def __getitem__(self, index: Any) -> Any:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self[place] for place in places]
        done = self._trajectory.done_reached and places == len(self) - 1
        record = self._trajectory.records[places]
        return experience(record, done=done, interrupted=done and self._trajectory.interrupted)


def experience(record: Record, *, done: bool, interrupted: bool) -> Any:
    """The AgentExperience that the stock processor would have made of a step."""
    steps, row = record.steps, record.row
    branches = record.action.discrete.shape[1]
    return AgentExperience(
        obs=[observation[row] for observation in steps.obs],
        reward=record.reward,
        done=done,
        action=ActionTuple(continuous=record.action.continuous[row], discrete=record.action.discrete[row]),
        action_probs=LogProbsTuple(
            continuous=record.log_probs.continuous[row], discrete=record.log_probs.discrete[row]
        ),
        action_mask=None if steps.action_mask is None else [mask[row] for mask in steps.action_mask],
        prev_action=np.zeros(branches, np.int32) if record.previous is None else record.previous,
        interrupted=interrupted,
        memory=None,
        group_status=[],
        group_reward=record.group_reward,
    )


class ColumnTrajectory:
    """Stands for mlagents' Trajectory: the same attributes, and the same AgentBuffer."""

    __slots__ = ("agent_id", "behavior_id", "done_reached", "interrupted", "next_obs", "records")

    all_group_dones_reached = True
    next_group_obs: tuple[()] = ()

    def __init__(
        self, records: list[Record], next_obs: list[Array], agent_id: str, behavior_id: str, ended: tuple[bool, bool]
    ) -> None:
        self.records, self.next_obs, self.agent_id, self.behavior_id = records, next_obs, agent_id, behavior_id
        self.done_reached, self.interrupted = ended

    @property
    def steps(self) -> Steps:
        """The steps, each an AgentExperience when it is looked at."""
        return Steps(self)

    def columns(self) -> TrajectoryColumns:
        """The experiences with arrays as fields; for trainers that read columns."""
        return TrajectoryColumns(self)

    def to_agentbuffer(self) -> Any:
        """The experiences as mlagents' own AgentBuffer, every field a list, as Trajectory.to_agentbuffer makes it."""
        buffer = AgentBuffer()
        for key, entries in _entries_of(len(self.next_obs)).items():
            buffer[key] = AgentBufferField(entries(self))
        buffer[Key.ACTION_MASK].padding_value = 1
        return buffer


Entries = Callable[[ColumnTrajectory], Sequence[Any]]


def _observations(index: int) -> Entries:
    return lambda trajectory: [record.steps.obs[index][record.row] for record in trajectory.records]


def _next_observations(index: int) -> Entries:
    now = _observations(index)
    return lambda trajectory: [*now(trajectory)[1:], trajectory.next_obs[index]]


def _actions(kind: str) -> Entries:
    return lambda trajectory: [getattr(record.action, kind)[record.row] for record in trajectory.records]


def _next_actions(kind: str) -> Entries:
    now = _actions(kind)

    def entries(trajectory: ColumnTrajectory) -> list[Any]:
        actions = now(trajectory)
        return [*actions[1:], np.zeros_like(actions[-1])]

    return entries


def _log_probs(kind: str) -> Entries:
    return lambda trajectory: [getattr(record.log_probs, kind)[record.row] for record in trajectory.records]


def _masks(trajectory: ColumnTrajectory) -> list[Any]:
    """1 where an action is allowed; the environment says True where it is not."""
    first = trajectory.records[0]
    if first.steps.action_mask is None:
        return [np.ones(first.action.discrete.shape[1], np.float32) for _ in trajectory.records]
    return [
        1 - np.concatenate([mask[record.row] for mask in record.steps.action_mask]) for record in trajectory.records
    ]


def _previous(trajectory: ColumnTrajectory) -> list[Any]:
    none = np.zeros(trajectory.records[0].action.discrete.shape[1], np.int32)
    return [none if record.previous is None else record.previous for record in trajectory.records]


def _dones(trajectory: ColumnTrajectory) -> list[bool]:
    return [False] * (len(trajectory.records) - 1) + [trajectory.done_reached]


def _nobody(trajectory: ColumnTrajectory) -> list[Any]:
    return [[] for _ in trajectory.records]


@lru_cache
def _entries_of(observations: int) -> dict[Any, Entries]:
    """How each field of an AgentBuffer is gathered, in mlagents' order of fields."""
    fields: dict[Any, Entries] = {}
    for index in range(observations):
        fields[ObsUtil.get_name_at(index)] = _observations(index)
        fields[ObsUtil.get_name_at_next(index)] = _next_observations(index)
    for key in (Key.GROUP_CONTINUOUS_ACTION, Key.GROUP_DISCRETE_ACTION, Key.GROUPMATE_REWARDS):
        fields[key] = _nobody
    fields[Key.GROUP_REWARD] = lambda trajectory: [record.group_reward for record in trajectory.records]
    for key in (Key.GROUP_NEXT_CONT_ACTION, Key.GROUP_NEXT_DISC_ACTION):
        fields[key] = _nobody
    for index in range(observations):
        fields[GroupObsUtil.get_name_at(index)] = fields[GroupObsUtil.get_name_at_next(index)] = _nobody
    fields[Key.MASKS] = lambda trajectory: [1.0] * len(trajectory.records)
    fields[Key.DONE] = _dones
    fields[Key.GROUP_DONES] = _nobody
    fields[Key.CONTINUOUS_ACTION], fields[Key.DISCRETE_ACTION] = _actions("continuous"), _actions("discrete")
    fields[Key.NEXT_CONT_ACTION], fields[Key.NEXT_DISC_ACTION] = _next_actions("continuous"), _next_actions("discrete")
    fields[Key.CONTINUOUS_LOG_PROBS], fields[Key.DISCRETE_LOG_PROBS] = _log_probs("continuous"), _log_probs("discrete")
    fields[Key.ACTION_MASK] = _masks
    fields[Key.PREV_ACTION] = _previous
    fields[Key.ENVIRONMENT_REWARDS] = lambda trajectory: [record.reward for record in trajectory.records]
    return fields


class TrajectoryColumns(LazyBuffer):
    """A trajectory's experiences with arrays as fields, each made when it is first read."""

    def __init__(self, trajectory: ColumnTrajectory) -> None:
        super().__init__()
        self._trajectory = trajectory
        self._entries = _entries_of(len(trajectory.next_obs))

    @property
    def num_experiences(self) -> int:
        """The length of the trajectory."""
        return len(self._trajectory.records)

    def _knows(self, key: object) -> bool:
        return key in self._entries

    def _known(self) -> Iterator[Any]:
        return iter(self._entries)

    def _make(self, key: Any) -> Any:
        entries = self._entries[key]
        if entries is _nobody:
            return AgentBufferField(entries(self._trajectory))
        return np.array(entries(self._trajectory)).view(Column)


class Agent:
    """An agent in the middle of an episode.

    Attributes:
        steps: the DecisionSteps in which it last asked for an action; its row in them is ``row``.
        outputs: the actions and log-probabilities that answered; None before they are known.
        previous: the discrete action before.
        records: its steps since its last trajectory ended.
        survived: its steps since its episode began.
    """

    __slots__ = ("outputs", "previous", "records", "row", "steps", "survived")

    def __init__(self, steps: Any, row: int) -> None:
        self.steps, self.row = steps, row
        self.outputs: tuple[Any, Any] | None = None
        self.previous: Any = None
        self.records: list[Record] = []
        self.survived = 0


class ColumnProcessor:
    """What an AgentProcessor does, for agents without memory and groups."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._branches = processor.policy.behavior_spec.action_spec.discrete_size
        self._agents: dict[int, dict[int, Agent]] = {}

    def add(self, decisions: Any, terminals: Any, worker_id: int, previous: Any) -> None:
        """AgentProcessor.add_experiences."""
        agents = self._agents.setdefault(worker_id, {})
        outputs = previous.outputs
        if outputs:
            self._note_outputs(agents, outputs, previous.agent_ids)
        if len(terminals):
            self._end_episodes(agents, terminals, worker_id)
        if len(decisions):
            self._go_on(agents, decisions, worker_id)
        if outputs and self._branches:
            # the stock processor saves the first agent's action for every agent; the replay file shows it
            first = outputs["action"].discrete[0, :]
            for local_id in previous.agent_ids:
                if local_id in agents:
                    agents[local_id].previous = first

    def _note_outputs(self, agents: dict[int, Agent], outputs: dict[str, Any], agent_ids: Sequence[Any]) -> None:
        for entropy in outputs.get("entropy", ()):
            value = ModelUtils.to_numpy(entropy) if hasattr(entropy, "detach") else entropy
            self._processor._stats_reporter.add_stat("Policy/Entropy", value)
        log_probs = outputs["log_probs"]
        if not isinstance(log_probs, LogProbsTuple):
            log_probs = log_probs.to_log_probs_tuple()
        taken = (outputs["action"], log_probs)
        for local_id in agent_ids:
            agent = agents.get(local_id)
            if agent is not None:
                agent.outputs = taken

    def _end_episodes(self, agents: dict[int, Agent], terminals: Any, worker_id: int) -> None:
        rewards, group_rewards = terminals.reward, terminals.group_reward
        for row, local_id in enumerate(terminals.agent_id.tolist()):
            agent = agents.get(local_id)
            if agent is None or agent.outputs is None:
                continue
            self._record(agent, rewards[row], group_rewards[row])
            ended = (True, bool(terminals.interrupted[row]))
            self._publish(agent, [observation[row] for observation in terminals.obs], worker_id, local_id, ended)
            self._processor._stats_reporter.add_stat("Environment/Episode Length", agent.survived)
            del agents[local_id]

    def _go_on(self, agents: dict[int, Agent], decisions: Any, worker_id: int) -> None:
        rewards, group_rewards = decisions.reward, decisions.group_reward
        horizon = self._processor._max_trajectory_length
        for row, local_id in enumerate(decisions.agent_id.tolist()):
            agent = agents.get(local_id)
            if agent is None:
                agents[local_id] = Agent(decisions, row)
                continue
            if agent.outputs is not None:
                self._record(agent, rewards[row], group_rewards[row])
                agent.survived += 1
                if len(agent.records) >= horizon:
                    following = [observation[row] for observation in decisions.obs]
                    self._publish(agent, following, worker_id, local_id, (False, False))
            agent.steps, agent.row = decisions, row

    @staticmethod
    def _record(agent: Agent, reward: Any, group_reward: Any) -> None:
        action, log_probs = agent.outputs  # type: ignore[misc]
        agent.records.append(Record(agent.steps, agent.row, action, log_probs, agent.previous, reward, group_reward))

    def _publish(
        self, agent: Agent, following: list[Array], worker_id: int, local_id: int, ended: tuple[bool, bool]
    ) -> None:
        agent_id = get_global_agent_id(worker_id, local_id)
        trajectory = ColumnTrajectory(agent.records, following, agent_id, self._processor._behavior_id, ended)
        for queue in self._processor._trajectory_queues:
            queue.put(trajectory)
        agent.records = []

    def end_episode(self) -> None:
        """Drop what is unfinished of the agents with experiences; like the stock processor, keep the others."""
        for agents in self._agents.values():
            for local_id in [local_id for local_id, agent in agents.items() if agent.records or agent.survived]:
                del agents[local_id]

    def hand_over(self) -> None:
        """Give all that is unfinished to the stock processor, which goes on from there."""
        for worker_id, agents in self._agents.items():
            for local_id, agent in agents.items():
                self._hand_over(agent, get_global_agent_id(worker_id, local_id), local_id)
        self._agents.clear()

    def _hand_over(self, agent: Agent, agent_id: str, local_id: int) -> None:
        stock = self._processor
        stock._last_step_result[agent_id] = (agent.steps[local_id], agent.row)
        if agent.outputs is not None:
            action, log_probs = agent.outputs
            stock._last_take_action_outputs[agent_id] = {"action": action, "log_probs": log_probs}
        if agent.records or agent.survived:
            kept = [experience(record, done=False, interrupted=False) for record in agent.records]
            stock._experience_buffers[agent_id] = kept
            stock._episode_steps[agent_id] = agent.survived
        if agent.previous is not None:
            stock.policy.previous_action_dict[agent_id] = agent.previous


def _suits(policy: Any) -> bool:
    return isinstance(policy, TorchPolicy) and not policy.use_recurrent


def _need_stock(decisions: Any, terminals: Any, outputs: Any) -> bool:
    """Whether there is something here that rows do not carry: a group, or a policy that gives no log-probabilities."""
    return any(decisions.group_id) or any(terminals.group_id) or (bool(outputs) and "log_probs" not in outputs)


def keep_rows() -> None:
    """Let agent processors keep rows; each decides at its first step, and for good when a group appears."""
    add_experiences, end_episode = AgentProcessor.add_experiences, AgentProcessor.end_episode

    def add(self: Any, decision_steps: Any, terminal_steps: Any, worker_id: int, previous_action: Any) -> None:
        columns = vars(self).setdefault("_columns", ColumnProcessor(self) if _suits(self.policy) else None)
        if columns is not None and _need_stock(decision_steps, terminal_steps, previous_action.outputs):
            columns.hand_over()
            self._columns = columns = None
        if columns is None:
            add_experiences(self, decision_steps, terminal_steps, worker_id, previous_action)
        else:
            columns.add(decision_steps, terminal_steps, worker_id, previous_action)

    def end(self: Any) -> None:
        if vars(self).get("_columns") is not None:
            self._columns.end_episode()
        end_episode(self)

    AgentProcessor.add_experiences = add
    AgentProcessor.end_episode = end
