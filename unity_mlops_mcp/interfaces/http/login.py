"""How a browser comes in: a one-time link, or the token in a form; and how it goes."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from unity_mlops_mcp.interfaces.http.auth import SESSION_S, Caller, Door, require
from unity_mlops_mcp.interfaces.http.problems import Problem

_STYLE = "body{font:16px/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit}"
_POLICY = "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Log in</title><style>{style}</style></head><body>
<main><h1>Log in</h1><p role="status">{message}</p>
<form method="post" action="/login"><p><label for="token">Token</label><br>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button>Log in</button></p></form>
<p>{fix}</p></main></body></html>
"""


def login_page(refused: Problem) -> Response:
    """The page that a browser sees which has no session, with the status of what was refused."""
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    page = _PAGE.format(style=_STYLE, message=html.escape(refused.message), fix=html.escape(refused.fix))
    headers = {**(refused.headers or {}), "Content-Security-Policy": _POLICY.format(style=style)}
    return HTMLResponse(page, status_code=refused.status, headers=headers)


def login_router(door: Door) -> APIRouter:
    """The routes; none of them is part of the API. Over TLS the cookie travels over TLS only."""
    router = APIRouter(include_in_schema=False)

    def opened(request: Request, cookie: str | None, fix: str) -> Response:
        if cookie is None:
            return login_page(Problem(401, "unauthorized", "That opens nothing here (any more).", fix))
        response = RedirectResponse("/", status_code=303)
        secure = request.url.is_secure
        response.set_cookie(door.cookie, cookie, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
        return response

    @router.get("/login/{code}")
    def by_link(request: Request, code: str) -> Response:
        return opened(request, door.redeem(code), "A link works once, within five minutes.")

    @router.post("/login")
    def by_token(request: Request, token: Annotated[str, Form()]) -> Response:
        return opened(request, door.session(token.strip()), "Make a token with: unity-mlops token add NAME")

    @router.post("/logout")
    def leave(request: Request, _: Annotated[Caller, Depends(require("read"))]) -> Response:
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(door.cookie, httponly=True, samesite="strict", secure=request.url.is_secure)
        return response

    return router
