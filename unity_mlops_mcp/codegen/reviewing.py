"""All that is known of scripts without Unity: the rules' findings, the guard's, and a compiler's where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unity_mlops_mcp.codegen.checking.checks import check_script
from unity_mlops_mcp.codegen.checking.records import AgentFacts, Finding, SourceFile
from unity_mlops_mcp.codegen.compiler import Diagnostic, compile_check
from unity_mlops_mcp.codegen.records import GeneratedScript, ScriptFile
from unity_mlops_mcp.codegen.versions import Versions
from unity_mlops_mcp.spec.environment import EnvironmentSpec

COMPILER_FIX = "Mend that place; the compiler's code names the rule of C# that it breaks."


@dataclass(frozen=True)
class Review:
    """What the checks say.

    Attributes:
        findings: of rules and guard, then of the compiler; gravest first within each.
        compiler: which one compiled the scripts; ``none`` where there is none.
        agents: the classes that derive from Agent, with their observation sizes.
    """

    findings: tuple[Finding, ...]
    compiler: str
    agents: tuple[AgentFacts, ...]

    @property
    def ok(self) -> bool:
        """No finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def observation_size(self) -> int | None:
        """That of the only agent; None with several, or when it is no single number."""
        return self.agents[0].observation_size if len(self.agents) == 1 else None


def sources_of(script: GeneratedScript) -> list[SourceFile]:
    """The files of a script for the checks; what we wrote ourselves is spared the guard."""
    return [
        SourceFile(file.path, file.text, trusted=not script.foreign or file.kind != "agent") for file in script.files
    ]


def review_script(
    script: GeneratedScript, spec: EnvironmentSpec, *, home: Path, editors: Sequence[Path] = ()
) -> Review:
    """Check the scripts of a spec; what we wrote ourselves is spared the guard.

    Args:
        script: what was generated, or took in an agent that somebody else wrote.
        spec: what it was made from.
        home: the home folder, whose cache keeps what the compile check made.
        editors: programs of installed Editors.

    Raises:
        InvalidInputError: a file cannot be read as C#.
        ExternalError: a compiler did not end in time.
    """
    files = sources_of(script)
    return _review(files, script.files, script.versions, spec, foreign=script.foreign, home=home, editors=editors)


def review_files(
    files: Sequence[SourceFile],
    versions: Versions,
    *,
    spec: EnvironmentSpec | None,
    foreign: bool,
    home: Path,
    editors: Sequence[Path] = (),
) -> Review:
    """Check any scripts that belong together; arguments and errors as of `review_script`."""
    scripts = [ScriptFile.of(file.path or "Script.cs", "agent", file.text) for file in files]
    return _review(files, scripts, versions, spec, foreign=foreign, home=home, editors=editors)


def _review(
    files: Sequence[SourceFile],
    scripts: Sequence[ScriptFile],
    versions: Versions,
    spec: EnvironmentSpec | None,
    *,
    foreign: bool,
    home: Path,
    editors: Sequence[Path],
) -> Review:
    checked = check_script(files, spec=spec, versions=versions, foreign=foreign)
    compiled = compile_check(scripts, versions, cache=home / "cache" / "csharp", editors=editors)
    told = [_finding(one) for one in (*compiled.errors, *compiled.warnings)]
    return Review((*checked.findings, *told), compiled.compiler, checked.agents)


def _finding(found: Diagnostic) -> Finding:
    return Finding(found.code, found.severity, found.path, found.line, found.message, COMPILER_FIX)
