"""The moment by which an attempt must be over, however slowly the other side answers."""

from __future__ import annotations

import time


class Deadline:
    """Some seconds from now; sockets bound one step by its rest, so that all steps together are bounded too.

    Args:
        seconds: how long from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether it is past."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """Seconds until then, above 0.

        Raises:
            TimeoutError: it is past.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left
