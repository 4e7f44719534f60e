"""Which package runs ONNX models in a Unity project, and which models it takes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.unity.project import ML_AGENTS, Project
from unity_mlops_mcp.codegen.versions import MlAgents, version_table
from unity_mlops_mcp.errors import InvalidInputError

OPSETS = {
    "com.unity.barracuda": (7, 9),
    "com.unity.sentis": (7, 15),
    "com.unity.ai.inference": (7, 15),
}
"""First and last opset that each package is documented to import (its manual: Export, Supported models)."""
OLDEST_MAJOR = 2
DETERMINISTIC_FROM = (2, 3)
"""The ML-Agents package whose Behavior Parameters have Deterministic Inference."""


@dataclass(frozen=True)
class Inference:
    """What runs models in a project.

    Attributes:
        package: such as ``com.unity.sentis``.
        version: as the project has it, or as its ML-Agents asks for it.
        model_type: type of a model asset, ``NNModel`` or ``ModelAsset``.
        deterministic: whether Behavior Parameters have ``Deterministic Inference``.
    """

    package: str
    version: str
    model_type: str
    deterministic: bool

    @property
    def opsets(self) -> tuple[int, int]:
        """The first and the last opset it is documented to import."""
        return OPSETS[self.package]


def inference_of(project: Project) -> Inference:
    """The package that the project's ML-Agents uses: as the lock file says, else as that version is known to.

    Raises:
        InvalidInputError: ML-Agents is older than 2.0, whose models were of another format, or nothing tells.
    """
    locked = _locked(project.path)
    version = _version(project, locked)
    numbers = _numbers(version)
    if version and numbers[0] < OLDEST_MAJOR:
        raise InvalidInputError(
            f"{project.path} uses {ML_AGENTS} {version}, whose models were of another format.",
            fix=f"Update it to 2.0.1 or newer in the Package Manager: {_offered()}.",
            cause="ml_agents_too_old",
        )
    known = _known(version)
    asked: dict[str, Any] = locked.get(ML_AGENTS, {}).get("dependencies", {})
    of_lock = next((name for name in OPSETS if name in asked), None)
    package = of_lock or (known.inference.package if known else _listed(project))
    found = locked.get(package, {}).get("version") or project.packages.get(package) or asked.get(package)
    return Inference(
        package=package,
        version=str(found or (known.inference.version if known else "unknown")),
        model_type=next(x.inference.model_type for x in version_table().ml_agents if x.inference.package == package),
        deterministic=numbers[:2] >= DETERMINISTIC_FROM,
    )


def _locked(folder: Path) -> dict[str, Any]:
    """``dependencies`` of Packages/packages-lock.json, which the Editor writes; empty where it has not."""
    try:
        found = json.loads((folder / "Packages" / "packages-lock.json").read_text("utf-8-sig"))["dependencies"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): entry for name, entry in found.items() if isinstance(entry, dict)}


def _version(project: Project, locked: dict[str, Any]) -> str:
    """ML-Agents' version, such as ``4.0.2``; empty where only a folder or an address stands in its place."""
    told = (project.ml_agents, str(locked.get(ML_AGENTS, {}).get("version", "")), _of_folder(project))
    return next((text for text in told if re.match(r"\d+\.\d+", text)), "")


def _numbers(version: str) -> tuple[int, ...]:
    """(3, 0, 0) of ``3.0.0-exp.1``."""
    return tuple(map(int, re.findall(r"\d+", version.partition("-")[0])))


def _of_folder(project: Project) -> str:
    """The version in the package.json of a package that the manifest names by ``file:``."""
    if not project.ml_agents.startswith("file:"):
        return ""
    try:
        text = (project.path / "Packages" / project.ml_agents[5:] / "package.json").read_text("utf-8-sig")
        return str(json.loads(text)["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _known(version: str) -> MlAgents | None:
    """The nearest package of the table: this version, else the newest of its line, else of its major version."""
    table, numbers = version_table().ml_agents, _numbers(version)
    exact = [package for package in table if package.version == version]
    near = [package for size in (2, 1) for package in table if _numbers(package.version)[:size] == numbers[:size]]
    return next(iter([*exact, *near]), None)


def _listed(project: Project) -> str:
    """The inference package that the project itself lists.

    Raises:
        InvalidInputError: it lists none.
    """
    found = [name for name in reversed(OPSETS) if name in project.packages]
    if not found:
        raise InvalidInputError(
            f"Nothing in {project.path} tells which package runs its models: {ML_AGENTS} is {project.ml_agents}, and "
            f"the manifest lists none of {', '.join(OPSETS)}.",
            fix="Open the project in the Unity Editor once, which writes Packages/packages-lock.json; then call again.",
            cause="no_inference_package",
        )
    return found[0]


def _offered() -> str:
    return ", ".join(f"{package.version} for Unity {package.unity_from}" for package in version_table().ml_agents)
