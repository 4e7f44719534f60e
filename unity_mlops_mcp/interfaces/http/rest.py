"""REST: every tool at its address, with the tool's own arguments, bounds and words."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import anyio.to_thread
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, WithJsonSchema, create_model
from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import Response

from unity_mlops_mcp.interfaces.access import Offer, scope_of
from unity_mlops_mcp.interfaces.http.auth import BEARER, require
from unity_mlops_mcp.interfaces.http.problems import PROBLEMS
from unity_mlops_mcp.interfaces.http.reading import Reads
from unity_mlops_mcp.interfaces.http.routes import ROUTES, Route
from unity_mlops_mcp.interfaces.mcp.arguments import Text
from unity_mlops_mcp.interfaces.mcp.strict import StrictTool
from unity_mlops_mcp.interfaces.mcp.tools import make_tools
from unity_mlops_mcp.spec.base import Strict

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

Arguments = Mapping[str, Any]
_STRUCTURED = Annotated[Text, WithJsonSchema({"type": ["string", "object", "array"]})]
"""Text that may be given as the JSON itself."""
_TAGS = {"runs": "Runs", "models": "Models", "promotions": "Models", "rollbacks": "Models", "installations": "Models"}


def rest_router(app: App, offer: Offer, reads: Reads) -> APIRouter:
    """The routes of all tools that are offered."""
    router = APIRouter(responses=PROBLEMS, dependencies=[BEARER])
    tools = {tool.name: tool for tool in make_tools(lambda: app) if offer.holds(tool.name)}
    for route in ROUTES:
        if route.tool in tools:
            _add(router, route, tools[route.tool], _call(app, tools[route.tool]), reads)
    return router


def _add(router: APIRouter, route: Route, tool: StrictTool, call: Call, reads: Reads) -> None:
    router.add_api_route(
        route.path,
        _endpoint(route, tool, call, reads),
        methods=[route.method],
        name=route.tool,
        operation_id=route.tool,
        summary=tool.title,
        description=f"{tool.description}\n\nScope: {scope_of(route.tool)}.",
        response_model=tool.fn_metadata.output_model,
        tags=[_TAGS.get(route.path.split("/")[1], "Making")],
    )


Call = Callable[[Arguments], Awaitable[BaseModel]]


def _call(app: App, tool: StrictTool) -> Call:
    """What runs a tool's operation: on the loop when it waits, else in a thread."""
    if tool.name == "wait_for":  # over MCP it tells its progress besides
        return lambda arguments: app.wait_for(**arguments)
    unasked = dict.fromkeys(tool.resolved_params)  # no client's model can be asked here

    async def run(arguments: Arguments) -> BaseModel:
        if tool.is_async:
            waited: BaseModel = await tool.fn(**arguments, **unasked)
            return waited
        done: BaseModel = await anyio.to_thread.run_sync(partial(tool.fn, **arguments, **unasked))
        return done

    return run


def _endpoint(route: Route, tool: StrictTool, call: Call, reads: Reads) -> Callable[..., Awaitable[Response]]:
    """The function that FastAPI calls; its signature is made from the tool's arguments."""

    async def endpoint(request: Request, **given: Any) -> Response:
        rest = given.pop("arguments", None)
        arguments = {**given, **({name: getattr(rest, name) for name in type(rest).model_fields} if rest else {})}
        await require(scope_of(route.tool, arguments))(request)

        if route.shared:
            asked = f"{route.tool} {sorted(arguments.items())}"
            body = await reads.get(asked, lambda: call(arguments))
        else:
            body = (await call(arguments)).model_dump_json().encode()
        return Response(body, media_type="application/json")

    endpoint.__signature__ = inspect.Signature(_parameters(route, tool))  # type: ignore[attr-defined]
    return endpoint


def _parameters(route: Route, tool: StrictTool) -> list[inspect.Parameter]:
    fields = tool.fn_metadata.arg_model.model_fields
    in_path = [name for name in fields if f"{{{name}}}" in route.path]
    made = [_parameter("request", Request), *(_parameter(name, _in_path(fields[name])) for name in in_path)]
    rest = {name: field for name, field in fields.items() if name not in in_path}
    if rest:
        model = _model(tool.name, rest, strict=route.method == "POST")
        if route.method == "GET":
            made.append(_parameter("arguments", Annotated[model, Query()]))
        elif any(field.is_required() for field in rest.values()):
            made.append(_parameter("arguments", Annotated[model, Body()]))
        else:
            made.append(_parameter("arguments", Annotated[model, Body()], default=model()))
    return made


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _in_path(field: FieldInfo) -> Any:
    return Annotated[str, Path(description=field.description, min_length=1)]


class _Body(Strict):
    model_config = ConfigDict(strict=True)


def _model(tool: str, fields: Mapping[str, FieldInfo], *, strict: bool) -> type[BaseModel]:
    """The arguments that do not stand in the path; a body takes numbers as numbers only, a query as text."""
    name = "".join(part.title() for part in tool.split("_")) + "Arguments"
    typed: dict[str, Any] = {key: (_structured(field.annotation), field) for key, field in fields.items()}
    return create_model(name, __base__=_Body if strict else Strict, **typed)


def _structured(annotation: Any) -> Any:
    """The same type, where the document says that JSON is taken as well as its text."""
    if get_origin(annotation) is None or Text not in get_args(annotation):
        return annotation
    arms = [_STRUCTURED if arm == Text else arm for arm in get_args(annotation)]
    union = arms[0]
    for arm in arms[1:]:
        union = or_(union, arm)
    return union
