"""Learning from a dataset: what may be asked for, and what it adds to a trainer YAML."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.records import ActionSize, Behavior
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.training.datasets.fitting import action_text, require_fit, shapes_text
from unity_mlops_mcp.training.datasets.inspecting import inspect
from unity_mlops_mcp.training.datasets.reading import dataset_files, read_dataset
from unity_mlops_mcp.training.datasets.recorded import Recorded
from unity_mlops_mcp.training.planning import Player, Wish
from unity_mlops_mcp.training.request import TrainingRequest

UPDATES = 10_000
"""Gradient steps of a cloning at most, where nobody says how many; it ends when the validation loss no longer falls."""
SIGNALS = ("gail", "cloning")
FROM_REWARDS = ("iql",)
"""Algorithms that learn from the rewards in a dataset, by d3rlpy."""
GAIL_STRENGTH, CLONING_STRENGTH = 0.1, 0.5
CLONING_SHARE = 0.5
"""Share of a hybrid training's steps over which the cloning signal fades."""


def learning_from(settings: Settings, player: Player, wish: Wish) -> Player:
    """The player together with the dataset that is learned from; as it was where the training is online.

    Raises:
        InvalidInputError: no dataset was named or it cannot be used, it is of another behaviour (shapes are told), or
            the arguments contradict each other; nothing was started.
    """
    path = asked_dataset(settings, wish)
    if path is None:
        return player
    _refuse_player(player, wish)
    recorded = _checked(settings, player, path)
    if wish.algorithm in FROM_REWARDS:
        _require_vectors(recorded, str(wish.algorithm))
    preset: Mapping[str, Any] = player.preset
    if wish.training_mode == "offline":
        preset = {**preset, "max_steps": UPDATES}
    return replace(player, recorded=recorded, preset=preset)


def asked_dataset(settings: Settings, wish: Wish) -> str | None:
    """The path of the dataset that is learned from, where files are; None where the training is online.

    Raises:
        InvalidInputError: no dataset was named or none is there, or the arguments contradict each other.
    """
    if wish.algorithm in FROM_REWARDS and wish.training_mode != "offline":
        raise InvalidInputError(
            f"{wish.algorithm} learns from a dataset alone; found training_mode={wish.training_mode}.",
            fix="Give training_mode='offline', or leave algorithm out.",
        )
    if wish.training_mode == "online":
        _refuse_unused(wish)
        return None
    if not wish.offline_dataset_path:
        raise InvalidInputError(
            f"training_mode={wish.training_mode} needs a dataset.",
            fix="Give offline_dataset_path: .demo or .jsonl files, or a folder; record_demonstrations makes one.",
            cause="dataset",
        )
    dataset_files(settings, wish.offline_dataset_path)
    return wish.offline_dataset_path


def _refuse_unused(wish: Wish) -> None:
    for name in ("offline_dataset_path", "demonstration_signals"):
        if getattr(wish, name) is not None:
            raise InvalidInputError(
                f"{name} goes with training_mode offline or hybrid; found online.",
                fix="Give training_mode='offline' (learn from it alone) or 'hybrid' (then go on with the player).",
            )


def _refuse_player(player: Player, wish: Wish) -> None:
    if wish.algorithm not in (None, "ppo", *FROM_REWARDS) or player.preset.get("trainer_type", "ppo") != "ppo":
        kind = wish.algorithm or player.preset["trainer_type"]
        raise InvalidInputError(
            f"Cloning makes policies of PPO; found {kind}.", fix="Pass algorithm='ppo', or train online."
        )
    offline = wish.training_mode == "offline"
    if offline and wish.demonstration_signals is not None:
        raise InvalidInputError(
            "demonstration_signals are for training_mode=hybrid.", fix="Leave them out, or train hybrid."
        )
    if offline and player.kind == "editor":
        raise InvalidInputError("An offline training has no player.", fix="Leave editor out, or train hybrid.")
    if offline and player.kind == "executable" and player.build_id is None:
        raise InvalidInputError("An offline training has no player.", fix="Leave env_path out, or train hybrid.")
    if not offline and player.kind == "none":
        raise InvalidInputError(
            "A hybrid training goes on with a player.", fix="Give exactly one of build_id, env_path, editor."
        )
    if not offline and wish.initialize_from is not None:
        raise InvalidInputError(
            "A hybrid training begins with what it clones; found initialize_from too.",
            fix="Leave initialize_from out; or train online from that run.",
        )


def _require_vectors(recorded: Recorded, algorithm: str) -> None:
    if recorded.branches or any(len(shape) != 1 for _, shape in recorded.sensors):
        raise InvalidInputError(
            f"{algorithm} needs vector observations and continuous actions; the dataset of {recorded.behavior} has "
            f"{shapes_text([shape for _, shape in recorded.sensors])} and {action_text(recorded.spec.action)}.",
            fix="Leave algorithm out: cloning takes images and discrete actions.",
        )


def rewards_algorithm(wish: Wish) -> tuple[Wish, str | None]:
    """The wish as the trainer YAML knows it, and what learns from rewards, if anything."""
    if wish.algorithm not in FROM_REWARDS:
        return wish, None
    return replace(wish, algorithm="ppo"), wish.algorithm


def _checked(settings: Settings, player: Player, path: str) -> Recorded:
    """The dataset, without an error in it, and of the player's behaviour where that is known."""
    dataset = read_dataset(settings, path)
    faults = [finding for finding in inspect(dataset).findings if finding.severity == "error"]
    if faults:
        raise InvalidInputError(
            f"The dataset {path} cannot be learned from: {faults[0].what}.",
            fix=faults[0].fix,
            cause="dataset",
            evidence=[finding.what for finding in faults],
        )
    known = _behaviors(player)
    if len(known) > 1:
        raise InvalidInputError(
            f"The player has the behaviours {', '.join(one.name for one in known)}; a dataset is of one.",
            fix="Train them online, with behavioral_cloning or gail in trainer_config.",
        )
    recorded = Recorded.of(path, dataset)
    return recorded.model_copy(update={"behavior": require_fit(dataset, known).name}) if known else recorded


def _behaviors(player: Player) -> tuple[Behavior, ...]:
    """The behaviours, where they are known before the player starts."""
    spec = player.spec
    if player.build is not None and player.build.behaviors:
        return player.build.behaviors
    if spec is None:
        return ()
    shapes = tuple(shape for _, shape in spec.sensors())
    size = ActionSize(continuous=spec.continuous_size, branches=spec.branches)
    return (Behavior(name=spec.behavior_name, observation_shapes=shapes, action_spec=size),)


def signals_of(text: str | None) -> tuple[str, ...]:
    """The signals that were asked for.

    Raises:
        InvalidInputError: one of them is unknown.
    """
    named = tuple(part.strip().lower() for part in (text or "").split(",") if part.strip())
    unknown = [name for name in named if name not in SIGNALS]
    if unknown:
        raise InvalidInputError(
            f"There is no demonstration signal {unknown[0]!r}.", fix=f"Give {' or '.join(SIGNALS)}, or both."
        )
    return named


def with_demonstration(request: TrainingRequest, asked: str | None, demonstration: Path) -> TrainingRequest:
    """The request with the signals that were asked for, from where its dataset will lie as a .demo file.

    Raises:
        InvalidInputError: a signal is unknown.
    """
    signals = signals_of(asked)
    if not signals:
        return request
    configuration = with_signals(request.configuration, str(request.behavior_name), signals, demonstration)
    return request.model_copy(update={"configuration": configuration, "signals": signals})


def with_signals(
    configuration: Mapping[str, Any], behavior: str, signals: tuple[str, ...], demonstration: Path
) -> dict[str, Any]:
    """The trainer YAML with signals from a demonstration; what the caller's YAML says of them is kept."""
    changed = copy.deepcopy(dict(configuration))
    body = changed.get("behaviors", {}).get(behavior) or changed["default_settings"]
    if "gail" in signals:
        usual = {"strength": GAIL_STRENGTH, "gamma": 0.99, "demo_path": str(demonstration)}
        rewards = body.setdefault("reward_signals", {})
        rewards.setdefault("extrinsic", {"gamma": 0.99, "strength": 1.0})
        rewards["gail"] = {**usual, **(rewards.get("gail") or {})}
    if "cloning" in signals:
        steps = int(float(body.get("max_steps", 500_000)) * CLONING_SHARE)
        usual = {"strength": CLONING_STRENGTH, "steps": steps, "demo_path": str(demonstration)}
        body["behavioral_cloning"] = {**usual, **(body.get("behavioral_cloning") or {})}
    return changed
