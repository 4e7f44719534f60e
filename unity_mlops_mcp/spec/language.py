"""Read a sentence: which concepts it names, how many of each, what it denies, and which measures it gives."""

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
        count: (least, most) where a number stands before it: equal for one number.
        denied: True where the sentence says that there is none.
    """

    text: str
    count: tuple[int, int] | None = None
    denied: bool = False


@dataclass(frozen=True)
class Measure:
    """A number with a unit: the sentence's words, and metres, seconds or metres per second."""

    text: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """What a sentence says, as far as the word tables go."""

    text: str
    concepts: Mapping[str, tuple[Mention, ...]]
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def affirmed(self, concept: str) -> tuple[Mention, ...]:
        """Mentions of a concept that are not denied."""
        return tuple(mention for mention in self.concepts.get(concept, ()) if not mention.denied)

    def denied(self, concept: str) -> tuple[Mention, ...]:
        """Mentions that say there is none."""
        return tuple(mention for mention in self.concepts.get(concept, ()) if mention.denied)

    def count(self, concept: str) -> Mention | None:
        """The first mention with a number."""
        return next((mention for mention in self.affirmed(concept) if mention.count), None)

    def find(self, words: Iterable[str]) -> str | None:
        """The first of these words that the sentence holds without denying it, as it stands there."""
        return next((mention.text for mention in _mentions(self.text, words) if not mention.denied), None)


_LENGTH = r"(\d+(?:\.\d+)?)\s*(?:m|meters?|metres?|units?)?"
_GROUND = r"(?:arena|room|field|area|ground|square|world|map|space)"
_MEASURES = {
    "size": rf"\b{_LENGTH}\s*(?:x|by|\u00d7)\s*{_LENGTH}\s*(?:large |big |sized? )?(?:{_GROUND}\b)?",
    "width": rf"\b(\d+(?:\.\d+)?)[\s-]*(?:m|meters?|metres?|units?)\s*(?:wide |large |big |sized? )?{_GROUND}\b",
    "speed": r"\b(?:at )?(\d+(?:\.\d+)?)\s*(?:m/s|(?:meters?|metres?) per second)",
    "time": r"\b(?:within|in|under|in less than|at most)?\s*(\d+(?:\.\d+)?)[\s-]*(?:s|sec|secs|seconds?)\b",
}


def read(sentence: str) -> Reading:
    """Read a sentence by the word tables; an empty one names nothing."""
    text = " ".join(sentence.lower().replace("\u2019", "'").split())
    for pattern, replacement in vocabulary()["rewrites"]:
        text = re.sub(pattern, replacement, text)
    for word, number in vocabulary()["numbers"].items():
        text = re.sub(rf"\b{word}\b", str(number), text)
    measures = {}
    for name, pattern in _MEASURES.items():
        found = re.search(pattern, text)
        if found:
            measures[name] = Measure(found[0].strip(), tuple(float(number) for number in found.groups()))
            text = text.replace(found[0], ", ")
    concepts = {name: tuple(_mentions(text, words)) for name, words in vocabulary()["concepts"].items()}
    return Reading(text, {name: mentions for name, mentions in concepts.items() if mentions}, measures)


def _mentions(text: str, words: Iterable[str]) -> Iterator[Mention]:
    for found in re.finditer(rf"(?<![\w-])(?:{_spelled(words)})\b", text):
        clause = re.split(r"[,.;!?]|\bbut\b", text[: found.start()])[-1]
        yield _mention(clause, found[0], text[found.end() :])


def _mention(clause: str, word: str, rest: str) -> Mention:
    """The mention of a word, from what stands before it in its clause and what stands after it."""
    denied = re.search(rf"\b(?:{_alternatives('negators')})\s+(?:\w+\s+){{0,2}}$", clause)
    if denied:
        return Mention((denied[0] + word).strip(), denied=True)
    adjectives = rf"(?:(?!(?:{_alternatives('separators')})\b)[a-z-]+\s+){{0,2}}"
    before = re.search(rf"(?:between\s+)?(\d+)(?:\s*(?:-|\u2013|to|or|and)\s*(\d+))?\s+{adjectives}$", clause)
    after = re.match(r"\s*[:=]\s*(\d+)", rest)
    if before:
        least = int(before[1])
        return Mention(before[0] + word, (least, int(before[2] or least)))
    if after:
        return Mention(word + after[0], (int(after[1]), int(after[1])))
    return Mention(word)


def _spelled(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace(r"\*", r"\w*") for word in words)


@functools.cache
def _alternatives(table: str) -> str:
    return _spelled(vocabulary()[table])
