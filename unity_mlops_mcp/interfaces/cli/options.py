"""The arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

State = Literal["queued", "starting", "running", "stopping", "succeeded", "failed", "cancelled", "interrupted"]
Algorithm = Literal["ppo", "sac", "poca", "iql"]
Target = Literal["sandbox"]
BuildOn = Literal["sandbox", "unity"]
BuildTarget = Literal["linux64", "win64", "osx"]
TrainerMode = Literal["fast", "compat"]
TrainingModeName = Literal["online", "offline", "hybrid"]

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
AnyId = Annotated[str, typer.Argument(metavar="ID", help="A run, job or build id.")]
RunOrJobId = Annotated[str, typer.Argument(metavar="ID", help="A run or job id.")]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="A run id, as list-runs shows it.")]
MaxSteps = Annotated[int | None, typer.Option(min=100, max=10**10, help="Steps to train for; default: the preset's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of trainer and player; default: drawn and told.")]
Mode = Annotated[TrainerMode, typer.Option(help="fast: same results, faster; compat: ML-Agents' own code paths.")]
TrainingMode = Annotated[
    TrainingModeName, typer.Option(help="offline: clone a dataset, no player; hybrid: clone it, then train.")
]
Name = Annotated[str | None, typer.Option(help="A name; the behaviour's name is made from it.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key twice gives the same thing, once.")]
UseLlm = Annotated[
    bool | None,
    typer.Option(
        help="A language model must read the description, or the rules alone. Default: a model if there is one."
    ),
]
Request = Annotated[str | None, typer.Argument(help='What shall be learned, such as "create a patrol AI".')]
OwnSpec = Annotated[str | None, typer.Option("--spec", help="A whole environment spec: YAML, JSON, or a file.")]
AnyTarget = Annotated[Target | None, typer.Option(help="Default: unity with a project path, else sandbox.")]
ProjectPath = Annotated[str | None, typer.Option(help="A Unity project of your own, built as it is.")]
Scenes = Annotated[str | None, typer.Option(help="Its scenes, separated by commas; default: its settings'.")]
Confirm = Annotated[bool, typer.Option("--confirm", help="Allow code that somebody else wrote.")]
Training = Annotated[
    str | None, typer.Option("--training", help='How to train: YAML, JSON or a file, such as "{seed: 1, gamma: 0.99}".')
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Plan, write and check only: nothing is built or trained.")]
PolicyRunId = Annotated[str | None, typer.Option("--run-id", help="A run whose final policies are meant.")]
ModelReference = Annotated[
    str | None, typer.Option("--model", help="A version: its id, name@alias, or a name, whose newest version it is.")
]
OnnxPath = Annotated[str | None, typer.Option("--onnx-path", help="An ONNX file, such as a checkpoint's.")]
