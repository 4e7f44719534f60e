"""Charts as SVG, for readers without script, for print and for PDF.

Colours are attributes, so that a renderer that knows no style sheet draws them; in a browser the classes win over them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from unity_mlops_mcp.reports.markup import element
from unity_mlops_mcp.reports.records import Chart, Line
from unity_mlops_mcp.reports.wording import number, size

PALETTE = ("#0b66c3", "#c2410c", "#0f766e", "#a3195b", "#6d28d9", "#7a5c00", "#475569", "#b91c1c")
"""Told apart with each kind of colour-blindness by their lightness, and by the dashes of the last four."""
WIDE, NARROW = (640, 270), (420, 176)
"""Width and height: on a screen, and for two in a row on paper, whose letters are larger by it."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 12, 34
_DASHED_FROM = 4
_GRID, _AXIS, _TEXT = "#e3e8ef", "#94a3b8", "#475569"
_TICKS = 5
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_THOUSAND, _MILLION = 1e3, 1e6


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round numbers that cover a span: at most so many intervals, the first at or below low, the last at or above."""
    span = (high - low) or abs(high) or 1.0
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in _STEPS if power * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


def axis_text(value: float, unit: str) -> str:
    """A tick of the value axis."""
    if unit == "share":
        return f"{100 * value:.4g} %"
    return size(value) if unit == "bytes" else number(value)


def step_text(value: float) -> str:
    """A tick of the step axis, such as ``120k``."""
    if value >= _MILLION:
        return f"{value / _MILLION:g}M"
    return f"{value / _THOUSAND:g}k" if value >= _THOUSAND else f"{value:g}"


class _Frame:
    """Where a value lies on the paper."""

    def __init__(self, chart: Chart, width: int, height: int) -> None:
        self.right, self.bottom = width - _RIGHT, height - _BOTTOM
        xs = [x for line in chart.lines for x in (line.x[0], line.x[-1])]
        ys = [y for line in chart.lines for y in (*line.y, *line.low, *line.high)]
        self.x_ticks = ticks(0.0, max(*xs, 1.0), 6 if width == WIDE[0] else 4)
        low, high = (0.0, 1.0) if chart.unit == "share" and max(ys) <= 1 else (min(ys), max(ys))
        if chart.unit in ("cores", "bytes") or chart.stepped:
            low = min(low, 0.0)
        self.y_ticks = ticks(low, high)
        self.x_end = max(*xs, 1.0)
        self.y_low, self.y_high = self.y_ticks[0], self.y_ticks[-1]

    def x(self, value: float) -> float:
        return _LEFT + (self.right - _LEFT) * value / self.x_end

    def y(self, value: float) -> float:
        return _TOP + (self.bottom - _TOP) * (self.y_high - value) / (self.y_high - self.y_low)


def chart_svg(chart: Chart, *, narrow: bool = False) -> Markup:
    """The chart as one ``<svg>`` element; its text says what a reader who cannot see it should know."""
    width, height = NARROW if narrow else WIDE
    frame = _Frame(chart, width, height)
    body = [*_grid(chart, frame)]
    for line in chart.lines:
        body += _line(line, frame, stepped=chart.stepped)
    return element(
        "svg",
        *body,
        class_="chart" if narrow else "chart wide",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=f"{chart.title} over agent steps. {described(chart)}",
        font_family="sans-serif",
        font_size=12,
    )


def described(chart: Chart) -> str:
    """Where each line begins and ends, in words."""
    return "; ".join(
        f"{line.label}: from {axis_text(line.y[0], chart.unit)} at step {step_text(line.x[0])} "
        f"to {axis_text(line.y[-1], chart.unit)} at step {step_text(line.x[-1])}"
        for line in chart.lines
    )


def _grid(chart: Chart, frame: _Frame) -> Iterable[Markup]:
    right, bottom = frame.right, frame.bottom
    for tick in frame.y_ticks:
        yield _stroke("grid", f"M{_LEFT} {_n(frame.y(tick))}H{right}", _GRID)
        yield _text(axis_text(tick, chart.unit), _LEFT - 7, frame.y(tick) + 4, "end")
    for tick in frame.x_ticks:
        if tick <= frame.x_end * (1 + 1e-6):
            yield _stroke("axis", f"M{_n(frame.x(tick))} {bottom}v4", _AXIS)
            yield _text(step_text(tick), frame.x(tick), bottom + 18, "middle")
    yield _stroke("axis", f"M{_LEFT} {bottom}H{right}", _AXIS)


def _stroke(css: str, path: str, color: str) -> Markup:
    return element("path", class_=css, d=path, stroke=color, fill="none")


def _text(words: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", words, class_="tick", x=_n(x), y=_n(y), text_anchor=anchor, fill=_TEXT)


def _line(line: Line, frame: _Frame, *, stepped: bool) -> Iterable[Markup]:
    color, css = PALETTE[line.color % len(PALETTE)], f"c{line.color % len(PALETTE)}"
    if line.low:
        upper = [(frame.x(x), frame.y(y)) for x, y in zip(line.x, line.high, strict=True)]
        lower = [(frame.x(x), frame.y(y)) for x, y in zip(line.x, line.low, strict=True)]
        outline = f"{_path([*upper, *reversed(lower)])}Z"
        yield element("path", class_=f"band {css}", d=outline, fill=color, fill_opacity=0.16, stroke="none")
    points = [(frame.x(x), frame.y(y)) for x, y in zip(line.x, line.y, strict=True)]
    if len(points) == 1:
        yield element("circle", class_=f"dot {css}", cx=_n(points[0][0]), cy=_n(points[0][1]), r=3, fill=color)
    yield element(
        "path",
        class_=f"line {css}",
        d=_path(_stairs(points) if stepped else points),
        fill="none",
        stroke=color,
        stroke_width=2,
        stroke_linejoin="round",
        stroke_dasharray="7 4" if line.color >= _DASHED_FROM else None,
    )


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points that hold until the next one."""
    found = [*points[:1]]
    for x, y in points[1:]:
        found += [(x, found[-1][1]), (x, y)]
    return found


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
