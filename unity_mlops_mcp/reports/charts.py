"""Which charts a report has, as ``charts.yaml`` says, and their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.metrics.reader import RunReader
from unity_mlops_mcp.metrics.summary import ENDING
from unity_mlops_mcp.reports.curves import Curve, line, thinned
from unity_mlops_mcp.reports.records import Chart, Group, Unit
from unity_mlops_mcp.training.resources import ResourcePoint

FILE = Path(__file__).with_name("charts.yaml")
MOST_LINES = 8
"""Lines that a reader can tell apart by their colours."""
MOST_CHARTS = 60
"""A player that reports statistics without end must not make a report without end."""


class Entry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    section: str
    tag: str | None = None
    prefix: str | None = None
    source: Literal["cores", "memory"] | None = Field(default=None, alias="from")
    title: str
    caption: str = ""
    unit: Unit = ""
    stepped: bool = False


class Wanted(NamedTuple):
    """A chart that some run has something for."""

    place: int
    id: str
    title: str


Curves = dict[Wanted, Curve]


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """The entries of ``charts.yaml``."""
    return tuple(Entry.model_validate(entry) for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")))


def curves_of(
    reader: RunReader, behavior: str | None, resources: Sequence[ResourcePoint], *, alone: bool = True
) -> Curves:
    """All that there is to draw of one run; call ``reader.poll()`` first.

    Args:
        reader: its event files.
        behavior: which behaviour.
        resources: what it took of the machine.
        alone: whether it is drawn by itself, not in a mean over runs.
    """
    found: Curves = {}
    for wanted, tag in _tags(reader.tags_of(behavior)):
        points = reader.points(tag, behavior)
        stepped = entries()[wanted.place].stepped
        curve = thinned(points.steps, points.values, alone=alone, stepped=stepped)
        if curve is not None:
            found[wanted] = curve
    _drop_doubles(found)
    for place, entry in enumerate(entries()):
        if entry.source is not None and resources:
            steps = np.maximum.accumulate([float(point.step) for point in resources])
            values = np.array([float(getattr(point, entry.source)) for point in resources])
            curve = thinned(steps, values, alone=False)
            if curve is not None:
                found[Wanted(place, entry.id, entry.title)] = curve
    return found


def _drop_doubles(found: Curves) -> None:
    """Leave out an ending that says the same as the success does."""
    success = next((curve for wanted, curve in found.items() if wanted.id == "success"), None)
    for wanted in [one for one in found if success is not None and entries()[one.place].prefix == ENDING]:
        if success is not None and np.array_equal(found[wanted].y, success.y):
            del found[wanted]


def _tags(tags: Sequence[str]) -> Iterator[tuple[Wanted, str]]:
    """Each tag that is drawn, with its chart; a tag with an entry of its own is not taken by a prefix."""
    named = {entry.tag: place for place, entry in enumerate(entries()) if entry.tag}
    prefixes = [(entry.prefix, place) for place, entry in enumerate(entries()) if entry.prefix]
    for tag in tags:
        place = named.get(tag, next((place for prefix, place in prefixes if tag.startswith(prefix)), None))
        if place is not None:
            entry = entries()[place]
            name = tag.removeprefix(entry.prefix or tag)
            yield Wanted(place, entry.id or f"{entry.section}-{name}", entry.title.replace("{name}", name)), tag


def charts(groups: Sequence[Group], curves: Mapping[str, Curves]) -> tuple[Chart, ...]:
    """The charts in the order of ``charts.yaml``; of each group that has a colour, one line.

    Args:
        groups: the runs by what tells them apart, the best first.
        curves: run id → what there is to draw of it.
    """
    wanted = sorted({one for each in curves.values() for one in each})
    made = (_chart(one, groups, curves) for one in wanted[:MOST_CHARTS])
    return tuple(chart for chart in made if chart.lines)


def _chart(wanted: Wanted, groups: Sequence[Group], curves: Mapping[str, Curves]) -> Chart:
    entry = entries()[wanted.place]
    lines, left_out = [], 0
    for group in groups:
        own = [curves[run_id][wanted] for run_id in group.run_ids if wanted in curves.get(run_id, {})]
        if own and group.color is None:
            left_out += 1
        elif own and group.color is not None:
            lines.append(line(own, label=group.label, color=group.color))
    return Chart(
        id=wanted.id,
        section=entry.section,
        title=wanted.title,
        caption=entry.caption,
        unit=entry.unit,
        stepped=entry.stepped,
        lines=tuple(lines),
        left_out=left_out,
    )
