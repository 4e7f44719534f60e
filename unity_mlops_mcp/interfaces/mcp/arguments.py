"""The types of the tools' arguments: what a model reads about each, and the bounds that are checked before a call."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from unity_mlops_mcp.results.base import State
from unity_mlops_mcp.scheduling import words


def _as_text(value: Any) -> Any:
    """JSON text again from what a client, or the SDK, has parsed already."""
    return json.dumps(value) if isinstance(value, (dict, list)) else value


Text = Annotated[str, BeforeValidator(_as_text)]

Fix = Annotated[bool, Field(description="Mend what can be mended, as a job (it may download the trainer: gigabytes).")]

Description = Annotated[
    Text | None,
    Field(description="What shall be learned, in one sentence: 'A robot finds the red ball', 'patrol four waypoints'."),
]
ObservationSpace = Annotated[
    Text | None, Field(description='What the agent senses, as JSON or YAML: {"raycast": 8, "velocity": 2}.')
]
ActionSpace = Annotated[
    Text | None, Field(description='How it acts, as JSON or YAML: {"type": "continuous", "size": 2} or discrete.')
]
SpecId = Annotated[str | None, Field(description="A spec made before; instead of description and spec.")]
Spec = Annotated[Text | None, Field(description="A whole environment spec as YAML or JSON; instead of a description.")]
AssetName = Annotated[str | None, Field(description="A name for it; the behaviour's name is made from it.")]
BuildOn = Annotated[
    Literal["sandbox", "unity"] | None,
    Field(description="sandbox (default) simulates it without Unity; unity (default with project_path) builds it."),
]
OwnProject = Annotated[
    str | None,
    Field(
        description="A Unity project of the user's own with ML-Agents, under an allowed folder; it is never changed."
    ),
]
Scenes = Annotated[
    Text | None, Field(description="Its scenes to build, comma-separated. Default: those of its build settings.")
]
EditorPath = Annotated[
    str | None, Field(description="One of the Editors that check_setup names. Default: the project's version.")
]
BuildTarget = Annotated[
    Literal["linux64", "win64", "osx"] | None, Field(description="What the player is for. Default: this machine.")
]
Areas = Annotated[
    int | None, Field(ge=1, le=1024, description="Training areas in the Unity scene made from a spec. Default 16.")
]
Confirm = Annotated[bool, Field(description="Allow code that somebody else wrote to be built; ask the user first.")]
UseLlm = Annotated[
    bool | None,
    Field(description="true: a language model must read the description; false: rules only. Default: a model if any."),
]
IdempotencyKey = Annotated[
    str | None, Field(max_length=200, description="Any text of yours: the same key twice gives the same thing, once.")
]

Request = Annotated[
    Text | None,
    Field(description="What shall be learned, in one sentence: 'patrol four waypoints', 'a robot finds the red ball'."),
]
OwnSpec = Annotated[Text | None, Field(description="A whole environment spec as YAML or JSON; instead of a request.")]
Training = Annotated[
    Text | None,
    Field(description='How to train, as YAML or JSON, such as {"seed": 1, "gamma": 0.99, "hidden_units": 64}.'),
]
DryRun = Annotated[bool, Field(description="Plan, write and check only: nothing is built or trained.")]

AgentSource = Annotated[
    Text | None, Field(description="C# of the agent's class that replaces ours, such as an edited one; it is checked.")
]
UnityVersion = Annotated[str | None, Field(description="The Editor it is for, such as 6000.0 or 2022.3.")]
MlAgentsVersion = Annotated[
    str | None, Field(description="The com.unity.ml-agents package. Default: what goes with the Editor.")
]
SchemaOnly = Annotated[bool, Field(description="Give the JSON schema of specs and an example; nothing is written.")]
OutputPath = Annotated[
    str | None, Field(description="A folder under an allowed one, such as a Unity project, that gets the files too.")
]
ForceFiles = Annotated[bool, Field(description="Replace other files of these names; the old ones move to .replaced/.")]
ScriptPath = Annotated[str | None, Field(description="A C# file or a folder of them, under an allowed folder.")]
ScriptSource = Annotated[Text | None, Field(description="C# as text, instead of a path; the guard reads it too.")]

BuildId = Annotated[
    str | None, Field(description="A build from build_environment; one that is not ready is waited for.")
]
EnvPath = Annotated[str | None, Field(description="A player of your own (a Unity build) under an allowed folder.")]
Editor = Annotated[bool, Field(description="Train in the open Unity Editor: the run waits until Play is pressed.")]
Algorithm = Annotated[
    Literal["ppo", "sac", "poca", "iql"] | None,
    Field(description="Default: the preset's (PPO). iql: offline only, from the dataset's rewards."),
]
MaxSteps = Annotated[int | None, Field(ge=100, le=10**10, description="Steps to train for. Default: the preset's.")]
NumEnvs = Annotated[
    int | None, Field(ge=1, le=256, description="Players side by side; in the sandbox they become areas.")
]
NumAreas = Annotated[
    int | None, Field(ge=1, le=4096, description="Training areas in each player. Default: what is fast.")
]
TimeScale = Annotated[float | None, Field(gt=0, le=100, description="Speed of the simulation. Default 20.")]
LearningRate = Annotated[float | None, Field(gt=0, lt=1, description="Default: the preset's.")]
Seed = Annotated[
    int | None, Field(ge=0, le=2**31 - 1, description="Seed of trainer and player. Default: drawn and told.")
]
TrainerMode = Annotated[
    Literal["fast", "compat"], Field(description="fast: same results, faster. compat: ML-Agents' own code paths.")
]
TrainerConfig = Annotated[
    Text | None,
    Field(description="Trainer YAML: text, or a path under an allowed folder. Over the preset, under other arguments."),
]
TrainingMode = Annotated[
    Literal["online", "offline", "hybrid"],
    Field(description="offline: clone a dataset, without a player. hybrid: clone it first, then train on the player."),
]
DatasetPath = Annotated[
    str,
    Field(min_length=1, description="A .demo or .jsonl file, a folder of them, or several, comma-separated."),
]
OfflineDataset = Annotated[
    str | None, Field(description="For offline and hybrid: .demo or .jsonl files, or a folder; see inspect_dataset.")
]
DemonstrationSignals = Annotated[
    str | None,
    Field(description="hybrid: signals from the dataset while training on the player: 'gail', 'cloning', or both."),
]
RecordedEpisodes = Annotated[int, Field(ge=1, le=100_000, description="Episodes to record, of one agent each.")]
ActionNoise = Annotated[
    float, Field(ge=0, le=1, description="Disturbs the actions while the file keeps what was meant; 0.3 helps clones.")
]
RecordedPolicy = Annotated[
    str | None,
    Field(description="Who plays: a run_id, a registered model, an .onnx file, or 'expert' (default; scripted)."),
]
FittedBuild = Annotated[str | None, Field(description="A build whose behaviour it must fit.")]
InitializeFrom = Annotated[str | None, Field(description="A run whose weights are the start.")]
NewRunId = Annotated[str | None, Field(description="A name for the run (letters, digits, - and _). Default: made.")]
Force = Annotated[bool, Field(description="Replace a finished run of this run_id; the old files move to .replaced/.")]
NoGraphics = Annotated[bool | None, Field(description="Start the player without a window. Default true.")]
Pixels = Annotated[int | None, Field(ge=1, le=8192, description="Pixels of the player's window.")]
EnvArgs = Annotated[Text | None, Field(description="More arguments for the player, as on a command line.")]

AnyId = Annotated[str, Field(min_length=1, description="A run_id, job_id or build_id.")]
RunOrJobId = Annotated[str, Field(min_length=1, description="A run_id or job_id.")]
RunId = Annotated[str, Field(min_length=1, description="A run_id, as list_runs and start_training give it.")]
TimeoutS = Annotated[float, Field(ge=0, le=50, description="Seconds to wait at most; call again to wait on.")]
Until = Annotated[
    str | None,
    Field(description="A state such as 'running', or a mean reward such as '0.8'. Default: its end."),
]
ExtraSteps = Annotated[
    int | None, Field(ge=1, le=10**10, description="Steps beyond the old max_steps. Default: only what is left of it.")
]
StateFilter = Annotated[State | None, Field(description="Only runs in this state.")]
BehaviorFilter = Annotated[str | None, Field(description="Only runs of this behaviour.")]
AssetFilter = Annotated[str | None, Field(description="Only runs of this asset.")]
Limit = Annotated[int, Field(ge=1, le=50, description="Runs on one page.")]
Cursor = Annotated[str | None, Field(description="next_cursor of the page before.")]
Tags = Annotated[
    Text | None,
    Field(
        description="Series to return, comma-separated: 'Losses/Policy Loss, Policy/Entropy'. Default: the main ones."
    ),
]
RunIds = Annotated[
    Text,
    Field(min_length=1, description="Runs, comma-separated; those that differ by the seed alone become one curve."),
]
ReportFormat = Annotated[
    Literal["html", "pdf", "markdown", "json"], Field(description="html is one file that any browser opens and prints.")
]
MaxPoints = Annotated[int, Field(ge=2, le=200, description="Points of one series; the shape is kept.")]

OnnxPath = Annotated[str | None, Field(description="An ONNX file under an allowed folder, such as a checkpoint's.")]
ProjectPath = Annotated[
    str, Field(min_length=1, description="The Unity project: the folder that holds Assets, under an allowed folder.")
]
Replace = Annotated[
    bool, Field(description="Replace another file of that name (kept as a backup); ask the user before.")
]

PolicyRunId = Annotated[str | None, Field(description="A run whose final policies are meant.")]
ModelReference = Annotated[
    str | None, Field(description="A registered version: its id, name@alias, or a name, whose newest version it is.")
]
ModelTitle = Annotated[str | None, Field(max_length=64, description="The model's name. Default: the behaviour's.")]
ModelNamed = Annotated[str | None, Field(description="Only this model, with all its versions.")]
AliasFilter = Annotated[str | None, Field(description="Only versions that this alias points to, such as production.")]
RegistryName = Annotated[Literal["local", "vertex"], Field(description="vertex: upload it to Vertex AI too, by a job.")]
VertexProject = Annotated[str | None, Field(description="Google Cloud project. Default: of the settings.")]
VertexRegion = Annotated[str | None, Field(description="Its region. Default: of the settings.")]
Promoted = Annotated[
    str | None, Field(description="What to promote: a version's id, name@alias, or a name (its newest version).")
]
FrozenModel = Annotated[str | None, Field(description="The model to freeze or unfreeze.")]
ModelName = Annotated[str, Field(min_length=1, description="The model.")]
Alias = Annotated[str, Field(description="The alias, such as production or staging.")]
Gates = Annotated[
    str | None,
    Field(
        description="Gates of your own, YAML or JSON, in place of the default ones: "
        "[{name: success, kind: not_worse, figure: success, goal: 0.9, margin: 0.05}]."
    ),
]
PromotionAction = Annotated[Literal["promote", "freeze", "unfreeze"], Field(description="What to do.")]
OverrideReason = Annotated[
    str | None, Field(description="Promote although gates failed, and write down why. Also the reason of a freeze.")
]
DoIt = Annotated[bool, Field(description="Do it. Without it nothing changes: you see what would happen.")]
BackTo = Annotated[str | None, Field(description="A version to go back to. Default: the last good one.")]
WhyBack = Annotated[str, Field(min_length=1, description="What went wrong; kept in the incident.")]
Correction = Annotated[str | None, Field(description="What shall be done about it; kept in the incident.")]
Changelog = Annotated[
    str | None, Field(max_length=2000, description="What changed, in a sentence; a promotion asks for it.")
]
PlayOnBuild = Annotated[str | None, Field(description="A build to play on. Default: what the run was trained on.")]
PlayOnPlayer = Annotated[str | None, Field(description="A player of your own to play on, under an allowed folder.")]
Episodes = Annotated[int, Field(ge=1, le=100_000, description="Episodes; as many again for each point of a sweep.")]
EvaluationSeed = Annotated[int, Field(ge=0, le=2**31 - 1, description="The same seed gives the same figures.")]
Deterministic = Annotated[
    bool, Field(description="Take the most likely actions, as Unity does with Deterministic Inference.")
]
HeldParameters = Annotated[
    str | None, Field(description='Environment parameters to hold, YAML or JSON: {"obstacle_count": 6}.')
]
Sweep = Annotated[
    str | None,
    Field(
        description="Robustness: names of the spec's parameters, separated by commas, or values as YAML or JSON: "
        '{"obstacle_count": [2, 4, 8]}.'
    ),
]
ComparedRuns = Annotated[str | None, Field(description="Run ids, separated by commas; or give filter.")]
RunFilter = Annotated[
    str | None, Field(description="Which runs instead: behavior=X, asset=Y, state=succeeded; separated by commas.")
]
Metric = Annotated[str, Field(description="reward, success, episode_length, elo, group_reward, or a series' own tag.")]
Baseline = Annotated[str | None, Field(description="A run whose group the others are compared with.")]
GroupBy = Annotated[
    str | None, Field(description="Settings that make a group, separated by commas. Default: all but the seed.")
]
Threshold = Annotated[
    float | None, Field(description="What steps and time are measured to. Default: 90 % of the way to the best.")
]

ScheduleName = Annotated[str, Field(min_length=1, max_length=100, description="A name, unique on this machine.")]
ScheduleNamed = Annotated[str | None, Field(description="Only this one, by name or schedule_id, with its history.")]
ScheduleId = Annotated[str, Field(min_length=1, description="schedule_id or name, as list_schedules gives it.")]
ScheduleAction = Annotated[words.ScheduleAction, Field(description="What to do with it.")]
Changes = Annotated[
    Text | None,
    Field(
        description="For change, as YAML or JSON: any of name, cron, timezone, pause_s, overlap, catch_up, training, "
        """max_steps, after, alias, warm_start, max_concurrent_jobs; such as {cron: "*/5 * * * *"}."""
    ),
]
Cron = Annotated[
    str,
    Field(
        min_length=1,
        description="Five cron fields such as '0 2 * * *', or hourly, daily, nightly, weekly, monthly (@daily too), or "
        "continuous: again when done, after pause_s.",
    ),
]
Assets = Annotated[
    Text | None,
    Field(
        description='Several, as a YAML or JSON list: sentences, or {"name", "description", "observation_space", '
        '"action_space"}; instead of request.'
    ),
]
ScheduledBuild = Annotated[str | None, Field(description="A build that is there already, to train on; instead.")]
After = Annotated[
    str,
    Field(description="What to do with each policy: evaluate, report, register, promote, comma-separated; or none."),
]
WarmStart = Annotated[bool, Field(description="Begin with the weights of the version that holds the alias, if any.")]
Timezone = Annotated[str, Field(description="The zone of cron, such as Europe/Berlin.")]
Overlap = Annotated[words.Overlap, Field(description="What happens to a firing while an earlier one still runs.")]
CatchUp = Annotated[words.CatchUp, Field(description="Which firings are made up for that nobody was there for.")]
PauseS = Annotated[
    float, Field(ge=0, le=2_592_000, description="Seconds between the firings of a continuous schedule.")
]
MaxConcurrentJobs = Annotated[int, Field(ge=1, le=64, description="Assets of one firing that train at once.")]
Enabled = Annotated[bool, Field(description="false: it is kept, and fires once it is resumed.")]
