"""What a language model answers: a spec with a few sentences beside it, read strictly."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.requests import UnityAssetSpec
from unity_mlops_mcp.spec.sizes import unmet_sizes

MOST_SENTENCES, LONGEST_SENTENCE = 8, 300
MOST_PROBLEMS = 12


def _sentences(value: Any) -> Any:
    """A few short lines; a model that writes more loses the rest, not its spec."""
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, (list, tuple)):
        return lines
    return tuple(" ".join(str(line).split())[:LONGEST_SENTENCE] for line in lines[:MOST_SENTENCES] if str(line).strip())


Sentences = Annotated[tuple[str, ...], BeforeValidator(_sentences)]


class SpecAnswer(Part):
    """An environment spec, what was assumed, and what the request asks for that it does not hold."""

    spec: EnvironmentSpec
    """The environment spec."""
    assumptions: Sentences = Field(
        default=(), description="What the request left open and was chosen, a few sentences."
    )
    left_out: Sentences = Field(default=(), description="What the request asks for that the spec cannot hold.")


def read_answer(text: str, asset: UnityAssetSpec) -> SpecAnswer:
    """The answer that a text holds, in whatever prose or Markdown it stands.

    Raises:
        InvalidInputError: there is no JSON object in it, the spec is not valid, or it lacks the sizes that were asked
            for; the evidence lists every problem, for the model to mend.
    """
    data = _object_in(text)
    if "spec" not in data and "observations" in data:
        data = {"spec": data}
    try:
        answer = SpecAnswer.model_validate(data)
    except ValidationError as error:
        raise unusable(problems_of(error)) from error
    return fitting(answer, asset)


def fitting(answer: SpecAnswer, asset: UnityAssetSpec) -> SpecAnswer:
    """The same answer, when its spec has the sizes that the caller asked for.

    Raises:
        InvalidInputError: it has not.
    """
    if unmet := unmet_sizes(answer.spec, asset):
        raise unusable(unmet)
    return answer


def unusable(problems: list[str]) -> InvalidInputError:
    """The error for an answer with these problems."""
    return InvalidInputError(
        f"The model's spec has {len(problems)} problem(s): {'; '.join(problems[:MOST_PROBLEMS])}.",
        fix="Mend them and send the whole answer again.",
        cause="llm_bad_answer",
        evidence=problems[:MOST_PROBLEMS],
    )


def problems_of(error: ValidationError) -> list[str]:
    """The faults of an answer, one line each, without the answer's own text."""
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _object_in(text: str) -> dict[str, Any]:
    """The first JSON object in a text."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1) if len(text) < 100_000 else -1  # noqa: PLR2004 - a long try is no use
            continue
        return dict(found)
    raise unusable(["answer: there is no whole JSON object in it"])
