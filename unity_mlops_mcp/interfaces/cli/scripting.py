"""The commands that write C# and check it, with the words of the tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unity_mlops_mcp.interfaces.cli import options as o
from unity_mlops_mcp.interfaces.cli.output import FAILED, application, show, text_or_file

UnityVersion = Annotated[str | None, typer.Option(help="The Editor it is for, such as 6000.0 or 2022.3.")]
MlAgentsVersion = Annotated[str | None, typer.Option(help="The com.unity.ml-agents package; default: the Editor's.")]


def generate_behavior_script(
    description: Annotated[str | None, typer.Argument(help="What shall be learned, in one sentence.")] = None,
    *,
    name: o.Name = None,
    observation_space: Annotated[str | None, typer.Option(help='Such as {"raycast": 8, "velocity": 2}.')] = None,
    action_space: Annotated[str | None, typer.Option(help='Such as {"type": "continuous", "size": 2}.')] = None,
    spec: o.OwnSpec = None,
    spec_id: Annotated[str | None, typer.Option(help="A spec made before.")] = None,
    source: Annotated[str | None, typer.Option(help="C# of the agent that replaces ours: text or a file.")] = None,
    unity_version: UnityVersion = None,
    ml_agents_version: MlAgentsVersion = None,
    use_llm: o.UseLlm = None,
    schema_only: Annotated[
        bool, typer.Option("--schema-only", help="Print the schema of specs and an example.")
    ] = False,
    output_path: Annotated[
        str | None, typer.Option(help="A folder, such as a Unity project, that gets the files.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace other files; the old ones move to .replaced/.")
    ] = False,
    json: o.Json = False,
) -> None:
    """Write the C# of a behaviour for Unity, and check it."""
    with application() as app:
        result = app.generate_behavior_script(
            description=description,
            name=name,
            observation_space=observation_space,
            action_space=action_space,
            spec=text_or_file(spec),
            spec_id=spec_id,
            source=_code(source),
            unity_version=unity_version,
            ml_agents_version=ml_agents_version,
            use_llm=use_llm,
            schema_only=schema_only,
            output_path=output_path,
            force=force,
        )
        show(result, as_json=json or schema_only)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(FAILED)


def check_behavior_script(
    path: Annotated[str | None, typer.Argument(help="A C# file, or a folder of them.")] = None,
    *,
    source: Annotated[str | None, typer.Option(help="C# as text, instead of a path.")] = None,
    spec_id: Annotated[str | None, typer.Option(help="The spec that the agent should be.")] = None,
    unity_version: UnityVersion = None,
    ml_agents_version: MlAgentsVersion = None,
    json: o.Json = False,
) -> None:
    """Check ML-Agents C# without Unity."""
    with application(here=True) as app:
        result = app.check_behavior_script(
            path=path,
            source=source,
            spec_id=spec_id,
            unity_version=unity_version,
            ml_agents_version=ml_agents_version,
        )
        show(result, as_json=json)
    if not result.ok:
        raise typer.Exit(FAILED)


def _code(given: str | None) -> str | None:
    """C# as it was given, or the content of the file that was named."""
    if given is not None and given.endswith(".cs") and "\n" not in given and Path(given).is_file():
        return Path(given).read_text(encoding="utf-8-sig")
    return given
