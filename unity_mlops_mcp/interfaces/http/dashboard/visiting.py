"""How the dashboard stands in the service: who looks, and what is shown where there is no page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.interfaces.http.auth import caller_of
from unity_mlops_mcp.interfaces.http.dashboard.asking import Visitor
from unity_mlops_mcp.interfaces.http.dashboard.routes import error_page, respond, routes
from unity_mlops_mcp.interfaces.http.problems import handle_known

if TYPE_CHECKING:
    from fastapi import FastAPI

    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.interfaces.access import Offer


def add_dashboard(inside: FastAPI, app: App, offer: Offer) -> None:
    """Add the pages of what is offered to a service whose guard has told who asks."""

    def visitor_of(request: Request) -> Visitor:
        caller = caller_of(request)
        return Visitor(name=caller.name, scope=caller.scope, csrf=caller.csrf, offer=offer)

    async def missing(request: Request, error: Exception) -> Response:
        """What is at an address where nothing is: a page for people, a record for programs."""
        if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
            return await handle_known(request, error)
        told = NotFoundError("There is no page at this address.", fix="Begin at the list of runs.")
        return respond(error_page(told), visitor_of(request))

    inside.router.routes.extend(routes(app, visitor_of))
    inside.add_exception_handler(404, missing)
