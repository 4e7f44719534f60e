"""How much one caller may ask for: requests a second, bytes of a body."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive

from unity_mlops_mcp.interfaces.http.problems import Problem

_MAX_KEYS = 4096


class Buckets:
    """A bucket of requests for each caller, filled at a steady rate.

    Args:
        rate: requests a second; 0 for no bound.
        burst: requests at once; at least 1, or none would ever be let through.
        clock: seconds, never going back.
    """

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one request out of a caller's bucket; the seconds to wait when it is empty, else 0."""
        left = self._now(key)
        if left < 1:
            return (1 - left) / self._rate
        self._put(key, left - 1)
        return 0.0

    def _now(self, key: str) -> float:
        if self._rate <= 0:
            return float("inf")
        left, at = self._left.get(key, (self._burst, self._clock()))
        return min(self._burst, left + (self._clock() - at) * self._rate)

    def _put(self, key: str, left: float) -> None:
        if self._rate > 0:
            self._left[key] = (left, self._clock())
            self._left.move_to_end(key)
            while len(self._left) > _MAX_KEYS:
                self._left.popitem(last=False)


def too_many(seconds: float) -> Problem:
    """What a caller is told whose bucket is empty."""
    wait = max(1, round(seconds + 0.5))
    fix = f"Wait {wait} s (Retry-After). The service's --rate sets how many there may be."
    return Problem(429, "too_many_requests", "Too many requests.", fix, headers={"Retry-After": str(wait)})


def too_large(limit: int) -> Problem:
    """What a caller is told whose body is too large."""
    fix = "Send less, or a path under an allowed folder instead of the text itself."
    return Problem(413, "too_large", f"The body is larger than {limit:,} bytes.", fix)


async def whole_body(receive: Receive, limit: int) -> Receive:
    """Read a body that did not tell its length; gives what hands it on.

    Raises:
        Problem: 413, it is too large.
    """
    chunks: list[bytes] = []
    more, size = True, 0
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return _replay(message, receive)
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = bool(message.get("more_body"))
        if size > limit:
            raise too_large(limit)
    return _replay({"type": "http.request", "body": b"".join(chunks), "more_body": False}, receive)


def _replay(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
