"""The commands about the HTTP service: serve, and its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show

Scope = Literal["read", "run", "admin"]
Level = Literal["debug", "info", "warning", "error"]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Nothing can be started or changed, by nobody.")]
Tools = Annotated[
    list[str] | None,
    typer.Option(
        help="Only these tools, or sets of them: setup, scripts, training, insight, models, schedules, datasets; "
        "repeatable, or separated by commas."
    ),
]

token = typer.Typer(help="Tokens of the HTTP service; only their hashes are kept.", no_args_is_help=True)


def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = 8765,
    open: Annotated[bool, typer.Option("--open", help="Log this machine's browser in.")] = False,  # noqa: A002
    read_only: ReadOnly = False,
    tools: Tools = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name that it is called by; repeatable, * for any.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Pages that may call it, such as https://ui.lab; repeatable.")
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="TLS certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Other addresses without TLS: a proxy ends it.")] = False,
    token_file: Annotated[Path | None, typer.Option(help="An admin's token made elsewhere, as a file.")] = None,
    rate: Annotated[float, typer.Option(min=0, help="Requests a second and token; 0 for no bound.")] = 100.0,
    max_body: Annotated[int, typer.Option(min=1024, help="Bytes of a request's body at most.")] = 4 * 1024 * 1024,
    save_s: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds in which running jobs may save when it is told to end, where its end is theirs too, as in a "
            "container; 0: they go on without it.",
        ),
    ] = 0.0,
    log_level: Annotated[Level, typer.Option(help="What the log on standard error tells.")] = "info",
) -> None:
    """Serve MCP, REST and the dashboard over HTTP until Ctrl-C; runs go on without it."""
    from unity_mlops_mcp.interfaces.access import Offer
    from unity_mlops_mcp.interfaces.http.options import ServeOptions
    from unity_mlops_mcp.interfaces.http.serving import serve as run

    chosen = ServeOptions(
        host=host,
        port=port,
        offer=Offer.of(read_only=read_only, tools=tools or ()),
        hosts=tuple(allow_host or ()),
        origins=tuple(allow_origin or ()),
        certificate=tls_certificate,
        key=tls_key,
        no_tls=no_tls,
        max_body=max_body,
        rate=rate,
    )
    run(chosen, browser=open, token_file=token_file, level=log_level, save_s=save_s)


@token.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="What it is for, such as ci.")],
    scope: Annotated[Scope, typer.Option(help="read: look; run: also start and stop; admin: also promote.")] = "run",
    json: o.Json = False,
) -> None:
    """Make a token and show it, this once."""
    with application() as app:
        show(app.tokens.add(name=name, scope=scope), as_json=json)


@token.command("list")
def token_list(json: o.Json = False) -> None:
    """List the tokens, without themselves."""
    with application() as app:
        show(app.tokens.all(), as_json=json)


@token.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, or its name.")], json: o.Json = False
) -> None:
    """Let a token open nothing any more, at once, at every service of this home."""
    with application() as app:
        show(app.tokens.revoke(name), as_json=json)
