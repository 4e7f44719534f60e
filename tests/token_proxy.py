"""Adds a token to every request on its way to the service, for clients that cannot send one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_HOPS = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"date"}


class TokenProxy:
    """An ASGI application that hands everything on, with a token.

    Args:
        url: the service.
        token: what it needs.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._added = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on, and its answer back as it comes."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        headers = [*((name, value) for name, value in request.headers.raw if name not in _HOPS), self._added]
        body = await request.body()
        async with (
            httpx.AsyncClient(timeout=None) as client,  # noqa: S113 - a stream may be silent for long
            client.stream(scope["method"], f"{self._url}{request.url.path}", headers=headers, content=body) as answer,
        ):
            response = StreamingResponse(answer.aiter_raw(), status_code=answer.status_code)
            response.raw_headers = [
                (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _HOPS
            ]
            await response(scope, receive, send)


@contextmanager
def token_proxy(url: str, token: str) -> Iterator[str]:
    """The address of such a proxy before a service, in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(TokenProxy(url, token), log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        thread.join(timeout=30)
