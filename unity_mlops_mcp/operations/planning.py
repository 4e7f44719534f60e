"""The operations that turn a description into a plan, by whoever is to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.inputs import exactly_one, validated
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.builds import WordMeaning

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.plans import Plan
    from unity_mlops_mcp.spec.questions import ClientQuestion
    from unity_mlops_mcp.spec.requests import UnityAssetSpec


@dataclass(frozen=True)
class Meaning:
    """The arguments that say which environment is meant; exactly one of the first three is given.

    Attributes:
        description: what shall be learned, in one sentence.
        spec: an environment spec as YAML or JSON.
        spec_id: a spec that was kept before.
        observation_space: what the agent senses, with sizes; goes with a description.
        action_space: how it acts; goes with a description.
        name: for the behaviour.
        use_llm: who reads the description, as in ``spec.planner.make_plan``.
        client_answer: what the chat client's own model answered.
    """

    description: str | None = None
    spec: str | None = None
    spec_id: str | None = None
    observation_space: str | None = None
    action_space: str | None = None
    name: str | None = None
    use_llm: bool | None = None
    client_answer: ClientAnswer | None = None


class Planning:
    """Plans, from descriptions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def plan(
        self,
        asset: UnityAssetSpec,
        *,
        use_llm: bool | None = None,
        client_answer: ClientAnswer | None = None,
        spec: str | None = None,
    ) -> Plan:
        """The plan for a request, made as ``spec.planner.make_plan`` says; ``spec`` is the caller's own as text.

        Raises:
            InvalidInputError: nobody can place the request.
            SetupError, ExternalError: ``use_llm`` demands a language model, and there is none or it failed.
        """
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.spec.planner import make_plan

        return make_plan(
            asset,
            settings=self._parts.settings,
            cache=self._parts.cache,
            use_llm=use_llm,
            client_answer=client_answer,
            spec=EnvironmentSpec.from_text(spec) if spec is not None else None,
        )

    def meant(self, meaning: Meaning) -> tuple[Plan | None, SavedSpec]:
        """The spec that somebody means, kept in the home, and how it came about; None for one that was kept already.

        Raises:
            InvalidInputError: not exactly one of description, spec and spec_id was given, or it cannot be used.
            NotFoundError: there is no such spec.
        """
        from unity_mlops_mcp.spec.library import load_spec

        exactly_one(
            {"description": meaning.description, "spec": meaning.spec, "spec_id": meaning.spec_id},
        )
        if meaning.description is None and (meaning.observation_space or meaning.action_space):
            fix = "Leave them out: a spec has its own."
            raise InvalidInputError("observation_space and action_space go with a description.", fix=fix)
        if meaning.spec_id is not None:
            return None, load_spec(self._parts.store.home, meaning.spec_id)
        asset = read_asset(meaning.description or "", meaning.observation_space, meaning.action_space, meaning.name)
        plan = self.plan(asset, use_llm=meaning.use_llm, client_answer=meaning.client_answer, spec=meaning.spec)
        return plan, self.keep(plan)

    def keep(self, plan: Plan) -> SavedSpec:
        """Keep a plan's spec in the home; one that is there already is that."""
        from unity_mlops_mcp.spec.library import save_spec

        return save_spec(self._parts.store.home, plan.spec, archetype=plan.archetype, training=plan.training)

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
