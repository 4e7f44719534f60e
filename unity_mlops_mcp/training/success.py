"""The figures that only the event files have: success, while a run goes on."""

from __future__ import annotations

import logging
import time
from typing import Any

from unity_mlops_mcp.training.folder import RunFolder

_log = logging.getLogger(__name__)


class SuccessReader:
    """Follows a run's event files; made when the trainer has been started, so that its imports cost no waiting."""

    def __init__(self, folder: RunFolder) -> None:
        from unity_mlops_mcp.metrics.reader import RunReader

        self._reader = RunReader(folder.path)

    def fields(self) -> dict[str, Any]:
        """``success`` as a share from 0 to 1; empty where the player does not report it."""
        from unity_mlops_mcp.metrics.summary import summarize

        try:
            self._reader.poll()
            if not self._reader.behaviors:
                return {}
            summary = summarize(self._reader, max_steps=None, now=time.time())
        except Exception:  # noqa: BLE001 - a figure that cannot be told must not end a training of many hours
            _log.exception("The event files of %s could not be read.", self._reader.folder)
            return {}
        return {} if summary.success is None else {"success": summary.success}
