"""What a pipeline is asked for, and what each of its stages gives: frozen records that are saved as JSON."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from unity_mlops_mcp.builds.records import Behavior
from unity_mlops_mcp.codegen.records import GeneratedScript
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.records import shares
from unity_mlops_mcp.metrics.records import Interval, MetricsSummary
from unity_mlops_mcp.registry.naming import alias_name
from unity_mlops_mcp.spec.clients import ClientAnswer
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.plans import Planner
from unity_mlops_mcp.spec.requests import RLTrainingConfig

StageName = Literal[
    "describe", "write", "check", "build", "train", "measure", "evaluate", "report", "register", "promote", "summarise"
]
After = Literal["evaluate", "report", "register", "promote"]
"""What may be done with a trained policy."""
AFTER: tuple[After, ...] = get_args(After)
StageState = Literal["waiting", "running", "done", "skipped", "failed", "cancelled"]


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HowTrained(Record):
    """How a policy is trained, and what is done with it.

    Attributes:
        training: how to train; None: as the preset says.
        max_steps: agent steps of the training; None: the preset's.
        after: what is done with the trained policy, in the order of the stages; what a promotion needs comes with it.
        alias: where it is promoted to, and where a warm start takes its weights from.
        warm_start: begin with the weights of the version that holds the alias, where there is one.

    Raises:
        InvalidInputError: there is nothing of that name to do, or the alias is none.
    """

    training: RLTrainingConfig | None = None
    max_steps: int | None = Field(default=None, ge=100, le=10**10)
    after: tuple[After, ...] = ("evaluate", "report", "register")
    alias: Annotated[str, AfterValidator(alias_name)] = "production"
    warm_start: bool = False

    @field_validator("after", mode="before")
    @classmethod
    def _in_order(cls, given: Any) -> Any:
        """``none`` is nothing; a promotion reads an evaluation and needs a version."""
        if not isinstance(given, (tuple, list)):
            return given
        asked = [name for name in given if name != "none"]
        unknown = [str(name) for name in asked if name not in AFTER]
        if unknown:
            raise InvalidInputError(
                f"There is nothing called {', '.join(unknown)} to do after a training.",
                fix=f"Give some of {', '.join(AFTER)}, separated by commas, or none.",
            )
        needed = ("evaluate", "register") if "promote" in asked else ()
        return tuple(name for name in AFTER if name in (*asked, *needed))


class Wanted(HowTrained):
    """What a pipeline was asked for; the request that lies in its job's row.

    Attributes:
        request: the sentence; None where a spec or a project was given.
        client_answer: what the chat client's own model answered about it, where it was asked.
        spec_id: the caller's own spec, kept under this id.
        project_path: a Unity project of the user's own, which is built as it is.
        scenes: its scenes, relative to it; empty: those of its build settings.
        build_id: a player that is there already, instead.
        target: where the player runs; None: ``unity`` for a project, else ``sandbox``.
        confirm: whether the caller agreed to what needs consent.
        dry_run: stop before the first stage that costs something.
        asset: what the run is filed under; None: the behaviour's name.
        firing_id: the firing of a schedule that started it.

    Raises:
        InvalidInputError: what was given does not go together.
    """

    request: str | None = None
    client_answer: ClientAnswer | None = None
    spec_id: str | None = None
    project_path: str | None = None
    scenes: tuple[str, ...] = ()
    build_id: str | None = None
    target: Literal["sandbox", "unity"] = "sandbox"
    confirm: bool = False
    dry_run: bool = False
    asset: str | None = None
    firing_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _choose_target(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("target") is not None:
            return data
        return {**data, "target": "sandbox" if data.get("project_path") is None else "unity"}

    @model_validator(mode="after")
    def _refuse_misfits(self) -> Wanted:
        if self.project_path is None and self.scenes:
            raise InvalidInputError("scenes are those of a project.", fix="Pass project_path too, or leave scenes out.")
        if self.project_path is not None and not self.on_unity:
            raise InvalidInputError(
                "A Unity project cannot run in the sandbox.",
                fix="Leave target out, or pass a request or a spec instead.",
            )
        return self

    @property
    def described(self) -> bool:
        """Whether it is about an environment of ours; a project or a build of the user's own has no spec or script."""
        return self.project_path is None and self.build_id is None

    @property
    def on_unity(self) -> bool:
        """Whether the player is a Unity build."""
        return self.target == "unity"

    @property
    def subject(self) -> str:
        """What the job is about, in a word or a sentence."""
        return self.request or self.spec_id or self.project_path or self.build_id or ""


class StageResult(Record):
    """What one stage gave; kept as ``<stage>.json`` in the job's folder."""

    stage: ClassVar[StageName]

    @property
    def said(self) -> str:
        """What it came to, in a few words."""
        raise NotImplementedError


class Described(StageResult):
    """The environment that the request means, and how that was understood."""

    stage = "describe"

    spec_id: str
    spec: EnvironmentSpec
    archetype: str | None
    planner: Planner
    model: str | None = None
    prompt_sha256: str | None = None
    words: tuple[tuple[str, str], ...] = Field(default=(), description="(words of the request, what they led to).")
    assumptions: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Such as ``PatrolGuard from patrol, 3 assumptions``."""
        origin = f"from {self.archetype}" if self.archetype else "from a spec"
        return f"{self.spec.behavior_name} {origin}, {_count(len(self.assumptions), 'assumption')}"

    @property
    def notes(self) -> list[str]:
        """What was understood, assumed and left out, a line each."""
        understood = [f"understood “{text}”: {meaning}" for text, meaning in self.words]
        assumed = [f"assumed: {one}" for one in self.assumptions]
        planned = [f"planned by: {self.planner}{f' ({self.model})' if self.model else ''}"]
        return [*planned, *understood, *assumed, *(f"left out: {one}" for one in self.left_out)]


class Written(StageResult):
    """The C# of the spec; its texts lie in ``scripts/`` of the job's folder too."""

    stage = "write"

    script: GeneratedScript

    @property
    def said(self) -> str:
        """Such as ``3 files for Unity 6000.0, ML-Agents 4.0.2``."""
        versions = self.script.versions
        return f"{_count(len(self.script.files), 'file')} for Unity {versions.unity}, ML-Agents {versions.ml_agents}"


class CheckFinding(Record):
    """What a rule or the compiler found at one line."""

    id: str
    severity: Literal["error", "warning", "info"]
    path: str
    line: int
    message: str
    fix: str


class Checked(StageResult):
    """What was found in the C# without Unity; a script with errors ends the pipeline instead."""

    stage = "check"

    observation_size: int | None
    compiler: str = Field(description="The C# compiler that was at hand; `none` without one.")
    findings: tuple[CheckFinding, ...]

    @property
    def said(self) -> str:
        """Such as ``no finding, compiled by dotnet SDK 8.0.100``."""
        compiled = "not compiled (no compiler here)" if self.compiler == "none" else f"compiled by {self.compiler}"
        return f"{_count(len(self.findings), 'finding')}, {compiled}"


class Built(StageResult):
    """The player."""

    stage = "build"

    build_id: str
    job_id: str
    target: str
    cached: bool
    behaviors: tuple[Behavior, ...]
    folder: str

    @property
    def said(self) -> str:
        """Such as ``sandbox-patrol-1a2b3c4d``."""
        return f"{self.build_id}{' (there already)' if self.cached else ''}"


class Trained(StageResult):
    """The run, which is one like any other: ``list_runs`` shows it."""

    stage = "train"

    run_id: str
    job_id: str
    step: int
    onnx: str
    files: tuple[str, ...]
    began_with: str | None = Field(default=None, description="The run whose weights it began with.")

    @property
    def said(self) -> str:
        """Such as ``run patrol-… to step 50,000``."""
        origin = f", from the weights of {self.began_with}" if self.began_with else ""
        return f"{self.run_id} to step {self.step:,}{origin}"


class Measured(StageResult):
    """How well it learned."""

    stage = "measure"

    run_id: str
    summary: MetricsSummary

    @property
    def said(self) -> str:
        """Such as ``success 97 %, reward 0.91, plateau``."""
        found = self.summary
        success = f"success {found.success:.0%}, " if found.success is not None else ""
        reward = f"reward {found.last_reward:.2f}, " if found.last_reward is not None else ""
        return f"{success}{reward}{found.verdict.replace('_', ' ')}"


class Evaluated(StageResult):
    """How good the policy is over whole episodes."""

    stage = "evaluate"

    evaluation_id: str
    episodes: int
    success: Interval | None
    returns: Interval
    endings: dict[str, float]

    @property
    def said(self) -> str:
        """Such as ``success 97 % (94 % to 99 %) over 200 episodes``."""
        figure = f"success {shares(self.success)}" if self.success else f"return {self.returns.told()}"
        return f"{figure} over {self.episodes} episodes"


class Reported(StageResult):
    """The report that can be sent to others."""

    stage = "report"

    report_id: str
    path: str
    size: int

    @property
    def said(self) -> str:
        """Its path."""
        return self.path


class RegisteredVersion(StageResult):
    """The version that keeps the policy."""

    stage = "register"

    version_id: str
    number: int
    new: bool

    @property
    def said(self) -> str:
        """Its id."""
        return f"{self.version_id}{'' if self.new else ' (registered before)'}"


class Promoted(StageResult):
    """What the gates decided; a refusal is an answer, not a failure."""

    stage = "promote"

    version_id: str
    alias: str
    promoted: bool
    told: str

    @property
    def said(self) -> str:
        """The decision with its reasons."""
        return self.told


class Summary(StageResult):
    """All of it in one page; a dry run's says what was not done."""

    stage = "summarise"

    behavior_name: str
    spec_id: str | None = None
    archetype: str | None = None
    assumptions: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    scripts: tuple[str, ...] = Field(default=(), description="Paths of the C# files, in the job's folder.")
    build_id: str | None = None
    run_id: str | None = None
    onnx: str | None = None
    step: int | None = None
    success: float | None = None
    mean_reward: float | None = None
    verdict: str | None = None
    reason: str | None = None
    evaluation_id: str | None = None
    report: str | None = Field(default=None, description="The file that can be sent to others.")
    version_id: str | None = None
    promoted: bool | None = Field(default=None, description="What the gates decided; null when nobody asked them.")
    paragraph: str = Field(default="", description="All of it in a paragraph that can be forwarded.")
    not_done: tuple[StageName, ...] = ()

    @property
    def said(self) -> str:
        """One sentence for the end."""
        if self.not_done:
            return f"planned, written and checked; nothing was built or trained (left out: {', '.join(self.not_done)})"
        success = f", success {self.success:.0%}" if self.success is not None else ""
        return f"{self.behavior_name} is trained{success}"


class StageStanding(Record):
    """How one stage stands; what a job's progress holds of it."""

    name: StageName
    what: str
    state: StageState = "waiting"
    said: str = ""
    progress: float | None = None


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def standings(progress: dict[str, Any]) -> tuple[StageStanding, ...]:
    """How the stages stood when the progress was written."""
    return tuple(StageStanding.model_validate(one) for one in progress.get("stages", ()))
