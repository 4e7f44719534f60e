"""What a living process of ours does besides answering: open the application late, and tend it every few seconds."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from unity_mlops_mcp.app import App

_LOG = logging.getLogger(__name__)


class LateApp:
    """The application, opened at the first call; a client that only lists the tools never pays for it.

    Args:
        allowed: a folder that it may read and write besides the settings' own.
    """

    def __init__(self, allowed: Path | None = None) -> None:
        self._allowed = () if allowed is None else (allowed.resolve(),)
        self._lock = threading.Lock()
        self._app: App | None = None

    def __call__(self) -> App:
        """The one application of this process.

        Raises:
            MlopsError: a setting cannot be used.
        """
        with self._lock:
            if self._app is None:
                from unity_mlops_mcp.app import App
                from unity_mlops_mcp.config import settings

                own = settings()
                self._app = App(own.model_copy(update={"roots": (*own.roots, *self._allowed)}))
            return self._app

    def close(self) -> None:
        """Release it, when it was opened."""
        with self._lock:
            if self._app is not None:
                self._app.close()
            self._app = None


class Upkeep:
    """Recovers what died, starts what is queued, fires schedules and sends notifications while this process lives.

    A context manager. It runs in daemon threads, which delay neither the start nor the end of the process.

    Args:
        app: gives the application.
        first_after_s: how long the start-up is left in peace.
        every_s: seconds between two rounds.
    """

    def __init__(self, app: LateApp, *, first_after_s: float = 2.0, every_s: float = 3.0) -> None:
        self._app = app
        self._first_after_s = first_after_s
        self._every_s = every_s
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True)
            for name, work in (("upkeep", _tend), ("notifications", _notify))
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=1)
        self._app.close()

    def tend_once(self) -> None:
        """One round of upkeep, now, in this thread; notifications are left to those who live longer."""
        self._try(_tend_once, told="")

    def _repeat(self, work: Callable[[App], object]) -> None:
        pause, problem = self._first_after_s, ""
        while not self._ended.wait(pause):
            pause, problem = self._every_s, self._try(work, told=problem)

    def _try(self, work: Callable[[App], object], *, told: str) -> str:
        """Do it; it is nobody's errand, so what goes wrong is told once, and tried again. Gives what went wrong."""
        try:
            work(self._app())
        except Exception as error:  # noqa: BLE001
            if str(error) != told:
                _LOG.warning("Upkeep: %s", error)
            return str(error)
        return ""


def _tend(app: App) -> None:
    app.tend()


def _tend_once(app: App) -> None:
    app.tend()
    app.stop_firing()


def _notify(app: App) -> None:
    app.notify()
