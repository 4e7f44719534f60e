"""The operations about access tokens of the HTTP service."""

from __future__ import annotations

import hashlib
import random
import secrets

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.tokens import MadeToken, TokenInfo, TokenList, TokenScope
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import TokenRow

PREFIX = "umlops_"
"""Begins every token that is made here, so that scanners for secrets find one that was committed."""
MIN_GIVEN = 32


def token_hash(token: str) -> str:
    """What is kept of a token: SHA-256, hexadecimal; a token is random, so that this needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


class Tokens:
    """Who may use the HTTP service."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, *, name: str, scope: TokenScope = "run") -> MadeToken:
        """Make a token; this is the only time that it is shown."""
        token = PREFIX + secrets.token_urlsafe(32)
        row = _row(name, token, scope)
        self._parts.store.tokens.add(row)
        return _made(row, token, scope)

    def first(self) -> MadeToken | None:
        """An admin's token when there is no valid one yet, else None."""
        token = PREFIX + secrets.token_urlsafe(32)
        row = _row("first", token, "admin")
        return _made(row, token, "admin") if self._parts.store.tokens.add_first(row) else None

    def keep(self, token: str, *, name: str, scope: TokenScope = "admin") -> TokenInfo:
        """Let in a token that was made elsewhere, such as the secret of a cluster; the same one again changes nothing.

        Raises:
            InvalidInputError: it is too short to be safe, or was revoked.
        """
        if len(token) < MIN_GIVEN:
            fix = f"Give at least {MIN_GIVEN} random characters, such as those of: openssl rand -hex 32"
            raise InvalidInputError(f"The given token {name!r} has {len(token)} characters.", fix=fix)
        kept = self._parts.store.tokens.keep(_row(name, token, scope))
        if kept.revoked_at is not None:
            raise InvalidInputError(f"The given token {name!r} was revoked.", fix="Give another one.")
        return _info(kept)

    def all(self) -> TokenList:
        """All tokens, the oldest first; none of them can be read."""
        return TokenList(tokens=[_info(row) for row in self._parts.store.tokens.all()])

    def revoke(self, token: str) -> TokenInfo:
        """Let a token open nothing any more, sessions of the dashboard that it opened included.

        Args:
            token: its id, or its name when only one valid token has it.

        Raises:
            NotFoundError: no valid token has that id or name, or several have the name.
        """
        rows = [row for row in self._parts.store.tokens.all() if row.revoked_at is None]
        found = [row for row in rows if row.token_id == token] or [row for row in rows if row.name == token]
        if len(found) != 1:
            known = ", ".join(f"{row.token_id} ({row.name})" for row in rows) or "none"
            what = "no" if not found else "more than one"
            raise NotFoundError(f"There is {what} valid token {token!r}.", fix=f"Valid tokens: {known}.")
        self._parts.store.tokens.revoke(found[0].token_id, now=utc_now())
        return next(info for info in self.all().tokens if info.token_id == found[0].token_id)


def _row(name: str, token: str, scope: TokenScope) -> TokenRow:
    now = utc_now()
    token_id = new_id("token", now=now, rng=random.SystemRandom())
    return TokenRow(token_id, name, token_hash(token), scope, now)


def _info(row: TokenRow) -> TokenInfo:
    fields = ("token_id", "name", "scope", "created_at", "revoked_at")
    return TokenInfo.model_validate({field: getattr(row, field) for field in fields})


def _made(row: TokenRow, token: str, scope: TokenScope) -> MadeToken:
    following = "Keep it now: it cannot be shown again. Send it as the header `Authorization: Bearer …`."
    return MadeToken(token_id=row.token_id, name=row.name, scope=scope, token=token, next=following)
