"""Brings together what gates look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.evaluation.library import readable
from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.metrics.comparison import OF_ONE_RUN, flattened
from unity_mlops_mcp.registry.promoting.records import Evidence, Gate
from unity_mlops_mcp.registry.records import ModelVersion
from unity_mlops_mcp.registry.references import version_of
from unity_mlops_mcp.store.rows import AliasRow
from unity_mlops_mcp.store.store import Store


def gather(
    store: Store,
    version: ModelVersion,
    holder: AliasRow | None,
    gates: tuple[Gate, ...],
    *,
    second_run: str | None = None,
) -> Evidence:
    """What there is now.

    Args:
        store: where it is kept.
        version: who shall be promoted.
        holder: where the alias stands.
        gates: what will be asked; the method of the reproducibility decides which evaluation is the second.
        second_run: the second training, where one was made.
    """
    first = next(_evaluations(store, version.policies[0].sha256), None)
    row = store.models.version(holder.version_id) if holder else None
    held = version_of(row) if row and row.version_id != version.version_id else None
    by_training = any(gate.kind == "reproducible" and gate.method == "training" for gate in gates)
    second = _second_training(store, version, first, second_run) if by_training else _second(store, version, first)
    return Evidence(
        version=version,
        evaluation=first,
        holder=held,
        holder_evaluation=_alike(store, held.policies[0].sha256, first) if held and first else None,
        second=second,
        goal=_goal(version.archetype),
        failures=_failures(version),
    )


def _evaluations(store: Store, policy_sha256: str) -> Iterator[Evaluation]:
    """A policy's evaluations without held parameters, newest first."""
    found = readable(store.home, store.evaluations.of_policy(policy_sha256))
    return (one for one in found if not one.parameters)


def _alike(store: Store, policy_sha256: str, like: Evaluation) -> Evaluation | None:
    """The policy's newest evaluation on the same player, played in the same way."""
    return next((one for one in _evaluations(store, policy_sha256) if alike(one, like)), None)


def differences(holder: ModelVersion | None, version: ModelVersion) -> dict[str, list[Any]]:
    """What differs in spec, configuration, seed and programs: dotted name → the holder's value, the version's.

    Empty where nothing holds the alias.
    """
    if holder is None:
        return {}
    own, held = _settings(version), _settings(holder)
    names = sorted({*own, *held})
    return {name: [held.get(name), own.get(name)] for name in names if held.get(name) != own.get(name)}


def _settings(version: ModelVersion) -> dict[str, Any]:
    kept = {name: getattr(version, name) for name in ("spec", "seed", "max_steps", "versions")}
    decided = {name: value for name, value in version.configuration.items() if name not in OF_ONE_RUN}
    return flattened({**kept, "configuration": decided})


def alike(one: Evaluation, other: Evaluation) -> bool:
    """Whether two evaluations can be compared: one player, played in one way."""
    return (one.build_id, one.player, one.deterministic) == (other.build_id, other.player, other.deterministic)


def _second(store: Store, version: ModelVersion, first: Evaluation | None) -> Evaluation | None:
    if first is None:
        return None
    every = _evaluations(store, version.policies[0].sha256)
    return next((one for one in every if alike(one, first) and one.seed != first.seed), None)


def _second_training(
    store: Store, version: ModelVersion, first: Evaluation | None, run_id: str | None
) -> Evaluation | None:
    if first is None or run_id is None or run_id == version.run_id:
        return None
    found = readable(store.home, store.evaluations.of_run(run_id))
    return next((one for one in found if alike(one, first) and not one.parameters), None)


def _goal(archetype: str | None) -> float | None:
    """The success that the preset asks for."""
    from unity_mlops_mcp.spec.archetypes import load_archetype

    if archetype is None:
        return None
    try:
        return load_archetype(archetype).goal.success
    except MlopsError:
        return None


def _failures(version: ModelVersion) -> tuple[str, ...]:
    endings = (version.spec or {}).get("endings") or ()
    return tuple(ending["event"] for ending in endings if ending.get("result") == "failure")
