"""The operations that let policies play and tell how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import names, validated, words
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.policies import Chosen, Policies
from unity_mlops_mcp.results.evaluations import StartedEvaluation

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import PlayerBuild
    from unity_mlops_mcp.evaluation.records import PolicyUsed
    from unity_mlops_mcp.evaluation.request import EvaluationRequest
    from unity_mlops_mcp.spec.base import Parameter


@dataclass(frozen=True)
class _Player:
    """What is played on."""

    build: PlayerBuild | None = None
    env_path: str | None = None
    note: str | None = None

    @property
    def told(self) -> str:
        """Its name."""
        return self.build.build_id if self.build else str(self.env_path)


class Evaluations:
    """Policies over whole episodes."""

    def __init__(self, parts: Parts, policies: Policies) -> None:
        self._parts = parts
        self._policies = policies

    def evaluate_model(
        self,
        *,
        run_id: str | None = None,
        model: str | None = None,
        onnx_path: str | None = None,
        build_id: str | None = None,
        env_path: str | None = None,
        episodes: int = 200,
        seed: int = 1,
        deterministic: bool = False,
        num_areas: int | None = None,
        parameters: str | None = None,
        sweep: str | None = None,
        no_graphics: bool = True,
        env_args: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedEvaluation:
        """Let a policy play whole episodes, as a job; it goes on without the caller.

        Args:
            run_id: a run whose final policies are meant.
            model: a registered version instead: its id, ``name@alias``, or a name, whose newest version it is.
            onnx_path: a file, instead.
            build_id: what to play on; left out: what the run was trained on.
            env_path: a player of the user's own, instead.
            episodes: how many; for each point of a sweep as many again.
            seed: of the player and of the policies' noise; the same one gives the same figures.
            deterministic: take the most likely actions, as Unity does with Deterministic Inference.
            num_areas: training areas side by side, of a sandbox player.
            parameters: environment parameters to hold, as YAML or JSON: ``{obstacles: 6}``.
            sweep: parameters of the spec, separated by commas, or values as YAML or JSON: ``{obstacles: [2, 4, 8]}``.
            no_graphics: start the player without a window; camera sensors need one.
            env_args: more arguments for the player.
            idempotency_key: the same key again gives the evaluation there is.

        Raises:
            InvalidInputError: what was given cannot be used, or a policy does not fit; nothing was started.
            NotFoundError: there is no such run, policy or build.
            ConflictError: the build is not made yet.
        """
        chosen = self._policies.chosen(run_id=run_id, model=model, onnx_path=onnx_path)
        player = self._player(chosen, build_id, env_path)
        known = _parameters_of(player.build)
        given = {
            "policies": _used(chosen, player.build),
            "run_id": chosen.run_id,
            "version_id": chosen.version_id,
            "build_id": player.build.build_id if player.build else None,
            "env_path": player.env_path,
            "episodes": episodes,
            "seed": seed,
            "deterministic": deterministic,
            "parameters": _numbers(parameters, "parameters"),
            "sweeps": _sweeps(sweep, known),
            "graphics": not no_graphics,
            "env_args": words(env_args),
            **_areas(player.build, num_areas, episodes),
        }
        return self._submit(given, player, known, idempotency_key)

    def _submit(
        self, given: Mapping[str, Any], player: _Player, known: Mapping[str, Parameter] | None, key: str | None
    ) -> StartedEvaluation:
        from unity_mlops_mcp.evaluation.request import KIND, EvaluationRequest

        request = validated(EvaluationRequest, given)
        _refuse_unknown(request, known)
        job = self._parts.jobs.submit(
            KIND, request.model_dump(mode="json"), subject=request.subject, idempotency_key=key
        )
        return StartedEvaluation(
            evaluation_id=job.id,
            job_id=job.id,
            state=job.state,
            episodes=request.plays,
            player=player.told,
            waiting_for=job.waiting_for,
            notes=[player.note] if player.note else [],
            next=f"Call wait_for({job.id!r}) until done is true; its evaluation holds the figures.",
        )

    def _player(self, chosen: Chosen, build_id: str | None, env_path: str | None) -> _Player:
        from unity_mlops_mcp.builds.library import load_build
        from unity_mlops_mcp.training.player import executable_under_roots

        if build_id is not None and env_path is not None:
            raise InvalidInputError("build_id and env_path exclude each other.", fix="Give one of them.")
        settings, store = self._parts.settings, self._parts.store
        if build_id is not None:
            return _Player(build=load_build(build_id, settings=settings, store=store))
        if env_path is not None:
            return _Player(env_path=str(executable_under_roots(settings, env_path)))
        trained_on = self._trained_on(chosen)
        if trained_on.get("build_id"):
            build = load_build(trained_on["build_id"], settings=settings, store=store)
            return _Player(build=build, note=f"Played on {build.build_id}, which it was trained on.")
        if trained_on.get("env_path"):
            path = str(executable_under_roots(settings, trained_on["env_path"]))
            return _Player(env_path=path, note=f"Played on {path}, which it was trained on.")
        raise InvalidInputError(
            "It is not known which player this policy was trained on.",
            fix="Pass build_id (from build_environment) or env_path, a player of your own.",
            cause="no_player",
        )

    def _trained_on(self, chosen: Chosen) -> Mapping[str, Any]:
        from unity_mlops_mcp.training.record import read_record

        if chosen.run_id is None:
            return {}
        try:
            folder = self._parts.runs.folder(chosen.run_id)
        except NotFoundError:
            return {}
        found: Mapping[str, Any] = read_record(folder).get("request", {})
        return found


def _used(chosen: Chosen, build: PlayerBuild | None) -> list[PolicyUsed]:
    """The policies by behaviour, each of them read and compared with the build's behaviours where those are known."""
    from unity_mlops_mcp.evaluation.fitting import behavior_for, fitting

    alone = len(chosen.sources) == 1
    return [fitting(source.path, behavior_for(source.behavior, build, alone=alone), build) for source in chosen.sources]


def _areas(build: PlayerBuild | None, num_areas: int | None, episodes: int) -> dict[str, int]:
    from unity_mlops_mcp.evaluation.request import AREAS

    if build is None or build.player is not None:
        return {"areas": num_areas or 1}
    return {"areas": num_areas or min(AREAS, max(1, episodes))}


def _parameters_of(build: PlayerBuild | None) -> Mapping[str, Parameter] | None:
    """The parameters of a build's spec; None for a player that has none of ours."""
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

    path = build.folder / "spec.json" if build else None
    if path is None or not path.is_file():
        return None
    return EnvironmentSpec.from_text(path.read_text("utf-8")).parameters


def _numbers(text: str | None, what: str) -> dict[str, Any]:
    from unity_mlops_mcp.spec.yaml_text import read_mapping

    return dict(read_mapping(text, what=what)) if text else {}


def _sweeps(text: str | None, known: Mapping[str, Parameter] | None) -> dict[str, Any]:
    """Parameter → values: as given, else even steps over the range that the spec gives it."""
    from unity_mlops_mcp.evaluation.sweeping import even_values

    if text is None:
        return {}
    if ":" in text or text.lstrip().startswith("{"):
        return {
            name: values if isinstance(values, list) else [values] for name, values in _numbers(text, "sweep").items()
        }
    asked = names(text)
    missing = [name for name in asked if known is None or name not in known]
    if missing or known is None:
        raise _unknown(missing, known)
    return {name: even_values(known[name]) for name in asked}


def _refuse_unknown(request: EvaluationRequest, known: Mapping[str, Parameter] | None) -> None:
    missing = [name for name in (*request.parameters, *request.sweeps) if known is not None and name not in known]
    if missing:
        raise _unknown(missing, known)


def _unknown(missing: list[str], known: Mapping[str, Parameter] | None) -> InvalidInputError:
    if known is None:
        return InvalidInputError(
            f"The ranges of {', '.join(missing)} are not known for this player.",
            fix="Give the values: sweep={name: [1, 2, 3]}.",
        )
    there = ", ".join(f"{name} ({p.minimum:g} to {p.maximum:g})" for name, p in known.items()) or "none"
    return InvalidInputError(
        f"The environment has no parameter {', '.join(missing)}.", fix=f"Its parameters: {there}.", cause="no_parameter"
    )
