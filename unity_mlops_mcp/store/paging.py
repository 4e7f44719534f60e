"""Pages, newest first, with a cursor that stays right while rows are added."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, TypeVar

import sqlalchemy as sa

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.store.rows import Page

RowT = TypeVar("RowT")


def ordered(
    query: sa.Select[Any], created_at: sa.ColumnElement[Any], key: sa.ColumnElement[Any], *, after: bool
) -> sa.Select[Any]:
    """The query's rows newest first, with ``after`` those behind a cursor; `bound` gives the values it is run with.

    Limit and cursor are parameters, so that a query can be built once: building one takes longer than running it.
    """
    if after:
        moment, name = sa.bindparam("moment", type_=created_at.type), sa.bindparam("name", type_=key.type)
        query = query.where(sa.or_(created_at < moment, sa.and_(created_at == moment, key < name)))
    return query.order_by(created_at.desc(), key.desc()).limit(sa.bindparam("most", type_=sa.Integer))


def bound(limit: int, cursor: str | None) -> dict[str, Any]:
    """The parameters of an `ordered` query: one row more than the limit, which shows whether more follow.

    Raises:
        InvalidInputError: the limit or the cursor is none that we gave.
    """
    if not 1 <= limit <= 1000:  # noqa: PLR2004 - said in the message
        raise InvalidInputError(f"limit is {limit}.", fix="Give a limit from 1 to 1000.")
    if cursor is None:
        return {"most": limit + 1}
    moment, name = _parse(cursor)
    return {"most": limit + 1, "moment": moment, "name": name}


def page(rows: list[RowT], keys: list[tuple[datetime, str]], limit: int) -> Page[RowT]:
    """The first ``limit`` rows as a page; ``keys`` are the time and the key of every row."""
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    moment, name = keys[limit - 1]
    return Page(tuple(rows[:limit]), f"{moment.timestamp()!r}~{name}")


def _parse(cursor: str) -> tuple[datetime, str]:
    moment, _, name = cursor.partition("~")
    try:
        return datetime.fromtimestamp(float(moment), timezone.utc), name
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInputError(
            f"The cursor {cursor!r} is none that this program gave.", fix="Pass next_cursor unchanged, or leave it out."
        ) from error
