"""The tools, resources and prompts that the MCP conformance suite calls: added to our server for that suite alone."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.message import ServerMessageMetadata
from mcp.types import (
    AudioContent,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)

Ctx = Context[Any, Any]
Asked = list[ContentBlock] | InputRequiredResult


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    + _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    + _chunk(b"IEND", b"")
).decode()
WAV = base64.b64encode(
    b"RIFF\x26\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"
    b"data\x02\x00\x00\x00\x00\x00"
).decode()
STATE = "round-{number}"


def said(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def resource(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def question(message: str, field: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(text: str, max_tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=said(text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens))


def beside(context: Ctx) -> ServerMessageMetadata:
    """Lets a question travel with the call's own answer: another stream may not be open yet."""
    return ServerMessageMetadata(related_request_id=context.request_id)


def answered(context: Ctx, key: str, kind: type[Any]) -> Any:
    """The client's answer to one question, or None where there is none of that kind."""
    answer = (context.input_responses or {}).get(key)
    return answer if isinstance(answer, kind) else None


def ask(state: str | None = None, /, **requests: InputRequest) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def add_fixtures(server: MCPServer[Any]) -> None:
    """All of them; each does what the description of its scenario says."""
    for add in ADDING:
        add(server)


def _add_contents(server: MCPServer[Any]) -> None:
    contents: dict[str, list[ContentBlock]] = {
        "test_simple_text": [said("This is a simple text response for testing.")],
        "test_image_content": [image()],
        "test_audio_content": [AudioContent(type="audio", data=WAV, mime_type="audio/wav")],
        "test_embedded_resource": [resource("test://embedded-resource", "This is an embedded resource content.")],
        "test_multiple_content_types": [
            said("Multiple content types test:"),
            image(),
            resource("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
        ],
    }

    def giving(blocks: list[ContentBlock]) -> Callable[[], list[ContentBlock]]:
        return lambda: blocks

    for name, blocks in contents.items():
        server.add_tool(giving(blocks), name=name, description="Gives fixed content.", structured_output=False)

    @server.tool(description="Always fails.")
    def test_error_handling() -> str:
        raise ToolError("This tool intentionally returns an error for testing")


def _add_progress(server: MCPServer[Any]) -> None:
    @server.tool(description="Tells its progress.")
    async def test_tool_with_progress(context: Ctx) -> str:
        for progress in (0, 50, 100):
            await context.report_progress(progress, 100)
            await anyio.sleep(0.05)
        return "done"

    async def tell(context: Ctx) -> str:
        for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await context.session.send_log_message("info", text, related_request_id=context.request_id)
            await anyio.sleep(0.05)
        return "done"

    for name in ("test_tool_with_logging", "test_logging_tool"):
        server.add_tool(tell, name=name, description="Sends log messages.")


def _add_conversations(server: MCPServer[Any]) -> None:
    @server.tool(description="Asks the client's model.", structured_output=False)
    async def test_sampling(prompt: str, context: Ctx) -> list[ContentBlock]:
        answer: CreateMessageResult = await context.session.send_request(
            sample(prompt, 100), CreateMessageResult, metadata=beside(context)
        )
        return [said(f"LLM response: {answer.content}")]

    async def elicited(context: Ctx, message: str, schema: dict[str, Any]) -> ElicitResult:
        request = ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))
        answer: ElicitResult = await context.session.send_request(request, ElicitResult, metadata=beside(context))
        return answer

    @server.tool(description="Asks the user.", structured_output=False)
    async def test_elicitation(message: str, context: Ctx) -> list[ContentBlock]:
        text = {"type": "string", "description": "An answer"}
        schema = {"type": "object", "properties": {"username": text, "email": text}, "required": ["username", "email"]}
        answer = await elicited(context, message, schema)
        return [said(f"User response: action={answer.action}, content={answer.content}")]

    def asking(schema: dict[str, Any]) -> Callable[[Ctx], Any]:
        async def asked(context: Ctx) -> list[ContentBlock]:
            answer = await elicited(context, "Please fill this in.", schema)
            return [said(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")]

        return asked

    for name, properties in (("sep1034_defaults", DEFAULTS), ("sep1330_enums", ENUMS)):
        schema = {"type": "object", "properties": properties, "required": []}
        server.add_tool(
            asking(schema), name=f"test_elicitation_{name}", description="Asks the user.", structured_output=False
        )


DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
_CHOICES = ["option1", "option2", "option3"]
_TITLED = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": _CHOICES},
    "titledSingle": {"type": "string", "oneOf": _TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _CHOICES}},
    "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
}


def _add_questions(server: MCPServer[Any]) -> None:
    @server.tool(description="Asks by answering.", structured_output=False)
    async def test_input_required_result_elicitation(context: Ctx) -> Asked:
        answer = answered(context, "user_name", ElicitResult)
        if answer is None or "name" not in (answer.content or {}):
            return ask(user_name=question("What is your name?", "name"))
        return [said(f"Hello, {answer.content['name']}!")]

    server.add_tool(
        test_input_required_result_elicitation,
        name="test_streaming_elicitation",
        description="Asks by answering.",
        structured_output=False,
    )

    @server.tool(description="Asks the model by answering.", structured_output=False)
    async def test_input_required_result_sampling(context: Ctx) -> Asked:
        answer = answered(context, "capital_question", CreateMessageResult)
        if answer is None:
            return ask(capital_question=sample("What is the capital of France?", 100))
        return [said(str(answer.content))]

    @server.tool(description="Asks for roots by answering.", structured_output=False)
    async def test_input_required_result_list_roots(context: Ctx) -> Asked:
        answer = answered(context, "client_roots", ListRootsResult)
        if answer is None:
            return ask(client_roots=ListRootsRequest())
        return [said(", ".join(str(root.uri) for root in answer.roots))]


def _add_capabilities(server: MCPServer[Any]) -> None:
    @server.tool(description="Asks only what the client can answer.", structured_output=False)
    async def test_input_required_result_capabilities(context: Ctx) -> Asked:
        offered = context.client_capabilities
        requests: dict[str, InputRequest] = {}
        if offered is not None and offered.sampling is not None:
            requests["capital_question"] = sample("What is the capital of France?", 100)
        if offered is not None and offered.elicitation is not None:
            requests["user_name"] = question("What is your name?", "name")
        return ask(None, **requests) if requests and not context.input_responses else [said("done")]

    @server.tool(description="Needs a client that can sample.", structured_output=False)
    async def test_missing_capability(context: Ctx) -> list[ContentBlock]:
        offered = context.client_capabilities
        if offered is None or offered.sampling is None:
            data: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
            raise MCPError(code=-32021, message="This needs the capability sampling.", data=data)
        return [said("done")]


def _add_rounds(server: MCPServer[Any]) -> None:
    async def confirmed(context: Ctx) -> Asked:
        if context.request_state is None or answered(context, "confirm", ElicitResult) is None:
            return ask(STATE.format(number=1), confirm=question("Please confirm", "ok", "boolean"))
        return [said("state-ok")]

    for name in ("request_state", "tampered_state"):
        server.add_tool(
            confirmed,
            name=f"test_input_required_result_{name}",
            description="Asks by answering, with a state.",
            structured_output=False,
        )

    @server.tool(description="Asks three things at once.", structured_output=False)
    async def test_input_required_result_multiple_inputs(context: Ctx) -> Asked:
        if not {"user_name", "greeting", "client_roots"} <= set(context.input_responses or {}):
            return ask(
                STATE.format(number=1),
                user_name=question("What is your name?", "name"),
                greeting=sample("Generate a greeting", 50),
                client_roots=ListRootsRequest(),
            )
        return [said("done")]

    @server.tool(description="Asks twice.", structured_output=False)
    async def test_input_required_result_multi_round(context: Ctx) -> Asked:
        if context.request_state == STATE.format(number=2) and answered(context, "step2", ElicitResult):
            return [said("done")]
        if context.request_state == STATE.format(number=1) and answered(context, "step1", ElicitResult):
            return ask(STATE.format(number=2), step2=question("Step 2: What is your favorite color?", "color"))
        return ask(STATE.format(number=1), step1=question("Step 1: What is your name?", "name"))


def _add_changes(server: MCPServer[Any]) -> None:
    @server.tool(description="Says that the tools have changed.")
    async def test_trigger_tool_change(context: Ctx) -> str:
        await context.notify_tools_changed()
        return "done"

    @server.tool(description="Says that the prompts have changed.")
    async def test_trigger_prompt_change(context: Ctx) -> str:
        await context.notify_prompts_changed()
        return "done"

    async def subscribe(_: Any, params: SubscribeRequestParams) -> EmptyResult:
        del params
        return EmptyResult()

    async def unsubscribe(_: Any, params: UnsubscribeRequestParams) -> EmptyResult:
        del params
        return EmptyResult()

    low_level = server._lowlevel_server
    low_level.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    low_level.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        """Fixed text."""
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        """A picture of one pixel."""
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        """Something to subscribe to."""
        return "Watched."

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def data(id: str) -> str:  # noqa: A002 - the name that the suite gives it
        """What the id says."""
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description="A fixed prompt.")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="Two arguments.")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="Embeds a resource.")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's name
        embedded = resource(resourceUri, "Embedded resource content for testing.")
        return [
            UserMessage(embedded),
            UserMessage(said("Please process the embedded resource above.")),
        ]

    @server.prompt(description="Shows a picture.")
    def test_prompt_with_image() -> list[UserMessage]:
        return [
            UserMessage(image()),
            UserMessage(said("Please analyze the image above.")),
        ]

    @server.prompt(description="Asks by answering.")
    async def test_input_required_result_prompt(context: Ctx) -> Any:
        answer = answered(context, "user_context", ElicitResult)
        if answer is None:
            return ask(user_context=question("What context should the prompt use?", "context"))
        return [UserMessage(said(f"Use this: {answer.content}"))]


ADDING = (
    _add_contents,
    _add_progress,
    _add_conversations,
    _add_questions,
    _add_capabilities,
    _add_rounds,
    _add_changes,
    _add_resources,
    _add_prompts,
)
