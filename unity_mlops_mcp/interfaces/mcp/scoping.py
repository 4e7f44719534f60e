"""Scopes over MCP: a caller sees and calls the tools that the token's scope is enough for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.types import CallToolResult, ListToolsResult, TextContent

from unity_mlops_mcp.interfaces.access import Scope, allows, scope_of

Context = ServerRequestContext[Any, Any]


def scoped(held: Callable[[Context], Scope]) -> ServerMiddleware[Any]:
    """A middleware of the server.

    Args:
        held: the scope of who sent a message.
    """

    async def check(ctx: Context, call_next: CallNext) -> HandlerResult:
        if ctx.method == "tools/call":
            refused = _refused(held(ctx), ctx.params or {})
            return refused or await call_next(ctx)
        result = await call_next(ctx)
        if ctx.method == "tools/list":
            return _only(held(ctx), result)
        return result

    return check


def _refused(held: Scope, params: Any) -> CallToolResult | None:
    name = params.get("name")
    arguments = params.get("arguments")
    needed = scope_of(str(name), arguments if isinstance(arguments, dict) else None)
    if allows(held, needed):
        return None
    text = (
        f"This call of {name} needs the scope {needed}; here the scope is {held}.\n"
        "Fix: ask the user for a token of that scope (unity-mlops token add NAME --scope "
        f"{needed}), or for a server that was started without --read-only.\nCause: forbidden"
    )
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _only(held: Scope, result: HandlerResult) -> HandlerResult:
    if isinstance(result, ListToolsResult):
        result.tools = [tool for tool in result.tools if allows(held, scope_of(tool.name))]
    elif isinstance(result, dict):
        result = {**result, "tools": [tool for tool in result["tools"] if allows(held, scope_of(tool["name"]))]}
    return result
