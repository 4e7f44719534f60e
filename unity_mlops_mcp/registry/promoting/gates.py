"""Whether gates hold: tests over the episodes of evaluations, never over one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import fmean
from typing import Any

from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.metrics.records import Interval
from unity_mlops_mcp.metrics.statistics import difference_interval
from unity_mlops_mcp.registry.promoting.evidence import differences
from unity_mlops_mcp.registry.promoting.records import (
    Described,
    Evaluated,
    Evidence,
    Figure,
    Gate,
    GateResult,
    NoRegression,
    NotWorse,
    Reproducible,
)

ONE_SIDED = 0.9
"""The two-sided level whose lower end is that of a one-sided test at 5 %."""
_TOLD, _TOLD_WIDTH = 5, 120
HARMFUL = ("collision", "collide", "crash", "fall", "fell", "hit", "damage", "violation", "constraint", "unsafe")
"""What is looked for in the names of endings and counters."""


def judge(gates: Sequence[Gate], evidence: Evidence) -> tuple[GateResult, ...]:
    """What each gate finds, in their order."""
    return tuple(_KINDS[gate.kind](gate, evidence) for gate in gates)


def _evaluated(gate: Evaluated, evidence: Evidence) -> GateResult:
    needed, found = f"an evaluation over at least {gate.episodes} episodes", evidence.evaluation
    if found is not None and found.episodes >= gate.episodes:
        return _passed(gate, f"{found.evaluation_id}: {found.told()}", needed)
    value = "none" if found is None else f"{found.evaluation_id} over {found.episodes} episodes"
    version = evidence.version.version_id
    fix = f"Call evaluate_model(model={version!r}, episodes={max(200, gate.episodes)}), then this again."
    return GateResult(name=gate.name, outcome="missing", value=value, needed=needed, fix=fix)


def _described(gate: Described, evidence: Evidence) -> GateResult:
    needed, version = "a description of what changed", evidence.version
    if version.description:
        return _passed(gate, version.description + _told_differences(evidence), needed)
    fix = "A version never changes: train again and pass description to register_model, or give an override_reason."
    return GateResult(name=gate.name, outcome="failed", value="none", needed=needed, fix=fix)


def _told_differences(evidence: Evidence) -> str:
    """What differs from the holder, the first few; the audit holds all of it."""
    found = differences(evidence.holder, evidence.version)
    if not found:
        return " (the holder's settings are the same)" if evidence.holder else ""
    told = [f"{name} {held} → {own}"[:_TOLD_WIDTH] for name, (held, own) in list(found.items())[:_TOLD]]
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return f" (differs from the holder in {'; '.join(told)}{more})"


def _not_worse(gate: NotWorse, evidence: Evidence) -> GateResult:
    if evidence.evaluation is None:
        return _unknown(gate)
    own = values_of(evidence.evaluation, gate.figure)
    if own is None:
        return _passed(gate, "not reported by the player", "nothing: the player does not report it")
    goal = gate.goal if gate.goal is not None else (evidence.goal if gate.figure == "success" else None)
    if gate.goal is None and evidence.holder is not None:
        return _against_holder(gate, evidence, own)
    if goal is None:
        return _passed(gate, _mean(own), "nothing: no version holds the alias, and no goal is given")
    least = goal - _margin(gate.figure, gate.margin, own)
    return _compared(gate, difference_interval(own, [least, least], level=ONE_SIDED), own, f"the goal {goal:g}", least)


def _against_holder(gate: NotWorse, evidence: Evidence, own: Sequence[float]) -> GateResult:
    holder, found = evidence.holder, evidence.holder_evaluation
    held = values_of(found, gate.figure) if found else None
    if holder is None or held is None:
        name = holder.version_id if holder else ""
        return GateResult(
            name=gate.name,
            outcome="missing",
            value=f"{_mean(own)}; the holder {name} has no evaluation on the same build with the same settings",
            needed="an evaluation of both on one build",
            fix=f"Call evaluate_model(model={name!r}) with the build and settings of the other evaluation.",
        )
    margin = _margin(gate.figure, gate.margin, held)
    least = fmean(held) - margin
    difference = difference_interval(own, [value - margin for value in held], level=ONE_SIDED)
    return _compared(gate, difference, own, f"the holder's {_mean(held)}", least)


def _compared(gate: NotWorse, difference: Interval, own: Sequence[float], against: str, least: float) -> GateResult:
    """Passed when even the lower end of the difference to the least that is allowed is not below zero."""
    low = difference.low if difference.low is not None else difference.mean
    value = f"{gate.figure} {_mean(own)} against {against}"
    needed = f"at least {least:.4g}, with 95 % certainty over the episodes (here it may be {round(least + low, 6):.4g})"
    if low >= 0:
        return _passed(gate, value, needed)
    doubt = difference.mean >= 0
    fix = (
        "The mean is enough, the certainty is not: evaluate over more episodes."
        if doubt
        else "Train on or differently, and register the better policy; or give an override_reason."
    )
    return GateResult(name=gate.name, outcome="failed", value=value, needed=needed, fix=fix)


def _no_regression(gate: NoRegression, evidence: Evidence) -> GateResult:
    found = evidence.evaluation
    if found is None:
        return _unknown(gate)
    own = harms_of(found, evidence.failures, gate.measures)
    if not own:
        return _passed(gate, "no ending or counter of harm is reported", "nothing")
    held = harms_of(evidence.holder_evaluation, evidence.failures, gate.measures) if evidence.holder_evaluation else {}
    told, wrong = [], []
    for name, values in own.items():
        told.append(f"{name} {_mean(values)}" + (f" (holder {_mean(held[name])})" if name in held else ""))
        if _worse(gate, values, held.get(name)):
            wrong.append(name)
    needed = f"no rise by more than {gate.margin:g}" + (
        f", and at most {gate.limit:g}" if gate.limit is not None else ""
    )
    if not wrong:
        return _passed(gate, "; ".join(told), needed)
    fix = f"{', '.join(wrong)} became more frequent: punish it in the rewards, train on, and register that."
    return GateResult(name=gate.name, outcome="failed", value="; ".join(told), needed=needed, fix=fix)


def _worse(gate: NoRegression, own: Sequence[float], held: Sequence[float] | None) -> bool:
    if gate.limit is not None and fmean(own) > gate.limit:
        return True
    if held is None:
        return False
    difference = difference_interval(own, held, level=ONE_SIDED)
    high = difference.high if difference.high is not None else difference.mean
    return high > gate.margin


def _reproducible(gate: Reproducible, evidence: Evidence) -> GateResult:
    first, second = evidence.evaluation, evidence.second
    needed = f"a second {gate.method} with another seed within {gate.tolerance:g}"
    if first is None or second is None:
        fix = "Promote with confirm=true: it is made then, and the promotion decides when it is there."
        return GateResult(name=gate.name, outcome="missing", value="none", needed=needed, fix=fix)
    told, apart = [], False
    for figure in ("success", "return"):
        own, other = values_of(first, figure), values_of(second, figure)
        if own is None or other is None:
            continue
        away = abs(fmean(own) - fmean(other))
        apart |= away > _margin(figure, gate.tolerance, own)
        told.append(f"{figure} {_mean(own)} and {_mean(other)}")
    value = f"{'; '.join(told)} ({second.evaluation_id})"
    if not apart:
        return _passed(gate, value, needed)
    fix = "The result depends on the seed: evaluate over more episodes, or train longer."
    return GateResult(name=gate.name, outcome="failed", value=value, needed=needed, fix=fix)


def values_of(evaluation: Evaluation, figure: str) -> Sequence[float] | None:
    """One value for each episode; None where the player does not report it."""
    if figure == "success":
        return evaluation.columns.success
    return evaluation.columns.returns[evaluation.behaviors[0].behavior]


def harms_of(evaluation: Evaluation, failures: Sequence[str], names: Sequence[str] = ()) -> dict[str, Sequence[float]]:
    """Endings and counters that mean harm: name → one value for each episode.

    Args:
        evaluation: where they are looked for.
        failures: endings that the spec calls failures.
        names: what is meant; empty: what is called like harm, and the failures that are no timeout.
    """
    columns = evaluation.columns
    endings = {name for name in (*columns.endings, *failures) if _harmful(name, failures, names)}
    found: dict[str, Sequence[float]] = {
        name: [float(ending == name) for ending in columns.endings] for name in sorted(endings)
    }
    return {**found, **{name: values for name, values in columns.measures.items() if _harmful(name, (), names)}}


def _harmful(name: str, failures: Sequence[str], names: Sequence[str]) -> bool:
    if names:
        return name in names
    return name in failures or any(word in name.lower() for word in HARMFUL)


def _margin(figure: Figure | str, margin: float, values: Sequence[float]) -> float:
    """A margin in the figure's own unit."""
    if figure == "success":
        return margin
    mean = fmean(values)
    spread = sqrt(sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))
    return margin * max(abs(mean), spread)


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.4g} (n = {len(values)})"


def _passed(gate: Any, value: str, needed: str) -> GateResult:
    return GateResult(name=gate.name, outcome="passed", value=value, needed=needed)


def _unknown(gate: Any) -> GateResult:
    fix = "Evaluate the version first: evaluate_model."
    return GateResult(name=gate.name, outcome="missing", value="none", needed="an evaluation", fix=fix)


_KINDS: Mapping[str, Callable[[Any, Evidence], GateResult]] = {
    "evaluated": _evaluated,
    "described": _described,
    "not_worse": _not_worse,
    "no_regression": _no_regression,
    "reproducible": _reproducible,
}
