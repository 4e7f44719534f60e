"""Signals that end a training with everything saved.

mlagents saves on SIGINT only. A parent that ignores SIGINT (a shell's background job, nohup) hands that down, so the
handler is set, not assumed.
"""

from __future__ import annotations

import signal
from types import FrameType

_SAVING = ("SIGTERM", "SIGBREAK")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # it saves now; a supervisor that grows impatient must not cut the writing of a checkpoint short
    for each in _present():
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _present() -> list[signal.Signals]:
    return [signal.Signals[name] for name in _SAVING if name in signal.Signals.__members__]


def install() -> None:
    """Let SIGINT, SIGTERM and Windows' SIGBREAK interrupt the training, which then saves; SIGINT may come again."""
    for each in [signal.SIGINT, *_present()]:
        signal.signal(each, _interrupt)
