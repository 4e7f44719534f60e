"""What every face answers: one frozen record per operation, the public contract of tools, commands and REST.

Times are ISO 8601 UTC text, durations seconds (``_s``), sizes bytes. A ``next`` is one sentence: what to call now.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.metrics.records import MetricsSummary, Series

State = Literal["queued", "starting", "running", "stopping", "succeeded", "failed", "cancelled", "interrupted"]


class Result(BaseModel):
    """A frozen answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SetupCheck(Result):
    """One thing that the machine needs."""

    name: str = Field(description="What was looked at, such as `trainer` or `disk`.")
    status: Literal["ok", "warn", "fail"]
    found: str = Field(description="What is there.")
    needed: str = Field(description="What must be there.")
    fix: str = Field(default="", description="The one command or step that mends it; empty when ok.")


class SetupReport(Result):
    """Whether this machine can train, and what to mend."""

    ok: bool = Field(description="True when no check failed.")
    checks: list[SetupCheck]
    job_id: str | None = Field(default=None, description="The job that mends what can be mended, if asked for.")
    next: str


class ActionSize(Result):
    """The size of a behaviour's actions."""

    continuous: int = Field(default=0, description="How many continuous actions, each in [-1, 1].")
    branches: list[int] = Field(default_factory=list, description="The sizes of the discrete branches.")


class BehaviorShape(Result):
    """One behaviour of a player as the trainer sees it."""

    name: str
    observation_shapes: list[list[int]] = Field(description="One shape per sensor, in the trainer's order.")
    action_spec: ActionSize


class WordMeaning(Result):
    """What a word of the description led to."""

    text: str
    meaning: str


class ProbeFigures(Result):
    """What probing a built player told."""

    package_version: str = Field(description="Of its ML-Agents package.")
    agents: int = Field(description="Agents that decide at once.")
    steps: int = Field(description="Exchanges that were made.")
    episodes: int = Field(description="Episodes that ended in them.")
    mean_return: float | None = Field(default=None, description="Of those episodes, with random actions.")
    agent_steps_per_second: float


class BuildResult(Result):
    """A player that training can start."""

    build_id: str
    job_id: str
    state: State
    spec_id: str | None = None
    archetype: str | None = None
    assumptions: list[str] = Field(default_factory=list, description="What the description left open and was assumed.")
    left_out: list[str] = Field(default_factory=list, description="What was asked for and could not be taken in.")
    words: list[WordMeaning] = Field(default_factory=list, description="Which words led to what.")
    planner: Literal["spec", "llm", "client", "rules"] | None = Field(
        default="spec", description="Who made the spec: the caller, a language model, the client's model, or the rules."
    )
    planner_model: str | None = Field(default=None, description="The language model that made it.")
    prompt_sha256: str | None = Field(default=None, description="Hash of the instructions that it followed.")
    player_path: str | None = Field(default=None, description="The folder of the build.")
    cached: bool = Field(description="True when the same build was there already.")
    behaviors: list[BehaviorShape] = Field(description="Empty until a Unity build of a project of your own is probed.")
    waiting_for: str | None = Field(default=None, description="Why a Unity build does not run yet.")
    probe: ProbeFigures | None = Field(default=None, description="Of a finished Unity build.")
    notes: list[str] = Field(default_factory=list, description="What was decided or is doubtful: tell the user.")
    next: str


class StartedRun(Result):
    """A training that was accepted; it goes on without the caller."""

    run_id: str
    job_id: str
    state: State
    queue_position: int | None = None
    waiting_for: str | None = Field(default=None, description="Why it does not run yet.")
    notes: list[str] = Field(default_factory=list, description="What was decided for the caller, and why.")
    next: str


class ResumedRun(StartedRun):
    """A run that goes on from its checkpoint."""

    from_step: int = Field(description="The step of the checkpoint it goes on from.")


class StopResult(Result):
    """What a stop did, and which files are kept."""

    id: str
    state: State
    step: int | None = None
    files: list[str] = Field(default_factory=list, description="Checkpoints and ONNX files that are there now.")
    next: str


class RunRow(Result):
    """One line of the list of runs."""

    run_id: str
    state: State
    behavior_name: str
    step: int
    max_steps: int
    mean_reward: float | None = None
    success: float | None = Field(default=None, description="Share of successful episodes, 0 to 1, if reported.")
    started_at: str | None = None
    duration_s: float | None = None


class RunList(Result):
    """Runs, newest first."""

    runs: list[RunRow]
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next page; null at the end.")


class FailureResult(Result):
    """Why something failed, and what mends it."""

    cause: str = Field(description="A short stable code.")
    message: str
    evidence: list[str] = Field(default_factory=list, description="The lines that show it.")
    fix: str


class PlannedStage(Result):
    """One stage that a pipeline goes through."""

    stage: str
    what: str = Field(description="What it does.")


class PipelineResult(Result):
    """A pipeline that was accepted; it goes on without the caller."""

    job_id: str
    state: State
    plan: list[PlannedStage]
    dry_run: bool = Field(description="True when it stops before anything is built or trained.")
    next: str


class StageStatus(Result):
    """How one stage of a pipeline stands."""

    name: str
    state: Literal["waiting", "running", "done", "skipped", "failed", "cancelled"]
    said: str = Field(default="", description="What it came to, or why it failed.")
    progress: float | None = Field(default=None, description="0 to 1, where it is known.")


class Status(Result):
    """Everything about one run or job."""

    id: str
    kind: str = Field(description="`training`, `build`, `pipeline`, `install_trainer`, …")
    state: State
    run_id: str | None = None
    build_id: str | None = None
    job_id: str
    attempts: int = Field(description="Processes this job has had; a crash that was recovered adds one.")
    message: str = Field(default="", description="What it is doing now, in words.")
    stages: list[StageStatus] = Field(default_factory=list, description="The stages of a pipeline, in their order.")
    behavior_name: str | None = None
    step: int | None = None
    max_steps: int | None = None
    progress: float | None = Field(default=None, description="0 to 1.")
    mean_reward: float | None = None
    rewards: list[float] = Field(default_factory=list, description="The last mean rewards, oldest first, at most 40.")
    success: float | None = Field(default=None, description="Share of successful episodes, 0 to 1, if reported.")
    steps_per_second: float | None = None
    eta_s: float | None = None
    queue_position: int | None = None
    waiting_for: str | None = None
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None
    folder: str | None = Field(default=None, description="Where its files lie.")
    files: list[str] = Field(default_factory=list, description="Checkpoints, ONNX, configuration; paths in the folder.")
    player_path: str | None = Field(default=None, description="The player of a finished Unity build.")
    behaviors: list[BehaviorShape] = Field(default_factory=list, description="What a finished Unity build offers.")
    probe: ProbeFigures | None = Field(default=None, description="What probing that player told.")
    onnx: str | None = Field(default=None, description="The trained policy, once there is one that opens.")
    configuration: str | None = Field(default=None, description="The trainer YAML that it runs with.")
    command: str | None = Field(default=None, description="The exact command of the trainer.")
    failure: FailureResult | None = None
    notes: list[str] = Field(default_factory=list)
    log_tail: list[str] = Field(default_factory=list, description="The last lines of the trainer's log.")
    next: str


class WaitResult(Status):
    """The status after waiting."""

    done: bool = Field(description="True when what was waited for has come; false when the time ran out.")


class MetricsResult(Result):
    """A run's figures: the summary first, then thinned series."""

    run_id: str
    state: State
    summary: MetricsSummary
    series: list[Series]
    available_tags: list[str]
    next_cursor: str | None = Field(default=None, description="Pass it as `cursor` for the next tags; null at the end.")
    problems: list[str] = Field(default_factory=list, description="Damaged places in the event files, if any.")
    next: str


class InstalledFile(Result):
    """One file in the Unity project."""

    path: str = Field(description="Relative to the project.")
    sha256: str
    change: Literal["added", "replaced", "unchanged"]
    backup: str | None = Field(default=None, description="Where the file that it replaced is kept.")


class InspectorValue(Result):
    """A field of Unity's inspector, and what to set there."""

    field: str
    value: str


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


class InstalledModel(Result):
    """A trained policy in a Unity project, and how to let an agent play it."""

    files: list[InstalledFile]
    inference_package: str = Field(description="What runs models in the project, with its version.")
    inspector: list[InspectorValue] = Field(description="The values to set on the agent, in the inspector's order.")
    next: str
