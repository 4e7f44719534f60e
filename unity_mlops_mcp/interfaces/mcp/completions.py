"""What a client offers while its user fills in an argument of a prompt or of a resource's address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    EmptyResult,
    PromptReference,
    ResourceTemplateReference,
    SetLevelRequestParams,
)

from unity_mlops_mcp.errors import MlopsError

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from unity_mlops_mcp.app import App

Complete = Callable[
    [PromptReference | ResourceTemplateReference, CompletionArgument, CompletionContext | None], Awaitable[Completion]
]
_MAX_VALUES = 20
_MINUTES = ("2", "5", "10", "30", "60")


def add_completions(server: MCPServer[Any], app: Callable[[], App]) -> None:
    """Offer run ids, versions, archetypes and lengths of time."""
    known: dict[str, Callable[[], Iterable[str]]] = {
        "run_id": lambda: (run.run_id for run in app().list_runs(limit=50).runs),
        "version": lambda: (row.version for model in app().list_models(limit=50).models for row in model.versions),
        "name": _archetypes,
        "minutes": lambda: _MINUTES,
    }

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        del ref, context
        give = known.get(argument.name)
        if give is None:
            return Completion(values=[], has_more=False)
        try:
            found = await anyio.to_thread.run_sync(lambda: [text for text in give() if text.startswith(argument.value)])
        except MlopsError:  # nobody asked for an operation: there just is nothing to offer
            found = []
        return Completion(values=found[:_MAX_VALUES], total=len(found), has_more=len(found) > _MAX_VALUES)

    register: Callable[[Complete], object] = server.completion()  # type: ignore[no-untyped-call] # the SDK's omission
    register(complete)


def accept_log_levels(server: MCPServer[Any]) -> None:
    """Take the level that clients of the older protocol set: they may do so before anything else.

    This server tells its client by results and progress, and sends no log messages, so that any level is kept to.
    """

    async def accept(_: Any, params: SetLevelRequestParams) -> EmptyResult:
        del params
        return EmptyResult()

    low_level = server._lowlevel_server  # noqa: SLF001 - the SDK has no public way since the method is deprecated
    low_level.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)


def _archetypes() -> Iterable[str]:
    from unity_mlops_mcp.spec.archetypes import archetype_names

    return archetype_names()
