"""The service as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.interfaces.access import Scope
from unity_mlops_mcp.interfaces.http.auth import Door
from unity_mlops_mcp.interfaces.http.dashboard.visiting import add_dashboard
from unity_mlops_mcp.interfaces.http.guard import API, Guard
from unity_mlops_mcp.interfaces.http.health import Figures, health_router
from unity_mlops_mcp.interfaces.http.login import login_router
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.http.problems import Problem, handle_known
from unity_mlops_mcp.interfaces.http.reading import Reads
from unity_mlops_mcp.interfaces.http.rest import rest_router
from unity_mlops_mcp.interfaces.http.streams import Live, stream_router
from unity_mlops_mcp.interfaces.mcp.scoping import Context, scoped
from unity_mlops_mcp.interfaces.mcp.server import build_server
from unity_mlops_mcp.interfaces.upkeep import LateApp, Upkeep

_DESCRIPTION = "From one sentence to a trained, checked and versioned Unity ML-Agents policy: the tools' words as REST."


class Application:
    """Everything that the service answers, behind one guard; upkeep runs while its lifespan does.

    Args:
        app: the application; it is closed at the end of the lifespan.
        options: the bounds.
        server: an MCP server in place of the shipped one, such as one with more tools.
    """

    def __init__(self, app: LateApp, options: ServeOptions, *, server: MCPServer[Any] | None = None) -> None:
        self._live = Live(options.max_streams)
        known = app()
        self.door = Door(known, options.offer)
        figures = Figures(known)
        inside = _framework(app, server := server or build_server(app, options.offer, tended=False))
        inside.include_router(health_router(known, figures))
        inside.include_router(login_router(self.door))
        reads = Reads(known.store.changes, known.store.events.turns)
        inside.include_router(stream_router(known, options.offer, reads, self._live), prefix=API)
        inside.include_router(rest_router(known, options.offer, reads), prefix=API)
        add_dashboard(inside, known, options.offer)
        _add_mcp(inside, server, options)
        guarded: ASGIApp = Guard(inside, self.door, options, figures)
        self._outermost = _with_cors(guarded, options) if options.origins else guarded

    def end_streams(self) -> None:
        """Let the live streams end within a second; whoever listens comes again."""
        self._live.ending = True

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks."""
        await self._outermost(scope, receive, send)


def _framework(app: LateApp, server: MCPServer[Any]) -> FastAPI:
    """FastAPI with our errors, our lifespan, and no page that loads scripts from elsewhere."""
    inside = FastAPI(
        title="unity-mlops-mcp",
        description=_DESCRIPTION,
        version=__version__,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(app, server),
    )
    for kind in (Problem, MlopsError, RequestValidationError, HTTPException, Exception):
        inside.add_exception_handler(kind, handle_known)
    return inside


def _lifespan(app: LateApp, server: MCPServer[Any]) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with Upkeep(app):
            async with server.session_manager.run():
                yield

    return lifespan


def _scope(context: Context) -> Scope:
    """The scope of who sent a message: the guard wrote it down beside the request."""
    scope: Scope = context.request.state.caller.scope if context.request is not None else "read"
    return scope


def _add_mcp(inside: FastAPI, server: MCPServer[Any], options: ServeOptions) -> None:
    """MCP over streamable HTTP at /mcp and over SSE at /sse; the guard has checked Host and Origin."""
    server.middleware.append(scoped(_scope))
    checked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    limit = options.max_body
    http = server.streamable_http_app(transport_security=checked, max_request_body_size=limit)
    sse = server.sse_app(transport_security=checked, max_request_body_size=limit)
    inside.router.routes.extend([*http.routes, *sse.routes])


def _with_cors(guarded: ASGIApp, options: ServeOptions) -> ASGIApp:
    return CORSMiddleware(
        guarded,
        allow_origins=list(options.origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["Mcp-Session-Id", "X-Request-ID"],
    )
