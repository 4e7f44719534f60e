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

_STYLE = (
    ":root{--paper:#fff;--ink:#0f172a;--ink2:#475569;--axis:#94a3b8;--accent:#0b66c3;--bad:#b42318;--on:#fff;"
    "color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--paper:#0f1620;--ink:#e8eef6;--ink2:#a7b4c5;--axis:#5b6b80;"
    "--accent:#6cb4f8;--bad:#ff9b8f;--on:#08121e}}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:30rem;"
    "margin:12vh auto;padding:0 1.25rem}h1{font-size:1.6rem;line-height:1.2}label{color:var(--ink2);font-size:.88rem}"
    "input,button{font:inherit;width:100%;min-height:2.8rem;border-radius:6px;border:1px solid var(--axis);"
    "padding:.4rem .7rem;box-sizing:border-box;background:var(--paper);color:var(--ink)}"
    "button{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:600;cursor:pointer}"
    "[role=alert]{color:var(--bad);border-left:4px solid;padding:.3rem .7rem;font-weight:600}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:2px}.fix{color:var(--ink2);overflow-wrap:anywhere}"
)
_FIX = "The service showed a token at its first start. On its machine, unity-mlops token add NAME makes another."
_POLICY = "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">{again}
<title>Log in · unity-mlops</title><style>{style}</style></head><body>
<main><h1>Log in to unity-mlops</h1><p role="{role}">{message}</p>
<form method="post" action="/login"><p><label for="token">Token</label><br>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button>Log in</button></p></form>
<p class="fix">{fix}</p></main></body></html>
"""


def login_page(refused: Problem, *, from_elsewhere: bool = False, failed: bool = False) -> Response:
    """The page that a browser sees which has no session, with the status of what was refused.

    Args:
        refused: why.
        from_elsewhere: whether a page of another site led here. The browser kept the session's cookie back then, and
            sends it when this page asks for the same address.
        failed: whether somebody tried to log in, rather than came for the first time.
    """
    fix = _FIX if "WWW-Authenticate" in (refused.headers or {}) else refused.fix
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    again = '<meta http-equiv="refresh" content="0">' if from_elsewhere else ""
    role, message = "alert" if failed else "status", html.escape(refused.message)
    page = _PAGE.format(style=_STYLE, again=again, role=role, message=message, fix=html.escape(fix))
    headers = {
        **(refused.headers or {}),
        "Content-Security-Policy": _POLICY.format(style=style),
        "Referrer-Policy": "same-origin",  # under no-referrer a browser would send the form with "Origin: null"
    }
    return HTMLResponse(page, status_code=refused.status, headers=headers)


def login_router(door: Door) -> APIRouter:
    """The routes; none of them is part of the API. Over TLS the cookie travels over TLS only."""
    router = APIRouter(include_in_schema=False)

    def opened(request: Request, cookie: str | None, wrong: str, fix: str) -> Response:
        if cookie is None:
            return login_page(Problem(401, "unauthorized", wrong, fix), failed=True)
        response = RedirectResponse("/", status_code=303)
        secure = request.url.is_secure
        response.set_cookie(door.cookie, cookie, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
        return response

    @router.get("/login/{code}")
    def by_link(request: Request, code: str) -> Response:
        wrong = "That link was used already, or is older than five minutes."
        return opened(request, door.redeem(code), wrong, "Log in with a token instead.")

    @router.post("/login")
    def by_token(request: Request, token: Annotated[str, Form()]) -> Response:
        wrong = "That token is not valid, or it was revoked."
        return opened(request, door.session(token.strip()), wrong, _FIX)

    @router.post("/logout")
    def leave(request: Request, _: Annotated[Caller, Depends(require("read"))]) -> Response:
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(door.cookie, httponly=True, samesite="strict", secure=request.url.is_secure)
        return response

    return router
