"""The guard for code from somebody else: names that a behaviour script has no business with (data: ``guard.yaml``).

It reads words, not meaning, in every branch of ``#if`` and in broken code too. Whoever wants to can get past it, so
foreign code is built only when a person confirms it; the findings say where to look first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from unity_mlops_mcp.codegen.checking.records import Finding, SourceFile
from unity_mlops_mcp.codegen.checking.rules import MOST_SHOWN, rules
from unity_mlops_mcp.spec.base import Part

_HIDDEN = re.compile(
    r"""
    (?P<code> \$+@?"(?:\\.|""|[^"])*" | @\$"(?:""|[^"])*" | \$+"{3,}.*?"{3,} )
    | (?P<plain> "{3,}.*?"{3,} | @"(?:[^"]|"")*" | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])+'
        | //[^\n]* | /\*.*?(?:\*/|\Z) )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = r"@?(?:\w|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8})+"
_CHAIN = re.compile(rf"{_WORD}(?:\s*(?:\?\.|\.|::)\s*{_WORD})*")
_SPLIT = re.compile(r"[\s?.:]+")
_NOT_NEWLINE = re.compile(r"[^\n]")
_MOST = 200
"""Findings of one file; more say nothing new."""


class Watched(Part):
    """One rule of the guard: what it looks for."""

    rule: str
    """Its id."""
    names: tuple[str, ...] = ()
    """Names, and dotted ends of names, of types, members and attributes."""
    words: tuple[str, ...] = ()
    """Keywords."""


@cache
def watched() -> tuple[Watched, ...]:
    """All that the guard looks for."""
    data: list[Any] = yaml.safe_load(Path(__file__).with_name("guard.yaml").read_text(encoding="utf-8"))
    return tuple(Watched.model_validate({key: one[key] for key in Watched.model_fields if key in one}) for one in data)


@cache
def _by_name() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Last part of a name -> (all its parts, rule)."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for one in watched():
        for name in (*one.names, *one.words):
            parts = tuple(name.split("."))
            found.setdefault(parts[-1], []).append((parts, one.rule))
    return found


def guard(file: SourceFile) -> list[Finding]:
    """What a person should look at before building this file."""
    code = _HIDDEN.sub(_blank, file.text)
    found: dict[tuple[str, int], Finding] = {}
    for match in _CHAIN.finditer(code):
        for rule in _rules_of(match[0]):
            line = code.count("\n", 0, match.start()) + 1
            found.setdefault((rule, line), _finding(rule, file.path, line, match[0]))
        if len(found) >= _MOST:
            break
    return list(found.values())


def _blank(match: re.Match[str]) -> str:
    """Spaces in place of a comment or text; of an interpolated text the code in it stays."""
    text = match[0]
    begin, end = text.find("{"), text.rfind("}")
    if match.lastgroup == "plain" or begin < 0 or end < begin:
        return _NOT_NEWLINE.sub(" ", text)
    return _NOT_NEWLINE.sub(" ", text[:begin]) + text[begin : end + 1] + _NOT_NEWLINE.sub(" ", text[end + 1 :])


def _rules_of(chain: str) -> Iterator[str]:
    if "\\" in chain:
        yield "SEC016"
        chain = re.sub(r"\\[uU]0*([0-9a-fA-F]{1,6})", lambda code: chr(min(int(code[1], 16), 0x10FFFF)), chain)
    parts = [part.removeprefix("@") for part in _SPLIT.split(chain)]
    for place, part in enumerate(parts):
        for names, rule in _by_name().get(part, ()) or _by_name().get(part.removesuffix("Attribute"), ()):
            if _ends_with(parts[max(0, place + 1 - len(names)) : place + 1], names):
                yield rule


def _ends_with(parts: Sequence[str], names: tuple[str, ...]) -> bool:
    """Whether the name ends so: ``Environment.Exit`` in ``System.Environment.Exit``."""
    plain = [*parts[:-1], parts[-1] if parts[-1] == names[-1] else parts[-1].removesuffix("Attribute")]
    return tuple(plain[-len(names) :]) == names


def _finding(rule: str, path: str, line: int, code: str) -> Finding:
    known = rules()[rule]
    text = "".join(code.split())
    return Finding(
        id=known.id,
        severity=known.severity,
        path=path,
        line=line,
        message=known.message.format(code=text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."),
        fix=known.fix,
    )
