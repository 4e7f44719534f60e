"""The ways a person goes: from a sentence to a policy, and looking on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, INTERRUPTED, application, console, show, text_or_file
from unity_mlops_mcp.interfaces.connect import typed_command

if TYPE_CHECKING:
    from rich.console import Console

    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.runs import Status


def train(
    sentence: Annotated[str, typer.Argument(help='What shall be learned, such as "a robot finds the red ball".')],
    *,
    max_steps: o.MaxSteps = None,
    seed: o.Seed = None,
    trainer_mode: o.Mode = "fast",
    name: o.Name = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not look on; the run goes on by itself.")] = False,
    json: o.Json = False,
) -> None:
    """Train a behaviour from one sentence, with a live view; Ctrl-C stops it with its checkpoint kept."""
    from unity_mlops_mcp.interfaces.cli.render import render_build

    terminal = console(errors=json)
    with application(upkeep=not detach) as app:
        build = app.build_environment(description=sentence, name=name)
        if not json:
            render_build(build, terminal)
        run = app.start_training(build_id=build.build_id, max_steps=max_steps, seed=seed, trainer_mode=trainer_mode)
        if detach:
            show(run, as_json=json)
            return
        status = look_on(app, run.run_id, terminal)
        _end(app, status, terminal, as_json=json)
    if status.state != "succeeded":
        raise typer.Exit(INTERRUPTED if status.state == "cancelled" else FAILED)


def watch(run_id: o.AnyId, json: o.Json = False) -> None:
    """Look on while a run or job goes; Ctrl-C only ends the looking."""
    from unity_mlops_mcp.interfaces.cli.live import follow

    terminal = console(errors=json)
    with application(upkeep=True) as app:
        try:
            status = follow(app, run_id, terminal)
        except KeyboardInterrupt:
            terminal.print(f"{run_id} goes on without you. To stop it: unity-mlops stop-training {run_id}")
            return
        _end(app, status, terminal, as_json=json)
    if status.state == "failed":
        raise typer.Exit(FAILED)


def run(
    request: o.Request = None,
    *,
    spec: o.OwnSpec = None,
    project_path: o.ProjectPath = None,
    scenes: o.Scenes = None,
    target: o.AnyTarget = None,
    training: o.Training = None,
    max_steps: o.MaxSteps = None,
    confirm: o.Confirm = False,
    dry_run: o.DryRun = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not look on; it goes on by itself.")] = False,
    json: o.Json = False,
) -> None:
    """From one sentence to a policy, with every stage shown live; installs the trainer first where there is none."""
    terminal = console(errors=json)
    with application(upkeep=not detach) as app:
        if not dry_run:
            prepare_trainer(app, terminal)
        started = app.run_pipeline(
            request=request,
            spec=text_or_file(spec),
            project_path=project_path,
            scenes=scenes,
            target=target,
            training=text_or_file(training),
            max_steps=max_steps,
            confirm=confirm,
            dry_run=dry_run,
        )
        if detach:
            show(started, as_json=json)
            return
        if not dry_run:
            terminal.print("It belongs to this machine, not to this window. Ctrl-C stops it and keeps what there is.\n")
        status = look_on(app, started.job_id, terminal)
        _end(app, status, terminal, as_json=json)
    if status.state != "succeeded":
        raise typer.Exit(INTERRUPTED if status.state == "cancelled" else FAILED)
    if not dry_run and not json:
        invite(terminal)


def prepare_trainer(app: App, terminal: Console) -> None:
    """Install the managed trainer when no trainer is there.

    Raises:
        MlopsError: it could not be installed; the fix says what to do.
    """
    from unity_mlops_mcp.interfaces.cli.machine import follow_install
    from unity_mlops_mcp.training.trainer.environment import find_trainer

    try:
        trainer = find_trainer(app.settings, app.cache)
    except SetupError as error:
        if app.settings.trainer is not None:
            raise
        terminal.print(f"{error.message} It is installed now; that happens once.", style="bold")
        follow_install(app, app.install_trainer(), terminal)
    else:
        versions = trainer.versions
        terminal.print(f"Trainer: mlagents {versions.mlagents}, torch {versions.torch}, Python {versions.python}")


def look_on(app: App, subject: str, terminal: Console) -> Status:
    """Follow what we started; Ctrl-C stops it cleanly, a second one leaves at once. Gives its last status."""
    from unity_mlops_mcp.interfaces.cli.live import follow

    try:
        return follow(app, subject, terminal)
    except KeyboardInterrupt:
        app.stop_training(subject)
        terminal.print("\nStopping; what there is is kept (Ctrl-C again leaves at once).")
    try:
        return follow(app, subject, terminal)
    except KeyboardInterrupt:
        return app.get_run(subject)


def _end(app: App, status: Status, terminal: Console, *, as_json: bool) -> None:
    """The last status: as JSON, or in words."""
    if as_json:
        show(status, as_json=True)
    else:
        conclude(app, status, terminal)


def conclude(app: App, status: Status, terminal: Console) -> None:
    """Say how it ended: the policy and how good it is, or the cause, or how to go on."""
    terminal.print()
    if status.stages:
        for note in status.notes:
            terminal.print(note)
    if status.state == "succeeded" and status.run_id:
        _praise(app, status, terminal)
    elif status.failure:
        terminal.print(f"Failed: {status.failure.cause}: {status.failure.message}", style="red")
        for line in status.failure.evidence:
            terminal.print(f"  | {line}", style="dim")
        terminal.print(f"To mend it: {status.failure.fix}")
    elif status.state == "succeeded":
        terminal.print(f"{status.id} succeeded. {status.next}" if status.stages else f"{status.id} succeeded.")
        if status.stages:
            terminal.print(f"Files           {status.folder}")
    elif status.stages and status.run_id:
        _say_how_to_go_on(app.get_run(status.run_id), terminal)
    else:
        _say_how_to_go_on(status, terminal)


def _praise(app: App, status: Status, terminal: Console) -> None:
    summary = app.get_metrics(status.run_id or status.id, max_points=2).summary
    terminal.print("The policy is trained.", style="bold green")
    terminal.print(f"Policy (ONNX)   {status.onnx}")
    if summary.success is not None:
        terminal.print(f"Success         {summary.success:.1%} of the last {summary.success_episodes} episodes")
    if summary.last_reward is not None:
        terminal.print(f"Mean reward     {summary.last_reward:.3f} (at the start {summary.first_reward or 0:.3f})")
    terminal.print(f"Files           {status.folder}")
    if status.paragraph:
        terminal.print(f"\n{status.paragraph}", soft_wrap=False)


def _say_how_to_go_on(status: Status, terminal: Console) -> None:
    at = f" at step {status.step:,}" if status.step is not None else ""
    subject, command = status.run_id or status.id, typed_command()
    if status.state == "cancelled" and not any(file.endswith(".pt") for file in status.files):
        terminal.print(f"{subject} is cancelled; it had saved nothing yet. Type the same command to begin again.")
        return
    terminal.print(f"{subject} is {status.state}{at}; its checkpoint is kept.")
    terminal.print("To go on:")
    terminal.print(f"  {command} resume-training {subject}")
    terminal.print(f"  {command} watch {subject}")


def invite(terminal: Console) -> None:
    """What to type next."""
    terminal.print("\nNext", style="bold")
    command = typed_command()
    terminal.print("Let a chat client do the same (Claude Desktop, Claude Code, Cursor, VS Code):")
    terminal.print(f"  {command} connect claude-desktop --write")
    terminal.print("Train something of your own:")
    terminal.print(f'  {command} run "patrol five waypoints in order"')
    terminal.print("See what there is:")
    terminal.print(f"  {command} list-runs")
