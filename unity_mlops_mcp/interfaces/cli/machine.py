"""The commands about this machine: the trainer, players, chat clients, the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, console, print_json, show
from unity_mlops_mcp.interfaces.cli.serving import ReadOnly, Tools
from unity_mlops_mcp.interfaces.connect import CLIENTS, ClientName

if TYPE_CHECKING:
    from rich.console import Console

    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.results.runs import Status

trainer = typer.Typer(help="The interpreter environment that holds mlagents.", no_args_is_help=True)


@trainer.command("install")
def trainer_install(
    python: Annotated[str | None, typer.Option(help="The interpreter to make it with (3.10 to 3.13).")] = None,
    torch_index: Annotated[
        str | None, typer.Option(help="A package index for torch, such as PyTorch's CPU index.")
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Make it again, even when it looks complete.")] = False,
    offline_rl: Annotated[
        bool, typer.Option("--offline-rl", help="Instead, what learns from the rewards in a dataset (d3rlpy).")
    ] = False,
    json: o.Json = False,
) -> None:
    """Install ML-Agents' trainer into an environment of its own; may be broken off and called again."""
    with application(upkeep=True) as app:
        started = app.install_trainer(python=python, torch_index=torch_index, repair=repair, offline_rl=offline_rl)
        show(follow_install(app, started, console(errors=json)), as_json=json)


def follow_install(app: App, started: Status, terminal: Console) -> Status:
    """Show the installation until it ends; Ctrl-C stops it.

    Raises:
        ExternalError: it failed; with its cause, evidence and fix.
        KeyboardInterrupt: it was stopped; the next one goes on with what is there.
    """
    from unity_mlops_mcp.interfaces.cli.live import follow

    for note in started.notes:
        terminal.print(note)
    try:
        status = follow(app, started.job_id, terminal)
    except KeyboardInterrupt:
        app.stop_training(started.job_id)
        terminal.print("\nStopped. The same command goes on with what is there.")
        raise
    if status.state != "succeeded":
        raise _install_error(status)
    return status


def _install_error(status: Status) -> ExternalError:
    failure = status.failure
    if failure is None:
        return ExternalError(f"The installation is {status.state}.", fix="unity-mlops trainer install goes on with it.")
    return ExternalError(failure.message, fix=failure.fix, cause=failure.cause, evidence=failure.evidence)


@trainer.command("show")
def trainer_show(
    python: Annotated[bool, typer.Option("--python", help="Print only the interpreter's path.")] = False,
    json: o.Json = False,
) -> None:
    """Show which trainer is used, and its versions."""
    from unity_mlops_mcp.training.trainer.environment import find_trainer

    with application() as app:
        found = find_trainer(app.settings, app.cache)
        if python:
            typer.echo(found.python)
        else:
            show(found, as_json=json)


def probe(
    player: Annotated[str, typer.Argument(metavar="PLAYER", help="Any ML-Agents player, Unity's too.")],
    steps: Annotated[int, typer.Option(min=1, help="Steps to take with random actions.")] = 200,
    timeout_s: Annotated[float, typer.Option(min=1, help="Seconds to wait for the player.")] = 60,
    json: o.Json = False,
) -> None:
    """Start a player without mlagents and say what it offers: behaviours, shapes, steps per second, NaN."""
    with application(here=True) as app:
        show(app.probe(player, steps=steps, timeout_s=timeout_s), as_json=json)


def connect(
    client: Annotated[ClientName, typer.Argument(help="The chat client.")],
    write: Annotated[bool, typer.Option("--write", help="Write it into the client's file; a copy is kept.")] = False,
    root: Annotated[list[Path] | None, typer.Option(help="A folder that may be read and written; repeatable.")] = None,
    file: Annotated[Path | None, typer.Option(help="The client's file, where it is not the usual one.")] = None,
    json: o.Json = False,
) -> None:
    """Print what connects a chat client to this installation, or write it into the client's file."""
    from datetime import datetime

    from unity_mlops_mcp.config import settings
    from unity_mlops_mcp.interfaces.connect import entry, left_to_set, write_entry

    chosen = CLIENTS[client]
    target = file or chosen.file()
    known = settings()
    made = entry(known, roots=root or [])
    written = write_entry(chosen, target, made, now=datetime.now().astimezone()) if write else None
    if json:
        print_json(
            {
                "client": client,
                "file": str(target),
                "entry": chosen.document(made),
                "written": bool(written and written.changed),
                "secrets_to_set": known.secret_variables,
            }
        )
        return
    told = chosen.snippet(made, target) if written is None else written.sentence(chosen)
    typer.echo("\n".join(filter(None, (told, left_to_set(known)))))


def spec_schema() -> None:
    """Print the JSON schema of environment specs, for an editor or a program that writes them."""
    from pydantic.json_schema import GenerateJsonSchema

    from unity_mlops_mcp.spec.environment import EnvironmentSpec

    print_json({"$schema": GenerateJsonSchema.schema_dialect, **EnvironmentSpec.model_json_schema()})


def mcp(read_only: ReadOnly = False, tools: Tools = None) -> None:
    """Serve a chat client over standard input and output."""
    from unity_mlops_mcp.interfaces.access import Offer
    from unity_mlops_mcp.interfaces.mcp.server import run_stdio

    raise typer.Exit(run_stdio(Offer.of(read_only=read_only, tools=tools or ())))


def version(json: o.Json = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        typer.echo(f"unity-mlops-mcp {__version__}")
