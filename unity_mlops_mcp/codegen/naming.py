"""Names and numbers of the generated C#: from the spec's words to identifiers that clash with nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import chain, count
from pathlib import Path

import yaml


@cache
def reserved(*lists: str) -> frozenset[str]:
    """The names in these lists of ``reserved.yaml``."""
    data = yaml.safe_load(Path(__file__).with_name("reserved.yaml").read_text(encoding="utf-8"))
    return frozenset(name for one in lists for name in data[one])


def pascal(name: str) -> str:
    """``all_collected`` -> ``AllCollected``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def camel(name: str) -> str:
    """``all_collected`` -> ``allCollected``."""
    joined = pascal(name)
    return joined[:1].lower() + joined[1:]


def words(name: str) -> str:
    """``all_collected`` -> ``all collected``."""
    return " ".join(name.replace("_", " ").split())


def plural(name: str) -> str:
    """``box`` -> ``boxes``, ``enemy`` -> ``enemies``, ``item`` -> ``items``; what ends in s stays."""
    if name.endswith(("ss", "x", "z", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in {"a", "e", "i", "o", "u", ""}:
        return f"{name[:-1]}ies"
    return name if name.endswith("s") else f"{name}s"


def number(value: float) -> str:
    """A float literal: 4 -> ``4f``, 0.25 -> ``0.25f``."""
    return f"{value:.9g}f"


class Names:
    """Gives each wish a name that nothing else has.

    Args:
        reserved: names that are taken from the start.
    """

    def __init__(self, *reserved: Iterable[str]) -> None:
        self._taken = {name for names in reserved for name in names}

    def take(self, wish: str, otherwise: str) -> str:
        """The wished name, or the other one where it is taken, or that with a number."""
        wishes = chain((wish, otherwise), (f"{otherwise}{n}" for n in count(2)))
        name = next(name for name in wishes if name not in self._taken)
        self._taken.add(name)
        return name
