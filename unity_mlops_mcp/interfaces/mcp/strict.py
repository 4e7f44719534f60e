"""A tool that refuses what it does not know, explains its errors to a model, and publishes flat schemas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from unity_mlops_mcp.errors import MlopsError, refused_by_system, unknown_name
from unity_mlops_mcp.interfaces.mcp.bounds import bounded, compact_json
from unity_mlops_mcp.interfaces.mcp.schemas import flat_schema

_MAX_EVIDENCE = 12
_MAX_LINE = 2_000


@cache
def _rebuilt(model: type[BaseModel]) -> None:
    """Let a model's changed configuration count; once, and not while a client waits for the list of tools."""
    model.model_rebuild(force=True)


class StrictTool(Tool):
    """A tool of the SDK with unknown arguments forbidden; it answers with a pydantic record."""

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        title: str,
        annotations: ToolAnnotations,
        description: str,
        meta: dict[str, Any] | None = None,
    ) -> StrictTool:
        """The tool that calls ``function``, whose annotations describe arguments and result."""
        made = Tool.from_function(function, title=title, annotations=annotations, description=description, meta=meta)
        tool = cls.model_construct(_fields_set=set(made.model_fields_set), **dict(made))
        model = tool.fn_metadata.arg_model
        model.model_config["extra"] = "forbid"  # counts from the first call on: see _rebuilt
        tool.parameters = flat_schema({**made.parameters, "additionalProperties": False}, nullable=False)
        tool.fn_metadata.output_schema = flat_schema(tool.fn_metadata.output_schema or {}, nullable=True)
        return tool

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Call the function.

        Raises:
            ToolError: the arguments cannot be used, or the operation said what went wrong and what mends it.
        """
        _rebuilt(self.fn_metadata.arg_model)
        try:
            result = await super().run(arguments, context)
        except ToolError as error:
            raise self._readable(error) from error.__cause__
        if isinstance(result, InputRequiredResult):  # a question to the client, not yet a result
            return result
        return _answer(result) if convert_result else result

    def _readable(self, error: ToolError) -> ToolError:
        """The error in the words that a model can act on."""
        cause = error.__cause__
        if isinstance(cause, OSError):
            cause = refused_by_system(cause) or cause
        if isinstance(cause, MlopsError):
            return ToolError(error_text(cause))
        if isinstance(error, UnexpectedToolError):
            return UnexpectedToolError(
                f"{self.name} failed inside unity-mlops-mcp ({type(cause).__name__}); nothing is known to be lost. "
                "The server's standard error holds the details. Call check_setup, then try again."
            )
        if isinstance(cause, ValidationError):
            return ToolError(self._misuse(cause))
        return error

    def _misuse(self, error: ValidationError) -> str:
        names = list(self.parameters["properties"])
        faults = "".join("\n- " + _fault(fault, names) for fault in error.errors(include_url=False))
        return f"{self.name} cannot use these arguments:{faults}\nIts arguments are: {', '.join(names) or 'none'}"


def error_text(error: MlopsError) -> str:
    """Message, fix, cause and evidence as lines for a model; what quotes a huge argument is cut."""
    lines = [_cut(error.message), f"Fix: {_cut(error.fix)}", f"Cause: {error.cause}"]
    if error.evidence:
        lines.append("Evidence:")
        lines.extend(f"  {line[:400]}" for line in error.evidence[-_MAX_EVIDENCE:])
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LINE else f"{text[: _MAX_LINE // 2]} … {text[-_MAX_LINE // 2 :]}"


def _fault(fault: ErrorDetails, names: list[str]) -> str:
    """One fault, such as ``max_step: unknown; did you mean max_steps?``."""
    where = ".".join(str(part) for part in fault["loc"]) or "arguments"
    if fault["type"] != "extra_forbidden":
        return f"{where}: {fault['msg']}"
    return f"{where}: {unknown_name(where, names)}"


def _answer(result: BaseModel) -> CallToolResult:
    """The record as structured content and as the same JSON in text; records are valid by construction."""
    data = bounded(result.model_dump(mode="json"))
    return CallToolResult(content=[TextContent(type="text", text=compact_json(data))], structured_content=data)
