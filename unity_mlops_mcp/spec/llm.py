"""Asks a configured language model for an environment spec: several ways of asking, bounded tries, one deadline."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError
from unity_mlops_mcp.spec.answers import SpecAnswer, fitting, read_answer
from unity_mlops_mcp.spec.instructions import client_instructions, llm_instructions, request_text
from unity_mlops_mcp.spec.llm_failures import BUSY, failure, named
from unity_mlops_mcp.spec.requests import UnityAssetSpec

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model

MODES = ("tool", "native", "prompted")
"""Ways of asking for structured output, the surest first: a tool call, the provider's JSON schema, words alone."""
MAX_BYTES = 4_000_000
"""Bytes of one response that are read at most."""
REFUSED_MODE = frozenset({400, 404, 405, 415, 422, 501})
"""Statuses with which servers that lack a way of asking refuse it; then the next way is tried."""
PAUSE_S = 0.5
"""Seconds before a busy endpoint is asked again; doubled each time."""


def ask(asset: UnityAssetSpec, settings: Settings) -> SpecAnswer:
    """The configured model's answer to a request; may be called with or without a running event loop.

    Raises:
        SetupError: the settings are incomplete, the extra ``llm`` is not installed, or the key is refused.
        ExternalError: the model did not answer in time, not at all, or never with a valid spec; the cause says which.
    """
    secret = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
    try:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, _within(asset, settings)).result()
    except MlopsError as error:
        raise type(error)(
            _without(secret, error.message),
            fix=_without(secret, error.fix),
            cause=error.cause,
            evidence=[_without(secret, line) for line in error.evidence],
        ) from None


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if secret else text


async def _within(asset: UnityAssetSpec, settings: Settings) -> SpecAnswer:
    try:
        return await asyncio.wait_for(_ask(asset, settings), settings.llm_timeout_s)
    except (TimeoutError, asyncio.TimeoutError):
        raise ExternalError(
            f"{named(settings)} gave no valid spec within {settings.llm_timeout_s:g} s.",
            fix="Raise UNITY_MLOPS_LLM_TIMEOUT_S, use a quicker model, or pass use_llm=false.",
            cause="llm_timeout",
        ) from None


async def _ask(asset: UnityAssetSpec, settings: Settings) -> SpecAnswer:
    """Ask in one way after the other, until one is not refused."""
    from pydantic_ai.exceptions import ModelHTTPError, UserError

    from unity_mlops_mcp.spec.providers import language_model

    refusals: list[str] = []
    async with language_model(settings, max_bytes=MAX_BYTES) as model:
        for mode in MODES:
            try:
                return await _patiently(_agent(mode, model, asset, settings), asset, settings)
            except ModelHTTPError as error:  # noqa: PERF203
                refusals.append(f"{mode}: {error.status_code} {_shortened(error.body)}")
            except UserError:  # the client library knows that the model cannot be asked so
                refusals.append(f"{mode}: unknown to this model")
    raise ExternalError(
        f"{named(settings)} refused the request in every form ({', '.join(MODES)}).",
        fix="Check UNITY_MLOPS_LLM_MODEL and UNITY_MLOPS_LLM_BASE_URL (with its path, such as /v1).",
        cause="llm_refused",
        evidence=refusals,
    )


def _agent(mode: str, model: Model, asset: UnityAssetSpec, settings: Settings) -> Agent[object, SpecAnswer]:
    """One way of asking; an answer in plain text counts in the first and the last."""
    from pydantic_ai import Agent, ModelRetry, NativeOutput, TextOutput, ToolOutput

    def from_text(text: str) -> SpecAnswer:
        try:
            return read_answer(text, asset)
        except InvalidInputError as error:
            raise ModelRetry(str(error)) from None

    def with_sizes(answer: SpecAnswer) -> SpecAnswer:
        try:
            return fitting(answer, asset)
        except InvalidInputError as error:
            raise ModelRetry(str(error)) from None

    outputs: dict[str, Any] = {
        "tool": [ToolOutput(SpecAnswer, name="environment"), TextOutput(from_text)],
        "native": NativeOutput(SpecAnswer, name="environment"),
        "prompted": TextOutput(from_text),
    }
    agent = Agent(
        model,
        output_type=outputs[mode],
        instructions=client_instructions() if mode == "prompted" else llm_instructions(),
        retries={"output": settings.llm_tries - 1},
        model_settings={"max_tokens": settings.llm_max_tokens, "timeout": settings.llm_timeout_s},
    )
    agent.output_validator(with_sizes)
    return agent


async def _patiently(agent: Agent[object, SpecAnswer], asset: UnityAssetSpec, settings: Settings) -> SpecAnswer:
    """Run the agent; an endpoint that is busy or down for a moment is asked again, with pauses."""
    from pydantic_ai import UsageLimits, capture_run_messages
    from pydantic_ai.exceptions import AgentRunError, ModelHTTPError

    limits = UsageLimits(
        request_limit=settings.llm_tries, output_tokens_limit=settings.llm_tries * settings.llm_max_tokens
    )
    for attempt in range(1, settings.llm_tries + 1):
        with capture_run_messages() as messages:
            try:
                return (await agent.run(request_text(asset), usage_limits=limits)).output
            except AgentRunError as error:
                if isinstance(error, ModelHTTPError) and error.status_code in REFUSED_MODE:
                    raise
                told = failure(error, settings, problems=_last_problems(messages))
                if told.cause not in BUSY or attempt == settings.llm_tries:
                    raise told from None
        await asyncio.sleep(PAUSE_S * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _last_problems(messages: list[ModelMessage]) -> list[str]:
    """What the model was last told to mend."""
    parts = [part for message in messages for part in message.parts if part.part_kind == "retry-prompt"]
    if not parts:
        return []
    content = parts[-1].content
    if isinstance(content, str):
        return [content]
    return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in content]


def _shortened(body: object) -> str:
    return " ".join(str(body).split())[:200]
