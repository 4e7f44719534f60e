"""What every request passes first: its id, Host and Origin, its limits, the caller; and the line of the log."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.interfaces.http.auth import Caller, Door
from unity_mlops_mcp.interfaces.http.health import Figures
from unity_mlops_mcp.interfaces.http.limits import Buckets, too_large, too_many, whole_body
from unity_mlops_mcp.interfaces.http.login import login_page
from unity_mlops_mcp.interfaces.http.logs import REQUEST_ID, REQUESTS
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.http.problems import Problem, told, unexpected

_LOG = logging.getLogger(__name__)
HEALTH = frozenset({"/healthz", "/readyz"})
API = "/api/v1"
MCP_PATHS = ("/mcp", "/sse", "/messages")
_GIVEN_ID = re.compile(r"[\w.-]{1,64}")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
_LOOK_S = 1.0  # how often it is asked whether who listens still may
_MISSES_PER_S, _MISSES_AT_ONCE = 0.5, 20


@dataclass
class Exchange:
    """One request and what became of it."""

    scope: Scope
    send: Send
    headers: Headers
    request_id: str
    begun: float = field(default_factory=time.perf_counter)
    status: int = 0
    ended: bool = False
    caller: Caller | None = None

    @property
    def path(self) -> str:
        """Its path, without what may be secret in it."""
        path: str = self.scope["path"]
        return "/login/…" if path.startswith("/login/") else path

    async def answer(self, message: Message) -> None:
        """Send on what the application answers, with the headers that every answer has; nothing after its end."""
        if self.ended:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=_with_headers(message))
            headers["x-request-id"] = self.request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self.send(message)

    async def end(self) -> None:
        """End the answer, if one was begun, as a whole one ends."""
        if self.status:
            await self.answer({"type": "http.response.body"})


class Guard:
    """The outermost layer of the application.

    Args:
        inner: what answers those who come in.
        door: tells who they are.
        options: the service's bounds.
        figures: counts what is answered.
    """

    def __init__(self, inner: ASGIApp, door: Door, options: ServeOptions, figures: Figures) -> None:
        self._inner, self._door, self._options, self._figures = inner, door, options, figures
        self._hosts = options.allowed_hosts()
        self._origins = frozenset(origin.lower() for origin in options.origins)
        self._requests = Buckets(options.rate, max(1.0, 2 * options.rate))
        self._misses = Buckets(_MISSES_PER_S, _MISSES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._exchange(scope, receive, send)
        else:  # no websocket is served
            await send({"type": "websocket.close", "code": 1008})

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        exchange = Exchange(scope, send, headers, given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8))
        marker = REQUEST_ID.set(exchange.request_id)
        try:
            await self._answer(exchange, receive)
        except Exception as error:  # noqa: BLE001 - the top of a request
            _LOG.exception("A request failed")
            if not exchange.status:
                await unexpected(error)(scope, receive, exchange.answer)
        finally:
            self._count(exchange)
            _write_down(exchange)
            REQUEST_ID.reset(marker)

    def _count(self, exchange: Exchange) -> None:
        route = _pattern(exchange.scope)
        seconds = time.perf_counter() - exchange.begun
        self._figures.count(exchange.scope["method"], route, exchange.status, seconds)

    async def _answer(self, exchange: Exchange, receive: Receive) -> None:
        scope = exchange.scope
        try:
            await self._let_in(exchange)
            receive = await self._bounded(exchange.headers, receive)
        except Problem as refused:
            led = exchange.headers.get("sec-fetch-site") == "cross-site" and scope["method"] == "GET"
            response = login_page(refused, from_elsewhere=led) if _is_page(exchange) else refused.response()
            await response(scope, receive, exchange.answer)
            return
        except MlopsError as error:
            await told(error)(scope, receive, exchange.answer)
            return
        await self._inner(scope, self._as_long_as_known(exchange, receive), exchange.answer)

    def _as_long_as_known(self, exchange: Exchange, receive: Receive) -> Receive:
        """What the client says; it counts as gone once its token or session opens nothing any more.

        Answers that last, as streams do, listen for that as long as they go on.
        """
        if exchange.caller is None:
            return receive

        async def listen() -> Message:
            while True:
                with anyio.move_on_after(_LOOK_S):
                    return await receive()
                if await self._caller(exchange) is None:
                    await exchange.end()
                    return {"type": "http.disconnect"}

        return listen

    async def _let_in(self, exchange: Exchange) -> None:
        """Find out who it is.

        Raises:
            Problem: nobody who may come in.
        """
        path = exchange.scope["path"]
        if path in HEALTH:
            return
        self._check_names(exchange.headers)
        address = (exchange.scope.get("client") or ("", 0))[0]
        if path == "/login" or path.startswith("/login/"):  # what it brings is a credential: see login.py
            if wait := self._misses.take(address):
                raise too_many(wait)
            return
        exchange.caller = await self._caller(exchange)
        if exchange.caller is None:
            wait = self._misses.take(address) if _credential(exchange.headers) else 0.0
            raise too_many(wait) if wait else _unauthorized()
        if wait := self._requests.take(exchange.caller.token_id):
            raise too_many(wait)
        _present(exchange.scope, exchange.caller)

    async def _caller(self, exchange: Exchange) -> Caller | None:
        token = _credential(exchange.headers)
        cookies = cookie_parser(exchange.headers.get("cookie", "")) if not token else {}
        session = "" if exchange.scope["path"].startswith(MCP_PATHS) else cookies.get(self._door.cookie, "")
        if not token and not session:
            return None
        if not self._door.fresh():
            return await anyio.to_thread.run_sync(self._find, token, session)
        return self._find(token, session)

    def _find(self, token: str, session: str) -> Caller | None:
        return self._door.by_token(token) if token else self._door.by_session(session)

    def _check_names(self, headers: Headers) -> None:
        """Refuse requests that a foreign page made a browser send.

        Raises:
            Problem: with the option that would allow them.
        """
        host = headers.get("host", "").lower()
        if "*" not in self._hosts and _without_port(host) not in self._hosts:
            fix = "Start the service with --allow-host and the name that it is called by."
            raise Problem(421, "host", f"This service is not called {host[:100]!r}.", fix)
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self._origins and _host_of(origin.lower()) != host:
            fix = "Start the service with --allow-origin and that page's origin."
            raise Problem(403, "origin", f"Pages of {origin[:100]!r} may not call this service.", fix)

    async def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        length = headers.get("content-length")
        if length is None:
            return await whole_body(receive, self._options.max_body) if "transfer-encoding" in headers else receive
        if not (length.isascii() and length.isdecimal()) or int(length) > self._options.max_body:
            raise too_large(self._options.max_body)
        return receive


def _pattern(scope: Scope) -> str:
    """The pattern of the route that answered, of which there are few; what nothing answers to is one of them."""
    pattern = getattr(scope.get("route"), "path", "other")
    below = API if scope["path"].startswith(API) and not pattern.startswith(API) else ""
    return pattern if pattern == "other" else below + pattern


def _unauthorized() -> Problem:
    fix = "Send `Authorization: Bearer TOKEN`. On the service's machine: unity-mlops token add NAME."
    return Problem(401, "unauthorized", "A valid token is needed.", fix, headers={"WWW-Authenticate": "Bearer"})


def _credential(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _present(scope: Scope, caller: Caller) -> None:
    """Tell the application who it is; MCP binds its sessions to the user of the scope."""
    scope.setdefault("state", {})["caller"] = caller
    access = AccessToken(token="", client_id=caller.token_id, scopes=[caller.scope], subject=caller.token_id)
    scope["user"] = AuthenticatedUser(access)


def _host_of(origin: str) -> str | None:
    """The host and port that a page came from; None when the header names none, as anybody may send anything."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _is_page(exchange: Exchange) -> bool:
    """Whether a person's browser asked for a page."""
    return "text/html" in exchange.headers.get("accept", "") and not exchange.scope["path"].startswith("/api/")


def _with_headers(message: Message) -> MutableMapping[str, Any]:
    message.setdefault("headers", [])
    return message


def _write_down(exchange: Exchange) -> None:
    """The line of the log; a query is left out, since it may hold anything."""
    data = {
        "method": exchange.scope["method"],
        "path": exchange.path,
        "status": exchange.status,
        "ms": round(1000 * (time.perf_counter() - exchange.begun), 1),
        "caller": exchange.caller.token_id if exchange.caller else None,
        "address": (exchange.scope.get("client") or ("", 0))[0],
    }
    level = logging.DEBUG if exchange.scope["path"] in HEALTH else logging.INFO
    REQUESTS.log(level, "request", extra={"data": data})
