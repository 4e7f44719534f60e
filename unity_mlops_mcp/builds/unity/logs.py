"""Says what an Editor is doing and why its run failed, from its log; the knowledge is in ``logs.yaml``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

MOST_EVIDENCE = 10
LONGEST_LINE = 300
_EXCEPTION = re.compile(r"^(?:\w+\.)*\w*Exception: .*")


class FailureClass(BaseModel):
    """One entry under ``failures`` of ``logs.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str
    message: str
    fix: str
    any: tuple[str, ...] = ()
    exit: tuple[int, ...] = ()
    both: bool = False
    most_seconds: float | None = None
    unless: str = ""
    collect: int = 0
    every: bool = False
    retry: bool = False


class Phase(BaseModel):
    """One entry under ``phases`` of ``logs.yaml``: what a line says of the Editor's work, and how far that is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str
    message: str
    share: float


class _Knowledge(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: tuple[Phase, ...]
    failures: tuple[FailureClass, ...]


@dataclass(frozen=True)
class LogContext:
    """What is known of an Editor run besides its log.

    Attributes:
        exit_code: how it ended, negative for a signal; None when that is not known.
        seconds: how long it ran.
        version: of the Editor.
        target: what was built for.
        module: what the Hub calls the build support of that target.
        project: the copy that was built.
        log: where the whole log lies.
        editor: its executable.
    """

    exit_code: int | None = None
    seconds: float = 0.0
    version: str = "of this Editor"
    target: str = "this system"
    module: str = ""
    project: str = "the project's copy"
    log: str = "the Editor's log"
    editor: str = ""


@dataclass(frozen=True)
class EditorFailure:
    """Why an Editor run failed.

    Attributes:
        cause: a short stable code.
        message: what was found.
        fix: what mends it.
        evidence: the lines that show it.
        file: the script that is wrong, relative to the project; None when it is none.
        line: where in it.
        retry: whether the same run may go well in a moment.
    """

    cause: str
    message: str
    fix: str
    evidence: tuple[str, ...]
    file: str | None = None
    line: int | None = None
    retry: bool = False


@dataclass(frozen=True)
class _Hit:
    place: int
    groups: dict[str, str]


@cache
def _knowledge() -> _Knowledge:
    text = Path(__file__).with_name("logs.yaml").read_text(encoding="utf-8")
    return _Knowledge.model_validate(yaml.safe_load(text))


def failure_classes() -> tuple[FailureClass, ...]:
    """All classes in their order; the first that hits decides."""
    return _knowledge().failures


def phase_of(line: str) -> tuple[str, float] | None:
    """What the Editor does now and how far it is (0 to 1), if this line of its log says so."""
    for phase in _knowledge().phases:
        found = _compiled(phase.pattern).search(line)
        if found:
            return phase.message.format_map(_Words(_text(found.groupdict()))), phase.share
    return None


def classify(lines: Sequence[str], context: LogContext) -> EditorFailure:
    """Why a run failed that did not build.

    Args:
        lines: its whole log.
        context: what else is known.

    Returns:
        The first class that hits; for a log that says nothing the cause is ``unity_no_build`` where the Editor ended
        with code 0, else ``unity_unknown``.
    """
    for entry in failure_classes():
        hits = _hits(entry, lines, context)
        if hits is not None:
            return _failure(entry, hits, lines, context)
    return _unknown(lines, context)


def _hits(entry: FailureClass, lines: Sequence[str], context: LogContext) -> list[_Hit] | None:
    """Where a class shows; an empty list when only the exit code does; None when it does not."""
    if entry.most_seconds is not None and context.seconds > entry.most_seconds:
        return None
    if entry.unless and any(_compiled(entry.unless).search(line) for line in lines):
        return None
    by_exit = context.exit_code in entry.exit
    if entry.both and not by_exit:
        return None
    for pattern in entry.any:  # the first pattern that hits decides: they stand from the most telling on
        found = [
            _Hit(place, _text(match.groupdict()))
            for place, line in enumerate(lines)
            if (match := _compiled(pattern).search(line))
        ]
        if found:
            return found
    return [] if by_exit and not entry.both else None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _text(groups: Mapping[str, str | None]) -> dict[str, str]:
    return {name: (text or "").strip() for name, text in groups.items()}


class _Words(defaultdict[str, str]):
    """What is not known is left out."""

    def __init__(self, *known: Mapping[str, str]) -> None:
        super().__init__(str)
        for words in known:
            self.update(words)


def _failure(entry: FailureClass, hits: Sequence[_Hit], lines: Sequence[str], context: LogContext) -> EditorFailure:
    first = hits[0].groups if hits else {}
    shown = [lines[hit.place] for hit in hits] if entry.every else []
    for hit in [] if entry.every else hits[:1]:
        shown = [line for line in lines[hit.place : hit.place + 1 + entry.collect] if line.strip()]
    distinct = list(dict.fromkeys(line.strip() for line in shown))
    more = f" ({len(distinct) - 1} more)" if entry.every and len(distinct) > 1 else ""
    words = _Words(_context_words(context), first, {"more": more, "exception": _last_exception(lines)})
    return EditorFailure(
        cause=entry.cause,
        message=_tidy(entry.message.format_map(words)),
        fix=_tidy(entry.fix.format_map(words)),
        evidence=_evidence(distinct or lines[-MOST_EVIDENCE:]),
        file=first.get("file") or None,
        line=int(first["line"]) if first.get("line") else None,
        retry=entry.retry,
    )


def _context_words(context: LogContext) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(context).items()}


def _last_exception(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if _EXCEPTION.match(line.strip())), "")


def _tidy(text: str) -> str:
    return " ".join(text.split()).replace("()", "").replace(" .", ".").replace("..", ".").strip()[: 2 * LONGEST_LINE]


def _evidence(lines: Sequence[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(line.strip()[:LONGEST_LINE] for line in lines if line.strip())
    return tuple(kept)[:MOST_EVIDENCE]


def _unknown(lines: Sequence[str], context: LogContext) -> EditorFailure:
    ended = context.exit_code == 0
    last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    built_nothing = (
        "The Editor ended with code 0, which it does at times without building: it did not print our marker."
    )
    return EditorFailure(
        cause="unity_no_build" if ended else "unity_unknown",
        message=built_nothing
        if ended
        else _tidy(f"The Editor ended with code {context.exit_code} and did not say why; its last line is: {last}"),
        fix=_tidy(
            f"Read {context.log}. Open the project in the Editor once: what its Console shows is the reason. "
            "docs/unity.md says what to send us when that does not help."
        ),
        evidence=_evidence(lines[-MOST_EVIDENCE:]),
    )
