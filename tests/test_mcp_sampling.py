"""The chat client's own model plans environments, in both protocol eras, where the client offers it."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import CreateMessageRequestParams, CreateMessageResult, ErrorData, TextContent

from tests.mcp_clients import ERAS, Era, structured, text
from unity_mlops_mcp import config
from unity_mlops_mcp.interfaces.mcp.server import build_server
from unity_mlops_mcp.interfaces.upkeep import LateApp
from unity_mlops_mcp.spec.instructions import client_instructions, sha256_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]
SENTENCE = "A robot finds the red ball"
SPEC: dict[str, Any] = {
    "name": "BallFinder",
    "entities": [{"name": "ball", "spawn": {"min_distance": 1.0}}],
    "observations": {"vector": [{"kind": "position"}, {"kind": "relative", "of": "ball"}]},
    "events": [{"kind": "enter", "name": "found", "of": "ball"}],
    "rewards": [{"when": "event", "event": "found", "value": 1.0}],
    "endings": [{"event": "found", "result": "success"}],
}
GOOD = json.dumps({"spec": SPEC, "assumptions": ["The ball lies still."], "left_out": ["Its colour."]})
BAD = json.dumps({"spec": {**SPEC, "endings": [{"event": "fund", "result": "success"}]}})


class Model:
    """A client's model that gives these answers in turn, the last one again and again."""

    def __init__(self, *answers: str | ErrorData) -> None:
        self.answers = answers
        self.asked: list[CreateMessageRequestParams] = []

    async def __call__(
        self,
        context: Any,  # noqa: ARG002 - the protocol names it
        params: CreateMessageRequestParams,
    ) -> CreateMessageResult | ErrorData:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(params)
        if isinstance(answer, ErrorData):
            return answer
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text=answer), model="chat-model")


async def built(era: Era, model: Model | None, **arguments: Any) -> dict[str, Any]:
    async with Client(build_server(LateApp()), mode=era, sampling_callback=model) as client:
        return structured(await client.call_tool("build_environment", {"description": SENTENCE, **arguments}))


@pytest.mark.usefixtures("home")
async def test_the_clients_model_makes_the_spec(era: Era) -> None:
    model = Model(GOOD)
    made = await built(era, model)
    assert (made["planner"], made["planner_model"], made["archetype"]) == ("client", "chat-model", None)
    assert made["behaviors"][0]["name"] == "BallFinder"
    assert made["assumptions"][0] == "The ball lies still."
    assert made["left_out"] == ["Its colour."]
    assert made["prompt_sha256"] == sha256_of(client_instructions())
    (asked,) = model.asked
    assert "JSON schema" in str(asked.system_prompt)
    assert isinstance(asked.messages[0].content, TextContent)
    assert json.loads(asked.messages[0].content.text) == {"request": SENTENCE}


@pytest.mark.usefixtures("home")
async def test_a_client_without_a_model_gets_the_rules(era: Era) -> None:
    assert (await built(era, None))["planner"] == "rules"


@pytest.mark.usefixtures("home")
async def test_an_answer_that_is_not_valid_is_sent_back_once(era: Era) -> None:
    model = Model(BAD, GOOD)
    assert (await built(era, model))["planner"] == "client"
    assert len(model.asked) == 2
    assert "did you mean 'found'" in str(model.asked[1].messages[-1].content)


@pytest.mark.usefixtures("home")
async def test_a_model_that_never_gives_a_valid_spec_leaves_it_to_the_rules(era: Era) -> None:
    model = Model("I would rather write a poem.")
    made = await built(era, model)
    assert made["planner"] == "rules"
    assert "gave no plan" in made["assumptions"][0]
    assert len(model.asked) == 2


@pytest.mark.usefixtures("home")
async def test_an_identical_request_is_not_asked_again(era: Era) -> None:
    model = Model(GOOD)
    first, again = await built(era, model), await built(era, model)
    assert first["build_id"] == again["build_id"]
    assert again["planner"] == "client"
    assert len(model.asked) == 1


@pytest.mark.usefixtures("home")
async def test_rules_alone_ask_no_model_and_neither_does_a_spec(era: Era) -> None:
    model = Model(GOOD)
    assert (await built(era, model, use_llm=False))["planner"] == "rules"
    async with Client(build_server(LateApp()), mode=era, sampling_callback=model) as client:
        made = structured(await client.call_tool("build_environment", {"spec": json.dumps(SPEC)}))
    assert made["planner"] == "spec"
    assert not model.asked


@pytest.mark.usefixtures("home")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="the clients' library runs only on Python 3.11 on")
async def test_a_configured_model_comes_before_the_clients(era: Era, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNITY_MLOPS_LLM", "openai")
    monkeypatch.setenv("UNITY_MLOPS_LLM_API_KEY", "secret")
    config.settings.cache_clear()
    model = Model(GOOD)
    made = await built(era, model)
    assert made["planner"] == "rules"
    assert "UNITY_MLOPS_LLM_MODEL" in made["assumptions"][0]
    assert not model.asked


@pytest.mark.usefixtures("home")
async def test_a_model_that_is_demanded_and_offered_by_nobody_is_an_error(era: Era) -> None:
    async with Client(build_server(LateApp()), mode=era) as client:
        told = await client.call_tool("build_environment", {"description": SENTENCE, "use_llm": True})
    assert told.is_error
    assert "llm_not_configured" in text(told)


@pytest.mark.usefixtures("home")
async def test_a_user_who_declines_gets_the_rules_or_ends_the_call(era: Era) -> None:
    model = Model(ErrorData(code=-1, message="User rejected sampling request"))
    if era == "legacy":
        assert (await built(era, model))["planner"] == "rules"
    else:  # here the client asks its model by itself, and without an answer it does not call again
        async with Client(build_server(LateApp()), mode=era, sampling_callback=model) as client:
            with pytest.raises(MCPError, match="rejected"):
                await client.call_tool("build_environment", {"description": SENTENCE})
    assert (await built(era, model, use_llm=False))["planner"] == "rules"
