"""Which old things of a home nobody needs any more: a plan from what there is, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.records import RECORDINGS
from unity_mlops_mcp.store.pruning import Rows, Uses

_AGE = re.compile(r"(\d{1,5})\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_WORD = re.compile(r"[\w.\-]+")
_STRING = re.compile(r'"([^"\\]*)"')
_ALL_RECORDINGS = re.compile(rf'\b{RECORDINGS}[/\\]*\s*[",]')
"""A path in a JSON text that names the whole folder."""


@dataclass(frozen=True)
class Plan:
    """What may go.

    Attributes:
        runs: ids of runs, with their folders.
        builds: ids of builds, with their folders.
        evaluations: ids of evaluations; their folders are among the artifacts.
        artifacts: ids of jobs and evaluations whose folders go.
        thinned: runs whose checkpoints go, and nothing else of them.
        held: all names that something in use or on record holds.
        learning: JSON of whatever may name a recording that is learned from.
    """

    runs: frozenset[str]
    builds: frozenset[str]
    evaluations: frozenset[str]
    artifacts: frozenset[str]
    thinned: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    learning: tuple[str, ...] = ()

    def learns_from(self, recording: str) -> bool:
        """Whether a run that stays, or something in use or on record, names a recording by its file's name."""
        return any(recording in text or _ALL_RECORDINGS.search(text) for text in self.learning)

    @property
    def rows(self) -> Rows:
        """The rows that go."""
        return Rows(sorted(self.runs), sorted(self.builds), sorted(self.evaluations))


def age_of(text: str) -> timedelta:
    """An age such as ``30d``, ``12h`` or ``2w``.

    Raises:
        InvalidInputError: it is none.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidInputError(f"{text!r} is no age.", fix="Write hours, days or weeks: 12h, 30d, 8w.")
    return int(found[1]) * _UNITS[found[2]]


def plan_prune(uses: Uses, *, before: datetime, keep_registered: bool = True) -> Plan:
    """What ended before a moment and nothing holds.

    Never among it: what is open, what a model version came from or names, the evaluations of its policies, the builds
    and evaluations of runs that stay, the recordings that they learned from, and whatever an open job, a schedule, the
    audit or an incident names.

    Args:
        uses: all that there is.
        before: the moment.
        keep_registered: leave runs that a version came from whole; else their checkpoints may go, unless an alias
            points to the version.
    """
    busy = names_in(uses.at_work)
    held = busy | names_in(uses.on_record)
    staying = {
        run.run_id
        for run in uses.runs
        if run.ended_at is None or run.ended_at >= before or run.run_id in held | uses.registered
    }
    judged = {
        one.evaluation_id
        for one in uses.evaluations
        if one.created_at >= before
        or one.evaluation_id in held
        or one.run_id in staying
        or one.policy_sha256 in uses.policies
    }
    played = {run.build_id for run in uses.runs if run.run_id in staying}
    played |= {one.build_id for one in uses.evaluations if one.evaluation_id in judged}
    going = {one for one, made in uses.builds.items() if made < before and one not in held and one not in played}
    return Plan(
        runs=frozenset(run.run_id for run in uses.runs) - staying,
        builds=frozenset(going),
        evaluations=frozenset(one.evaluation_id for one in uses.evaluations) - judged,
        artifacts=frozenset(_artifacts(uses, before, held, staying, judged)),
        held=held,
        learning=(*uses.at_work, *uses.on_record, *(run.request for run in uses.runs if run.run_id in staying)),
        thinned=frozenset() if keep_registered else frozenset(_thinned(uses, before, busy)),
    )


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Everything in JSON texts that may be an id: whole strings, and the words in them."""
    found: set[str] = set()
    for text in texts:
        found.update(_STRING.findall(text))
        found.update(_WORD.findall(text))
    return frozenset(found)


def _artifacts(
    uses: Uses, before: datetime, held: Collection[str], staying: Collection[str], judged: Collection[str]
) -> Iterator[str]:
    kept = {*held, *judged}
    for job in uses.jobs:
        if job.ended_at is not None and job.ended_at < before and job.job_id not in kept and job.subject not in staying:
            yield job.job_id
    yield from (one.evaluation_id for one in uses.evaluations if one.evaluation_id not in kept)


def _thinned(uses: Uses, before: datetime, busy: Collection[str]) -> Iterator[str]:
    """Registered runs that no alias serves and nothing at work names."""
    for run in uses.runs:
        old = run.ended_at is not None and run.ended_at < before
        if old and run.run_id in uses.registered and run.run_id not in uses.served and run.run_id not in busy:
            yield run.run_id
