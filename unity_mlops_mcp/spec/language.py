"""Read a sentence: which concepts it names, how many, what it denies, what moves, and which measures it gives."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml


@functools.cache
def vocabulary() -> Mapping[str, Any]:
    """The word tables of ``language.yaml``."""
    data: dict[str, Any] = yaml.safe_load((files(__package__) / "language.yaml").read_text(encoding="utf-8"))
    return data


@dataclass(frozen=True)
class Mention:
    """A concept that the sentence names.

    Attributes:
        text: the words, with their number or negation.
        start: where they begin.
        count: (least, most) where a number stands before it: equal for one number.
        denied: True where the sentence says that there is none.
        moving: True where the sentence says that it moves by itself.
        pace: ``fast`` or ``slow`` where the sentence says so.
    """

    text: str
    start: int = 0
    count: tuple[int, int] | None = None
    denied: bool = False
    moving: bool = False
    pace: str = ""

    @property
    def end(self) -> int:
        """Where the words end."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Measure:
    """Numbers with their unit: the sentence's words, and metres, seconds or metres per second."""

    text: str
    values: tuple[float, ...]
    start: int = 0


@dataclass(frozen=True)
class Reading:
    """What a sentence says, as far as the word tables go.

    Attributes:
        text: the sentence as the tables read it, with blanks where measures stood.
        concepts: what it names.
        measures: what it measures.
        sentence: as it was written.
    """

    text: str
    concepts: Mapping[str, tuple[Mention, ...]]
    measures: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)
    sentence: str = ""

    def affirmed(self, concept: str) -> tuple[Mention, ...]:
        """Mentions of a concept that are not denied."""
        return tuple(mention for mention in self.concepts.get(concept, ()) if not mention.denied)

    def denied(self, concept: str) -> tuple[Mention, ...]:
        """Mentions that say there is none."""
        return tuple(mention for mention in self.concepts.get(concept, ()) if mention.denied)

    def count(self, concept: str) -> Mention | None:
        """The first mention with a number."""
        return next((mention for mention in self.affirmed(concept) if mention.count), None)

    def measure(self, name: str) -> Measure | None:
        """The first measure of a kind."""
        return next(iter(self.measures.get(name, ())), None)

    def find(self, words: Iterable[str]) -> str | None:
        """The first of these words that the sentence holds without denying it, as it stands there."""
        return next((mention.text for mention in _mentions(self.text, words) if not mention.denied), None)

    def nearest_before(self, place: int, concepts: Iterable[str]) -> str | None:
        """The concept among these that was named last before a place."""
        named = [(mention.start, name) for name in concepts for mention in self.affirmed(name) if mention.start < place]
        return max(named)[1] if named else None

    def unheard(self) -> tuple[str, ...]:
        """Runs of words that no table knows, and that carry something."""
        heard = [(mention.start, mention.end) for mentions in self.concepts.values() for mention in mentions]
        for entry in vocabulary()["motions"].values():
            heard += [(mention.start, mention.end) for mention in _mentions(self.text, entry["words"])]
        runs: list[str] = []
        last = -1
        for word in re.finditer(r"[^\W_][\w'-]*", self.text):
            known = word[0] in _silent() or any(start <= word.start() < end for start, end in heard)
            if not known and self.text[last : word.start()].strip() == "" and last >= 0:
                runs[-1] += f" {word[0]}"
            elif not known:
                runs.append(word[0])
            last = -1 if known else word.end()
        return tuple(dict.fromkeys(runs))


def read(sentence: str) -> Reading:
    """Read a sentence by the word tables; an empty one names nothing."""
    text = " ".join(sentence.lower().replace("\u2019", "'").split())
    for word, number in vocabulary()["numbers"].items():
        text = re.sub(rf"\b{word}\b(?!-)", str(number), text)
    for pattern, replacement in vocabulary()["rewrites"]:
        text = re.sub(pattern, replacement, text)
    text = " ".join(text.split())
    measures: dict[str, tuple[Measure, ...]] = {}
    for name, patterns in vocabulary()["measures"].items():
        found, text = _measured(text, [_pattern(pattern) for pattern in patterns])
        measures[name] = found
    concepts = {name: tuple(_mentions(text, words)) for name, words in vocabulary()["concepts"].items()}
    return Reading(
        text, {name: mentions for name, mentions in concepts.items() if mentions}, measures, sentence.strip()
    )


def _measured(text: str, patterns: list[re.Pattern[str]]) -> tuple[tuple[Measure, ...], str]:
    """The measures in a text, and the text of the same length with blanks in their place."""
    found = []
    for pattern in patterns:
        while match := pattern.search(text):
            found.append(Measure(match[0].strip(), _values(match), match.start()))
            text = f"{text[: match.start()]},{' ' * (len(match[0]) - 1)}{text[match.end() :]}"
    return tuple(sorted(found, key=lambda measure: measure.start)), text


def _values(match: re.Match[str]) -> tuple[float, ...]:
    """The numbers of a match in metres, seconds or metres per second; a unit stands for the numbers before it too."""
    numbers: list[float] = []
    factor = 1.0
    for group in reversed(match.groups()):
        if group is None:
            continue
        if re.fullmatch(r"[\d.]+", group):
            numbers.append(round(float(group) * factor, 6))
        else:
            factor = _factor(group)
    return tuple(reversed(numbers))


def _factor(unit: str) -> float:
    units = [entry for table in vocabulary()["units"].values() for entry in table.items()]
    return next(float(value) for pattern, value in units if re.fullmatch(pattern, unit))


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """A measure's pattern, its places for numbers and units filled in."""
    units = {name: f"({'|'.join(table)})" for name, table in vocabulary()["units"].items()}
    for name, piece in {"n": r"(\d+(?:\.\d+)?)", "ground": vocabulary()["ground"], **units}.items():
        pattern = pattern.replace(f"{{{name}}}", piece)
    return re.compile(pattern)


def _mentions(text: str, words: Iterable[str]) -> Iterator[Mention]:
    for found in re.finditer(rf"(?<![\w-])(?:{_spelled(tuple(words))})(?![\w])", text):
        clause = re.split(r"[,.;!?]|\bbut\b", text[: found.start()])[-1]
        yield _mention(clause, found, text[found.end() :])


def _mention(clause: str, found: re.Match[str], rest: str) -> Mention:
    """The mention of a word, from what stands before it in its clause and what stands after it."""
    word = found[0]
    denied = re.search(rf"\b(?:{_alternatives('negators')})\s+(?:\w+\s+){{0,2}}$", clause)
    if denied:
        return Mention(denied[0] + word, found.start() - len(denied[0]), denied=True)
    adjectives = rf"((?:(?!(?:{_alternatives('separators')})\b)[a-z-]+\s+){{0,2}})"
    before = re.search(rf"(?:between\s+)?(?<![\d.])(\d+)(?:\s*(?:-|\u2013|to|or|and)\s*(\d+))?\s+{adjectives}$", clause)
    after = re.match(r"\s*[:=]\s*(\d+)", rest)
    described = before[3] if before else _last_words(clause)
    moving, pace = _moves(described, rest), _pace(described, rest)
    if before:
        count = (int(before[1]), int(before[2] or before[1]))
        return Mention(before[0] + word, found.start() - len(before[0]), count, moving=moving, pace=pace)
    if after:
        count = (int(after[1]), int(after[1]))
        return Mention(word + after[0], found.start(), count, moving=moving, pace=pace)
    return Mention(word, found.start(), moving=moving, pace=pace)


def _last_words(clause: str) -> str:
    """The adjectives before a word, at most two."""
    found = re.search(rf"((?:(?!(?:{_alternatives('separators')})\b)[a-z-]+\s+){{0,2}})$", clause)
    return found[1] if found else ""


def _moves(described: str, rest: str) -> bool:
    return bool(
        re.search(rf"\b(?:{_alternatives('movers')})\b", described)
        or re.match(
            rf"\s+(?:(?:that|which|who)\s+(?:\w+\s+){{0,2}}(?:{_alternatives('moves')})|(?:{_alternatives('movers')}))\b",
            rest,
        )
    )


def _pace(described: str, rest: str) -> str:
    """What a sentence says of a side's speed: before its noun, or after a verb behind it."""
    after = re.match(r"\s+(?:(?:that|which|who)\s+)?(?:is|are|runs?|moves?|drives?|swims?)\s+(\w+(?:\s+\w+)?)", rest)
    said = f"{'' if 'than' in described.split() else described} {after[1] if after else ''}"
    return next((pace for pace in ("fast", "slow") if re.search(rf"\b(?:{_alternatives(pace)})\b", said)), "")


@functools.cache
def _spelled(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word).replace(r"\*", r"\w*").replace("\\ ", r"\s+") for word in words)


@functools.cache
def _alternatives(table: str) -> str:
    return _spelled(tuple(vocabulary()[table]))


@functools.cache
def _silent() -> frozenset[str]:
    tables = ("silent", "negators", "fast", "slow", "movers", "moves")
    return frozenset(word for table in tables for word in vocabulary()[table])
