"""Episodes per second of an evaluation, against mlagents-learn's own inference mode: one policy, one player, one run.

    python bench/evaluation.py

A policy is trained first (about half a minute). Both sides play 64 areas; starting up is left out on both. Equal
policies make equal episodes, so decisions per second stand for episodes per second.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.config import environment as variables
from unity_mlops_mcp.evaluation.playing import play
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.evaluation.tally import Tally
from unity_mlops_mcp.protocol.trainer import Environment

AREAS, EPISODES, SECONDS = 64, 4000, 20
SUMMARY = re.compile(r"Step: (\d+)\. Time Elapsed: ([\d.]+) s")


def train(app: App) -> Path:
    """The folder of a trained run."""
    build = app.build_environment(description="a robot reaches the target")
    run = app.start_training(build_id=build.build_id, num_areas=AREAS, seed=1)
    while True:
        app.tend()
        status = anyio.run(lambda: app.wait_for(run.run_id, timeout_s=2))
        if status.done:
            return app.settings.home / "runs" / run.run_id


def ours(run: Path, player: Path) -> float:
    """Decisions per second of our evaluation, its counting included."""
    policy = Policy(next(run.glob("*.onnx")))
    tally = Tally({}, lambda _: None)
    with Environment([str(player)], areas=AREAS, seed=1) as environment:
        environment.reset()
        begun = time.perf_counter()
        play(environment, {policy.model.path.stem: policy}, episodes=EPISODES, seed=1, watch=tally)
        return tally.decisions(next(iter(environment.behaviors))) / (time.perf_counter() - begun)


def theirs(run: Path, folder: Path) -> float:
    """Decisions per second that mlagents-learn itself prints with ``--inference``."""
    record = json.loads((run / "run.json").read_text())
    command = record["attempts"][0]["command"]
    shutil.copytree(run, folder / run.name)
    configuration = yaml.safe_load((run / "trainer.yaml").read_text())
    for body in configuration["behaviors"].values():
        body["summary_freq"] = 5000
    file = folder / "trainer.yaml"
    file.write_text(yaml.safe_dump(configuration))
    words = [
        str(file) if word.endswith("trainer.yaml") else "compat" if word == "fast" else word
        for word in command
        if word != "--force" and not word.startswith(("--results-dir", "--base-port"))
    ]
    words += ["--resume", "--inference", f"--results-dir={folder}", "--base-port=6205"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables()
    ) as process:
        marks: list[tuple[int, float]] = []
        begun = time.monotonic()
        for line in process.stdout or ():
            found = SUMMARY.search(line)
            if found:
                marks.append((int(found[1]), float(found[2])))
            if (marks and marks[-1][1] - marks[0][1] > SECONDS) or time.monotonic() - begun > 6 * SECONDS:
                break
        process.terminate()
        process.communicate()
    return (marks[-1][0] - marks[0][0]) / (marks[-1][1] - marks[0][1])


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = App(Settings(home=folder / "home"))
        run = train(app)
        player = next((run / "player").glob("*.x86_64"))
        own, other = ours(run, player), theirs(run, folder / "results")
        app.close()
    print(f"evaluation      {own:>10,.0f} decisions a second")
    print(f"mlagents-learn  {other:>10,.0f} decisions a second, --inference")
    print(f"ratio           {own / other:>10.1f}")
    return 0 if own >= other else 1


if __name__ == "__main__":
    sys.exit(main())
