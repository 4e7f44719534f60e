"""Answers to reads that many ask for at once: worked out once, and given as long as nothing has changed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from zlib import crc32

import anyio
from pydantic import BaseModel

from unity_mlops_mcp.jobs.records import FINAL_STATES

MAX_AGE_S = 1.0
"""Files and durations of what is under way change without a commit: no such answer is older than this."""
LASTING_S = 30.0
"""What is over changes by a commit only, unless somebody touches its files; up to twice that, lest all end at once."""
_AT_ONCE = 2
"""Answers that are worked out at once: more threads would only take Python's lock from the loop that serves all."""
_MAX_ANSWERS = 2048


@dataclass
class _Answer:
    """One answer, the lock under which it is worked out, and what the store said then."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    body: bytes = b""
    over: bool = False
    stamp: int = -1
    turn: object = None
    until: float = 0.0


class Reads:
    """The newest answers by what was asked; for one event loop.

    Args:
        changes: a number that is another one after every change of the store.
        turns: what is another value after every change by which something ended or went; asked once after a change.
        clock: seconds, never going back.
    """

    def __init__(
        self, changes: Callable[[], int], turns: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._changes, self._turns, self._clock = changes, turns, clock
        self._newest_turn: tuple[int, object] = (-1, None)
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._room = anyio.Semaphore(_AT_ONCE)

    async def get(self, asked: str, make: Callable[[], Awaitable[BaseModel]]) -> bytes:
        """The answer as JSON; ``make`` works it out when there is none of the present, once for all who wait."""
        answer = self._answers.setdefault(asked, _Answer())
        self._answers.move_to_end(asked)
        while len(self._answers) > _MAX_ANSWERS:
            self._answers.popitem(last=False)
        if self._good(answer):
            return answer.body
        async with answer.lock:
            if not self._good(answer):
                async with self._room:
                    await self._renew(answer, make, LASTING_S * (1 + crc32(asked.encode()) % 100 / 100))
        return answer.body

    async def _renew(self, answer: _Answer, make: Callable[[], Awaitable[BaseModel]], lasting_s: float) -> None:
        stamp, now = self._changes(), self._clock()
        answer.turn = self._turn(stamp)
        result = await make()
        answer.over = getattr(result, "state", None) in FINAL_STATES
        answer.body, answer.stamp = result.model_dump_json().encode(), stamp
        answer.until = now + (lasting_s if answer.over else MAX_AGE_S)

    def _good(self, answer: _Answer) -> bool:
        stamp = self._changes()
        if answer.over and answer.stamp != stamp and answer.turn == self._turn(stamp):
            answer.stamp = stamp  # what changed was the progress of others
        return self._clock() < answer.until and answer.stamp == stamp

    def _turn(self, stamp: int) -> object:
        if self._newest_turn[0] != stamp:
            self._newest_turn = (stamp, self._turns())
        return self._newest_turn[1]
