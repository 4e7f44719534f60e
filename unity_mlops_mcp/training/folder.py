"""The folder of a run: ML-Agents' results folder with our records beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unity_mlops_mcp.training.checkpoints import LATEST, is_whole, whole_steps

_KEPT = ("*.onnx", "*/*.onnx", "*/*.pt", "trainer.yaml", "configuration.yaml", "run.json")


@dataclass(frozen=True)
class RunFolder:
    """Where everything of one run lies, ``<home>/runs/<run_id>``.

    ``mlagents-learn`` is given the parent as ``--results-dir`` and the folder's name as ``--run-id``, so what it writes
    (``<Behavior>.onnx``, ``<Behavior>/checkpoint.pt``, ``<Behavior>/events.out.tfevents.*``, ``run_logs/``) is here.
    """

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def configuration(self) -> Path:
        """The trainer YAML that the latest attempt was started with."""
        return self.path / "trainer.yaml"

    @property
    def record(self) -> Path:
        """What a stranger needs to repeat the run, ``run.json``."""
        return self.path / "run.json"

    @property
    def log(self) -> Path:
        """Everything the trainer printed, all attempts."""
        return self.path / "trainer.log"

    @property
    def resources(self) -> Path:
        """What the training took of the machine, a line for each look."""
        return self.path / "resources.jsonl"

    @property
    def player_folder(self) -> Path:
        """Where the launcher of a sandbox player is written for each attempt."""
        return self.path / "player"

    def player_logs(self) -> list[Path]:
        """The players' own logs, ``run_logs/Player-<worker>.log``."""
        return sorted((self.path / "run_logs").glob("Player-*.log"))

    def checkpoint_step(self) -> int | None:
        """The step of the newest checkpoint that a resume would load; None without one."""
        saved = sorted({path.parent for path in self.path.glob("*/*.pt")})
        steps = [max(whole_steps(behavior), default=0) for behavior in saved if _can_be_loaded(behavior)]
        return steps[0] if steps else None

    def policies(self) -> list[Path]:
        """The final ONNX files, one per behaviour, ``<Behavior>.onnx``."""
        return sorted(self.path.glob("*.onnx"))

    def files(self) -> list[str]:
        """Policies, checkpoints and records, as paths relative to the folder, without duplicates."""
        found = {path.relative_to(self.path).as_posix() for pattern in _KEPT for path in self.path.glob(pattern)}
        return sorted(found)


def _can_be_loaded(behavior: Path) -> bool:
    return is_whole(behavior / LATEST) or bool(whole_steps(behavior))
