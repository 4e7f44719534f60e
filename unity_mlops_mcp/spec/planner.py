"""Who makes the plan: the caller's spec, a configured language model, the client's model, or the rules."""

from __future__ import annotations

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, MlopsError, SetupError
from unity_mlops_mcp.spec.answers import SpecAnswer, read_answer
from unity_mlops_mcp.spec.by_rules import behavior_name, plan_by_rules
from unity_mlops_mcp.spec.clients import ClientAnswer
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.instructions import client_instructions, llm_instructions, sha256_of
from unity_mlops_mcp.spec.nearest import nearest_archetype
from unity_mlops_mcp.spec.plans import Plan, Planner
from unity_mlops_mcp.spec.questions import cache_key, keep_client_answer
from unity_mlops_mcp.spec.requests import UnityAssetSpec
from unity_mlops_mcp.store.cache import Cache


def make_plan(
    asset: UnityAssetSpec,
    *,
    settings: Settings,
    cache: Cache,
    use_llm: bool | None = None,
    client_answer: ClientAnswer | None = None,
    spec: EnvironmentSpec | None = None,
) -> Plan:
    """Turn a request into an environment and trainer settings.

    The first that can: ``spec``, the language model that the settings name, ``client_answer``, the rules.

    Args:
        asset: what is asked for.
        settings: name the language model, if any.
        cache: where answers of models are kept; identical requests get the identical plan.
        use_llm: None takes a model where there is one and the rules where it fails; True demands one; False takes none.
        client_answer: what the chat client's model answered, where it was asked.
        spec: the caller's own environment spec.

    Raises:
        InvalidInputError: the rules cannot place the request; the fix says what would be.
        SetupError, ExternalError: ``use_llm`` is True, and there is no model or it failed; the cause says which.
    """
    if spec is not None:
        return _of_spec(spec, asset)
    if use_llm is False:
        return plan_by_rules(asset)
    try:
        return _by_model(asset, settings, cache, client_answer, demanded=bool(use_llm)) or plan_by_rules(asset)
    except _ModelFailedError as failed:
        if use_llm:
            raise failed.error from None
        return _by_rules_instead(asset, failed.error)


class _ModelFailedError(Exception):
    """A model was asked and gave no plan."""

    def __init__(self, error: MlopsError) -> None:
        super().__init__(error.message)
        self.error = error


def _by_model(
    asset: UnityAssetSpec, settings: Settings, cache: Cache, client_answer: ClientAnswer | None, *, demanded: bool
) -> Plan | None:
    try:
        if settings.llm is not None:
            return _by_llm(asset, settings, cache)
        if client_answer is not None:
            return _by_client(asset, client_answer, cache)
    except MlopsError as error:
        raise _ModelFailedError(error) from None
    if demanded:
        raise _ModelFailedError(
            SetupError(
                "use_llm is true, but no language model is configured and the client offers none.",
                fix="Set UNITY_MLOPS_LLM (openai, anthropic or google), UNITY_MLOPS_LLM_MODEL and "
                "UNITY_MLOPS_LLM_API_KEY, or pass an environment spec as `spec`, or leave use_llm out.",
                cause="llm_not_configured",
            )
        )
    return None


def _by_llm(asset: UnityAssetSpec, settings: Settings, cache: Cache) -> Plan:
    """Ask the configured model, unless it has answered the same request before."""
    from unity_mlops_mcp.spec.llm import ask

    sha256 = sha256_of(llm_instructions())
    about = [settings.llm, settings.llm_model, settings.llm_base_url]
    key = cache_key(asset, about, sha256)
    answer = _kept(cache, key)
    if answer is None:
        answer = ask(asset, settings)
        cache.set(key, answer.model_dump(mode="json"))
    return _of_answer(answer, asset, planner="llm", model=f"{settings.llm}:{settings.llm_model}", sha256=sha256)


def _by_client(asset: UnityAssetSpec, given: ClientAnswer, cache: Cache) -> Plan:
    answer = read_answer(given.text, asset)
    keep_client_answer(asset, given, cache)
    sha256 = sha256_of(client_instructions())
    return _of_answer(answer, asset, planner="client", model=given.model or None, sha256=sha256)


def _kept(cache: Cache, key: str) -> SpecAnswer | None:
    kept = cache.get(key)
    try:
        return SpecAnswer.model_validate(kept) if kept is not None else None
    except ValueError:
        return None


def _of_answer(answer: SpecAnswer, asset: UnityAssetSpec, *, planner: Planner, model: str | None, sha256: str) -> Plan:
    data = answer.spec.model_dump(mode="json", exclude_unset=True)
    data["description"] = asset.description.strip() or answer.spec.description
    plan = _of_spec(EnvironmentSpec.from_data(data), asset)
    return plan.model_copy(
        update={
            "planner": planner,
            "model": model,
            "prompt_sha256": sha256,
            "assumptions": (*answer.assumptions, *plan.assumptions),
            "left_out": answer.left_out,
        }
    )


def _of_spec(spec: EnvironmentSpec, asset: UnityAssetSpec) -> Plan:
    """A plan around a whole spec: named as the asset, trained as the preset that is nearest to it."""
    named = behavior_name(asset.name)
    if named:
        spec = EnvironmentSpec.from_data({**spec.model_dump(mode="json", exclude_unset=True), "name": named})
    nearest = nearest_archetype(spec)
    return Plan(
        spec=spec,
        archetype=None,
        training=nearest.training,
        areas=nearest.areas,
        planner="spec",
        assumptions=(f"It trains with the settings of the preset {nearest.name}, which is nearest to it.",),
    )


def _by_rules_instead(asset: UnityAssetSpec, error: MlopsError) -> Plan:
    """The rules' plan with an honest word about the model; where they fail too, both are told."""
    told = f"The language model gave no plan: {error.message}"
    try:
        plan = plan_by_rules(asset)
    except InvalidInputError as refused:
        raise InvalidInputError(
            f"{refused.message} ({told} So the rules were asked.)",
            fix=f"{refused.fix} For the language model: {error.fix}",
            cause=refused.cause,
            evidence=(*refused.evidence, *error.evidence),
        ) from None
    return plan.model_copy(update={"assumptions": (f"{told} The rules made this plan instead.", *plan.assumptions)})
