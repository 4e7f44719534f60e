"""Calls of tools, as results and errors name them, as the commands that a person types."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

_CALL = r"(?P<verb>\b[Cc]all )?(?P<tick>`?)\b(?P<tool>{tools})\b(?:\((?P<given>[^()]*)\))?(?P=tick)"
_GIVEN = re.compile(r"""\s*((?:'[^']*'|"[^"]*"|[^,])+)""")


def as_commands(text: str) -> str:
    """The text with every call of a tool, such as ``wait_for('x')``, as its command: ``unity-mlops wait-for x``."""
    from unity_mlops_mcp.interfaces.cli.main import OPERATIONS

    return _pattern(OPERATIONS).sub(_command, text)


def _pattern(commands: Collection[str]) -> re.Pattern[str]:
    return re.compile(_CALL.format(tools="|".join(command.replace("-", "_") for command in commands)))


def _command(call: re.Match[str]) -> str:
    verb = (call["verb"] or "").replace("Call", "Run").replace("call", "run")
    words = [_word(given[1].strip()) for given in _GIVEN.finditer(call["given"] or "")]
    return f"{verb}`{' '.join(['unity-mlops', call['tool'].replace('_', '-'), *words])}`"


def _word(given: str) -> str:
    """One argument: ``name=value`` as an option, a value as it is typed, a bare name as what is to be filled in."""
    name, equals, value = given.partition("=")
    if equals and name.isidentifier():
        option = f"--{name.replace('_', '-')}"
        return option if value in {"true", "True"} else f"{option} {_typed(value)}"
    return given.upper() if given.isidentifier() else _typed(given)


def _typed(value: str) -> str:
    bare = value.strip("'\"")
    return bare if bare == "…" else shlex.quote(bare)
