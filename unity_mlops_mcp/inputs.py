"""What callers give as text, read and refused in one place."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.jobs.records import Job, JobState

POINTS_A_PAGE = 480
"""Points of all series of one answer together: about 15 KB."""
FIRST_TAGS = ("Environment/Cumulative Reward", "Environment/Success", "Environment/Episode Length")
STATES: tuple[str, ...] = get_args(JobState)
ModelT = TypeVar("ModelT", bound=BaseModel)
_POSITION = re.compile(r"[0-9]{1,9}")


def exactly_one(given: Mapping[str, object]) -> None:
    """Refuse anything but one given value.

    Raises:
        InvalidInputError: none or several are not None.
    """
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        found = " and ".join(named) or "none of them"
        raise InvalidInputError(
            f"Give exactly one of {', '.join(given)}; found {found}.", fix="Call again with one of them."
        )


def validated(model: type[ModelT], data: Mapping[str, Any]) -> ModelT:
    """The data as a record.

    Raises:
        InvalidInputError: fields are wrong; all are named.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'all'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False)
        )
        raise InvalidInputError(f"This cannot be used: {told}.", fix="Correct these fields and call again.") from error


def words(text: str | None) -> tuple[str, ...]:
    """A command line's words, quotes respected.

    Raises:
        InvalidInputError: a quote is not closed.
    """
    try:
        return tuple(shlex.split(text or ""))
    except ValueError as error:
        raise InvalidInputError(f"env_args cannot be split into words: {error}.", fix="Close the quotes.") from error


def names(text: str | None) -> tuple[str, ...]:
    """Names that are separated by commas, or a JSON list of them."""
    parts = (text or "").strip().removeprefix("[").removesuffix("]").split(",")
    found = (part.strip().strip("\"'") for part in parts)
    return tuple(name for name in found if name)


def until_reached(text: str | None) -> Callable[[Job], bool]:
    """What a wait waits for besides the end: a state, or a mean reward such as ``1.5`` or ``reward>=1.5``.

    Raises:
        InvalidInputError: it is neither.
    """
    if text is None:
        return lambda _: False
    wanted = text.strip().lower().removeprefix("reward").lstrip(" >=")
    if wanted in STATES:
        return lambda job: job.state == wanted
    try:
        reward = float(wanted)
    except ValueError:
        reward = math.nan
    if not math.isfinite(reward):
        raise InvalidInputError(
            f"Cannot wait until {text!r}.", fix=f"Give a mean reward such as 1.5, or a state: {', '.join(STATES)}."
        )
    return lambda job: (shown := job.progress.get("mean_reward")) is not None and shown >= reward


def version_cursor(cursor: str | None) -> int | None:
    """The number of the version that the page before ended with.

    Raises:
        InvalidInputError: the cursor is none of ours.
    """
    if cursor is not None and not re.fullmatch(r"[0-9]{1,9}", cursor):
        raise InvalidInputError(f"{cursor!r} is not a cursor.", fix="Pass next_cursor of the page before.")
    return None if cursor is None else int(cursor)


def page_of_tags(
    available: tuple[str, ...], tags: str | None, cursor: str | None, *, max_points: int
) -> tuple[list[str], str | None]:
    """The tags of one page, the most telling first, and the cursor of the next page.

    Raises:
        InvalidInputError: the cursor is none of ours.
    """
    if cursor is not None and not _POSITION.fullmatch(cursor):
        raise InvalidInputError(f"{cursor!r} is not a cursor.", fix="Pass next_cursor of the page before.")
    if tags:
        wanted = [tag.strip() for tag in tags.split(",") if tag.strip()]
    else:
        first = [tag for tag in FIRST_TAGS if tag in available]
        wanted = [*first, *(tag for tag in available if tag not in first)]
    start = int(cursor or 0)
    end = start + max(1, POINTS_A_PAGE // max_points)
    return wanted[start:end], str(end) if end < len(wanted) else None
