"""Evaluates ``#if`` before parsing, and refuses nesting that no person writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from unity_mlops_mcp.errors import InvalidInputError

MAX_NESTING = 150
"""Open brackets at once."""
MAX_ANGLES = 64
"""``<`` in one statement: unclosed type arguments cost the parser quadratic time."""
MAX_CONDITION = 40
"""Parts of one ``#if`` condition."""
_TOKEN = re.compile(
    r"""
    (?P<skipped> \$*"{3,}.*?(?:"{3,}|\Z) | \$?@\$?"(?:[^"]|"")*(?:"|\Z) | \$?"(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])+'
      | //[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<directive> ^[ \t\ufeff]*\#[^\n]* )
    | (?P<bracket> [(\[{}\])<;] )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t\ufeff]*#[ \t]*(\w+)[ \t]*(.*?)[ \t]*(?://.*)?$")
_LINE = re.compile(r"^[ \t]*#[ \t]*(?:if|elif|else|endif)\b[^\n]*", re.MULTILINE)
_CONDITION = re.compile(r"\s*(\w+|&&|\|\||==|!=|!|\(|\))")
_FILLED = re.compile(r"[^\n]")


@dataclass(frozen=True)
class ActiveCode:
    """Code with directives and inactive lines blanked; every line keeps its number.

    Attributes:
        text: the code.
        problems: (line, message) of each broken directive.
    """

    text: str
    problems: tuple[tuple[int, str], ...]


@dataclass
class _Branches:
    """The ``#if`` blocks that are open, and the symbols that are defined."""

    symbols: set[str]
    stack: list[bool] = field(default_factory=list)
    """Per open block: whether one of its branches was taken already."""

    def opens(self, word: str, rest: str, *, active: bool) -> bool:
        """Whether the code after this directive is active.

        Raises:
            ValueError: the directive is broken, in words.
        """
        if word == "if":
            taken = active and holds(rest, self.symbols)
            self.stack.append(taken or not active)
            return taken
        if not self.stack:
            raise ValueError(f"`#{word}` without `#if`")
        if word == "endif":
            self.stack.pop()
            return True
        taken = not self.stack[-1] and (word == "else" or holds(rest, self.symbols))
        self.stack[-1] |= taken
        return taken


def active_code(text: str, symbols: AbstractSet[str]) -> ActiveCode:
    """The code that a compiler sees when these symbols are defined.

    Args:
        text: of one file.
        symbols: those that ``#if`` knows, such as ``UNITY_EDITOR``; ``#define`` in the file adds to them.

    Raises:
        InvalidInputError: brackets are nested deeper than 150, or one statement has more than 64 ``<``.
    """
    branches = _Branches(set(symbols))
    pieces: list[str] = []
    problems: list[tuple[int, str]] = []
    done, depth, angles = 0, 0, 0
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match.lastgroup == "bracket":
            depth, angles = _nested(match[0], depth, angles)
        elif match.lastgroup == "directive":
            pieces.append(text[done : match.start()])
            try:
                done = _after(text, match, branches)
            except ValueError as error:
                problems.append((text.count("\n", 0, match.start()) + 1, str(error)))
                done = match.end()
            pieces.append(_FILLED.sub(" ", text[match.start() : done]))
            position = done
    if branches.stack:
        problems.append((text.count("\n") + 1, "`#if` without `#endif`"))
    return ActiveCode("".join([*pieces, text[done:]]), tuple(problems))


def _nested(bracket: str, depth: int, angles: int) -> tuple[int, int]:
    """Depth and number of ``<`` after this bracket."""
    if bracket == "<":
        angles += 1
    elif bracket in "([{":
        depth += 1
    elif bracket in ")]}":
        depth = max(depth - 1, 0)
    if depth > MAX_NESTING or angles > MAX_ANGLES:
        raise InvalidInputError(
            f"The script nests more than {MAX_NESTING} brackets, or has more than {MAX_ANGLES} `<` in one statement.",
            fix="Pass C# as a person writes it.",
            cause="script_too_nested",
        )
    return depth, 0 if bracket in ";{}" else angles


def _after(text: str, match: re.Match[str], branches: _Branches) -> int:
    """Where code is active again after a directive that stands in active code."""
    directive = _DIRECTIVE.match(match[0])
    word, rest = directive.groups() if directive else ("", "")
    if word in {"define", "undef"}:
        (branches.symbols.add if word == "define" else branches.symbols.discard)(rest)
    if word not in {"if", "elif", "else", "endif"} or branches.opens(word, rest, active=True):
        return match.end()
    return _skipped(text, match.end(), branches)


def _skipped(text: str, start: int, branches: _Branches) -> int:
    """The end of the directive that ends an inactive branch; the end of the text when none does."""
    outer = len(branches.stack)
    for line in _LINE.finditer(text, start):
        directive = _DIRECTIVE.match(line[0])
        word, rest = directive.groups() if directive else ("", "")
        inside = len(branches.stack) > outer
        active = (
            branches.opens(word, rest, active=False)
            if word == "if" or inside
            else branches.opens(word, rest, active=True)
        )
        if not inside and word != "if" and active:
            return line.end()
    return len(text)


def holds(condition: str, symbols: AbstractSet[str]) -> bool:
    """The value of an ``#if`` condition.

    Raises:
        ValueError: it is no condition, or has too many parts.
    """
    words = list(_words(condition))
    if not words or len(words) > MAX_CONDITION:
        raise ValueError(f"`#if {condition[:60]}` is no condition")
    value, rest = _either(words, symbols)
    if rest:
        raise ValueError(f"`#if {condition[:60]}` has {rest[0]!r} too much")
    return value


def _words(condition: str) -> Iterator[str]:
    position = 0
    while position < len(condition):
        match = _CONDITION.match(condition, position)
        if not match:
            raise ValueError(f"`#if {condition[:60]}` is no condition")
        yield match[1]
        position = match.end()


def _either(words: list[str], symbols: AbstractSet[str]) -> tuple[bool, list[str]]:
    value, rest = _both(words, symbols)
    while rest[:1] == ["||"]:
        other, rest = _both(rest[1:], symbols)
        value = value or other
    return value, rest


def _both(words: list[str], symbols: AbstractSet[str]) -> tuple[bool, list[str]]:
    value, rest = _equal(words, symbols)
    while rest[:1] == ["&&"]:
        other, rest = _equal(rest[1:], symbols)
        value = value and other
    return value, rest


def _equal(words: list[str], symbols: AbstractSet[str]) -> tuple[bool, list[str]]:
    value, rest = _one(words, symbols)
    while rest[:1] in (["=="], ["!="]):
        other, after = _one(rest[1:], symbols)
        value, rest = (value == other) == (rest[0] == "=="), after
    return value, rest


def _one(words: list[str], symbols: AbstractSet[str]) -> tuple[bool, list[str]]:
    word = words[0] if words else ""
    if word == "!":
        value, rest = _one(words[1:], symbols)
        return not value, rest
    if word == "(":
        value, rest = _either(words[1:], symbols)
        if rest[:1] != [")"]:
            raise ValueError("an `#if` condition lacks `)`")
        return value, rest[1:]
    if not re.fullmatch(r"\w+", word):
        raise ValueError(f"an `#if` condition has {word or 'nothing'!r} where a symbol should be")
    return word == "true" or (word != "false" and word in symbols), words[1:]
