"""The commands about schedules, with the words of the tools, and the one that fires them."""

from __future__ import annotations

from typing import Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show, text_or_file
from unity_mlops_mcp.scheduling.words import AFTER_DEFAULT, CatchUp, Overlap, ScheduleAction

Named = Annotated[str, typer.Argument(metavar="SCHEDULE_ID", help="A schedule's id or name.")]


def add_schedule(
    name: Annotated[str, typer.Argument(help="A name, unique on this machine.")],
    cron: Annotated[
        str,
        typer.Argument(help='"0 2 * * *", or hourly, daily, nightly, weekly, monthly, or continuous: again when done.'),
    ],
    *,
    request: Annotated[str | None, typer.Option(help='What shall be learned, such as "create a patrol AI".')] = None,
    assets: Annotated[str | None, typer.Option(help="Several: a YAML or JSON list, or a file; instead.")] = None,
    build_id: Annotated[str | None, typer.Option(help="A build that is there already; instead.")] = None,
    project_path: o.ProjectPath = None,
    scenes: o.Scenes = None,
    target: o.AnyTarget = None,
    training: o.Training = None,
    max_steps: o.MaxSteps = None,
    after: Annotated[str, typer.Option(help="evaluate, report, register, promote; or none.")] = AFTER_DEFAULT,
    alias: Annotated[str, typer.Option(help="Where it promotes to, and whose weights a warm start takes.")] = (
        "production"
    ),
    warm_start: Annotated[bool, typer.Option("--warm-start", help="Begin with the weights of the alias' holder.")] = (
        False
    ),
    timezone: Annotated[str, typer.Option(help="The zone of cron, such as Europe/Berlin.")] = "UTC",
    overlap: Annotated[Overlap, typer.Option(help="What happens while an earlier firing runs.")] = "skip",
    catch_up: Annotated[CatchUp, typer.Option(help="Which firings that nobody was there for are made up for.")] = (
        "latest"
    ),
    pause_s: Annotated[
        float, typer.Option(min=0, max=2_592_000, help="Seconds between firings of a continuous schedule.")
    ] = 60.0,
    max_concurrent_jobs: Annotated[int, typer.Option(min=1, max=64, help="Assets that train at once.")] = 4,
    enabled: Annotated[bool, typer.Option(help="Whether it fires from now on.")] = True,
    confirm: o.Confirm = False,
    json: o.Json = False,
) -> None:
    """Train again and again: every firing starts a pipeline for each asset."""
    from unity_mlops_mcp.inputs import names
    from unity_mlops_mcp.operations.pipelines import read_training
    from unity_mlops_mcp.pipeline.records import Wanted
    from unity_mlops_mcp.scheduling.records import Rule

    with application() as app:
        result = app.add_schedule(
            name=name,
            rule=Rule(cron=cron, timezone=timezone, overlap=overlap, catch_up=catch_up, pause_s=pause_s),
            work=Wanted(
                request=request,
                build_id=build_id,
                project_path=project_path,
                scenes=names(scenes),
                target=target,
                training=read_training(text_or_file(training)),
                max_steps=max_steps,
                after=names(after),
                alias=alias,
                warm_start=warm_start,
                confirm=confirm,
            ),
            assets=text_or_file(assets),
            max_concurrent_jobs=max_concurrent_jobs,
            enabled=enabled,
        )
        show(result, as_json=json)


def list_schedules(
    name: Annotated[str | None, typer.Argument(help="Only this one, with its history.")] = None, json: o.Json = False
) -> None:
    """Show schedules with their next firings and the last outcome."""
    with application() as app:
        show(app.list_schedules(name), as_json=json)


def update_schedule(
    schedule_id: Named,
    action: Annotated[ScheduleAction, typer.Argument(help="What to do.")],
    *,
    changes: Annotated[
        str | None,
        typer.Option(
            help="For change: what add-schedule takes but what is trained, as in "
            """'{cron: "*/5 * * * *", max_steps: 1e6}', or a file."""
        ),
    ] = None,
    json: o.Json = False,
) -> None:
    """Pause, resume, change or remove a schedule, or let it fire now."""
    with application() as app:
        show(app.update_schedule(schedule_id, action, text_or_file(changes)), as_json=json)


def scheduler(
    drain_s: Annotated[
        float, typer.Option(min=0, help="Seconds that running jobs are given at the end, after SIGTERM or Ctrl-C.")
    ] = 0.0,
) -> None:
    """Fire schedules and send notifications until SIGTERM or Ctrl-C; for a container or a service manager.

    Any other server of ours does the same besides its work. At the end nothing new is fired, and what runs goes on by
    itself; where the end of this process ends all others, as in a container, it goes on at the next start.
    """
    from unity_mlops_mcp.interfaces.cli.daemon import fire_until_ended

    raise typer.Exit(fire_until_ended(drain_s))
