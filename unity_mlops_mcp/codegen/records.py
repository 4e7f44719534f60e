"""What the writing of C# gives: files, and what a build has to know of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from unity_mlops_mcp.codegen.versions import Versions
from unity_mlops_mcp.spec.base import Part, digest_of

ScriptKind = Literal["agent", "area", "scene"]


class ScriptFile(Part):
    """One C# file."""

    path: str
    """Relative to a Unity project, with forward slashes, such as ``Assets/Patrol/PatrolAgent.cs``."""
    kind: ScriptKind
    """``agent`` and ``area`` are components, ``scene`` is the Editor's maker of the training scene."""
    text: str
    """The code, with ``\\n`` line ends."""
    sha256: str
    """Hex digest of the text in UTF-8."""

    @classmethod
    def of(cls, path: str, kind: ScriptKind, text: str) -> ScriptFile:
        """The record of a text."""
        return cls(path=path, kind=kind, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


class GeneratedScript(Part):
    """The C# of one environment spec."""

    behavior_name: str
    """Of the behaviour parameters; also the stem of the classes: ``<name>Agent``, ``<name>Area``, ``<name>Scene``."""
    versions: Versions
    """What it was written for."""
    files: tuple[ScriptFile, ...]
    """Agent, area and scene."""
    tags: tuple[str, ...]
    """Tags that the scene maker adds to the project, in the order in which the spec names them."""
    digest: str
    """Sha256 (hex) over the versions and all files: equal scripts have equal digests."""
    foreign: bool = False
    """Whether the agent's code was written by somebody else: a person, or a language model."""

    @classmethod
    def of(
        cls, name: str, versions: Versions, files: Iterable[ScriptFile], *, tags: Iterable[str], foreign: bool
    ) -> GeneratedScript:
        """The record of some files, with their digest."""
        files = tuple(files)
        parts = {"versions": versions.model_dump(mode="json"), "files": {file.path: file.sha256 for file in files}}
        return cls(
            behavior_name=name,
            versions=versions,
            files=files,
            tags=tuple(tags),
            digest=digest_of(parts),
            foreign=foreign,
        )

    def file(self, kind: ScriptKind) -> ScriptFile:
        """The one file of this kind."""
        return next(file for file in self.files if file.kind == kind)
