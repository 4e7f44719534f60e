"""The commands about notifications: ``unity-mlops notify``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, print_json, show

notify = typer.Typer(
    help="Tell webhooks and e-mail addresses of what happens.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT_ID", help="An endpoint, as `notify list` shows it.")]
Shape = Literal["standard", "slack", "discord"]
DeliveryState = Literal["pending", "delivered", "dead"]


@notify.command("add")
def add(
    target: Annotated[str, typer.Argument(help="An http or https URL, or an e-mail address.")],
    *,
    events: Annotated[str | None, typer.Option(help="Such as job.failed,model; default: all.")] = None,
    kinds: Annotated[str | None, typer.Option(help="Sorts of jobs, or all; default: trainings, pipelines, …")] = None,
    shape: Annotated[Shape, typer.Option(help="How a webhook's body looks.")] = "standard",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let the webhook go to a loopback or private address.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change the endpoint of this target, which keeps its id and secret.")
    ] = False,
    json: o.Json = False,
) -> None:
    """Tell somebody of what happens from now on; a webhook's secret is shown this once."""
    with application() as app:
        result = app.add_endpoint(
            target, events=events, kinds=kinds, shape=shape, private=allow_private, replace=replace
        )
        show(result, as_json=json)


@notify.command("list")
def list_(json: o.Json = False) -> None:
    """Show who is told, and how that goes."""
    with application() as app:
        show(app.list_endpoints(), as_json=json)


@notify.command("remove")
def remove(endpoint_id: EndpointId, json: o.Json = False) -> None:
    """Tell an endpoint nothing any more."""
    with application() as app:
        show(app.remove_endpoint(endpoint_id), as_json=json)


@notify.command("test")
def send_test(endpoint_id: EndpointId, json: o.Json = False) -> None:
    """Send a test now."""
    with application() as app:
        show(app.test_endpoint(endpoint_id), as_json=json)


@notify.command("secret")
def secret(endpoint_id: EndpointId, json: o.Json = False) -> None:
    """Give a webhook a new secret, which is shown this once."""
    with application() as app:
        show(app.renew_secret(endpoint_id), as_json=json)


@notify.command("deliveries")
def deliveries(
    endpoint_id: Annotated[str | None, typer.Argument(help="Only of this endpoint.")] = None,
    *,
    state: Annotated[DeliveryState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    json: o.Json = False,
) -> None:
    """Show what is or was on its way, newest first."""
    with application() as app:
        show(app.list_deliveries(endpoint_id, state=state, limit=limit), as_json=json)


@notify.command("replay")
def replay(
    endpoint_id: Annotated[str | None, typer.Argument(help="Only those of this endpoint, which is told again.")] = None,
    *,
    delivery_id: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    json: o.Json = False,
) -> None:
    """Try dead deliveries anew."""
    with application() as app:
        result = app.replay_deliveries(delivery_id=delivery_id, endpoint_id=endpoint_id)
        app.notify()
        show(result, as_json=json)


@notify.command("schema")
def schema() -> None:
    """Print the JSON schema of what webhooks are sent."""
    from unity_mlops_mcp.scheduling.notifying.records import notice_schema

    print_json(notice_schema())
