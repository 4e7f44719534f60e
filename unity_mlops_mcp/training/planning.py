"""From what was asked to a training request: the player, the trainer YAML and everything that decides the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.builds.records import PlayerBuild
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.yaml_text import read_mapping
from unity_mlops_mcp.training.configuration.compose import as_run, check_configuration, compose, merge, refuse_errors
from unity_mlops_mcp.training.configuration.parameters import environment_parameters
from unity_mlops_mcp.training.configuration.schema import NEWEST, check_shape
from unity_mlops_mcp.training.datasets.recorded import Recorded
from unity_mlops_mcp.training.records import Findings, Trainer
from unity_mlops_mcp.training.request import PlayerKind, TrainerMode, TrainingMode, TrainingRequest

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

SANDBOX_AREAS = 64
"""Areas of one sandbox player; more gain little and shorten the trajectories (measured by bench/sandbox_speed.py)."""
EDITOR_TIMEOUT_S = 600
MOST_SEED = 10_000
"""Drawn seeds are below it, as mlagents' own are."""
_ANY = "Behavior"


@dataclass(frozen=True)
class Wish:
    """The arguments of ``start_training`` that decide a training; None means: whatever is best."""

    algorithm: str | None = None
    max_steps: int | None = None
    num_envs: int | None = None
    num_areas: int | None = None
    time_scale: float | None = None
    learning_rate: float | None = None
    seed: int | None = None
    trainer_mode: TrainerMode = "fast"
    trainer_config: str | None = None
    initialize_from: str | None = None
    no_graphics: bool | None = None
    width: int | None = None
    height: int | None = None
    env_args: tuple[str, ...] = ()
    training_mode: TrainingMode = "online"
    offline_dataset_path: str | None = None
    demonstration_signals: str | None = None


@dataclass(frozen=True)
class Place:
    """What is trained on: one of a build, a player of the user's own and the open Editor; none of them, a dataset."""

    build_id: str | None = None
    env_path: str | None = None
    editor: bool = False


@dataclass(frozen=True)
class PendingBuild:
    """A Unity build that is being made: its id, and the job that makes it."""

    build_id: str
    job_id: str


@dataclass(frozen=True)
class Player:
    """What is trained on: a build with its preset, an executable, the Editor, or nothing but a dataset.

    Attributes:
        spec: what the build was made from: its parameters' lessons and samplers go into the trainer YAML, and it says
            how many agents there are and in which teams. None for a project of the user's own.
        pending: a Unity build that is not made yet.
        built_areas: training areas in the scene of a Unity build, or the agents in it where it has no spec.
        recorded: the dataset that is learned from, where the training is not online.
    """

    kind: PlayerKind
    build: PlayerBuild | None = None
    env_path: Path | None = None
    preset: Mapping[str, Any] = field(default_factory=dict)
    areas: int = SANDBOX_AREAS
    spec: EnvironmentSpec | None = None
    pending: PendingBuild | None = None
    built_areas: int = 1
    recorded: Recorded | None = None

    @property
    def build_id(self) -> str | None:
        """The build, made or not."""
        if self.build is not None:
            return self.build.build_id
        return self.pending.build_id if self.pending else None

    @property
    def learners(self) -> int:
        """Agents in one area that learn at a time: of two teams only one does (self-play)."""
        return self.spec.sides[0].count if self.spec else 1

    @property
    def teams(self) -> dict[str, tuple[int, ...]] | None:
        """Team ids by behaviour, where they are known before the player starts."""
        if self.spec is None:
            return None
        return {self.spec.behavior_name: tuple(range(len(self.spec.sides)))}

    @property
    def behaviors(self) -> tuple[str, ...]:
        """Names without their team, where they are known before the player starts."""
        if self.build is None and self.pending and self.spec:
            return (self.spec.behavior_name,)
        if self.build is None and self.recorded is not None:
            return (self.recorded.behavior,)
        return tuple(behavior.name for behavior in self.build.behaviors) if self.build else ()


def plan_training(
    settings: Settings, player: Player, trainer: Trainer, wish: Wish, *, run_id: str, rng: Random
) -> TrainingRequest:
    """Decide everything about a training; what the caller's YAML says of players and engine counts like an argument.

    Raises:
        InvalidInputError: the trainer YAML cannot be used, or the arguments contradict each other.
    """
    notes: list[str] = []
    version = trainer.versions.mlagents or NEWEST
    given = read_trainer_config(settings, wish.trainer_config)
    _refuse_misfits(given, player, wish.algorithm, version)
    env, engine = given.get("env_settings") or {}, given.get("engine_settings") or {}
    wish = _with_defaults(wish, {**engine, **env})
    envs, areas = _parallel(player, wish, notes)
    configuration = compose_configuration(
        player, wish, given, agents=envs * areas * player.built_areas * player.learners
    )
    findings = check_configuration(
        configuration,
        settings=settings,
        behaviors=player.build.behaviors if player.build else None,
        teams=player.teams,
        mlagents_version=version,
        torch_version=trainer.versions.torch,
    )
    refuse_errors(findings)
    notes += [str(finding) for finding in findings.warnings]
    names = player.behaviors or tuple(configuration.get("behaviors", ()))
    bodies = [*configuration.get("behaviors", {}).values()] or [configuration["default_settings"]]
    return TrainingRequest(
        run_id=run_id,
        player=player.kind,
        build_id=player.build_id,
        after=player.pending.job_id if player.pending else None,
        env_path=str(player.env_path) if player.env_path else None,
        configuration=configuration,
        behavior_name=names[0] if names else None,
        max_steps=max(int(float(body.get("max_steps", 500_000))) for body in bodies),
        num_envs=envs,
        num_areas=areas,
        time_scale=wish.time_scale or 20.0,
        seed=rng.randrange(MOST_SEED) if wish.seed is None or wish.seed < 0 else wish.seed,
        trainer_mode=wish.trainer_mode,
        initialize_from=wish.initialize_from,
        no_graphics=True if wish.no_graphics is None else wish.no_graphics,
        width=wish.width,
        height=wish.height,
        env_args=wish.env_args,
        timeout_wait=int(env.get("timeout_wait") or (EDITOR_TIMEOUT_S if player.kind == "editor" else 60)),
        training_mode=wish.training_mode,
        recorded=player.recorded,
        notes=tuple(notes),
    )


def asked_before(request: TrainingRequest) -> tuple[Place, Wish]:
    """The place and the wish that make this request again, seed and all."""
    place = Place(request.build_id, request.env_path, editor=request.player == "editor")
    return place, Wish(
        algorithm=request.rewards_algorithm,
        max_steps=request.max_steps,
        num_envs=request.num_envs,
        num_areas=request.num_areas,
        time_scale=request.time_scale,
        seed=request.seed,
        trainer_mode=request.trainer_mode,
        trainer_config=json.dumps({"behaviors": request.configuration["behaviors"]}),
        initialize_from=request.initialize_from,
        no_graphics=request.no_graphics,
        width=request.width,
        height=request.height,
        env_args=request.env_args,
        training_mode=request.training_mode,
        offline_dataset_path=request.recorded.path if request.recorded else None,
        demonstration_signals=",".join(request.signals) or None,
    )


def _with_defaults(wish: Wish, written: Mapping[str, Any]) -> Wish:
    """The wish with what is written in the YAML where no argument was given: mlagents' flags would hide it."""
    changes = {
        name: written[name]
        for name in ("num_envs", "num_areas", "seed", "time_scale", "no_graphics", "width", "height")
        if name in written and getattr(wish, name) is None
    }
    if written.get("env_args") and not wish.env_args:
        changes["env_args"] = tuple(map(str, written["env_args"]))
    return replace(wish, **changes)


def _parallel(player: Player, wish: Wish, notes: list[str]) -> tuple[int, int]:
    """How many players, and how many areas in each."""
    if player.kind == "editor":
        if (wish.num_envs or 1) > 1:
            raise InvalidInputError("One Editor is one environment.", fix="Leave num_envs out, or train a build.")
        return 1, wish.num_areas or 1
    if player.kind == "none" or wish.training_mode == "offline":
        return 1, 1
    if player.kind != "sandbox":
        return wish.num_envs or 1, wish.num_areas or 1
    if wish.num_envs is None:
        return 1, wish.num_areas or player.areas
    asked = wish.num_envs * (wish.num_areas or player.areas)
    areas = max(wish.num_areas or 1, min(asked, player.areas))
    notes.append(
        f"num_envs={wish.num_envs} became {areas} areas of one sandbox player, which is faster than more players"
    )
    return 1, areas


def compose_configuration(player: Player, wish: Wish, given: Mapping[str, Any], *, agents: int) -> dict[str, Any]:
    """The trainer YAML as data: the preset, over it the caller's YAML, over both what was asked for by name.

    The spec's lessons and samplers stand under the caller's ``environment_parameters``, parameter by parameter: half a
    sampler of each would be neither.
    """
    composed = _composed(player, wish, given, agents)
    own = environment_parameters(player.spec) if player.spec else {}
    parameters = {**own, **(composed.pop("environment_parameters", None) or {})}
    return {**composed, "environment_parameters": parameters} if parameters else composed


def _composed(player: Player, wish: Wish, given: Mapping[str, Any], agents: int) -> dict[str, Any]:
    asked = {"algorithm": wish.algorithm, "max_steps": wish.max_steps, "learning_rate": wish.learning_rate}
    names = player.behaviors or tuple(given.get("behaviors") or ())
    if not names:
        composed = compose(_ANY, player.preset or {}, agents=agents, request=asked, overrides=_as_behavior(given))
        body = composed.pop("behaviors")[_ANY]
        return {"default_settings": body, **composed}
    merged: dict[str, Any] = {}
    for name in names:
        part = compose(name, player.preset, agents=agents, request=asked, overrides=_for_behavior(given, name))
        behaviors = {**merged.get("behaviors", {}), **part.pop("behaviors")}
        merged = {**merged, **part, "behaviors": behaviors}
    return merged


def _for_behavior(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The caller's YAML with one behaviour of its own, over its defaults; settings of a behaviour stay as they are."""
    if not given.keys() & {"behaviors", "default_settings"}:
        return given
    body: dict[str, Any] = {}
    merge(body, given.get("default_settings") or {})
    merge(body, (given.get("behaviors") or {}).get(name) or {})
    rest = {key: value for key, value in given.items() if key not in ("behaviors", "default_settings")}
    return {**rest, "behaviors": {name: body}}


def _refuse_misfits(given: Mapping[str, Any], player: Player, algorithm: str | None, version: str) -> None:
    """Refuse a YAML that cannot be laid over a preset, or that is for other behaviours than the player's."""
    whole = as_run(player.behaviors[0] if player.behaviors else _ANY, given)
    kind = algorithm or player.preset.get("trainer_type", "ppo")
    named = whole.get("behaviors")
    if isinstance(named, Mapping):
        typed = {
            name: {"trainer_type": kind, **body} if isinstance(body, dict) else body for name, body in named.items()
        }
        whole = {**whole, "behaviors": typed}
    refuse_errors(Findings(items=tuple(check_shape(whole, version))))
    if named and player.behaviors and not given.get("default_settings") and not named.keys() & set(player.behaviors):
        raise InvalidInputError(
            f"The trainer YAML has settings for {', '.join(map(str, named))}; the player's behaviour is "
            f"{', '.join(player.behaviors)}.",
            fix=f"Write `{player.behaviors[0]}:` under `behaviors:`, or give its settings without that level.",
            cause="trainer_config",
        )


def _as_behavior(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "default_settings" not in given:
        return given
    rest = {key: value for key, value in given.items() if key != "default_settings"}
    return {**rest, "behaviors": {_ANY: given["default_settings"]}}


def read_trainer_config(settings: Settings, text_or_path: str | None) -> dict[str, Any]:
    """The caller's trainer YAML, given as text or as the path of a file under an allowed root; empty without one.

    Raises:
        InvalidInputError: the file is absent or not allowed, or the text is not YAML.
    """
    if not text_or_path:
        return {}
    path = trainer_config_file(settings, text_or_path)
    text = text_or_path if path is None else path.read_text(encoding="utf-8", errors="replace")
    return dict(read_mapping(text, what="trainer YAML"))


def trainer_config_file(settings: Settings, text_or_path: str | None) -> Path | None:
    """The file that the caller's trainer YAML lies in; None where it was given as text, or not at all.

    Raises:
        InvalidInputError: the file is absent or lies under no allowed root.
    """
    named = (text_or_path or "").strip()
    if "\n" in named or not named.lower().endswith((".yaml", ".yml", ".json")):
        return None
    path = settings.allowed_path(named, what="trainer_config")
    if not path.is_file():
        raise InvalidInputError(f"There is no trainer YAML at {path}.", fix="Pass its text, or an existing file.")
    return path
