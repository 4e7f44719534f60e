"""Makes the model of each provider: its own client, our key and endpoint, no hidden retries, bounded reading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, SetupError

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

NO_KEY = "none"
"""What a local server that asks for no key is sent in its place."""
EXTRA = "unity-mlops-mcp[llm]"


@asynccontextmanager
async def language_model(settings: Settings, *, max_bytes: int) -> AsyncIterator[Model]:
    """The model that the settings name; its connections are closed afterwards.

    Args:
        settings: name provider, model, endpoint and key.
        max_bytes: what is read of one response at most.

    Raises:
        SetupError: the settings are incomplete, or the extra ``llm`` is not installed.
    """
    key = _key(settings)
    try:
        import httpx2

        async with httpx2.AsyncClient(
            timeout=settings.llm_timeout_s, follow_redirects=False, event_hooks={"response": [_bounded(max_bytes)]}
        ) as client:
            yield MAKERS[str(settings.llm)](str(settings.llm_model), settings.llm_base_url, key, client)
    except ImportError as error:
        raise SetupError(
            f"UNITY_MLOPS_LLM is {settings.llm}, but its client is not installed ({error.name} is missing).",
            fix=f'Install it with `pip install "{EXTRA}"` (Python 3.11 or newer), or unset UNITY_MLOPS_LLM.',
            cause="llm_not_installed",
        ) from None


def _key(settings: Settings) -> str:
    if not settings.llm_model:
        raise SetupError(
            f"UNITY_MLOPS_LLM is {settings.llm}, but UNITY_MLOPS_LLM_MODEL names no model.",
            fix="Set UNITY_MLOPS_LLM_MODEL to the model's name as its provider spells it.",
            cause="llm_not_configured",
        )
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
    if not key and not settings.llm_base_url:
        raise SetupError(
            f"UNITY_MLOPS_LLM is {settings.llm}, but UNITY_MLOPS_LLM_API_KEY is empty.",
            fix="Set UNITY_MLOPS_LLM_API_KEY, or UNITY_MLOPS_LLM_BASE_URL to a local server that needs none.",
            cause="llm_not_configured",
        )
    return key or NO_KEY


def _openai(name: str, base_url: str | None, key: str, client: httpx2.AsyncClient) -> Model:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    api = AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=client)
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=api))


def _anthropic(name: str, base_url: str | None, key: str, client: httpx2.AsyncClient) -> Model:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    api = AsyncAnthropic(base_url=base_url, api_key=key, max_retries=0, http_client=client)
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=api))


def _google(name: str, base_url: str | None, key: str, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(name, provider=GoogleProvider(api_key=key, base_url=base_url, http_client=client))


MAKERS = {"openai": _openai, "anthropic": _anthropic, "google": _google}


def _bounded(max_bytes: int) -> Any:
    """A hook that lets a response's body end in an error beyond so many bytes."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        """A body that is counted while it is read."""

        def __init__(self, body: httpx2.AsyncByteStream) -> None:
            self._body = body

        async def __aiter__(self) -> AsyncIterator[bytes]:
            read = 0
            async for part in self._body:
                read += len(part)
                if read > max_bytes:
                    raise ExternalError(
                        f"The language model's answer has more than {max_bytes:,} bytes.",
                        fix="Use another model or endpoint, or pass use_llm=false.",
                        cause="llm_answer_too_large",
                    )
                yield part

        async def aclose(self) -> None:
            await self._body.aclose()

    async def count(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = Bounded(response.stream)

    return count
