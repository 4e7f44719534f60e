"""The operations that write C# and check it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.codegen.checking.records import SourceFile
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import exactly_one
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.planning import Meaning, Planning, told
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.results.builds import ActionSize
from unity_mlops_mcp.results.scripts import GeneratedFile, ScriptFinding, ScriptResult, ScriptReview

if TYPE_CHECKING:
    from unity_mlops_mcp.codegen.checking.records import Finding
    from unity_mlops_mcp.codegen.records import GeneratedScript
    from unity_mlops_mcp.codegen.reviewing import Review
    from unity_mlops_mcp.codegen.versions import Versions
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.plans import Plan

MOST_FINDINGS = 40
"""Findings of one answer; more would not be read."""
MOST_CHARACTERS = 300
MOST_NAMES = 40
MADE_BY_UNITY = {"Library", "Temp", "Logs", "obj"}
MOST_FILES = 200
EXAMPLE = "reach_target"


class Scripts:
    """C# for Unity, from specs, and checks of anybody's C#."""

    def __init__(self, parts: Parts, planning: Planning) -> None:
        self._parts = parts
        self._planning = planning

    def generate_behavior_script(
        self,
        *,
        description: str | None = None,
        name: str | None = None,
        observation_space: str | None = None,
        action_space: str | None = None,
        spec: str | None = None,
        spec_id: str | None = None,
        source: str | None = None,
        unity_version: str | None = None,
        ml_agents_version: str | None = None,
        use_llm: bool | None = None,
        schema_only: bool = False,
        output_path: str | None = None,
        force: bool = False,
        client_answer: ClientAnswer | None = None,
    ) -> ScriptResult:
        """Write the C# of an environment and check it; with ``schema_only`` give the schema of specs instead.

        Raises:
            InvalidInputError: the arguments cannot be used, or the description cannot be placed; nothing was written.
            ConflictError: a file would be replaced by another one, and ``force`` is not given.
        """
        from unity_mlops_mcp.codegen.generate import generate_script
        from unity_mlops_mcp.codegen.library import save_script
        from unity_mlops_mcp.codegen.versions import resolve_versions

        if schema_only:
            return _schema()
        versions = resolve_versions(unity_version, ml_agents_version)
        target = self._parts.settings.allowed_path(output_path, what="output_path") if output_path else None
        meaning = Meaning(description, spec, spec_id, observation_space, action_space, name, use_llm, client_answer)
        plan, saved = self._planning.meant(meaning)
        script = generate_script(saved.spec, versions, agent_source=source)
        review = self._review(script, saved)
        save_script(self._parts.store.home, saved.spec_id, script)
        kept = self._parts.store.home / ".replaced"
        folder = _write(script, self._parts.store.home / "scripts" / saved.spec_id, kept, force=True)
        if target is not None:
            folder = _write(script, target, kept, force=force)
        return _script_result(saved, script, review, plan, folder)

    def check_behavior_script(
        self,
        *,
        path: str | None = None,
        source: str | None = None,
        spec_id: str | None = None,
        unity_version: str | None = None,
        ml_agents_version: str | None = None,
    ) -> ScriptReview:
        """Check C# without Unity: a text, a file, or all scripts of a folder.

        Raises:
            InvalidInputError: not exactly one of path and source, or it is no C#.
            NotFoundError: there is no such file, or no spec of that id.
        """
        exactly_one({"path": path, "source": source})
        place = self._parts.settings.allowed_path(path, what="path") if path is not None else None
        versions = self._versions(place, unity_version, ml_agents_version)
        files = list(_sources(place)) if place else [SourceFile("", str(source))]
        review = self._checked(files, spec_id, versions, foreign=place is None)
        agent = review.agents[0] if len(review.agents) == 1 else None
        return ScriptReview(
            ok=review.ok,
            findings=_findings(review.findings),
            findings_left_out=max(0, len(review.findings) - MOST_FINDINGS),
            files=len(files),
            agents=[one.name for one in review.agents][:MOST_NAMES],
            observation_size=review.observation_size,
            observation_formula=agent.observation_formula if agent else None,
            unity_version=versions.unity,
            ml_agents_version=versions.ml_agents,
            compile_check=review.compiler,
            next="Build it with build_environment." if review.ok else "Mend the errors, then check again.",
        )

    def _checked(
        self, files: Sequence[SourceFile], spec_id: str | None, versions: Versions, *, foreign: bool
    ) -> Review:
        """Check files; a single one that is the Agent of a spec together with what we write for that spec."""
        from unity_mlops_mcp.builds.unity.editors import editor_programs
        from unity_mlops_mcp.codegen.generate import generate_script
        from unity_mlops_mcp.codegen.reviewing import review_files
        from unity_mlops_mcp.spec.library import load_spec

        saved = load_spec(self._parts.store.home, spec_id) if spec_id else None
        if saved is not None and len(files) == 1:
            script = generate_script(saved.spec, versions, agent_source=files[0].text)
            return self._review(script if foreign else script.model_copy(update={"foreign": False}), saved)
        return review_files(
            files,
            versions,
            spec=saved.spec if saved else None,
            foreign=foreign,
            home=self._parts.store.home,
            editors=editor_programs(self._parts.settings),
        )

    def _versions(self, place: Path | None, unity: str | None, ml_agents: str | None) -> Versions:
        """What is checked for: what was asked, else the project that the files lie in, else what we recommend."""
        from unity_mlops_mcp.builds.unity.project import read_project
        from unity_mlops_mcp.codegen.versions import resolve_versions

        inside = (place, *place.parents) if place and not (unity or ml_agents) else ()
        for folder in inside:
            if (folder / "ProjectSettings" / "ProjectVersion.txt").is_file():
                with suppress(InvalidInputError):  # no ML-Agents in it, or versions that we know nothing of
                    project = read_project(folder, self._parts.settings)
                    return resolve_versions(project.version, project.ml_agents or None)
                break
        return resolve_versions(unity, ml_agents)

    def script_text(self, spec_id: str, file: str) -> str:
        """The text of one generated file, by its name such as ``PatrolAgent.cs``.

        Raises:
            NotFoundError: there is none; the fix names those that there are.
        """
        from unity_mlops_mcp.codegen.library import load_script

        script = load_script(self._parts.store.home, spec_id)
        texts = {Path(one.path).name: one.text for one in script.files} if script else {}
        if file not in texts:
            known = ", ".join(sorted(texts)) or "none: call generate_behavior_script first"
            raise NotFoundError(f"Spec {spec_id!r} has no script {file!r}.", fix=f"Its files: {known}.")
        return texts[file]

    def _review(self, script: GeneratedScript, saved: SavedSpec) -> Review:
        from unity_mlops_mcp.builds.unity.editors import editor_programs
        from unity_mlops_mcp.codegen.reviewing import review_script

        editors = editor_programs(self._parts.settings)
        return review_script(script, saved.spec, home=self._parts.store.home, editors=editors)


def _sources(place: Path) -> Iterator[SourceFile]:
    """The C# at a place: one file, or all below a folder without what Unity makes itself."""
    found = sorted(place.rglob("*.cs")) if place.is_dir() else [place] if place.is_file() else []
    found = [file for file in found if not MADE_BY_UNITY & set(file.relative_to(place).parts)]
    if not found or len(found) > MOST_FILES:
        raise NotFoundError(
            f"{place} holds {len(found)} C# files.", fix=f"Give a .cs file, or a folder with 1 to {MOST_FILES}."
        )
    for file in found:
        name = file.relative_to(place).as_posix() if place.is_dir() else file.name
        yield SourceFile(name, file.read_text(encoding="utf-8-sig", errors="replace"))


def _schema() -> ScriptResult:
    from unity_mlops_mcp.spec.archetypes import load_archetype
    from unity_mlops_mcp.spec.schema import short_schema

    return ScriptResult(
        spec_schema=short_schema(),
        example=load_archetype(EXAMPLE).spec.to_yaml(),
        next="Write a spec and pass it as `spec`; the resource spec://schema describes every field.",
    )


def _write(script: GeneratedScript, folder: Path, kept: Path, *, force: bool) -> Path:
    """Put the files into a folder, laid out as in a Unity project; what is replaced moves to ``kept``."""
    changed = [file for file in script.files if _differs(folder / file.path, file.text)]
    there = [file.path for file in changed if (folder / file.path).exists()]
    if there and not force:
        raise ConflictError(
            f"{folder} has other files of these names: {', '.join(there)}.",
            fix="Pass force=true to replace them (the home keeps the old ones in .replaced/), or another output_path.",
            cause="files_exist",
        )
    for file in changed:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            kept.mkdir(exist_ok=True)
            shutil.move(path, kept / f"{path.name}.{_age(path)}")
        write_atomically(path, file.text.encode())
    return folder


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_bytes() != text.encode()


def _age(path: Path) -> int:
    """When a file was written, so that each replaced one keeps a name of its own."""
    return path.stat().st_mtime_ns


def _findings(found: Sequence[Finding]) -> list[ScriptFinding]:
    """The gravest ones, as many as an answer holds."""
    grave = {"error": 0, "warning": 1, "info": 2}
    chosen = sorted(found, key=lambda one: grave[one.severity])[:MOST_FINDINGS]
    return [
        ScriptFinding(
            id=one.id,
            severity=one.severity,
            path=one.path,
            line=one.line,
            message=one.message[:MOST_CHARACTERS],
            fix=one.fix[:MOST_CHARACTERS],
        )
        for one in chosen
    ]


def _script_result(
    saved: SavedSpec, script: GeneratedScript, review: Review, plan: Plan | None, folder: Path
) -> ScriptResult:
    spec = saved.spec
    named = [Path(file.path).name for file in script.files]
    return ScriptResult(
        spec_id=saved.spec_id,
        archetype=saved.archetype,
        behavior_name=spec.behavior_name,
        unity_version=script.versions.unity,
        ml_agents_version=script.versions.ml_agents,
        observation_size=spec.vector_size,
        action_size=ActionSize(continuous=spec.continuous_size, branches=list(spec.branches)),
        **told(plan),
        files=[
            GeneratedFile(path=file.path, kind=file.kind, sha256=file.sha256, uri=f"scripts://{saved.spec_id}/{name}")
            for file, name in zip(script.files, named, strict=True)
        ],
        folder=str(folder),
        foreign=script.foreign,
        findings=_findings(review.findings),
        findings_left_out=max(0, len(review.findings) - MOST_FINDINGS),
        compile_check=review.compiler,
        next=f"Call build_environment(spec_id={saved.spec_id!r})."
        if review.ok
        else "Mend the errors of findings and pass the agent's code as `source`.",
    )
