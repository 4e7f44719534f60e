"""Says why a training failed and what mends it, from its log; the knowledge is in ``diagnoses.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from unity_mlops_mcp.jobs.records import Failure

MOST_EVIDENCE = 8
LONGEST_LINE = 300
UNKNOWN = "unknown"

_EXCEPTION = re.compile(
    r"^(?:[\s|]*\| )?(?:[\w.]+\.)?(?P<name>\w+(?:Error|Exception|ExceptionGroup))(?:: (?P<text>.*))?$"
)
_LOG_LINE = re.compile(r"^\[(?:INFO|WARNING|ERROR|DEBUG)\]|^Traceback ")
_PLAYER_LOST = re.compile(r"Unity(?:Environment|TimeOut|Communic)\w*Exception")
_CONTINUED = {"UnityTimeOutException": 4, "UnityEnvironmentException": 2}
"""Exceptions whose text goes on over so many lines (mlagents_envs/rpc_communicator.py, environment.py)."""


class Diagnosis(BaseModel):
    """One entry of ``diagnoses.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str
    message: str
    fix: str
    pattern: str = ""
    where: Literal["reason", "any", "player"] = "reason"
    exit: tuple[int, ...] = ()


@lru_cache(maxsize=1)
def diagnoses() -> tuple[Diagnosis, ...]:
    """All entries in their order; the first that matches decides."""
    text = Path(__file__).with_name("diagnoses.yaml").read_text(encoding="utf-8")
    return tuple(Diagnosis(**entry) for entry in yaml.safe_load(text))


def reason_lines(lines: Sequence[str]) -> list[str]:
    """The last exception that the trainer printed, with the lines its text goes on over; empty without one.

    What Python ignored as the process ended is no reason, as long as there is another one.
    """
    ignored = next((place for place, line in enumerate(lines) if line.startswith("Exception ignored in")), None)
    if ignored is not None and (found := reason_lines(lines[:ignored])):
        return found
    for place in range(len(lines) - 1, -1, -1):
        match = _EXCEPTION.match(lines[place])
        if match:
            return [lines[place].strip(" |"), *_continuation(lines[place + 1 :], _CONTINUED.get(match["name"], 0))]
    return []


def _continuation(following: Sequence[str], most: int) -> list[str]:
    taken = []
    for line in following[:most]:
        if not line.strip() or _LOG_LINE.match(line):
            break
        taken.append(line.strip())
    return taken


def diagnose(
    lines: Sequence[str],
    *,
    exit_code: int | None,
    player_log_lines: Sequence[str] = (),
    run_id: str = "",
    step: int | None = None,
    max_steps: int | None = None,
    log_path: Path | None = None,
    player_log_path: Path | None = None,
    home: Path | None = None,
) -> Failure:
    """Why a trainer failed.

    Args:
        lines: the trainer's output, both streams, the last few hundred lines at least.
        exit_code: how it ended, negative for a signal; None when that is not known.
        player_log_lines: the end of the players' logs.
        run_id: named in the call that mends it.
        step: the step that was reached.
        max_steps: the step that was to be reached.
        log_path: where the trainer's whole output lies.
        player_log_path: where the player's log lies.
        home: the folder of everything we keep.

    Returns:
        The cause ``"unknown"`` still has the last exception, the exit code and the log's path.
    """
    reason = reason_lines(lines)
    words = {
        "reason": reason[0] if reason else "",
        "run_id": run_id,
        "log": str(log_path or "the trainer's log"),
        "player_log": str(player_log_path or "the player's log (run_logs/Player-0.log)"),
        "home": str(home or "the home"),
        "reached": f" at step {step} of {max_steps}" if step is not None and max_steps is not None else "",
        "exit_code": str(exit_code),
        "signal_number": str(_signal(exit_code)),
    }
    lost = not reason or _PLAYER_LOST.search(reason[0])
    searched: dict[str, Sequence[str]] = {
        "reason": [" ".join(reason)] if reason else [],
        "any": lines,
        "player": player_log_lines if lost else (),
    }
    for entry in diagnoses():
        found = _match(entry, searched, exit_code, silent=not reason)
        if found is not None:
            line, groups = found
            return _failure(entry, {**words, **groups}, [line, *reason])
    return _unknown(lines, reason, exit_code, words)


def _match(
    entry: Diagnosis, searched: Mapping[str, Sequence[str]], exit_code: int | None, *, silent: bool
) -> tuple[str, dict[str, str]] | None:
    if entry.exit:
        return ("", {}) if silent and exit_code in entry.exit else None
    pattern = _compiled(entry.pattern)
    for line in reversed(searched[entry.where]):
        match = pattern.search(line)
        if match:
            return line, {name: (text or "").strip() for name, text in match.groupdict().items()}
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _signal(exit_code: int | None) -> int:
    if exit_code is None:
        return 0
    return -exit_code if exit_code < 0 else max(0, exit_code - 128)


def _failure(entry: Diagnosis, words: Mapping[str, str], evidence: Sequence[str]) -> Failure:
    message = " ".join(entry.message.format_map(words).split()).replace(" .", ".").replace("()", "").strip()
    return Failure(
        cause=entry.cause, message=message, evidence=tuple(_shown(evidence)), fix=entry.fix.format_map(words)
    )


def _unknown(lines: Sequence[str], reason: Sequence[str], exit_code: int | None, words: Mapping[str, str]) -> Failure:
    said = reason[0] if reason else next((line for line in reversed(lines) if line.strip()), "nothing")
    ending = "ended" if exit_code is None else f"ended with code {exit_code}"
    what = "its last exception is" if reason else "its last line is"
    evidence = reason or [line for line in lines if line.strip()][-MOST_EVIDENCE:]
    return Failure(
        cause=UNKNOWN,
        message=f"The trainer {ending}{words['reached']}; {what}: {said[:LONGEST_LINE]}",
        evidence=tuple(_shown(evidence)),
        fix=f"Read {words['log']}; run `unity-mlops doctor`; then, if there is a checkpoint, "
        f'call resume_training(run_id="{words["run_id"]}").',
    )


def _shown(evidence: Sequence[str]) -> Iterator[str]:
    kept = dict.fromkeys(line.strip()[:LONGEST_LINE] for line in evidence if line.strip())
    return iter(list(kept)[:MOST_EVIDENCE])
