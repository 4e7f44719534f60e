"""The command that calls a service elsewhere, as a CronJob does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.interfaces.cli.output import FAILED, print_json, text_or_file


def call(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="A tool's name, such as run-pipeline.")],
    *,
    url: Annotated[str, typer.Option(help="Where the service answers.")],
    token_file: Annotated[Path, typer.Option(help="A file with a token of it.")],
    ca_file: Annotated[Path | None, typer.Option(help="Certificates of the authority that signed its own.")] = None,
    arguments: Annotated[str, typer.Option(help="Its arguments: YAML, JSON or a file.")] = "{}",
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key again starts nothing twice.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until what was started has ended.")] = False,
    patience_s: Annotated[float, typer.Option(min=0, help="Seconds that the service may be away.")] = 300.0,
) -> None:
    """Call an operation of a service that runs elsewhere, and print its result as JSON; exit code 1 if it failed."""
    from unity_mlops_mcp.interfaces.remote import RemoteService

    given = _record(arguments)
    if idempotency_key is not None:
        given["idempotency_key"] = idempotency_key
    service = RemoteService(url, token=_token(token_file), ca_file=ca_file, patience_s=patience_s)
    result = service.call(operation, given)
    if wait and "job_id" in result:
        result = service.wait(result["job_id"])
    print_json(result)
    if result.get("state") in {"failed", "cancelled"}:
        raise typer.Exit(FAILED)


def _record(text: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text_or_file(text) or "{}")
    except yaml.YAMLError as error:
        found = str(error)
    if not isinstance(found, dict):
        raise InvalidInputError("The arguments are no record.", fix='Give YAML or JSON, such as {"limit": 5}.')
    return found


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fix = "Make one with unity-mlops token add, and keep it in a file of your own."
        raise InvalidInputError(f"The token's file {file} cannot be read.", fix=fix) from error
