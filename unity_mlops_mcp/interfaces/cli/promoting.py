"""The commands that decide which version serves, with the words of the tools."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, application, show, text_or_file

Action = Literal["promote", "freeze", "unfreeze"]
Alias = Annotated[str, typer.Option(help="The alias, such as production or staging.")]
Confirm = Annotated[bool, typer.Option("--confirm", help="Do it; without it, it is shown what would happen.")]


def promote_model(
    *,
    version: Annotated[str | None, typer.Option(help="A version's id, name@alias, or a name.")] = None,
    name: Annotated[str | None, typer.Option(help="The model to freeze or unfreeze.")] = None,
    alias: Alias = "production",
    gates: Annotated[str | None, typer.Option(help="Gates of your own: YAML, JSON, or a file.")] = None,
    action: Annotated[Action, typer.Option(help="What to do.")] = "promote",
    override_reason: Annotated[str | None, typer.Option(help="Promote although gates failed; written down.")] = None,
    confirm: Confirm = False,
    json: o.Json = False,
) -> None:
    """Let an alias point to a version when its gates pass; exit code 1 when they refuse it."""
    with application() as app:
        result = app.promote_model(
            version=version,
            name=name,
            alias=alias,
            gates=text_or_file(gates),
            action=action,
            override_reason=override_reason,
            confirm=confirm,
        )
        show(result, as_json=json)
    if confirm and action == "promote" and not result.promoted and result.job_id is None:
        raise typer.Exit(FAILED)


def rollback_model(
    name: Annotated[str, typer.Argument(help="The model.")],
    *,
    reason: Annotated[str, typer.Option(help="What went wrong; needed, and kept in the incident.")] = "",
    alias: Alias = "production",
    to: Annotated[str | None, typer.Option(help="A version to go back to; default: the last good one.")] = None,
    corrective_action: Annotated[str | None, typer.Option(help="What shall be done about it.")] = None,
    confirm: Confirm = False,
    json: o.Json = False,
) -> None:
    """Let an alias point to the last good version again, freeze promotion, and open an incident."""
    with application() as app:
        result = app.rollback_model(
            name=name, alias=alias, to=to, reason=reason, corrective_action=corrective_action, confirm=confirm
        )
        show(result, as_json=json)
