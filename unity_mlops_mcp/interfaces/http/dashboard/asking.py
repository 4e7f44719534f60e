"""What a page is asked with, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.interfaces.access import Offer, Scope, allows, scope_of

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

QUICK_S, CALM_S = 2, 10
"""Seconds between two looks of an open page: while something goes on, and while nothing does."""

TOOLS = {
    "/": "list_runs",
    "/runs/{run_id}": "get_run",
    "/jobs/{job_id}": "get_run",
    "/reports/{report_id}": "get_run",
    "/compare": "compare_runs",
    "/models": "list_models",
    "/models/{name}": "list_models",
    "/models/{name}/{version}": "list_models",
    "/schedules": "list_schedules",
    "/schedules/{name}": "list_schedules",
    "/machine": "check_setup",
    "/runs/{id}/stop": "stop_training",
    "/runs/{id}/resume": "resume_training",
}
"""The tool that each address is another face of: where that is not offered, the address is not there."""


@dataclass(frozen=True)
class Visitor:
    """Who looks.

    Attributes:
        name: of the token that let the visitor in.
        scope: what it may do; ``read`` shows no buttons.
        csrf: goes into every form of a browser's session; without it nothing is done.
        offer: what the service offers to anybody.
    """

    name: str
    scope: Scope
    csrf: str
    offer: Offer = field(default_factory=Offer)

    def may(self, tool: str) -> bool:
        """Whether a tool is offered, and the scope is enough for it."""
        return self.offer.holds(tool) and allows(self.scope, scope_of(tool))


@dataclass(frozen=True)
class Asked:
    """A request for a page, or a form that was sent.

    Attributes:
        path: the parts of the path that the route names.
        query: the fields of the query or of the form, in their order, without the empty ones.
        visitor: who asks.
    """

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    visitor: Visitor

    def get(self, name: str) -> str | None:
        """The first value of a field; None where it was left out or empty."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a field."""
        return tuple(value for key, value in self.query if key == name)


@dataclass(frozen=True)
class Page:
    """What a template shows.

    Attributes:
        template: the file without its endings.
        title: of the window.
        shown: what the template reads.
        place: the entry of the navigation that it belongs to.
        refresh_s: seconds until the script looks again; 0: never.
        status: of HTTP.
    """

    template: str
    title: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    refresh_s: int = CALM_S
    status: int = 200


MakePage = Callable[["App", Asked], Page]
Act = Callable[["App", Asked], str]
"""Does what a form asks for and gives the address of the page to show then."""
