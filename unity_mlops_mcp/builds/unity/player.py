"""Whether what an Editor left is a player, and whether it is the one that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.builds.records import Behavior, ProbeFacts, ProbeResult
from unity_mlops_mcp.builds.unity.platforms import Target, own_target
from unity_mlops_mcp.errors import ExternalError

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.environment import EnvironmentSpec

PROBE_STEPS = 200
PROBE_TIMEOUT_S = 90.0
_CAMERA_DIMENSIONS = 3


@dataclass(frozen=True)
class Probed:
    """What a player offers; ``facts`` is None when this machine cannot start it."""

    behaviors: tuple[Behavior, ...]
    facts: ProbeFacts | None
    notes: tuple[str, ...]


def require(output: Path, target: Target, *, log: Path) -> Path:
    """The player that the Editor says it has built into a folder that was empty.

    Args:
        output: where it was told to.
        target: what it was built for.
        log: named in the error.

    Raises:
        ExternalError: the player or its data is not there (cause ``unity_no_player``).
    """
    data = output.parent / target.data.format(name=output.name.removesuffix(target.extension))
    missing = [str(path) for path in (output, data) if not path.exists()]
    if not missing and not any(data.iterdir()):
        missing = [f"anything in {data}"]
    if missing:
        there = sorted(item.name for item in output.parent.iterdir()) if output.parent.is_dir() else []
        raise ExternalError(
            f"Unity called the build a success, but there is no {' and no '.join(missing)}.",
            fix=f"Read {log}: a script of the project that runs after builds may move or remove the player. Then build "
            "again.",
            cause="unity_no_player",
            evidence=[f"found: {name}" for name in there[:10]] or ["found: nothing"],
        )
    return output


def probe_player(
    player: Path, *, target: Target, log_folder: Path, spec: EnvironmentSpec | None, steps: int = PROBE_STEPS
) -> Probed:
    """Start the player and step it, and compare it with the spec it was made from.

    Raises:
        ExternalError: it does not run, its numbers are not finite, or it is another environment than the spec's (cause
            ``shape_mismatch``).
    """
    from unity_mlops_mcp.builds.probe import probe

    if target != own_target():
        return Probed(_of_spec(spec), None, ())
    try:
        found = probe(player, steps=steps, timeout_s=PROBE_TIMEOUT_S, log_folder=log_folder)
    except ExternalError as error:
        raise ExternalError(
            f"The player was built, but it does not train: {error.message}",
            fix=error.fix,
            cause=error.cause,
            evidence=error.evidence,
        ) from error
    behaviors = tuple(dict.fromkeys(found.behaviors))  # two teams are one behaviour
    _require_fit(found)
    _require_equal(behaviors, _of_spec(spec))
    return Probed(behaviors, _facts(found), tuple(_notes(behaviors)))


def _of_spec(spec: EnvironmentSpec | None) -> tuple[Behavior, ...]:
    from unity_mlops_mcp.builds.sandbox import expected_behavior

    return (expected_behavior(spec),) if spec else ()


def _require_fit(found: ProbeResult) -> None:
    if found.problems:
        raise ExternalError(
            f"The player was built, but it would not train: {found.problems[0]}",
            fix="Mend the scene or the agent's script as the message says, then build again.",
            cause="player_unfit",
            evidence=found.problems,
        )


def _require_equal(found: tuple[Behavior, ...], expected: tuple[Behavior, ...]) -> None:
    if not expected or found == expected:
        return
    raise ExternalError(
        f"The player is another environment than the spec: expected {_told(expected)}; found {_told(found)}.",
        fix="Where the agent's script was edited, make its observations and actions those of the spec; else have it "
        "generated again.",
        cause="shape_mismatch",
        evidence=[f"expected {_told(expected)}", f"found {_told(found)}"],
    )


def _told(behaviors: tuple[Behavior, ...]) -> str:
    parts = []
    for behavior in behaviors:
        action = behavior.action_spec
        shapes = ", ".join("x".join(map(str, shape)) for shape in behavior.observation_shapes)
        parts.append(
            f"{behavior.name} with observations [{shapes}], {action.continuous} continuous actions and branches "
            f"{list(action.branches)}"
        )
    return "; ".join(parts)


def _facts(found: ProbeResult) -> ProbeFacts:
    return ProbeFacts(
        package_version=found.package_version,
        steps=found.steps,
        agents=found.agents,
        episodes=found.episodes,
        mean_return=found.mean_return,
        agent_steps_per_second=found.agent_steps_per_second,
    )


def _notes(behaviors: tuple[Behavior, ...]) -> list[str]:
    cameras = any(len(shape) == _CAMERA_DIMENSIONS for behavior in behaviors for shape in behavior.observation_shapes)
    if not cameras:
        return []
    return ["It has camera or grid sensors: cameras see nothing without graphics, so train with no_graphics=false."]
