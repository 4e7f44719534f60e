"""Figures as a reader expects them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone

from unity_mlops_mcp.metrics.records import Interval

NONE = "\u2013"
"""What stands where nothing is known."""
_SECONDS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_SIZES = ("bytes", "kB", "MB", "GB", "TB")
_PLAIN = (1e-4, 1e6)


def number(value: float | None, digits: int = 3) -> str:
    """With so many significant digits and thousands set off; a dash for None."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    size = abs(value)
    if not _PLAIN[0] <= size < _PLAIN[1]:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e")
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "\u2212")


def whole(value: float | None) -> str:
    """A whole number with its thousands set off; a dash for None."""
    return NONE if value is None else f"{value:,.0f}"


def percent(share: float | None, places: int = 0) -> str:
    """A share of 0 to 1 in percent; a dash for None."""
    return NONE if share is None else f"{100 * share:.{places}f}\u00a0%"


def spread(interval: Interval | None, *, share: bool = False) -> str:
    """A figure with its interval, such as ``0.91 (0.88 to 0.94)``; a dash for None."""
    if interval is None:
        return NONE
    told = percent if share else number
    if interval.low is None or interval.high is None:
        return told(interval.mean)
    return f"{told(interval.mean)} ({told(interval.low)} to {told(interval.high)})"


def duration(seconds: float | None) -> str:
    """The two greatest units, such as ``1 h 12 min``; a dash for None."""
    if seconds is None:
        return NONE
    left, parts = round(seconds), []
    for size, unit in _SECONDS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "less than 1 s"


def size(count: float | None) -> str:
    """Bytes in a unit that suits; a dash for None."""
    if count is None:
        return NONE
    power = min(len(_SIZES) - 1, int(math.log(max(count, 1), 1000)))
    return f"{number(count / 1000**power)} {_SIZES[power]}"


def moment(value: datetime | None) -> str:
    """A moment in UTC to the minute; a dash for None."""
    return NONE if value is None else f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def plural(count: int, word: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def words(name: str) -> str:
    """A name of code as words."""
    return name.replace("_", " ")


_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#!"} | {"\n": " ", "\r": " "})


def markdown(text: str) -> str:
    """A text in which nothing is markup; HTML in it is none either."""
    return str(text).translate(_SPECIAL).replace("&", "&amp;")


def code_span(text: str) -> str:
    """A text for between two backticks."""
    return " ".join(str(text).replace("`", "'").replace("|", "\\|").split())


def fenced(text: str) -> str:
    """A block of code, its fence longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
