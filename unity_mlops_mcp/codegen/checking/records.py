"""What goes into the checks and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class SourceFile:
    """One C# file.

    Attributes:
        path: relative to a Unity project, with forward slashes; a folder ``Editor`` in it makes it an Editor script.
            Just a file name will do; an empty path switches off the rule that compares class and file names.
        text: its content.
        trusted: whether the guard for foreign code leaves it out, because we wrote it.
    """

    path: str
    text: str
    trusted: bool = False


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, doubtful or worth knowing at one line.

    Attributes:
        id: of the rule, such as ``MLA002`` or ``SEC001``.
        severity: error (it will not work), warning (it is probably not what was meant), info.
        path: the file, as it was given.
        line: counted from 1.
        message: what was found.
        fix: what to do about it.
    """

    id: str
    severity: Severity
    path: str
    line: int
    message: str
    fix: str


@dataclass(frozen=True)
class AgentFacts:
    """What syntax tells of one class that derives from Agent.

    Attributes:
        name: of the class.
        path: the file it is in.
        observation_size: floats that CollectObservations writes; None when it is no single number.
        observation_formula: the same in words, such as ``useVectorObs ? 4 : 0`` or ``12 + bodyPartsList x 7``.
    """

    name: str
    path: str
    observation_size: int | None
    observation_formula: str


@dataclass(frozen=True)
class ScriptCheck:
    """The findings about some files, gravest first within a file, and what is known of their agents.

    Attributes:
        findings: those of rules (``MLA…``) and, for foreign code, of the guard (``SEC…``).
        agents: the classes that derive from Agent and are not abstract.
    """

    findings: tuple[Finding, ...]
    agents: tuple[AgentFacts, ...]

    @property
    def ok(self) -> bool:
        """No finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def guarded(self) -> tuple[Finding, ...]:
        """What the guard found: what the one who confirms a build of foreign code should have read."""
        return tuple(finding for finding in self.findings if finding.id.startswith("SEC"))

    @property
    def observation_size(self) -> int | None:
        """That of the only agent; None with several, or when it is no single number."""
        return self.agents[0].observation_size if len(self.agents) == 1 else None
