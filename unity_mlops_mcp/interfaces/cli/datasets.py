"""The commands about recorded experience."""

from __future__ import annotations

from typing import Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show


def record_demonstrations(
    *,
    build_id: Annotated[str | None, typer.Option(help="A build to play on.")] = None,
    env_path: Annotated[str | None, typer.Option(help="A player of your own to play on.")] = None,
    episodes: Annotated[int, typer.Option(min=1, max=100_000, help="Episodes to record.")] = 50,
    policy: Annotated[
        str | None, typer.Option(help="A run, a registered model or an .onnx file; default: the scripted expert.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 1,
    noise: Annotated[
        float, typer.Option(min=0, max=1, help="Disturbs the actions; the file keeps what was meant. 0.3 helps clones.")
    ] = 0.0,
    idempotency_key: o.Key = None,
    json: o.Json = False,
) -> None:
    """Record episodes of a policy or of a scripted expert, as a .demo file that ML-Agents reads."""
    with application() as app:
        result = app.record_demonstrations(
            build_id=build_id,
            env_path=env_path,
            episodes=episodes,
            policy=policy,
            seed=seed,
            noise=noise,
            idempotency_key=idempotency_key,
        )
        show(result, as_json=json)


def inspect_dataset(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A .demo or .jsonl file, or a folder of them.")],
    *,
    build_id: Annotated[str | None, typer.Option(help="A build whose behaviour it must fit.")] = None,
    json: o.Json = False,
) -> None:
    """Say what is in recorded experience, and whether it fits a build."""
    with application(here=True) as app:
        show(app.inspect_dataset(path, build_id=build_id), as_json=json)
