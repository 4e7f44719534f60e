"""All that a pipeline came to, in a paragraph that a person would forward."""

from __future__ import annotations

from collections.abc import Iterator

from unity_mlops_mcp.evaluation.records import shares
from unity_mlops_mcp.pipeline.records import (
    Built,
    Described,
    Evaluated,
    Measured,
    Promoted,
    RegisteredVersion,
    Reported,
    Trained,
    Wanted,
)
from unity_mlops_mcp.pipeline.results import Results


def paragraph_of(wanted: Wanted, name: str, results: Results) -> str:
    """The paragraph; empty for a dry run."""
    trained = results.find(Trained)
    return " ".join(_sentences(wanted, name, trained, results)) if trained else ""


def _sentences(wanted: Wanted, name: str, trained: Trained, results: Results) -> Iterator[str]:
    built, tested = results.find(Built), results.find(Evaluated)
    asked = f" for “{wanted.request}”" if wanted.request else ""
    place = "in Unity" if built and built.target == "unity" else "in the sandbox"
    yield f"{name} was trained{asked} {place} over {trained.step:,} steps (run {trained.run_id})."
    if tested:
        yield _tested(tested)
    measured = results.find(Measured)
    if measured:
        yield f"Its reward curve: {measured.summary.verdict.replace('_', ' ')}. {measured.summary.reason}"
    kept, reported = results.find(RegisteredVersion), results.find(Reported)
    decided = results.find(Promoted)
    if kept:
        rest = "" if decided else f"; promotion to {wanted.alias} is up to you"
        yield f"It is registered as {kept.version_id}{rest}."
    if decided:
        yield f"{decided.told[:1].upper()}{decided.told[1:]}."
    if reported:
        yield f"The report is {reported.path}."
    yield from _open_points(results.find(Described))


def _tested(tested: Evaluated) -> str:
    """How it did, with what went wrong most."""
    figure = (
        f"it succeeded in {shares(tested.success)} of {tested.episodes} episodes"
        if tested.success
        else f"it reached a return of {tested.returns.told()} over {tested.episodes} episodes"
    )
    ended = ", ".join(f"{ending} {share:.0%}" for ending, share in list(tested.endings.items())[:3])
    return f"Evaluated with its own policy, {figure} (95 % interval); they ended by {ended}."


def _open_points(described: Described | None) -> Iterator[str]:
    if described and described.assumptions:
        yield f"Assumed: {' '.join(described.assumptions)}"
    if described and described.left_out:
        yield f"Left out: {'; '.join(described.left_out)}."
