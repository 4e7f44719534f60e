"""A report, as one frozen record: every format shows this and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.evaluation.records import Evaluation, Trajectory

Format = Literal["html", "pdf", "markdown", "json"]
Unit = Literal["", "share", "cores", "bytes"]
Tone = Literal["good", "bad", "plain"]
Role = Literal["goal", "hazard", "thing"]


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tile(Record):
    """One figure of the headline: what it is, the figure as text, and what it rests on."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "plain"


class Line(Record):
    """One curve of a chart: that of a run, or of runs that differ by the seed alone, with their spread.

    Attributes:
        label: whose it is.
        color: place in the palette, from 0; a group has the same in all charts.
        runs: how many runs are behind it.
        x: agent steps.
        y: values; of several runs their mean at each step.
        low: the lowest of the runs at each step; empty for one run.
        high: the highest.
    """

    label: str
    color: int
    runs: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class Chart(Record):
    """A chart over the agent steps.

    Attributes:
        id: unique within the report.
        section: the section that it stands in.
        title: what is shown.
        caption: how to read it.
        unit: of the values; a share is 0 to 1.
        stepped: whether values hold until the next one.
        lines: the curves, the best group first.
        left_out: groups that are not drawn, since a reader could not tell them apart.
    """

    id: str
    section: str
    title: str
    caption: str = ""
    unit: Unit = ""
    stepped: bool = False
    lines: tuple[Line, ...]
    left_out: int = 0


class ModelFile(Record):
    """A trained policy of a run.

    Attributes:
        behavior: what it plays.
        path: below the home, with slashes.
        bytes: its size.
        sha256: of the file (hex).
        version: the registered version that it is, where there is one.
        aliases: what points to that version.
    """

    behavior: str
    path: str
    bytes: int
    sha256: str
    version: str | None = None
    aliases: tuple[str, ...] = ()


class RunPart(Record):
    """One run in a report; a field is None where nobody recorded it.

    Attributes:
        run_id: its id.
        group: place of its group.
        state: of its latest job.
        behavior: the behaviour whose figures are told.
        seed: of trainer and player.
        step: agent steps reached.
        max_steps: agent steps asked for.
        started_at: when its first attempt began; UTC.
        duration_s: seconds that it took, all attempts.
        attempts: processes of the trainer.
        final_reward: mean reward over the last tenth of the steps.
        best_reward: highest mean reward of a summary.
        success: share of successful episodes at the end, 0 to 1.
        success_episodes: how many episodes that rests on.
        episodes: episodes played.
        episode_length: last mean length in decisions.
        elo: last ELO rating (self-play).
        verdict: how the learning stands.
        reason: why.
        steps_per_second: agent steps per second over the run.
        cores: mean of the processor cores that were busy.
        memory: greatest memory held, bytes.
        models: its policies.
        commands: what repeats it: with this product, and the trainer's own command.
        problems: places in its event files that could not be read.
    """

    run_id: str
    group: int
    state: str
    behavior: str
    seed: int | None = None
    step: int = 0
    max_steps: int | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    attempts: int = 0
    final_reward: float | None = None
    best_reward: float | None = None
    success: float | None = None
    success_episodes: int | None = None
    episodes: int | None = None
    episode_length: float | None = None
    elo: float | None = None
    verdict: str = ""
    reason: str = ""
    steps_per_second: float | None = None
    cores: float | None = None
    memory: int | None = None
    models: tuple[ModelFile, ...] = ()
    commands: tuple[Command, ...] = ()
    problems: tuple[str, ...] = ()


class Command(Record):
    """A command that repeats something, as it is typed."""

    what: str
    text: str


class Group(Record):
    """Runs that differ by the seed alone.

    Attributes:
        label: what tells it from the others.
        color: place in the palette; None where it is not drawn.
        run_ids: its runs.
    """

    label: str
    color: int | None
    run_ids: tuple[str, ...]


class Setting(Record):
    """One setting: its dotted name and its value for each group, one value where all have the same."""

    name: str
    values: tuple[str, ...]


class Fact(Record):
    """A name and what is there."""

    name: str
    value: str


class SpecPart(Record):
    """The environment, told from its spec.

    Attributes:
        name: of the behaviour.
        description: one sentence.
        digest: first digits of the spec's hash.
        facts: arena, body, what is seen and done, lengths.
        rewards: what is paid for what.
        endings: what ends an episode.
        parameters: what a curriculum or randomisation may change.
    """

    name: str
    description: str
    digest: str
    facts: tuple[Fact, ...]
    rewards: tuple[Fact, ...]
    endings: tuple[Fact, ...]
    parameters: tuple[Fact, ...] = ()


class EvaluationPart(Record):
    """An evaluation, with the ways of its first episodes in the arena.

    Attributes:
        run_id: the run whose policy played.
        evaluation: all of it; its column of every episode is left out.
        ways: episodes to be drawn.
        roles: entity → whether it is a goal, a hazard, or just there.
        good: endings that are a success.
    """

    run_id: str
    evaluation: Evaluation
    ways: tuple[Trajectory, ...] = ()
    roles: dict[str, Role] = Field(default_factory=dict)
    good: tuple[str, ...] = ()


class Rank(Record):
    """A group's place in the comparison: figures as text, with their doubt."""

    place: int
    label: str
    color: int | None
    runs: int
    figures: tuple[str, ...]


class ComparisonPart(Record):
    """Several groups against each other.

    Attributes:
        metric: what they are ranked by.
        columns: headings of the figures.
        ranking: the best first.
        verdict: which is better, in a sentence.
        reason: the figures behind it.
        doubt: why that is not sure; empty when it is.
        differences: the settings in which they differ.
    """

    metric: str
    columns: tuple[str, ...]
    ranking: tuple[Rank, ...]
    verdict: str
    reason: str
    doubt: str = ""
    differences: tuple[Setting, ...] = ()


class Section(Record):
    """A part of a report that has something to say."""

    id: str
    title: str


class Report(Record):
    """Everything that a report says.

    Attributes:
        report_id: the job's id.
        title: its heading.
        subtitle: one sentence below it.
        created_at: when the facts were gathered; UTC.
        product: who made it, with the version.
        headline: what came out, in one or two sentences.
        tiles: the figures that matter most.
        sections: those that are not empty, in their order.
        groups: the runs by what tells them apart.
        runs: every run.
        charts: every chart.
        settings: the trainer's configuration.
        spec: the environment; None where the player is not one of ours.
        evaluations: the newest of each run's policy that was evaluated.
        comparison: None for one group.
        versions: programs and libraries.
        machine: where it was trained.
        revision: git revision of the input.
        notes: what a reader should know.
        configuration: the whole configuration of the first run.
        whole_spec: the whole spec.
    """

    schema_version: Literal[1] = 1
    report_id: str
    title: str
    subtitle: str = ""
    created_at: datetime
    product: str
    headline: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    groups: tuple[Group, ...]
    runs: tuple[RunPart, ...]
    charts: tuple[Chart, ...]
    settings: tuple[Setting, ...]
    spec: SpecPart | None = None
    evaluations: tuple[EvaluationPart, ...] = ()
    comparison: ComparisonPart | None = None
    versions: tuple[Fact, ...] = ()
    machine: str = ""
    revision: str | None = None
    notes: tuple[str, ...] = ()
    configuration: dict[str, Any] = Field(default_factory=dict)
    whole_spec: dict[str, Any] | None = None


RunPart.model_rebuild()
