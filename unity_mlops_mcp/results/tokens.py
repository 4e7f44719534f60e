"""What the operations about access tokens answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result

TokenScope = Literal["read", "run", "admin"]


class TokenInfo(Result):
    """One token, without itself."""

    token_id: str
    name: str
    scope: TokenScope
    created_at: datetime
    revoked_at: datetime | None = None


class TokenList(Result):
    """All tokens."""

    tokens: list[TokenInfo]


class MadeToken(Result):
    """A new token, this once."""

    token_id: str
    name: str
    scope: TokenScope
    token: str = Field(description="The token itself; only its hash is kept.")
    next: str
