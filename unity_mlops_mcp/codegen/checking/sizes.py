"""Sums and choices of observation sizes: a number where it can be one, else a formula."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_OPTIONS = 64
_MOST_FORMULA = 200
_MOST_TERMS = 40
_MOST_WORDS = 60


@dataclass(frozen=True)
class Size:
    """How many floats some code writes.

    Attributes:
        fixed: what it writes in any case.
        terms: what comes on top, in words.
        options: every total that is possible; None when they cannot be listed.
    """

    fixed: int = 0
    terms: tuple[str, ...] = ()
    options: frozenset[int] | None = frozenset({0})

    @property
    def number(self) -> int | None:
        """The size, if it is a single number."""
        return next(iter(self.options)) if self.options is not None and len(self.options) == 1 else None

    @property
    def least(self) -> int:
        """It is never smaller than this."""
        return self.fixed if self.options is None else min(self.options)

    @property
    def nothing(self) -> bool:
        """Whether it writes nothing in any case."""
        return self.number == 0

    @property
    def formula(self) -> str:
        """The size in words."""
        if self.number is not None:
            return str(self.number)
        parts = [str(self.fixed)] if self.fixed else []
        whole = " + ".join([*parts, *self.terms])
        alone = len(self.terms) == 1 and not self.fixed
        text = whole[1:-1] if alone and whole.startswith("(") and whole.endswith(")") else whole
        return text if len(text) <= _MOST_FORMULA else f"{text[:_MOST_FORMULA]}…"

    def __add__(self, other: Size) -> Size:
        options = None
        if self.options is not None and other.options is not None:
            options = _few(frozenset(a + b for a in self.options for b in other.options))
        terms = (*self.terms, *other.terms)
        return Size(self.fixed + other.fixed, terms[:_MOST_TERMS], options)


def exactly(count: int) -> Size:
    """A size that is known."""
    return Size(count, (), frozenset({count}))


def unknown(words: str) -> Size:
    """A size of which only the words are known."""
    return Size(0, (_short(words),), None)


def chosen(condition: str, first: Size, second: Size) -> Size:
    """One size or the other."""
    if first == second:
        return first
    options = None if first.options is None or second.options is None else _few(first.options | second.options)
    return Size(0, (f"({_short(condition)} ? {_arm(first)} : {_arm(second)})",), options)


def repeated(count: int | None, words: str, body: Size) -> Size:
    """The same size several times; ``count`` None: as often as the words say."""
    if body.nothing:
        return body
    if count is None:
        factor = body.formula if body.number is not None else f"({body.formula})"
        return Size(0, (f"{_short(words)} x {factor}",), None)
    if body.number is not None:
        return exactly(count * body.number)
    options = None if body.options is None else frozenset({count * one for one in body.options})
    same = options if body.terms and body.options is not None and count == 1 else None
    return Size(count * body.fixed, tuple(f"{count} x {term}" for term in body.terms), same)


def _arm(size: Size) -> str:
    """An arm's formula, in brackets where it is a choice or a sum itself."""
    return size.formula if size.number is not None else f"({size.formula})"


def _few(options: frozenset[int]) -> frozenset[int] | None:
    return options if len(options) <= _MOST_OPTIONS else None


def _short(words: str) -> str:
    text = " ".join(words.split())
    return text if len(text) <= _MOST_WORDS else f"{text[: _MOST_WORDS - 3]}..."
