"""A patch: one named change to a library at run time, made only where the installed versions need it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata


class Versions:
    """The versions that this interpreter holds, as tuples that compare; ``()`` where a distribution is missing."""

    def __init__(self, installed: Callable[[str], str] = metadata.version) -> None:
        self._installed = installed
        self.python: tuple[int, ...] = sys.version_info[:3]

    def of(self, distribution: str) -> tuple[int, ...]:
        """The release part of a version: ``2.13.0+cpu`` gives (2, 13, 0)."""
        release = re.match(r"\d+(?:\.\d+)*", self.text(distribution))
        return tuple(int(part) for part in release[0].split(".")) if release else ()

    def text(self, distribution: str) -> str:
        """The version as its distribution writes it; an empty string where it is missing."""
        try:
            return self._installed(distribution)
        except metadata.PackageNotFoundError:
            return ""


@dataclass(frozen=True)
class Patch:
    """One change to a library.

    Attributes:
        name: how logs and tests call it.
        reason: what goes wrong, or is slow, without it.
        applies_to: whether the installed versions need it.
        apply: makes the change; called once per process, before training starts.
    """

    name: str
    reason: str
    applies_to: Callable[[Versions], bool]
    apply: Callable[[], None]


def apply_patches(patches: Iterable[Patch], versions: Versions) -> list[str]:
    """Make every change that these versions need, in order; the names of those made."""
    made = []
    for patch in patches:
        if patch.applies_to(versions):
            patch.apply()
            made.append(patch.name)
    return made
