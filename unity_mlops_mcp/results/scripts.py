"""What writing and checking C# answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result
from unity_mlops_mcp.results.builds import ActionSize, WordMeaning


class ScriptFinding(Result):
    """What a check says about one place in the C#."""

    id: str = Field(description="The rule (`MLA…`), the guard (`SEC…`), or the compiler's code (`CS…`).")
    severity: Literal["error", "warning", "info"]
    path: str
    line: int = Field(description="From 1.")
    message: str
    fix: str


class GeneratedFile(Result):
    """One C# file."""

    path: str = Field(description="Relative to a Unity project.")
    kind: Literal["agent", "area", "scene"] = Field(description="The agent, its training area, the scene's maker.")
    sha256: str
    uri: str = Field(description="The resource that holds its text.")


class ScriptResult(Result):
    """C# for an environment, and what the checks say of it; or the schema of specs."""

    spec_id: str | None = Field(default=None, description="The kept spec: build_environment takes it.")
    archetype: str | None = Field(default=None, description="The preset it came from; null for another spec.")
    behavior_name: str | None = None
    unity_version: str | None = None
    ml_agents_version: str | None = None
    observation_size: int | None = Field(default=None, description="Floats of the vector observation.")
    action_size: ActionSize | None = None
    planner: str | None = Field(default=None, description="Who made the spec: spec, llm, client or rules.")
    planner_model: str | None = None
    prompt_sha256: str | None = Field(default=None, description="Of the instructions that a model was given.")
    words: list[WordMeaning] = Field(default_factory=list, description="Which words led to what.")
    assumptions: list[str] = Field(default_factory=list, description="What was left open and was assumed.")
    left_out: list[str] = Field(default_factory=list, description="What of the request could not be taken in.")
    files: list[GeneratedFile] = Field(default_factory=list)
    folder: str | None = Field(default=None, description="Where the files lie; a Unity project's layout.")
    foreign: bool = Field(default=False, description="True when the agent's code was passed in.")
    findings: list[ScriptFinding] = Field(default_factory=list, description="The gravest first; none is good.")
    findings_left_out: int = Field(default=0, description="Findings beyond those, none of them graver.")
    compile_check: str | None = Field(default=None, description="The compiler that compiled it, or `none`.")
    spec_schema: dict[str, Any] | None = Field(
        default=None, description="With schema_only: the JSON schema of specs, shortened."
    )
    example: str | None = Field(default=None, description="With schema_only: a spec as YAML.")
    next: str


class ScriptReview(Result):
    """What the checks say of some C#."""

    ok: bool = Field(description="True when no finding is an error.")
    findings: list[ScriptFinding] = Field(description="The gravest first.")
    findings_left_out: int = Field(default=0, description="Findings beyond those, none of them graver.")
    files: int = Field(description="How many files were read.")
    agents: list[str] = Field(description="The classes that derive from Agent.")
    observation_size: int | None = Field(
        default=None, description="Floats that CollectObservations writes, if it is one number."
    )
    observation_formula: str | None = Field(default=None, description="The same in words.")
    unity_version: str = Field(description="What it was checked for: as asked, else the project that it lies in.")
    ml_agents_version: str
    compile_check: str = Field(description="The compiler that compiled it, or `none`.")
    next: str
