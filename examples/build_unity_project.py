"""Builds a Unity project of your own headless, looks at the player, and trains it; the project is not changed.

Its folder has to be an allowed one:

UNITY_MLOPS_ROOTS=path/to python examples/build_unity_project.py path/to/MyGame --max-steps 200000
"""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.results.runs import Status


async def follow(app: App, id_: str) -> Status:
    """Look on until a build or a run has ended."""
    said = ""
    while True:
        app.tend()
        status = await app.wait_for(id_, timeout_s=5)
        line = f"  {status.state}: {status.message}" + (f", step {status.step}" if status.run_id else "")
        if line != said:
            print(line)
        said = line
        if status.done:
            return status


def require(status: Status) -> Status:
    """The status of what went well.

    Raises:
        SystemExit: it did not; says the cause, the evidence and what mends it.
    """
    if status.failure:
        evidence = "\n".join(f"  | {line}" for line in status.failure.evidence)
        raise SystemExit(f"{status.failure.cause}: {status.failure.message}\n{evidence}\nFix: {status.failure.fix}")
    return status


def main() -> None:
    """Build, look, train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--scenes", help="separated by commas; default: those of the project's build settings")
    parser.add_argument("--max-steps", type=int, default=200_000)
    options = parser.parse_args()
    app = App(settings())
    try:
        build = app.build_environment(project_path=str(options.project), scenes=options.scenes)
    except MlopsError as error:
        raise SystemExit(f"{error.message}\nFix: {error.fix}") from error
    for note in build.notes:
        print(f"Note: {note}")
    print(f"Building {build.build_id}")
    made = require(anyio.run(follow, app, build.build_id))
    print(f"Player {made.player_path}")
    for behavior in made.behaviors:
        print(f"{behavior.name} observes {behavior.observation_shapes}, decides {behavior.action_spec}")
    run = app.start_training(build_id=build.build_id, max_steps=options.max_steps)
    print(f"Training {run.run_id}")
    status = require(anyio.run(follow, app, run.run_id))
    print(f"Policy {status.onnx}")
    app.close()


if __name__ == "__main__":
    main()
