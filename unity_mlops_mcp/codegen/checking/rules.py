"""The rules' texts and severities (data: ``rules.yaml``, ``guard.yaml``), and findings made from what detectors hit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from unity_mlops_mcp.codegen.checking.calls import Call
from unity_mlops_mcp.codegen.checking.declarations import TypeDeclaration
from unity_mlops_mcp.codegen.checking.parsing import Source
from unity_mlops_mcp.codegen.checking.project import Project
from unity_mlops_mcp.codegen.checking.records import Finding, Severity
from unity_mlops_mcp.codegen.versions import Versions
from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec

if TYPE_CHECKING:
    from tree_sitter import Node


MOST_SHOWN = 80
"""Characters of a piece of code in a message."""


class Rule(Part):
    """One rule, or one case of a rule."""

    rule: str
    """The id, then a dot and the case where there are several, such as ``MLA014.reward``."""
    severity: Severity
    """How grave it is."""
    message: str
    """What was found; words in braces come from the detector."""
    fix: str
    """What to do."""

    @property
    def id(self) -> str:
        """What findings show: ``MLA014``."""
        return self.rule.partition(".")[0]


@dataclass(frozen=True)
class Hit:
    """A place that a detector found; ``values`` fill the braces of the rule's texts."""

    rule: str
    source: Source
    line: int
    values: dict[str, str]


@dataclass(frozen=True)
class Context:
    """All that a detector may look at.

    Attributes:
        project: the parsed files.
        agents: the classes that derive from Agent, abstract ones too.
        spec: what the agent should be, if that is known.
        versions: what the code is meant for, if that is known.
        tags: the project's tags, if they are known.
    """

    project: Project
    agents: tuple[TypeDeclaration, ...]
    spec: EnvironmentSpec | None
    versions: Versions | None
    tags: frozenset[str] | None

    @property
    def spec_agent(self) -> TypeDeclaration | None:
        """The class that the spec describes: ``<name>Agent``, or the only one that is not abstract."""
        if self.spec is None:
            return None
        whole = [one for one in self.agents if not one.abstract]
        named = [one for one in whole if one.name == f"{self.spec.name}Agent"]
        return (named or whole)[0] if named or len(whole) == 1 else None


Detector = Callable[[Context], Iterator[Hit]]


def hit(rule: str, source: Source, node: Node, **values: object) -> Hit:
    """A hit at the line where a node begins."""
    return Hit(rule, source, node.start_point[0] + 1, {name: str(value) for name, value in values.items()})


def called(rule: str, call: Call, /, **values: object) -> Hit:
    """A hit at a call."""
    return hit(rule, call.source, call.node, **values)


def shown(source: Source, node: Node) -> str:
    """A piece of code on one line, shortened."""
    text = " ".join(source.text(node).split())
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its name, in the order of the tables."""
    folder = Path(__file__)
    data: list[Any] = []
    for name in ("rules.yaml", "guard.yaml"):
        data += yaml.safe_load(folder.with_name(name).read_text(encoding="utf-8"))
    read = [Rule.model_validate({name: one[name] for name in Rule.model_fields}) for one in data]
    return {one.rule: one for one in read}


def finding(found: Hit) -> Finding:
    """The finding that a hit stands for."""
    rule = rules()[found.rule]
    return Finding(
        id=rule.id,
        severity=rule.severity,
        path=found.source.path,
        line=found.line,
        message=rule.message.format_map(found.values),
        fix=rule.fix.format_map(found.values),
    )


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By file, gravest first, then by line; equal ones once."""
    grave = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(dict.fromkeys(findings), key=lambda one: (one.path, grave[one.severity], one.line, one.id)))
