"""What a chat client's own model is asked, and what it has answered before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.answers import read_answer
from unity_mlops_mcp.spec.base import digest_of
from unity_mlops_mcp.spec.clients import ClientAnswer
from unity_mlops_mcp.spec.instructions import client_instructions, request_text, sha256_of
from unity_mlops_mcp.spec.prompts import render
from unity_mlops_mcp.spec.requests import UnityAssetSpec
from unity_mlops_mcp.store.cache import Cache


@dataclass(frozen=True)
class ClientQuestion:
    """A question to a chat client's own model.

    Attributes:
        asset: the request that it is about.
        instructions: what the model is told, the spec's schema included.
        text: the request, as data.
        max_tokens: of the answer at most.
        known: what such a model has answered to the same request before; then it need not be asked.
    """

    asset: UnityAssetSpec
    instructions: str
    text: str
    max_tokens: int
    known: ClientAnswer | None = None

    def repair(self, answer: str) -> str | None:
        """What is to be sent back after an answer that cannot be used; None after one that can."""
        try:
            read_answer(answer, self.asset)
        except InvalidInputError as error:
            return render("planner/repair", problems="\n".join(f"- {line}" for line in error.evidence))
        return None


def question_for(asset: UnityAssetSpec, cache: Cache, *, max_tokens: int) -> ClientQuestion:
    """The question about a request."""
    kept = cache.get(_client_key(asset))
    try:
        known = ClientAnswer.model_validate(kept) if kept is not None else None
    except ValueError:
        known = None
    return ClientQuestion(asset, client_instructions(), request_text(asset), max_tokens, known)


def keep_client_answer(asset: UnityAssetSpec, answer: ClientAnswer, cache: Cache) -> None:
    """Remember an answer that gave a plan."""
    cache.set(_client_key(asset), answer.model_dump(mode="json"))


def cache_key(asset: UnityAssetSpec, about: list[Any], sha256: str) -> str:
    """The cache's key of a request: all that decides about the answer.

    Args:
        asset: the request; its name and ids do not count.
        about: which model, and where.
        sha256: of the instructions.
    """
    asked = asset.model_dump(mode="json", include={"description", "observation_space", "action_space"})
    return "plan:" + digest_of([asked, about, sha256, __version__])


def _client_key(asset: UnityAssetSpec) -> str:
    return cache_key(asset, ["client"], sha256_of(client_instructions()))
