"""Which Editor and which ML-Agents package the C# is written for (data: ``versions.yaml``)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.base import Part

Numbers = tuple[int, int]


class Inference(Part):
    """The package that runs ONNX models inside Unity."""

    package: str
    """Such as ``com.unity.sentis``."""
    version: str
    """The version that ML-Agents asks for."""
    model_type: str
    """Type of a model asset: ``NNModel`` or ``ModelAsset``."""
    using: str
    """Its namespace, which is its assembly's name too."""


class MlAgents(Part):
    """One version of com.unity.ml-agents."""

    version: str
    """As in a project's manifest."""
    unity_from: str
    """The oldest Editor line it installs on."""
    inference: Inference
    """What it brings along to run models."""
    preferred: bool = False
    """Taken when only the line (such as ``4.0``) is asked for."""


class EditorLine(Part):
    """An Editor line and the ML-Agents version that it gets when none is asked for."""

    line: str
    """Such as ``2022.3``."""
    ml_agents: str
    """A version of the table."""


class Table(Part):
    """All that ``versions.yaml`` says."""

    default_unity: str
    """The Editor line when neither version is given."""
    ml_agents: tuple[MlAgents, ...]
    """Newest first."""
    unity: tuple[EditorLine, ...]
    """Oldest first."""


class Versions(Part):
    """An Editor and an ML-Agents package that go together."""

    unity: str
    """As it was asked for (``6000.0.58f2``), or a line (``2022.3``)."""
    ml_agents: str
    """Version of com.unity.ml-agents, as in a project's manifest."""
    inference_package: str
    """The package that runs ONNX models, such as ``com.unity.ai.inference``."""
    inference_version: str
    """Its version, which ML-Agents brings along."""
    model_type: str
    """Type of a model asset: ``NNModel`` or ``ModelAsset``."""
    inference_using: str
    """Namespace and assembly of the model type."""

    @property
    def unity_line(self) -> str:
        """Year or major and minor, such as ``2022.3`` or ``6000.0``."""
        return ".".join(map(str, _numbers(self.unity)))

    @property
    def ml_agents_line(self) -> str:
        """Major and minor, such as ``4.0``."""
        return ".".join(self.ml_agents.split(".")[:2])

    @property
    def assemblies(self) -> tuple[str, str]:
        """What an assembly definition has to reference to use ML-Agents and its models."""
        return ("Unity.ML-Agents", self.inference_using)


@cache
def version_table() -> Table:
    """The table of ``versions.yaml``."""
    text = Path(__file__).with_name("versions.yaml").read_text(encoding="utf-8")
    return Table.model_validate(yaml.safe_load(text))


def version_pairs() -> tuple[tuple[str, str], ...]:
    """Every (Editor line, ML-Agents version) of the table that go together, oldest Editor first."""
    table = version_table()
    return tuple(
        (editor.line, package.version)
        for editor in table.unity
        for package in table.ml_agents
        if _fits(editor.line, package)
    )


def resolve_versions(unity_version: str | None = None, ml_agents_version: str | None = None) -> Versions:
    """Complete and check a pair of versions.

    Args:
        unity_version: such as ``6000.0.58f2``, ``2022.3`` or ``6000``; None takes one that fits the package.
        ml_agents_version: such as ``4.0.2``, ``4.0`` or ``3``; None takes the one that fits the Editor best.

    Raises:
        InvalidInputError: a version is unknown, or the two do not go together; the fix names what does.
    """
    unity, package = unity_version, None
    if ml_agents_version is not None:
        package = _package(ml_agents_version)
    if unity is None:
        unity = _editor_for(package) if package else version_table().default_unity
    default = _default_package(unity)
    package = package or default
    if not _fits(unity, package):
        raise InvalidInputError(
            f"ML-Agents {package.version} needs Unity {package.unity_from} or newer, not {unity}.",
            fix=f"Use one of these pairs: {_told_pairs()}.",
            cause="versions_do_not_fit",
        )
    inference = package.inference
    return Versions(
        unity=unity,
        ml_agents=package.version,
        inference_package=inference.package,
        inference_version=inference.version,
        model_type=inference.model_type,
        inference_using=inference.using,
    )


def _package(asked: str) -> MlAgents:
    """The package of this version, or the preferred one of this line."""
    packages = version_table().ml_agents
    exact = [package for package in packages if package.version == asked]
    line = [package for package in packages if package.version.startswith(f"{asked}.")]
    found = exact or [package for package in line if package.preferred] or line
    if not found:
        raise InvalidInputError(
            f"There is no ML-Agents package {asked!r} in the table.",
            fix=f"Use one of: {', '.join(package.version for package in packages)}.",
            cause="unknown_version",
        )
    return found[0]


def _default_package(unity: str) -> MlAgents:
    """What an Editor gets when no package is asked for."""
    lines = [line for line in version_table().unity if _numbers(line.line) <= _numbers(unity)]
    if not lines:
        raise InvalidInputError(
            f"Unity {unity} is older than any that ML-Agents 2 installs on.",
            fix=f"Use one of these pairs: {_told_pairs()}.",
            cause="versions_do_not_fit",
        )
    return _package(lines[-1].ml_agents)


def _editor_for(package: MlAgents) -> str:
    """The newest Editor line whose own choice the package could be; else the oldest that takes it."""
    own = [line.line for line in version_table().unity if _package(line.ml_agents).inference == package.inference]
    return own[-1] if own else package.unity_from


def _fits(unity: str, package: MlAgents) -> bool:
    return _numbers(unity) >= _numbers(package.unity_from)


def _numbers(unity: str) -> Numbers:
    """(2022, 3) of ``2022.3.62f3``; a lone year or major is its first line in the table."""
    found = re.fullmatch(r"(\d{4})(?:\.(\d+)(?:\.\d+[abfp]\d+\w*|\.\d+|\.x)?|\.x)?", unity.strip())
    if not found:
        raise InvalidInputError(
            f"{unity!r} is no Unity version.",
            fix=f"Give one such as 6000.0.58f2; known lines: {', '.join(x.line for x in version_table().unity)}.",
            cause="unknown_version",
        )
    if found[2] is not None:
        return int(found[1]), int(found[2])
    lines = [line.line.split(".") for line in version_table().unity]
    return int(found[1]), next((int(minor) for year, minor in lines if year == found[1]), 0)


def _told_pairs() -> str:
    """Each package with the Editors it takes, such as ``4.0.2 with Unity 6000.0 or newer``."""
    return "; ".join(f"{p.version} with Unity {p.unity_from} or newer" for p in version_table().ml_agents)
