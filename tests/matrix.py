"""Every feature of the trainer that a patch could break, as data: 26 short trainings against the test player."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.stand_ins.player import SIZE, World
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.wire import varint

Settings = dict[str, Any]

DEMONSTRATION = "expert.demo"
"""What stands in a case for the path of the demonstration that ``write_demonstration`` makes."""

_SMALL = {"hidden_units": 32, "num_layers": 1}
_MEMORY = {"hidden_units": 32, "memory": {"sequence_length": 16, "memory_size": 16}}
_PPO = {"batch_size": 64, "buffer_size": 512}
_SAC = {"batch_size": 64, "buffer_size": 5000, "steps_per_update": 16}
_EXTRINSIC = {"extrinsic": {"gamma": 0.99, "strength": 1.0}}
_SELF_PLAY = {"self_play": {"save_steps": 500, "team_change": 1500, "swap_steps": 300, "window": 3}}
_CURRICULUM = {
    "size": {
        "curriculum": [
            {
                "name": "small",
                "completion_criteria": {
                    "measure": "reward",
                    "behavior": "Nav",
                    "threshold": -5.0,
                    "min_lesson_length": 5,
                },
                "value": 1.0,
            },
            {
                "name": "any",
                "value": {"sampler_type": "uniform", "sampler_parameters": {"min_value": 1, "max_value": 2}},
            },
        ]
    }
}
_GAIL = {"strength": 0.1, "demo_path": DEMONSTRATION}


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        name: also its run id.
        trainer: ppo, sac or poca.
        hyperparameters: added to those that every case of this trainer has.
        network: the network settings.
        signals: the reward signals.
        extra: further settings of the behaviour.
        parameters: environment parameters.
        steps: max_steps.
        player: arguments of the test player.
        environments: how many players.
        exact: whether two runs with one seed are equal to the last bit; not with several players or a trainer thread.
    """

    name: str
    trainer: str = "ppo"
    hyperparameters: Settings = field(default_factory=dict)
    network: Settings = field(default_factory=lambda: _SMALL)
    signals: Settings = field(default_factory=lambda: _EXTRINSIC)
    extra: Settings = field(default_factory=dict)
    parameters: Settings = field(default_factory=dict)
    steps: int = 3000
    player: tuple[str, ...] = ()
    environments: int = 1
    exact: bool = True

    def configuration(self, demonstration: Path) -> str:
        """The trainer YAML."""
        behavior = {
            "trainer_type": self.trainer,
            "hyperparameters": {**(_SAC if self.trainer == "sac" else _PPO), **self.hyperparameters},
            "network_settings": self.network,
            "reward_signals": self.signals,
            "max_steps": self.steps,
            "time_horizon": 32,
            "summary_freq": 1000 if self.steps >= 3000 else 500,
            "checkpoint_interval": 1500,
            **self.extra,
        }
        settings: Settings = {"behaviors": {"Nav": behavior}}
        if self.parameters:
            settings["environment_parameters"] = self.parameters
        text = yaml.safe_dump(settings, sort_keys=False)
        return text.replace(f"demo_path: {DEMONSTRATION}", f"demo_path: {demonstration}")


CASES = (
    Case("ppo"),
    Case(
        "ppo_shared_critic",
        hyperparameters={"shared_critic": True},
        network={"normalize": True, "hidden_units": 32},
    ),
    Case("ppo_discrete", player=("--actions", "discrete")),
    Case("ppo_hybrid", player=("--actions", "hybrid")),
    Case("ppo_memory", network=_MEMORY),
    Case("ppo_memory_discrete", network=_MEMORY, player=("--actions", "discrete")),
    Case("ppo_curiosity", signals={**_EXTRINSIC, "curiosity": {"strength": 0.02}}),
    Case("ppo_rnd", signals={**_EXTRINSIC, "rnd": {"strength": 0.02}}),
    Case("ppo_gail", signals={**_EXTRINSIC, "gail": _GAIL}),
    Case("ppo_vail", signals={"gail": {**_GAIL, "use_vail": True, "use_actions": True}}),
    Case(
        "ppo_cloning",
        extra={"behavioral_cloning": {"demo_path": DEMONSTRATION, "strength": 0.5, "steps": 2000}},
    ),
    Case("ppo_threaded", extra={"threaded": True}, exact=False),
    Case("ppo_self_play", extra=_SELF_PLAY, steps=6000, player=("--teams", "2")),
    Case("ppo_curriculum", parameters=_CURRICULUM),
    Case("ppo_image", steps=1500, player=("--observations", "image", "--agents", "4")),
    Case(
        "ppo_png",
        network={**_SMALL, "vis_encode_type": "simple"},
        steps=1500,
        player=("--observations", "png", "--agents", "4"),
    ),
    Case(
        "ppo_resnet",
        network={**_SMALL, "vis_encode_type": "resnet"},
        steps=1000,
        player=("--observations", "image", "--agents", "4"),
    ),
    Case("sac", trainer="sac", hyperparameters={"save_replay_buffer": True}),
    Case("sac_discrete", trainer="sac", player=("--actions", "discrete")),
    Case("sac_memory", trainer="sac", network=_MEMORY),
    Case("sac_gail", trainer="sac", signals={**_EXTRINSIC, "gail": _GAIL}),
    Case("poca_groups", trainer="poca", player=("--groups",)),
    Case("poca_groups_discrete", trainer="poca", player=("--groups", "--actions", "discrete")),
    Case("poca_alone", trainer="poca"),
    Case("poca_self_play", trainer="poca", extra=_SELF_PLAY, steps=4000, player=("--teams", "2", "--groups")),
    Case("ppo_two_players", environments=2, exact=False),
)

REPRESENTATIVE = ("ppo", "ppo_discrete", "ppo_memory", "ppo_gail", "sac", "poca_groups")
"""The cases that every test run trains; the marker ``matrix`` adds the others."""


def write_demonstration(path: Path, *, steps: int = 400, seed: int = 0) -> Path:
    """An expert's episodes as a .demo file.

    Its layout is that of ``mlagents/trainers/demo_loader.py``: a size in base 128 and a DemonstrationMetaProto, then at
    byte 33 in the same way a BrainParametersProto and one AgentInfoActionPairProto per step.
    """
    world = World(1, seed, 60)
    pairs, reward, done = [], 0.0, False
    for _ in range(steps):
        observation = world.observe()[0]
        action = np.clip((world.target[0] - world.position[0]) * 4, -1, 1)
        pairs.append(_pair(observation, action, reward, done=done))
        if done:
            world.begin(np.ones(1, bool))
            reward, done = 0.0, False
            continue
        rewards, ended, _ = world.move(action[None])
        reward, done = float(rewards[0]), bool(ended[0])
    brain = messages.BrainParameters(brain_name="Nav", is_training=True)
    brain.action_spec.num_continuous_actions = 2
    meta = b"\x08\x01" + b"\x18" + varint(steps)  # api_version = 1, number_steps
    records = [brain.SerializeToString(), *pairs]
    path.write_bytes(_delimited(meta).ljust(33, b"\0") + b"".join(map(_delimited, records)))
    return path


def _pair(observation: Any, action: Any, reward: float, *, done: bool) -> bytes:
    agent = messages.AgentInfo(reward=reward, done=done)
    agent.observations.add(shape=(SIZE,), dimension_properties=(1,), float_data={"data": observation.tolist()})
    taken = messages.AgentAction(continuous_actions=action.tolist(), vector_actions_deprecated=action.tolist())
    return b"\x0a" + _delimited(agent.SerializeToString()) + b"\x12" + _delimited(taken.SerializeToString())


def _delimited(content: bytes) -> bytes:
    return varint(len(content)) + content
