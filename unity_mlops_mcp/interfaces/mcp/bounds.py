"""Keeps an answer within what a chat client shows: the longest texts and lists of lines give way."""

from __future__ import annotations

import json
from typing import Any

MAX_BYTES = 20_000
_KEEP_THE_END = frozenset({"log_tail", "rewards"})
_MIN_TEXT = 200


def compact_json(data: Any) -> str:
    """The JSON text without spaces between its parts."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def bounded(data: dict[str, Any], *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The same record within ``max_bytes`` of JSON, its longest lists of lines and texts halved until it fits.

    What was shortened is said in ``notes`` where the record has them. A record without such fields comes back as it is.
    """
    shortened: set[str] = set()
    while len(compact_json(data).encode()) > max_bytes:
        name = _longest(data)
        if name is None:
            break
        data = {**data, name: _half(name, data[name])}
        shortened.add(name)
        if "notes" in data:
            data["notes"] = [note for note in data["notes"] if not note.startswith("Shortened")]
            data["notes"].append(
                f"Shortened to fit: {', '.join(sorted(shortened))}; the files in the folder hold all of it."
            )
    return data


def _longest(data: dict[str, Any]) -> str | None:
    """The field that can be halved and weighs most."""
    sizes = {name: len(compact_json(value)) for name, value in data.items() if name != "notes" and _can_halve(value)}
    return max(sizes, key=lambda name: sizes[name], default=None)


def _can_halve(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _MIN_TEXT
    return isinstance(value, list) and len(value) > 1 and not isinstance(value[0], dict)


def _half(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value[: len(value) // 2] + " …"
    half = len(value) // 2
    return value[-half:] if name in _KEEP_THE_END else value[:half]
