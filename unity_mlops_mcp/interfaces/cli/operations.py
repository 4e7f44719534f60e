"""The commands that are tools too, with the same words."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, application, console, show, text_or_file

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.runs import WaitResult
    from unity_mlops_mcp.results.setup import SetupReport

_MAX_WAIT_S = 50.0
_BAD_ENDS = frozenset({"failed", "cancelled"})


def check_setup(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended, as a job.")] = False,
    json: o.Json = False,
) -> None:
    """Say whether this machine can train, and what to mend."""
    with application(upkeep=fix) as app:
        report = app.check_setup(fix=fix)
        show(report, as_json=json)
        if report.job_id and not json:
            report = _mended(app, report.job_id)
    if not report.ok and not (json and report.job_id):
        raise typer.Exit(FAILED)


def _mended(app: App, job_id: str) -> SetupReport:
    """Follow the job that mends, then look again."""
    from unity_mlops_mcp.interfaces.cli.live import follow

    status = follow(app, job_id, console())
    if status.failure:
        show(status, as_json=False)
    report = app.check_setup()
    show(report, as_json=False)
    return report


def build_environment(
    description: Annotated[str | None, typer.Argument(help="What shall be learned, in one sentence.")] = None,
    *,
    observation_space: Annotated[str | None, typer.Option(help='Such as {"raycast": 8, "velocity": 2}.')] = None,
    action_space: Annotated[str | None, typer.Option(help='Such as {"type": "continuous", "size": 2}.')] = None,
    spec_id: Annotated[str | None, typer.Option(help="A spec made before.")] = None,
    spec: Annotated[str | None, typer.Option(help="A whole environment spec: YAML, JSON, or a file.")] = None,
    name: o.Name = None,
    target: Annotated[o.BuildOn | None, typer.Option(help="Default: unity with a project path, else sandbox.")] = None,
    project_path: Annotated[str | None, typer.Option(help="A Unity project of your own, built as it is.")] = None,
    scenes: Annotated[str | None, typer.Option(help="Its scenes, separated by commas; default: its settings'.")] = None,
    editor_path: Annotated[str | None, typer.Option(help="An Editor; default: the project's version.")] = None,
    build_target: Annotated[o.BuildTarget | None, typer.Option(help="Default: this machine.")] = None,
    areas: Annotated[int | None, typer.Option(min=1, max=1024, help="Training areas in a scene from a spec.")] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Allow code that somebody else wrote.")] = False,
    use_llm: o.UseLlm = None,
    idempotency_key: o.Key = None,
    json: o.Json = False,
) -> None:
    """Make a player to train in, from one sentence, an environment spec, or a Unity project."""
    with application() as app:
        result = app.build_environment(
            description=description,
            observation_space=observation_space,
            action_space=action_space,
            spec_id=spec_id,
            spec=text_or_file(spec),
            name=name,
            target=target,
            use_llm=use_llm,
            project_path=project_path,
            scenes=scenes,
            editor_path=editor_path,
            build_target=build_target,
            areas=areas,
            confirm=confirm,
            idempotency_key=idempotency_key,
        )
        show(result, as_json=json)


def run_pipeline(
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
    idempotency_key: o.Key = None,
    json: o.Json = False,
) -> None:
    """Go the whole way from a sentence to a policy, as a job; it goes on by itself after this command returns."""
    with application() as app:
        result = app.run_pipeline(
            request=request,
            spec=text_or_file(spec),
            project_path=project_path,
            scenes=scenes,
            target=target,
            training=text_or_file(training),
            max_steps=max_steps,
            confirm=confirm,
            dry_run=dry_run,
            idempotency_key=idempotency_key,
        )
        show(result, as_json=json)


def start_training(
    *,
    build_id: Annotated[str | None, typer.Option(help="A build from build-environment.")] = None,
    env_path: Annotated[str | None, typer.Option(help="A player of your own, such as a Unity build.")] = None,
    editor: Annotated[bool, typer.Option("--editor", help="Train in the open Unity Editor; waits for Play.")] = False,
    algorithm: Annotated[o.Algorithm | None, typer.Option(help="Default: the preset's.")] = None,
    max_steps: o.MaxSteps = None,
    num_envs: Annotated[int | None, typer.Option(min=1, max=256, help="Players side by side.")] = None,
    num_areas: Annotated[int | None, typer.Option(min=1, max=4096, help="Training areas in each player.")] = None,
    time_scale: Annotated[float | None, typer.Option(min=0.01, max=100, help="Speed of the simulation.")] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Default: the preset's.")] = None,
    seed: o.Seed = None,
    trainer_mode: o.Mode = "fast",
    trainer_config: Annotated[str | None, typer.Option(help="Trainer YAML, as text or as a path.")] = None,
    initialize_from: Annotated[str | None, typer.Option(help="A run whose weights are the start.")] = None,
    run_id: Annotated[str | None, typer.Option(help="A name for the run; default: made.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a finished run of this name.")] = False,
    no_graphics: Annotated[bool | None, typer.Option(help="Start the player without a window.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Pixels of the player's window.")] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Pixels of the player's window.")] = None,
    env_args: Annotated[str | None, typer.Option(help="More arguments for the player, in quotes.")] = None,
    training_mode: o.TrainingMode = "online",
    offline_dataset_path: Annotated[
        str | None, typer.Option(help=".demo or .jsonl files, or a folder of them.")
    ] = None,
    demonstration_signals: Annotated[
        str | None, typer.Option(help="While training hybrid: 'gail', 'cloning', or both, separated by commas.")
    ] = None,
    idempotency_key: o.Key = None,
    json: o.Json = False,
) -> None:
    """Start a training; it goes on by itself after this command returns."""
    with application() as app:
        result = app.start_training(
            build_id=build_id,
            env_path=env_path,
            editor=editor,
            algorithm=algorithm,
            max_steps=max_steps,
            num_envs=num_envs,
            num_areas=num_areas,
            time_scale=time_scale,
            learning_rate=learning_rate,
            seed=seed,
            trainer_mode=trainer_mode,
            trainer_config=trainer_config,
            initialize_from=initialize_from,
            run_id=run_id,
            force=force,
            no_graphics=no_graphics,
            width=width,
            height=height,
            env_args=env_args,
            training_mode=training_mode,
            offline_dataset_path=offline_dataset_path,
            demonstration_signals=demonstration_signals,
            idempotency_key=idempotency_key,
        )
        show(result, as_json=json)


def list_runs(
    *,
    state: Annotated[o.State | None, typer.Option(help="Only runs in this state.")] = None,
    behavior: Annotated[str | None, typer.Option(help="Only runs of this behaviour.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only runs of this asset.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Runs on one page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    json: o.Json = False,
) -> None:
    """List the runs, newest first."""
    with application() as app:
        show(app.list_runs(state=state, behavior=behavior, asset=asset, limit=limit, cursor=cursor), as_json=json)


def get_run(id: o.RunOrJobId, json: o.Json = False) -> None:  # noqa: A002
    """Show everything about one run or job."""
    with application() as app:
        show(app.get_run(id), as_json=json)


def wait_for(
    id: o.AnyId,  # noqa: A002
    timeout_s: Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")] = 25,
    until: Annotated[str | None, typer.Option(help="A state, or a mean reward; default: the end.")] = None,
    json: o.Json = False,
) -> None:
    """Wait until a run, job or build ends; exit code 1 when the time runs out or it ends badly."""
    import anyio

    with application(upkeep=True) as app:
        result = anyio.run(partial(_wait, app, id, timeout_s=timeout_s, until=until))
        show(result, as_json=json)
    if not result.done or (until is None and result.state in _BAD_ENDS):
        raise typer.Exit(FAILED)


async def _wait(app: App, subject: str, *, timeout_s: float, until: str | None) -> WaitResult:
    """Wait as long as a person likes; one call of the application is bounded."""
    end = time.monotonic() + timeout_s
    while True:
        left = max(0.0, end - time.monotonic())
        result = await app.wait_for(subject, timeout_s=min(left, _MAX_WAIT_S), until=until)
        if result.done or left <= _MAX_WAIT_S:
            return result


def stop_training(id: o.RunOrJobId, json: o.Json = False) -> None:  # noqa: A002
    """Stop a run or job; checkpoint and policy so far are kept."""
    with application() as app:
        show(app.stop_training(id), as_json=json)


def resume_training(
    run_id: o.RunId,
    extra_steps: Annotated[int | None, typer.Option(min=1, help="Steps beyond the old max_steps.")] = None,
    json: o.Json = False,
) -> None:
    """Go on with a run from its last checkpoint."""
    with application() as app:
        show(app.resume_training(run_id, extra_steps=extra_steps), as_json=json)


def get_metrics(
    run_id: o.RunId,
    tags: Annotated[str | None, typer.Option(help="Series, separated by commas; default: the main ones.")] = None,
    max_points: Annotated[int, typer.Option(min=2, max=200, help="Points of one series.")] = 100,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    json: o.Json = False,
) -> None:
    """Say how well a run learns."""
    with application() as app:
        show(app.get_metrics(run_id, tags=tags, max_points=max_points, cursor=cursor), as_json=json)


def compare_runs(
    run_ids: Annotated[str | None, typer.Argument(help="Run ids, separated by commas; or give --filter.")] = None,
    *,
    filter: Annotated[str | None, typer.Option("--filter", help="behavior=X, asset=Y, state=succeeded.")] = None,  # noqa: A002
    metric: Annotated[str, typer.Option(help="reward, success, episode_length, elo, or a series' tag.")] = "reward",
    baseline: Annotated[str | None, typer.Option(help="A run whose group the others are compared with.")] = None,
    group_by: Annotated[str | None, typer.Option(help="Settings that make a group; default: all but the seed.")] = None,
    threshold: Annotated[float | None, typer.Option(help="What the time to it is measured to.")] = None,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    json: o.Json = False,
) -> None:
    """Say which runs are better, why, and how sure that is."""
    with application() as app:
        result = app.compare_runs(
            run_ids=run_ids,
            filter=filter,
            metric=metric,
            baseline=baseline,
            group_by=group_by,
            threshold=threshold,
            cursor=cursor,
        )
        show(result, as_json=json)
