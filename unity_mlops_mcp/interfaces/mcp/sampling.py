"""Asks the chat client's own model for an environment spec, where the client offers it, in both protocol eras.

A tool takes the answer as an argument that the caller never sees::

    client_answer: sampling.AnswerToDescription

The resolvers behind it ask once, and once more with the problems where the first answer cannot be used.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import anyio.to_thread
from mcp import MCPError
from mcp.server.mcpserver import Context, Resolve, Sample
from mcp.shared.message import ServerMessageMetadata
from mcp.types import CreateMessageRequest, CreateMessageResult, SamplingMessage, TextContent

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.spec.clients import ClientAnswer

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.questions import ClientQuestion

STATELESS = "2026-07-28"
"""From this revision on the server asks by answering, and the client calls again."""
PATIENCE_S = 120.0
"""How long an older client's model, and its user who allows the question, may take."""
_log = logging.getLogger(__name__)

Asked = Sample | CreateMessageResult | ClientAnswer | None


async def draft_for_description(
    *,
    context: Context[Any, Any],
    description: str | None,
    observation_space: str | None,
    action_space: str | None,
    use_llm: bool | None,
) -> Sample | Any:
    """The model's first answer about a tool's ``description``; None where it is not to be asked."""
    question = await _question(context, description, observation_space, action_space, use_llm)
    return await _first(context, question)


async def answer_to_description(
    *,
    context: Context[Any, Any],
    description: str | None,
    observation_space: str | None,
    action_space: str | None,
    use_llm: bool | None,
    draft: Annotated[Any, Resolve(draft_for_description)],
) -> Sample | Any:
    """The model's answer about a tool's ``description``, mended where the first one could not be used."""
    if not isinstance(draft, CreateMessageResult):
        return draft
    question = await _question(context, description, observation_space, action_space, use_llm)
    return await _mended(context, question, draft)


async def draft_for_request(context: Context[Any, Any], request: str | None) -> Sample | Any:
    """The model's first answer about a tool's ``request``; None where it is not to be asked."""
    return await _first(context, await _question(context, request))


async def answer_to_request(
    context: Context[Any, Any], request: str | None, draft: Annotated[Any, Resolve(draft_for_request)]
) -> Sample | Any:
    """The model's answer about a tool's ``request``, mended where the first one could not be used."""
    if not isinstance(draft, CreateMessageResult):
        return draft
    return await _mended(context, await _question(context, request), draft)


AnswerToDescription = Annotated[Any, Resolve(answer_to_description)]
AnswerToRequest = Annotated[Any, Resolve(answer_to_request)]


def client_answer(value: Any) -> ClientAnswer | None:
    """What a resolved argument holds, for the application."""
    if isinstance(value, CreateMessageResult):
        return ClientAnswer(text=_text(value), model=value.model)
    return value if isinstance(value, ClientAnswer) else None


async def _question(
    context: Context[Any, Any],
    description: str | None,
    observation_space: str | None = None,
    action_space: str | None = None,
    use_llm: bool | None = None,
) -> ClientQuestion | None:
    """What to ask; None where the client offers no model, or none is wanted; the tool itself tells misuse."""
    capabilities = context.client_capabilities
    if not description or use_llm is False or capabilities is None or capabilities.sampling is None:
        return None
    late_app = context.request_context.lifespan_context
    try:
        return await anyio.to_thread.run_sync(
            lambda: late_app().client_question(description, observation_space, action_space)
        )
    except MlopsError:
        return None


async def _first(context: Context[Any, Any], question: ClientQuestion | None) -> Asked:
    if question is None:
        return None
    return question.known or await _ask(context, question, [_said("user", question.text)])


async def _mended(context: Context[Any, Any], question: ClientQuestion | None, draft: CreateMessageResult) -> Asked:
    answer = _text(draft)
    problems = question.repair(answer) if question else None
    if question is None or problems is None:
        return draft
    said = [_said("user", question.text), _said("assistant", answer), _said("user", problems)]
    return await _ask(context, question, said) or draft


async def _ask(context: Context[Any, Any], question: ClientQuestion, said: list[SamplingMessage]) -> Asked:
    """The marker that lets the SDK ask, or an older client's answer; None where its user declines or it fails."""
    sample = Sample(said, max_tokens=question.max_tokens, system_prompt=question.instructions)
    if (context.protocol_version or "") >= STATELESS:
        return sample
    if not context.session.can_send_request:
        return None
    try:
        with anyio.fail_after(PATIENCE_S):
            answer: CreateMessageResult = await context.session.send_request(
                CreateMessageRequest(params=sample.params),
                CreateMessageResult,
                metadata=ServerMessageMetadata(related_request_id=context.request_id),
            )
    except (MCPError, TimeoutError) as error:
        _log.info("The client's model was not to be had: %s", error)
        return None
    return answer


def _said(role: Any, text: str) -> SamplingMessage:
    return SamplingMessage(role=role, content=TextContent(type="text", text=text))


def _text(result: CreateMessageResult) -> str:
    """The text of an answer; other kinds of content say nothing."""
    blocks = result.content if isinstance(result.content, list) else [result.content]
    return "\n".join(block.text for block in blocks if isinstance(block, TextContent))
