"""How figures and states are said in one line, the same on every face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unity_mlops_mcp.results.runs import Status

_MINUTE_S = 60
_BARS = "▁▂▃▄▅▆▇█"


def sentence(status: Status) -> str:
    """How a run or job stands, such as ``running: step 12,000 of 50,000, reward 0.41, 30 s left``."""
    parts = [status.message] if status.message and not status.finished_at else []
    if status.step is not None and status.max_steps:
        parts.append(f"step {status.step:,} of {status.max_steps:,}")
    if status.mean_reward is not None:
        parts.append(f"reward {status.mean_reward:.2f}")
    if status.success is not None:
        parts.append(f"success {status.success:.0%}")
    if status.eta_s is not None and status.eta_s > 0:
        parts.append(f"{duration(status.eta_s)} left")
    if status.waiting_for:
        parts.append(f"waiting for {status.waiting_for}")
    return f"{status.state}: {', '.join(parts)}" if parts else status.state


def duration(seconds: float) -> str:
    """A length of time in words, such as ``42 s``, ``3 min 5 s`` or ``2 h 10 min``."""
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE_S)
    if minutes < _MINUTE_S:
        return f"{minutes} min {rest} s"
    return f"{minutes // _MINUTE_S} h {minutes % _MINUTE_S} min"


def size_of(count: int) -> str:
    """Bytes in words, such as ``12.3 MB``; never less than a tenth where there are any."""
    return f"{max(count / 1e6, 0.1 if count else 0):,.1f} MB"


def sparkline(values: Sequence[float]) -> str:
    """A small curve, such as ``▁▃▆█``: lowest to highest value; empty without values."""
    if not values:
        return ""
    low, span = min(values), max(values) - min(values)
    if span == 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(int((value - low) / span * len(_BARS)), len(_BARS) - 1)] for value in values)
