"""One line of JSON for each thing that the service tells, without a secret in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
REQUESTS = logging.getLogger("unity_mlops_mcp.requests")
_TOKENS = re.compile(r"(?i)umlops_[\w-]{8,}|(?<=bearer )[^\s'\",]+|(?<=/login/)[\w-]+")
_HIDDEN = "…"


class JsonLines(logging.Formatter):
    """A record as one JSON object; the field ``data`` of a record is merged into it.

    Args:
        secrets: texts that never are written, besides whatever looks like a token.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "from": record.name}
        if REQUEST_ID.get():
            line["request_id"] = REQUEST_ID.get()
        line["message"] = record.getMessage()
        line |= getattr(record, "data", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return self._without_secrets(json.dumps(line, ensure_ascii=False, default=str))

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], _HIDDEN)
        return _TOKENS.sub(_HIDDEN, text)


def configure(level: str, secrets: Iterable[str]) -> None:
    """Let every logger of this process write such lines on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(secrets))
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)
    logging.getLogger("unity_mlops_mcp").setLevel(level.upper())
