"""Rules about what the scene has to bring: tags, and what asks for decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.constants import text_constant
from unity_mlops_mcp.codegen.checking.declarations import Method
from unity_mlops_mcp.codegen.checking.parsing import Source
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, Hit, hit
from unity_mlops_mcp.codegen.checking.scope import scope_of
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.environment import EnvironmentSpec

if TYPE_CHECKING:
    from tree_sitter import Node

BUILT_IN = frozenset({"Untagged", "Respawn", "Finish", "EditorOnly", "MainCamera", "Player", "GameController"})
_ASKED = {"CompareTag", "FindWithTag", "FindGameObjectWithTag", "FindGameObjectsWithTag"}


def tags_of(spec: EnvironmentSpec | None) -> frozenset[str] | None:
    """The tags that a spec's scene has; None without a spec."""
    if spec is None:
        return None
    own = {entity.seen_as for entity in spec.entities} | {side.name for side in spec.sides}
    return frozenset(own | ({WALL_TAG} if spec.arena.walls else set()))


def tags(context: Context) -> Iterator[Hit]:
    """MLA034: tags that the project does not have."""
    if context.tags is None:
        return
    known = context.tags | BUILT_IN
    listed = ", ".join(sorted(context.tags)) or "it has none of its own"
    for declared in context.project.types.values():
        for method in declared.all_methods():
            scope = scope_of(context.project, method)
            for node in _named(context, method):
                tag = text_constant(node, scope)
                if tag is not None and tag not in known:
                    yield hit("MLA034", method.source, node, tag=tag, tags=listed)


def _named(context: Context, method: Method) -> Iterator[Node]:
    """Every expression of a method that names a tag."""
    for call in context.project.calls(method):
        if call.name in _ASKED and call.arguments:
            yield call.arguments[0]
    source = method.source
    for kind in ("binary_expression", "assignment_expression"):
        for node in source.within(method.node, kind):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                continue
            if _ends(source, left, "tag"):
                yield right
            elif _ends(source, left, "DetectableTags"):
                yield from source.within(right, "string_literal")


def _ends(source: Source, node: Node, name: str) -> bool:
    """Whether an expression is a member of this name."""
    member = node.child_by_field_name("name") if node.type == "member_access_expression" else None
    return member is not None and source.reads(member, name)


def deciders(context: Context) -> Iterator[Hit]:
    """MLA035: agents that a scene maker adds without what asks for their decisions."""
    calls = list(context.project.all_calls())
    if any(call.type_argument == "DecisionRequester" or call.name == "RequestDecision" for call in calls):
        return
    agents = {agent.name for agent in context.agents}
    for call in calls:
        if call.name == "AddComponent" and call.type_argument in agents:
            yield hit("MLA035", call.source, call.node, agent=call.type_argument)


DETECTORS: tuple[Detector, ...] = (tags, deciders)
