"""Ask ML-Agents itself: run a few lines under the trainer's interpreter, where its old messages can be imported."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

TRAINER_ENV = Path(__file__).resolve().parents[1] / "unity_mlops_mcp" / "trainer_env"
_PREPARE = """
import json, sys
from importlib import import_module
sys.path.insert(0, sys.argv[1])
import launcher
launcher.adopt_package()
compat, patching = (import_module(f"{launcher.PACKAGE}.{name}") for name in ("compat", "patching"))
patching.apply_patches(compat.BEFORE_IMPORT, patching.Versions())
given = json.load(sys.stdin)
"""


def ask_ml_agents(trainer_python: Path, code: str, given: Any) -> Any:
    """What the code leaves in ``answer``; it finds ``given`` as a variable. Both travel as JSON."""
    done = subprocess.run(
        [trainer_python, "-c", f"{_PREPARE}\n{code}\nprint(json.dumps(answer))", TRAINER_ENV],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
