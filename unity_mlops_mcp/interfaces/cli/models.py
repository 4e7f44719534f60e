"""The commands on trained policies, with the words of the tools."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import application, show, text_or_file

RegistryName = Literal["local", "vertex"]


def evaluate_model(
    *,
    run_id: o.PolicyRunId = None,
    model: o.ModelReference = None,
    onnx_path: o.OnnxPath = None,
    build_id: Annotated[str | None, typer.Option(help="A build to play on; default: what it was trained on.")] = None,
    env_path: Annotated[str | None, typer.Option(help="A player of your own to play on.")] = None,
    episodes: Annotated[int, typer.Option(min=1, max=100_000, help="Episodes; for each point of a sweep too.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    deterministic: Annotated[bool, typer.Option("--deterministic", help="Take the most likely actions.")] = False,
    num_areas: Annotated[int | None, typer.Option(min=1, max=4096, help="Training areas side by side.")] = None,
    parameters: Annotated[str | None, typer.Option(help='To hold: YAML, JSON or a file: "{obstacles: 6}".')] = None,
    sweep: Annotated[str | None, typer.Option(help='Parameters to vary: "a,b", or "{a: [1, 2, 4]}".')] = None,
    no_graphics: Annotated[bool, typer.Option(help="Start the player without a window.")] = True,
    env_args: Annotated[str | None, typer.Option(help="More arguments for the player, in quotes.")] = None,
    idempotency_key: o.Key = None,
    json: o.Json = False,
) -> None:
    """Let a policy play whole episodes and say how good it is; follow it with watch or wait-for."""
    with application() as app:
        result = app.evaluate_model(
            run_id=run_id,
            model=model,
            onnx_path=onnx_path,
            build_id=build_id,
            env_path=env_path,
            episodes=episodes,
            seed=seed,
            deterministic=deterministic,
            num_areas=num_areas,
            parameters=text_or_file(parameters),
            sweep=text_or_file(sweep),
            no_graphics=no_graphics,
            env_args=env_args,
            idempotency_key=idempotency_key,
        )
        show(result, as_json=json)


def install_model(
    project_path: Annotated[str, typer.Argument(help="The Unity project: the folder that holds Assets.")],
    *,
    run_id: o.PolicyRunId = None,
    model: o.ModelReference = None,
    onnx_path: o.OnnxPath = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Replace another file of that name; it is kept.")] = False,
    json: o.Json = False,
) -> None:
    """Put a trained policy into a Unity project, and say what to set in the inspector."""
    with application() as app:
        result = app.install_model(
            project_path=project_path, run_id=run_id, model=model, onnx_path=onnx_path, confirm=confirm
        )
        show(result, as_json=json)


def register_model(
    *,
    name: Annotated[str | None, typer.Option(help="The model's name; default: the behaviour's.")] = None,
    run_id: o.PolicyRunId = None,
    onnx_path: o.OnnxPath = None,
    description: Annotated[str | None, typer.Option(help="What changed; a promotion asks for it.")] = None,
    registry: Annotated[RegistryName, typer.Option(help="vertex: upload it to Vertex AI too.")] = "local",
    vertex_project: Annotated[str | None, typer.Option(help="Google Cloud project; default: the settings'.")] = None,
    vertex_region: Annotated[str | None, typer.Option(help="Its region; default: the settings'.")] = None,
    json: o.Json = False,
) -> None:
    """Keep a policy as an immutable version of a model, checked as Unity would load it."""
    with application() as app:
        result = app.register_model(
            name=name,
            run_id=run_id,
            onnx_path=onnx_path,
            description=description,
            registry=registry,
            vertex_project=vertex_project,
            vertex_region=vertex_region,
        )
        show(result, as_json=json)


def list_models(
    *,
    name: Annotated[str | None, typer.Option(help="Only this model, with all its versions.")] = None,
    alias: Annotated[str | None, typer.Option(help="Only versions that this alias points to.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Models on one page.")] = 10,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    json: o.Json = False,
) -> None:
    """List the models with their versions, aliases and figures."""
    with application() as app:
        show(app.list_models(name=name, alias=alias, limit=limit, cursor=cursor), as_json=json)
