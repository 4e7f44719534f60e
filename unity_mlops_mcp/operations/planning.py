"""The operations that turn a description into a plan, by whoever is to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.inputs import validated
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results import WordMeaning

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.plans import Plan
    from unity_mlops_mcp.spec.questions import ClientQuestion
    from unity_mlops_mcp.spec.requests import UnityAssetSpec


class Planning:
    """Plans, from descriptions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def plan(
        self, asset: UnityAssetSpec, *, use_llm: bool | None = None, client_answer: ClientAnswer | None = None
    ) -> Plan:
        """The plan for a request, made as ``spec.planner.make_plan`` says.

        Raises:
            InvalidInputError: nobody can place the request.
            SetupError, ExternalError: ``use_llm`` demands a language model, and there is none or it failed.
        """
        from unity_mlops_mcp.spec.planner import make_plan

        parts = self._parts
        return make_plan(
            asset, settings=parts.settings, cache=parts.cache, use_llm=use_llm, client_answer=client_answer
        )

    def client_question(
        self, description: str, observation_space: str | None = None, action_space: str | None = None
    ) -> ClientQuestion | None:
        """What a chat client's own model is to be asked about a request; None where a configured model comes first.

        Raises:
            InvalidInputError: the arguments make no request.
        """
        from unity_mlops_mcp.spec.questions import question_for

        settings = self._parts.settings
        if settings.llm is not None:
            return None
        asset = read_asset(description, observation_space, action_space)
        return question_for(asset, self._parts.cache, max_tokens=settings.llm_max_tokens)


def read_asset(
    description: str, observation_space: str | None = None, action_space: str | None = None, name: str | None = None
) -> UnityAssetSpec:
    """The request that these texts make.

    Raises:
        InvalidInputError: they cannot be used.
    """
    from unity_mlops_mcp.spec.requests import UnityAssetSpec
    from unity_mlops_mcp.spec.yaml_text import read_mapping

    asked: dict[str, Any] = {"description": description, "name": name or ""}
    for key, text in (("observation_space", observation_space), ("action_space", action_space)):
        if text:
            asked[key] = dict(read_mapping(text, what=key))
    return validated(UnityAssetSpec, asked)


def told(plan: Plan | None) -> dict[str, Any]:
    """How a spec came about, as results show it; None for a spec that the caller gave."""
    if plan is None:
        return {"planner": "spec"}
    return {
        "assumptions": list(plan.assumptions),
        "left_out": list(plan.left_out),
        "words": [WordMeaning(text=word.text, meaning=word.meaning) for word in plan.words],
        "planner": plan.planner,
        "planner_model": plan.model,
        "prompt_sha256": plan.prompt_sha256,
    }
