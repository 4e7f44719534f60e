"""Rules about rewards and endings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.action_rules import methods_named
from unity_mlops_mcp.codegen.checking.calls import Call, call_of
from unity_mlops_mcp.codegen.checking.constants import constant
from unity_mlops_mcp.codegen.checking.declarations import Method, TypeDeclaration
from unity_mlops_mcp.codegen.checking.parsing import Source
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, called, hit, shown
from unity_mlops_mcp.codegen.checking.scope import scope_of

if TYPE_CHECKING:
    from tree_sitter import Node

ENDS = {"EndEpisode", "EpisodeInterrupted"}
GROUP_ENDS = {"EndGroupEpisode", "GroupEpisodeInterrupted"}
REWARDS = {"AddReward", "SetReward"}
GROUP_REWARDS = {"AddGroupReward", "SetGroupReward"}
_TOO_EARLY = ("CollectObservations", "OnEpisodeBegin", "WriteDiscreteActionMask")
_BODIES = {"Rigidbody", "Rigidbody2D"}
_SPEEDS = ("velocity", "linearVelocity", "angularVelocity")
_PLACES = ("position", "localPosition")
_FLOAT_MAKERS = {"Vector2", "Vector3", "Quaternion.Euler", "Quaternion.AngleAxis"}
LARGE, MUCH = 5, 1
"""Rewards above these are told of."""


def too_early(context: Context) -> Iterator[Hit]:
    """MLA013: endings where ML-Agents is in the middle of one."""
    for agent in context.agents:
        for start in methods_named(context, agent, *_TOO_EARLY):
            for method in context.project.reached(start):
                for call in context.project.calls(method):
                    if call.own and call.name in ENDS:
                        yield called("MLA013", call, call=call.name, method=start.name)


def after_the_end(context: Context) -> Iterator[Hit]:
    """MLA014: what stands behind EndEpisode and happens in the next episode."""
    for agent in context.agents:
        for method in agent.all_methods():
            for block in method.source.within(method.node, "block"):
                yield from _after(method.source, block)


def _after(source: Source, block: Node) -> Iterator[Hit]:
    ended = False
    for statement in block.named_children:
        if statement.type in {"return_statement", "break_statement", "continue_statement", "comment"}:
            if statement.type != "comment":
                return
        elif ended:
            rewards = [call for call in _calls(source, statement) if call.own and call.name in REWARDS]
            if rewards:
                yield called("MLA014.reward", rewards[0], call=rewards[0].name)
            else:
                yield hit("MLA014.code", source, statement)
            return
        else:
            ended = _ends(source, statement)


def _ends(source: Source, statement: Node) -> bool:
    """Whether a statement is a plain ``EndEpisode();``."""
    if statement.type != "expression_statement" or not statement.named_children:
        return False
    call = (
        call_of(source, statement.named_children[0])
        if statement.named_children[0].type == "invocation_expression"
        else None
    )
    return call is not None and call.own and call.name == "EndEpisode"


def _calls(source: Source, node: Node) -> Iterator[Call]:
    for one in source.within(node, "invocation_expression"):
        call = call_of(source, one)
        if call:
            yield call


def thrown_away(context: Context) -> Iterator[Hit]:
    """MLA015: SetReward beside AddReward in one step."""
    for agent in context.agents:
        for method in methods_named(context, agent, "OnActionReceived"):
            own = [call for call in context.project.calls(method) if call.own and call.name in REWARDS]
            sets = [call for call in own if call.name == "SetReward"]
            if sets and len(sets) < len(own):
                yield called("MLA015", sets[0], method=method.name)


def endless(context: Context) -> Iterator[Hit]:
    """MLA016: agents whose episodes never end."""
    ends = any(call.name in ENDS | GROUP_ENDS for call in context.project.all_calls())
    limited = any(b"MaxStep" in source.data for source in context.project.sources)
    if ends or limited:
        return
    for agent in context.agents:
        if agent.abstract:
            continue
        if context.spec is not None and agent is context.spec_agent:
            yield hit("MLA016.none", agent.source, agent.node, agent=agent.name, expected_by="the spec")
        else:
            yield hit("MLA016.unknown", agent.source, agent.node, agent=agent.name)


def unrewarded(context: Context) -> Iterator[Hit]:
    """MLA017: agents that nothing rewards."""
    if any(call.name in REWARDS | GROUP_REWARDS for call in context.project.all_calls()):
        return
    for agent in context.agents:
        if not agent.abstract:
            yield hit("MLA017", agent.source, agent.node, agent=agent.name)


def large(context: Context) -> Iterator[Hit]:
    """MLA025: rewards of another order of magnitude."""
    for agent in context.agents:
        for method in agent.all_methods():
            scope = scope_of(context.project, method)
            for call in context.project.calls(method):
                value = (
                    constant(call.arguments[0], scope) if call.own and call.name in REWARDS and call.arguments else None
                )
                if value is not None and abs(value) > MUCH:
                    rule = "MLA025.large" if abs(value) > LARGE else "MLA025.above"
                    yield called(rule, call, value=f"{value:g}")


def still_moving(context: Context) -> Iterator[Hit]:
    """MLA030: bodies that begin an episode with the speed of the last one."""
    for agent in context.agents:
        starts = context.project.methods_of(agent, "OnEpisodeBegin")
        if not starts or not _has_body(context, agent):
            continue
        text = [_assigned(method) for start in starts for method in context.project.reached(start)]
        targets = [target for some in text for target in some]
        names = {target.rpartition(".")[2] for target in targets}
        calls = {
            call.name
            for start in starts
            for one in context.project.reached(start)
            for call in context.project.calls(one)
        }
        own = {f"{owner}{place}" for owner in ("transform.", "this.transform.") for place in _PLACES}
        if own & set(targets) and not names & set(_SPEEDS) and not calls & {"Sleep", "SetLinearVelocity"}:
            unity6 = context.versions is not None and context.versions.unity.startswith("6000")
            speed = "linearVelocity" if unity6 else "velocity"
            yield hit("MLA030", starts[0].source, starts[0].node, agent=agent.name, velocity=speed)


def _has_body(context: Context, agent: TypeDeclaration) -> bool:
    return any(
        known.type in _BODIES and "kinematic" not in known.name.lower()
        for one in context.project.lineage(agent)
        for known in one.fields.values()
    )


def _assigned(method: Method) -> list[str]:
    nodes = method.source.within(method.node, "assignment_expression")
    lefts = (node.child_by_field_name("left") for node in nodes)
    return ["".join(method.source.text(left).split()) for left in lefts if left]


def whole_numbers(context: Context) -> Iterator[Hit]:
    """MLA038: Random.Range of whole numbers where a float is made of it."""
    for agent in context.agents:
        for method in agent.all_methods():
            for call in context.project.calls(method):
                is_range = call.name == "Range" and call.receiver.rpartition(".")[2] == "Random"
                if is_range and all(_is_whole(value) for value in call.arguments) and _becomes_float(call):
                    yield called("MLA038", call, code=shown(call.source, call.node))


def _is_whole(node: Node) -> bool:
    inner = node.named_children[-1] if node.type == "prefix_unary_expression" and node.named_children else node
    return inner.type == "integer_literal"


def _becomes_float(call: Call) -> bool:
    """Whether the number goes straight into a vector or a rotation."""
    above = call.node.parent
    listed = above.parent if above is not None and above.type == "argument" else None
    made = listed.parent if listed is not None else None
    if made is None:
        return False
    kind = made.child_by_field_name("type") or made.child_by_field_name("function")
    return kind is not None and call.source.text(kind) in _FLOAT_MAKERS


DETECTORS: tuple[Detector, ...] = (
    too_early,
    after_the_end,
    thrown_away,
    endless,
    unrewarded,
    large,
    still_moving,
    whole_numbers,
)
