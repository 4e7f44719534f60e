"""Pictures of episodes: the ways of agents and things in their arena, seen from above."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from unity_mlops_mcp.evaluation.records import AgentWay, EntityWay, Trajectory
from unity_mlops_mcp.reports.markup import element
from unity_mlops_mcp.reports.records import EvaluationPart, Role
from unity_mlops_mcp.reports.wording import words

SIDE = 200
_MARGIN = 6
_FLOOR, _WALL = "#f4f6f9", "#94a3b8"
COLORS: Mapping[str, str] = {"goal": "#15803d", "hazard": "#b45309", "thing": "#64748b"}
BARS: Mapping[str, str] = {"good": "#15803d", "bad": "#b45309", "thing": "#64748b"}
AGENTS = ("#0b66c3", "#a3195b")
"""Of the first team and the second."""
_MOVED = 1e-3


def picture(way: Trajectory, part: EvaluationPart, *, number: int) -> Markup:
    """One episode as an ``<svg>`` element."""
    frame = _Frame(way.half_extent)
    teams = sorted({agent.team for agent in way.agents}, key=[agent.team for agent in way.agents].index)
    inner = SIDE - 2 * _MARGIN
    return element(
        "svg",
        element(
            "rect",
            class_="floor",
            x=_MARGIN,
            y=_MARGIN,
            width=inner,
            height=inner,
            rx=3,
            fill=_FLOOR,
            stroke=_WALL,
            stroke_width=1.5,
        ),
        *(shape for entity in way.entities for shape in _entity(entity, frame, part.roles)),
        *(shape for agent in way.agents for shape in _agent(agent, frame, teams.index(agent.team))),
        class_="arena",
        viewBox=f"0 0 {SIDE} {SIDE}",
        role="img",
        aria_label=f"Episode {number}, ended by {words(way.ending)}: the ways seen from above.",
    )


class _Frame:
    """Metres to the paper: x to the right, z up."""

    def __init__(self, half_extent: float) -> None:
        self.scale = (SIDE - 2 * _MARGIN) / (2 * half_extent)

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        return SIDE / 2 + self.scale * point[0], SIDE / 2 - self.scale * point[1]


def _entity(entity: EntityWay, frame: _Frame, roles: Mapping[str, Role]) -> Iterable[Markup]:
    role = roles.get(entity.name, "thing")
    color = COLORS[role]
    if not entity.points:
        return
    if _length(entity.points) > _MOVED:
        way = _path(entity.points, frame)
        yield element("path", class_=f"trail {role}", d=way, fill="none", stroke=color, stroke_dasharray="2 2")
    x, y = frame.at(entity.points[-1])
    paint = {"class_": f"body {role}", "fill": color, "fill_opacity": 0.3, "stroke": color}
    title = element("title", words(entity.name))
    if entity.half is None:
        radius = max(frame.scale * (entity.radius or 0.0), 1.5)
        yield element("circle", title, cx=_n(x), cy=_n(y), r=_n(radius), **paint)
        return
    half_x, half_z = (frame.scale * half for half in entity.half)
    place = {"x": _n(x - half_x), "y": _n(y - half_z), "width": _n(2 * half_x), "height": _n(2 * half_z)}
    turned = f"rotate({math.degrees(entity.yaw):.1f} {_n(x)} {_n(y)})" if entity.yaw else None
    yield element("rect", title, transform=turned, **place, **paint)


def _agent(agent: AgentWay, frame: _Frame, team: int) -> Iterable[Markup]:
    if not agent.points:
        return
    side = min(team, len(AGENTS) - 1)
    color, css = AGENTS[side], f"a{side}"
    way = _path(agent.points, frame)
    yield element("path", class_=f"way {css}", d=way, fill="none", stroke=color, stroke_width=1.8)
    (x, y), (end_x, end_y) = frame.at(agent.points[0]), frame.at(agent.points[-1])
    yield element("circle", class_=f"from {css}", cx=_n(x), cy=_n(y), r=3, fill="#ffffff", stroke=color)
    yield element("circle", class_=f"to {css}", cx=_n(end_x), cy=_n(end_y), r=3, fill=color)


def _path(points: Sequence[tuple[float, float]], frame: _Frame) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in map(frame.at, points))


def _length(points: Sequence[tuple[float, float]]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(points))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
