"""The codec: rows that any protobuf parser reads, actions from any trainer, agents from any player."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ml_agents import ask_ml_agents
from tests.simulations import HYBRID, PLAIN, assert_equal, some_agents, some_step
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.agents import decode_agents, empty_step, random_actions
from unity_mlops_mcp.protocol.codec import decode_actions, encode_actions, encode_agents
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, BehaviorStep, Decisions, Terminals


def object_message(spec: BehaviorSpec, step: BehaviorStep, *, described: bool) -> Any:
    """The ListAgentInfo of a step, made field by field."""
    agents = messages.ListAgentInfo()
    for group in (step.terminals, step.decisions):
        for row in range(len(group.ids)):
            agent = agents.value.add(id=int(group.ids[row]), reward=group.rewards[row])
            if isinstance(group, Terminals):
                agent.done, agent.max_step_reached = True, bool(group.interrupted[row])
            if group.masks is not None:
                agent.action_mask.extend(group.masks[row].tolist())
            for sensor, values in zip(spec.observations, group.observations, strict=True):
                observation = agent.observations.add(shape=sensor.shape)
                observation.float_data.data.extend(values[row].ravel().tolist())
                if described:
                    observation.name = sensor.name
                    observation.dimension_properties.extend({1: (1,), 2: (4, 1)}[len(sensor.shape)])
    return agents


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("spec", [HYBRID, PLAIN], ids=["hybrid", "plain"])
def test_rows_say_to_a_protobuf_parser_what_objects_would(spec: BehaviorSpec, masked: bool, described: bool) -> None:
    rng = np.random.default_rng(1)
    step = some_step(spec, 7, 3, rng, masked=masked and bool(spec.action.branches))
    rows = encode_agents(spec, step, described=described)
    assert messages.ListAgentInfo.FromString(rows) == object_message(spec, step, described=described)


@pytest.mark.parametrize("counts", [(1, 0), (0, 1), (5, 2), (300, 40)])
@pytest.mark.parametrize("by_objects", [True, False], ids=["objects", "rows"])
def test_agents_are_read_back_as_they_were(counts: tuple[int, int], by_objects: bool) -> None:
    rng = np.random.default_rng(2)
    step = some_step(HYBRID, *counts, rng, masked=False)
    sent = (
        object_message(HYBRID, step, described=True).SerializeToString() if by_objects else encode_agents(HYBRID, step)
    )
    assert_equal(decode_agents(HYBRID, sent), step)


def test_no_agents_at_all_are_no_bytes() -> None:
    assert encode_agents(HYBRID, empty_step(HYBRID)) == b""
    assert_equal(decode_agents(HYBRID, b""), empty_step(HYBRID))


def test_masks_are_read_back_whether_as_rows_or_objects() -> None:
    step = some_step(HYBRID, 4, 0, np.random.default_rng(3), masked=True)
    assert_equal(decode_agents(HYBRID, encode_agents(HYBRID, step)), step)
    assert_equal(decode_agents(HYBRID, object_message(HYBRID, step, described=False).SerializeToString()), step)


def test_what_groups_were_given_is_read_with_the_agents() -> None:
    step = some_step(PLAIN, 3, 2, np.random.default_rng(9), masked=False)
    message = object_message(PLAIN, step, described=False)
    for index, agent in enumerate(message.value):
        agent.group_id, agent.group_reward = index % 2, 0.5 * (index % 2)
    found = decode_agents(PLAIN, message.SerializeToString())
    assert found.terminals.groups is not None
    assert found.decisions.groups is not None
    assert found.terminals.groups.ids.tolist() == [0, 1]
    assert found.terminals.group_rewards.tolist() == [0, 0.5]
    assert found.decisions.group_rewards.tolist() == [0, 0.5, 0]
    assert found.decisions.rewards.tolist() == step.decisions.rewards.tolist()
    assert decode_agents(PLAIN, encode_agents(PLAIN, step)).decisions.groups is None


def test_an_id_beyond_int32_starts_again_at_zero() -> None:
    agents = some_agents(PLAIN, 2, np.random.default_rng(4))
    step = BehaviorStep(
        Decisions(np.array([2**31 - 1, 2**31 + 5]), agents.observations, agents.rewards), empty_step(PLAIN).terminals
    )
    assert decode_agents(PLAIN, encode_agents(PLAIN, step)).decisions.ids.tolist() == [2**31 - 1, 5]


def test_not_a_number_travels_as_it_is() -> None:
    agents = some_agents(PLAIN, 2, np.random.default_rng(5))
    agents.observations[0][0, 1] = np.nan
    agents.rewards[1] = np.inf
    found = decode_agents(PLAIN, encode_agents(PLAIN, BehaviorStep(agents, empty_step(PLAIN).terminals)))
    assert np.isnan(found.decisions.observations[0][0, 1])
    assert np.isinf(found.decisions.rewards[1])


@pytest.mark.parametrize(
    "spec",
    [ActionSpec(2), ActionSpec(0, (3,)), ActionSpec(3, (2, 4)), ActionSpec(1, (1000,))],
    ids=["continuous", "discrete", "hybrid", "choices of two bytes"],
)
@pytest.mark.parametrize("count", [1, 2, 64])
def test_actions_are_read_back_as_they_were(spec: ActionSpec, count: int) -> None:
    rng = np.random.default_rng(6)
    behavior = BehaviorSpec("Any", (), spec)
    sent = random_actions(behavior, Decisions(np.arange(count), (), np.zeros(count, np.float32)), rng)
    content = encode_actions(sent)
    for row, agent in enumerate(messages.ListAgentAction.FromString(content).value):
        assert list(agent.continuous_actions) == sent.continuous[row].tolist()
        assert list(agent.discrete_actions) == sent.discrete[row].tolist()
        assert list(agent.vector_actions_deprecated) == [*sent.continuous[row], *sent.discrete[row]]
    found = decode_actions(spec, content, count)
    np.testing.assert_array_equal(found.continuous, sent.continuous)
    np.testing.assert_array_equal(found.discrete, sent.discrete)


def test_actions_without_the_deprecated_field_and_of_unequal_length_are_read() -> None:
    agents = messages.ListAgentAction()
    agents.value.add(continuous_actions=[0.5, -1])
    agents.value.add(vector_actions_deprecated=[0.25, 1], continuous_actions=[0.25, 1])
    found = decode_actions(ActionSpec(2), agents.SerializeToString(), 2)
    assert found.continuous.tolist() == [[0.5, -1], [0.25, 1]]


def test_rows_of_equal_length_but_other_layout_are_not_mistaken() -> None:
    agents = messages.ListAgentAction()
    agents.value.add(continuous_actions=[0.5])
    agents.value.add(vector_actions_deprecated=[0.75])
    with pytest.raises(ValueError, match=r"reshape|inhomogeneous"):
        decode_actions(ActionSpec(1), agents.SerializeToString(), 2)


def test_a_choice_of_one_agent_that_needs_two_bytes_does_not_spoil_the_others() -> None:
    spec = ActionSpec(0, (200, 2))
    sent = Actions(np.zeros((3, 0), np.float32), np.array([[5, 0], [199, 1], [128, 0]], np.int32))
    assert decode_actions(spec, encode_actions(sent), 3).discrete.tolist() == [[5, 0], [199, 1], [128, 0]]


def test_nothing_sent_is_nothing_done_and_a_wrong_number_is_refused() -> None:
    assert decode_actions(ActionSpec(2), b"", 3).continuous.tolist() == [[0, 0]] * 3
    two = encode_actions(Actions(np.zeros((2, 2), np.float32), np.zeros((2, 0), np.int32)))
    with pytest.raises(ValueError, match="2 agents, where 3"):
        decode_actions(ActionSpec(2), two, 3)


def test_random_actions_leave_out_what_is_masked() -> None:
    masks = np.ones((50, 203), bool)
    masks[:, 1] = False
    masks[:, 3 + 7] = False
    agents = Decisions(np.arange(50), (), np.zeros(50, np.float32), masks=masks)
    drawn = random_actions(HYBRID, agents, np.random.default_rng(7)).discrete
    assert (drawn == [1, 7]).all()


_THEIRS = """
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto

def fields(message, seen):
    name = message.name.removesuffix("Proto")
    if name in seen or message.GetOptions().map_entry:
        return
    seen[name] = sorted([f.number, f.name] for f in message.fields)
    for field in message.fields:
        inner = field.message_type
        if inner is not None:
            if inner.GetOptions().map_entry:
                inner = inner.fields_by_name["value"].message_type
            fields(inner, seen)

shapes = {}
fields(UnityMessageProto.DESCRIPTOR, shapes)
again = [UnityMessageProto.FromString(bytes.fromhex(one)) for one in given]
answer = {"shapes": shapes, "again": [one.SerializeToString(deterministic=True).hex() for one in again]}
"""


def filled(descriptor: Any, depth: int = 0) -> Any:
    """A message of ours with every field set to something that is not its default."""
    message = getattr(messages, descriptor.name, None)
    made = message() if message else _class_of(descriptor)()
    for field in descriptor.fields:
        value: Any = {"STRING": "text", "BYTES": b"bytes", "BOOL": True, "FLOAT": 0.5, "INT32": 3}.get(_type(field))
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            getattr(made, field.name)["key"].CopyFrom(filled(inner.fields_by_name["value"].message_type, depth + 1))
        elif inner is not None and field.is_repeated:
            getattr(made, field.name).add().CopyFrom(filled(inner, depth + 1))
        elif inner is not None:
            getattr(made, field.name).CopyFrom(filled(inner, depth + 1))
        elif field.is_repeated:
            getattr(made, field.name).extend([value, value])
        elif field.name not in ("compressed_data", "compression_type", "observation_type", "command"):
            setattr(made, field.name, 1 if "space_type" in field.name else value)
    return made


def _class_of(descriptor: Any) -> Any:
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(descriptor)


def _type(field: Any) -> str:
    return {1: "DOUBLE", 2: "FLOAT", 5: "INT32", 8: "BOOL", 9: "STRING", 12: "BYTES"}.get(field.type, "MESSAGE")


def shapes_of(descriptor: Any, seen: dict[str, Any]) -> dict[str, Any]:
    """Field numbers and names of a message of ours and all within it."""
    if descriptor.name not in seen:
        seen[descriptor.name] = sorted([field.number, field.name] for field in descriptor.fields)
        for field in descriptor.fields:
            inner = field.message_type
            if inner is not None:
                if inner.GetOptions().map_entry:
                    inner = inner.fields_by_name["value"].message_type
                shapes_of(inner, seen)
    return seen


@pytest.mark.trainer
def test_our_messages_are_those_of_ml_agents_byte_for_byte(trainer_python: Path) -> None:
    everything = filled(messages.UnityMessage.DESCRIPTOR)
    packed = messages.packed_message()
    step = some_step(HYBRID, 3, 2, np.random.default_rng(8), masked=False)
    packed.unity_output.rl_output.agentInfos[HYBRID.name] = encode_agents(HYBRID, step, described=True)
    sent = [message.SerializeToString(deterministic=True) for message in (everything, packed)]
    theirs = ask_ml_agents(trainer_python, _THEIRS, [one.hex() for one in sent])
    renamed = {"UnityRLInput": "RLInput", "UnityRLOutput": "RLOutput", "UnityRLCapabilities": "Capabilities"}
    renamed |= {f"UnityRLInitialization{way}": f"RLInitialization{way}" for way in ("Input", "Output")}
    shapes = {renamed.get(name, name): fields for name, fields in theirs["shapes"].items()}
    assert {name.removesuffix("Proto"): fields for name, fields in shapes.items()} == shapes_of(
        messages.UnityMessage.DESCRIPTOR, {}
    )
    assert bytes.fromhex(theirs["again"][0]) == sent[0]
    assert str(messages.UnityMessage.FromString(bytes.fromhex(theirs["again"][1]))) == str(
        messages.UnityMessage.FromString(sent[1])
    )
