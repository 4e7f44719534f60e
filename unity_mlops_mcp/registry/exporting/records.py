"""What a tracker is told, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unity_mlops_mcp.metrics.reader import Points


@dataclass(frozen=True)
class Source:
    """A run that has ended, a version, or both.

    Attributes:
        id: the run's or version's id; the same id is exported once.
        title: for people.
        curves: tag → its points; with several behaviours the behaviour's name stands before the tag.
        parameters: flat name → value.
        labels: flat name → text.
        started_ms: milliseconds since 1970.
        ended_ms: the same.
        succeeded: whether it ended well.
        files: what is copied.
        model: the model's name, for a version.
        aliases: that the version holds.
    """

    id: str
    title: str
    curves: dict[str, Points] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    started_ms: int = 0
    ended_ms: int = 0
    succeeded: bool = True
    files: tuple[Path, ...] = ()
    model: str | None = None
    aliases: tuple[str, ...] = ()
    description: str = ""

    @property
    def points(self) -> int:
        """How many values all curves have."""
        return sum(len(curve.steps) for curve in self.curves.values())
