"""What a process does that only fires schedules and sends notifications."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.upkeep import LateApp, Upkeep

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

_LOOK_S = 0.5


def fire_until_ended(drain_s: float) -> int:
    """Live until a signal asks for the end, then give running jobs some time; the exit code."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    ended, app = threading.Event(), LateApp()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: ended.set())
    log = logging.getLogger("unity_mlops_mcp.scheduler")
    told = app()
    log.info("The home is %s; %d schedules.", told.settings.home, len(told.list_schedules().schedules))
    with Upkeep(app, first_after_s=0.0):
        while not ended.wait(_LOOK_S):
            pass
        log.info("Ending: nothing new is fired.")
        told.stop_firing()
        _drain(told, drain_s)
    return 0


def _drain(app: App, seconds: float) -> None:
    end = time.monotonic() + seconds
    while app.jobs.open() and time.monotonic() < end:
        time.sleep(_LOOK_S)
