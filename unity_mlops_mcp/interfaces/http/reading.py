"""Answers to reads that many ask for at once: worked out once, and given as long as nothing has changed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

MAX_AGE_S = 1.0
"""Files and durations change without a commit: no answer is older than this."""
_MAX_ANSWERS = 512


@dataclass
class _Answer:
    """One answer, and the lock under which it is worked out."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    body: bytes = b""
    stamp: int = -1
    at: float = 0.0


class Reads:
    """The newest answers by what was asked; for one event loop.

    Args:
        changes: a number that is another one after every change of the store.
        clock: seconds, never going back.
    """

    def __init__(self, changes: Callable[[], int], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._changes, self._clock = changes, clock
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    async def get(self, asked: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """The answer; ``make`` works it out when there is none of the present state, once for all who wait."""
        answer = self._answers.setdefault(asked, _Answer())
        self._answers.move_to_end(asked)
        while len(self._answers) > _MAX_ANSWERS:
            self._answers.popitem(last=False)
        if self._good(answer):
            return answer.body
        async with answer.lock:
            if not self._good(answer):
                stamp, at = self._changes(), self._clock()
                body = await make()
                answer.body, answer.stamp, answer.at = body, stamp, at
        return answer.body

    def _good(self, answer: _Answer) -> bool:
        return answer.stamp == self._changes() and self._clock() - answer.at < MAX_AGE_S
