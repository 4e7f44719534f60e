"""Who is calling: tokens, the dashboard's sessions, one-time links, and what a route needs."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import Request

from unity_mlops_mcp.interfaces.access import Offer, Scope, allows
from unity_mlops_mcp.interfaces.http.problems import Problem
from unity_mlops_mcp.operations.tokens import token_hash

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.tokens import TokenScope
    from unity_mlops_mcp.store.rows import TokenRow

SESSION_S = 12 * 3600
LINK_S = 300
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"
BEARER: Any = Depends(HTTPBearer(auto_error=False, description="A token of `unity-mlops token add`."))
"""Says in the OpenAPI document that a token is needed; the guard has seen to it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    Attributes:
        token_id: the token that opened the door; rate limits count by it.
        name: its name.
        scope: what the caller may do here.
        session: the session's cookie; empty when the token itself came with the request.
        csrf: what a form of that session must send back as the field ``csrf_token``.
    """

    token_id: str
    name: str
    scope: Scope
    session: str = ""
    csrf: str = ""


class Door:
    """Lets callers in whose token is valid, and makes sessions for browsers; safe to use from any thread.

    A session is a signed cookie, so that it outlives a restart of the service and ends with its token.

    Args:
        app: the application whose home holds the tokens.
        offer: what this server offers; it bounds every scope.
        clock: seconds since the epoch.
    """

    def __init__(self, app: App, offer: Offer, *, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._offer = offer
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[int, Mapping[str, TokenRow]] = (-1, {})
        self._links: dict[str, tuple[str, float]] = {}
        digest = hashlib.sha256(str(app.settings.home).encode()).hexdigest()
        self.cookie = f"unity_mlops_{digest[:8]}"
        """The cookie's name: two services on one host have different homes, and browsers share cookies among ports."""

    def fresh(self) -> bool:
        """Whether what is known of the tokens is what the store holds; else the next question reads it."""
        return self._known[0] == self._app.store.changes()

    def by_token(self, token: str) -> Caller | None:
        """The caller that a token names, or None."""
        row = self._valid().get(token_hash(token))
        return None if row is None else Caller(row.token_id, row.name, self._scope(row))

    def by_session(self, cookie: str) -> Caller | None:
        """The caller that a session's cookie names, or None when it is over, forged, or its token revoked."""
        token_id, _, rest = cookie.partition(".")
        expires, _, signature = rest.partition(".")
        row = next((row for row in self._valid().values() if row.token_id == token_id), None)
        if row is None or not hmac.compare_digest(signature.encode(), _sign(row, f"session.{expires}").encode()):
            return None
        if int(expires) < self._clock():  # what we have signed is a number
            return None
        return Caller(row.token_id, row.name, self._scope(row), cookie, _sign(row, f"form.{cookie}"))

    def session(self, token: str) -> str | None:
        """A new session's cookie for who holds a token, or None."""
        row = self._valid().get(token_hash(token))
        return None if row is None else self._cookie_for(row)

    def link(self, scope: TokenScope = "admin") -> str | None:
        """A code that opens one session within five minutes, or None when there is no token of that scope."""
        row = next((row for row in self._valid().values() if row.scope == scope), None)
        if row is None:
            return None
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._links = {key: value for key, value in self._links.items() if value[1] > self._clock()}
            self._links[code] = (row.token_id, self._clock() + LINK_S)
        return code

    def redeem(self, code: str) -> str | None:
        """The session's cookie that a code opens; the code is spent."""
        with self._lock:
            token_id, until = self._links.pop(code, ("", 0.0))
        row = next((row for row in self._valid().values() if row.token_id == token_id), None)
        return self._cookie_for(row) if row is not None and until > self._clock() else None

    def _cookie_for(self, row: TokenRow) -> str:
        expires = int(self._clock()) + SESSION_S
        return f"{row.token_id}.{expires}.{_sign(row, f'session.{expires}')}"

    def _scope(self, row: TokenRow) -> Scope:
        scope: Scope = "admin" if row.scope == "admin" else "run" if row.scope == "run" else "read"
        return self._offer.capped(scope)

    def _valid(self) -> Mapping[str, TokenRow]:
        """The valid tokens by their hash."""
        stamp = self._app.store.changes()
        if self._known[0] != stamp:
            rows = self._app.store.tokens.all()
            self._known = (stamp, {row.sha256: row for row in rows if row.revoked_at is None})
        return self._known[1]


def _sign(row: TokenRow, text: str) -> str:
    """A signature that only who can read the store can make, and that ends with the token."""
    return hmac.new(bytes.fromhex(row.sha256), f"{row.token_id}.{text}".encode(), hashlib.sha256).hexdigest()


def caller_of(request: Request) -> Caller:
    """Who sent a request that the guard let through."""
    caller: Caller = request.state.caller
    return caller


def require(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency of a route: the caller, whose scope is enough, and who sent the form's secret where a session asks.

    The dependency raises:
        Problem: 403 otherwise.
    """

    async def check(request: Request) -> Caller:
        caller = caller_of(request)
        if not allows(caller.scope, scope):
            raise forbidden(caller, scope)
        if caller.session and request.method not in SAFE_METHODS:
            await _check_form(request, caller)
        return caller

    return check


def forbidden(caller: Caller, needed: Scope) -> Problem:
    """What a caller is told whose scope is not enough."""
    return Problem(403, "forbidden", forbidden_text(caller, needed), forbidden_fix(needed))


def forbidden_text(caller: Caller, needed: Scope) -> str:
    """What was found."""
    return f"This needs the scope {needed}; the token {caller.name!r} may {caller.scope} here."


def forbidden_fix(needed: Scope) -> str:
    """What to do about it."""
    return (
        f"On the service's machine: unity-mlops token add NAME --scope {needed}. "
        "A service that was started with --read-only changes nothing for anybody."
    )


async def _check_form(request: Request, caller: Caller) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        sent = (await request.form()).get(CSRF_FIELD)  # type: ignore[assignment] # a file there is no match either
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
        fix = "Load the page again, and send its form."
        raise Problem(403, "csrf", "The form does not come from a page of this session.", fix)
