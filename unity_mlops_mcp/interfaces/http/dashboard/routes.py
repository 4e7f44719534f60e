"""Which address shows which page, and how errors look to a person."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, MlopsError, NotFoundError
from unity_mlops_mcp.interfaces.http.auth import CSRF_FIELD
from unity_mlops_mcp.interfaces.http.dashboard.asking import TOOLS, Act, Asked, MakePage, Page, Visitor
from unity_mlops_mcp.interfaces.http.dashboard.compare_page import compare
from unity_mlops_mcp.interfaces.http.dashboard.machine_page import machine
from unity_mlops_mcp.interfaces.http.dashboard.model_pages import card, model, models
from unity_mlops_mcp.interfaces.http.dashboard.rendering import HEADERS, assets, places, render
from unity_mlops_mcp.interfaces.http.dashboard.run_pages import job, resume, run, runs, stop
from unity_mlops_mcp.interfaces.http.dashboard.schedule_pages import schedule, schedules

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

PAGES: dict[str, MakePage] = {
    "/": runs,
    "/runs/{run_id}": run,
    "/jobs/{job_id}": job,
    "/compare": compare,
    "/models": models,
    "/models/{name}": model,
    "/models/{name}/{version}": card,
    "/schedules": schedules,
    "/schedules/{name}": schedule,
    "/machine": machine,
}
REPORT = "/reports/{report_id}"
ACTS: dict[str, Act] = {"/runs/{id}/stop": stop, "/runs/{id}/resume": resume}
MOST_FORM_BYTES = 20_000
_STATUS: tuple[tuple[type[MlopsError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidInputError, 400),
)
_KEPT = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
_SANDBOX = "sandbox allow-scripts; frame-ancestors 'none'"
_LOG = logging.getLogger(__name__)

Visit = Callable[[Request], Visitor]
"""Tells who looks; raises when nobody may."""


def routes(app: App, visit: Visit) -> list[BaseRoute]:
    """The routes of the dashboard.

    Args:
        app: the operations.
        visit: tells of a request who looks; what it raises is the service's to answer.
    """
    shown = [Route(path, _shows(app, visit, path, make), methods=["GET"]) for path, make in PAGES.items()]
    done = [Route(path, _does(app, visit, path, act), methods=["POST"]) for path, act in ACTS.items()]
    report = Route(REPORT, _report(app, visit), methods=["GET"])
    return [Route("/static/{name}", _static, methods=["GET"]), report, *shown, *done]


def respond(page: Page, visitor: Visitor | None) -> Response:
    """A page as a response, with the headers that every page has."""
    return HTMLResponse(render(page, visitor), status_code=page.status, headers=HEADERS)


def error_page(error: Exception) -> Page:
    """What a person reads of an error: ours says what to do; of any other only where it is written down."""
    if isinstance(error, MlopsError):
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 503)
        title = "There is no such thing" if isinstance(error, NotFoundError) else "That could not be done"
        return Page("error", title, {"error": error}, status=status, refresh_s=0)
    reference = secrets.token_hex(4)
    _LOG.error("A page could not be made (reference %s).", reference, exc_info=error)
    told = MlopsError(
        f"Something went wrong inside the service (reference {reference}).",
        fix="Look the reference up in the service's log, then load the page again.",
    )
    return Page("error", "Something went wrong", {"error": told}, status=500, refresh_s=0)


def _shows(app: App, visit: Visit, path: str, make: MakePage) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        visitor = visit(request)
        query = [(name, value) for name, value in request.query_params.multi_items() if value.strip()]
        first = next(iter(places(visitor).values()), "/")
        if path == "/" != first:  # where everybody begins, whatever is offered
            return RedirectResponse(first, status_code=303, headers=HEADERS)
        try:
            _require_offered(visitor, path)
            return respond(make(app, Asked(request.path_params, query, visitor)), visitor)
        except Exception as error:  # noqa: BLE001 - a person must read what went wrong, whatever it was
            return respond(error_page(error), visitor)

    return show


def _report(app: App, visit: Visit) -> Callable[[Request], Response]:
    """A report as it was made; it brings its own script and policy, and may do nothing in our name."""

    def show(request: Request) -> Response:
        from unity_mlops_mcp.reports.library import load_report
        from unity_mlops_mcp.reports.page import html_page

        visitor = visit(request)
        try:
            _require_offered(visitor, REPORT)
            text = html_page(load_report(app.settings.home, request.path_params["report_id"]), linked=False)
        except Exception as error:  # noqa: BLE001 - a person must read what went wrong, whatever it was
            return respond(error_page(error), visitor)
        return HTMLResponse(text, headers={**HEADERS, "content-security-policy": _SANDBOX})

    return show


def _does(app: App, visit: Visit, path: str, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def do(request: Request) -> Response:
        visitor = visit(request)
        form = await _form(request)
        return await to_thread.run_sync(_done, app, path, act, Asked(request.path_params, form, visitor))

    return do


def _done(app: App, path: str, act: Act, asked: Asked) -> Response:
    """What became of a form; it is done only for a visitor who may, and who was shown it by us."""
    try:
        _require_offered(asked.visitor, path)
        _require_may(asked, path)
        return RedirectResponse(act(app, asked), status_code=303, headers=HEADERS)
    except _RefusedError as error:
        return respond(Page("error", "Not allowed", {"error": error}, status=403, refresh_s=0), asked.visitor)
    except Exception as error:  # noqa: BLE001 - a person must read what went wrong, whatever it was
        return respond(error_page(error), asked.visitor)


class _RefusedError(MlopsError):
    """The visitor may not do it."""


def _require_offered(visitor: Visitor, path: str) -> None:
    if not visitor.offer.holds(TOOLS[path]):
        raise NotFoundError(
            f"This service does not offer {TOOLS[path]}.",
            fix="It was started with --tools or --read-only, which leave that out.",
        )


def _require_may(asked: Asked, path: str) -> None:
    if not secrets.compare_digest((asked.get(CSRF_FIELD) or "").encode(), asked.visitor.csrf.encode()):
        raise _RefusedError(
            "The form was not made for this session, so nothing was done.",
            fix="Go back, load the page again, try again.",
        )
    if not asked.visitor.may(TOOLS[path]):
        raise _RefusedError(
            "You may look, and change nothing: your scope is read.",
            fix="Log in with a token of the scope run; `unity-mlops token add NAME --scope run` makes one.",
        )


async def _form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form; of one that is too long, none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            return []
    found = parse_qsl(body.decode("utf-8", "replace"))
    return [(name, value.strip()) for name, value in found if value.strip()]


def _static(request: Request) -> Response:
    asset = assets().get(request.path_params["name"])
    if asset is None:
        return respond(error_page(NotFoundError("There is no such file.", fix="Begin at the list of runs.")), None)
    return Response(asset.content, media_type=asset.media_type, headers=_KEPT)
