"""The commands that keep a home for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, console, show

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.runs import Status

Archive = Annotated[str, typer.Argument(metavar="PATH", help="An archive: NAME.tar.gz, or NAME.tar.")]


def backup(path: Archive, *, json: o.Json = False) -> None:
    """Write the home into one archive while it is in use; everything but what can be made again."""
    with application(upkeep=True) as app:
        done = _to_the_end(app, app.start_backup(path), as_json=json)
        show(app.backup_made(done.job_id), as_json=json)


def restore(
    path: Archive,
    *,
    cancel_jobs: Annotated[
        bool, typer.Option("--cancel-jobs", help="End the jobs that were open instead of going on with them.")
    ] = False,
    pause: Annotated[
        bool, typer.Option("--pause", help="Pause all schedules and disable all notifications in the new home.")
    ] = False,
    json: o.Json = False,
) -> None:
    """Make the home from a backup, which UNITY_MLOPS_HOME must name and which must be empty."""
    with application(tend=False) as app:
        show(app.restore_backup(path, cancel_jobs=cancel_jobs, pause=pause), as_json=json)


def mirror(
    url: Annotated[str, typer.Argument(metavar="URL", help="A folder, or such as gs://bucket/folder.")],
    *,
    json: o.Json = False,
) -> None:
    """Copy runs, evaluations and models to a folder or bucket: only what changed; nothing there is removed."""
    with application(upkeep=True) as app:
        done = _to_the_end(app, app.start_mirror(url), as_json=json)
        show(app.mirrored(done.job_id), as_json=json)


def tensorboard(
    *,
    run_id: Annotated[str | None, typer.Option("--run-id", help="One run; default: all.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On this machine; 0 takes any that is free.")] = 6006,
) -> None:
    """Show the curves in TensorBoard, on this machine only, until Ctrl-C."""
    import signal
    import time

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or it would outlive us
    with application() as app, app.tensorboard(run_id, port=port) as shown:
        typer.echo(f"TensorBoard answers at {shown.url}. Ctrl-C ends it.")
        while not shown.ended:
            time.sleep(0.5)


def prune(
    *,
    older_than: Annotated[str, typer.Option(help="What ended longer ago than that: 12h, 30d, 8w.")],
    keep_registered: Annotated[
        bool,
        typer.Option(
            "--keep-registered/--no-keep-registered",
            help="Leave runs of model versions whole; else their checkpoints go where no alias serves the version.",
        ),
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    json: o.Json = False,
) -> None:
    """Free old runs, builds and artifacts; never what a model version refers to, is open, or is in use."""
    with application() as app:
        show(app.prune(older_than=older_than, keep_registered=keep_registered, dry_run=dry_run), as_json=json)


def _to_the_end(app: App, started: Status, *, as_json: bool) -> Status:
    """Show a job until it has succeeded; Ctrl-C stops it.

    Raises:
        ExternalError: it failed, with its cause, evidence and fix; or somebody stopped it.
        KeyboardInterrupt: it was stopped here.
    """
    from unity_mlops_mcp.interfaces.cli.live import follow

    try:
        status = follow(app, started.job_id, console(errors=as_json))
    except KeyboardInterrupt:
        app.stop_training(started.job_id)
        raise
    if status.failure is not None:
        why = status.failure
        raise ExternalError(why.message, fix=why.fix, cause=why.cause, evidence=why.evidence)
    if status.state != "succeeded":
        raise ExternalError(f"{started.job_id} is {status.state}.", fix="Call the same command again.", cause="stopped")
    return status
