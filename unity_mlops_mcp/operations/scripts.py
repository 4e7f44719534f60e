"""The operations that write C# and check it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import ConflictError, NotFoundError
from unity_mlops_mcp.inputs import exactly_one
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.planning import Planning, read_asset
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.results import (
    ActionSize,
    GeneratedFile,
    ScriptFinding,
    ScriptResult,
    ScriptReview,
    WordMeaning,
)

if TYPE_CHECKING:
    from unity_mlops_mcp.codegen.checking.records import Finding, SourceFile
    from unity_mlops_mcp.codegen.records import GeneratedScript
    from unity_mlops_mcp.codegen.reviewing import Review
    from unity_mlops_mcp.spec.clients import ClientAnswer
    from unity_mlops_mcp.spec.library import SavedSpec
    from unity_mlops_mcp.spec.plans import Plan

MOST_FINDINGS = 60
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
        exactly_one({"description": description, "spec": spec})
        versions = resolve_versions(unity_version, ml_agents_version)
        target = self._parts.settings.allowed_path(output_path, what="output_path") if output_path else None
        plan = None
        if description is not None:
            asset = read_asset(description, observation_space, action_space, name)
            plan = self._planning.plan(asset, use_llm=use_llm, client_answer=client_answer)
        saved = self._saved(plan, spec)
        script = generate_script(saved.spec, versions, agent_source=source)
        review = self._review(script, saved)
        save_script(self._parts.store.home, saved.spec_id, script)
        folder = _write(script, self._parts.store.home / "scripts" / saved.spec_id, force=True)
        if target is not None:
            folder = _write(script, target, force=force)
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
        from unity_mlops_mcp.codegen.checking.records import SourceFile
        from unity_mlops_mcp.codegen.reviewing import review_files
        from unity_mlops_mcp.codegen.versions import resolve_versions
        from unity_mlops_mcp.spec.library import load_spec

        exactly_one({"path": path, "source": source})
        files = [SourceFile("", source)] if source is not None else list(self._sources(str(path)))
        review = review_files(
            files,
            resolve_versions(unity_version, ml_agents_version),
            spec=load_spec(self._parts.store.home, spec_id).spec if spec_id else None,
            foreign=source is not None,
            cache=self._parts.settings.home / "cache" / "csharp",
            editors=self._editors(),
        )
        agent = review.agents[0] if len(review.agents) == 1 else None
        return ScriptReview(
            ok=review.ok,
            findings=_findings(review.findings),
            observation_size=review.observation_size,
            observation_formula=agent.observation_formula if agent else None,
            compile_check=review.compiler,
            next="Build it with build_environment." if review.ok else "Mend the errors, then check again.",
        )

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

    def _saved(self, plan: Plan | None, spec: str | None) -> SavedSpec:
        from unity_mlops_mcp.spec.environment import EnvironmentSpec
        from unity_mlops_mcp.spec.library import save_spec

        home = self._parts.store.home
        if plan is not None:
            return save_spec(home, plan.spec, archetype=plan.archetype, training=plan.training)
        return save_spec(home, EnvironmentSpec.from_text(spec or ""), archetype=None, training=None)

    def _review(self, script: GeneratedScript, saved: SavedSpec) -> Review:
        from unity_mlops_mcp.codegen.reviewing import review_script

        cache = self._parts.settings.home / "cache" / "csharp"
        return review_script(script, saved.spec, cache=cache, editors=self._editors())

    def _editors(self) -> list[Path]:
        from unity_mlops_mcp.builds.unity.editors import find_editors

        return [editor.path for editor in find_editors(self._parts.settings)]

    def _sources(self, path: str) -> Iterator[SourceFile]:
        from unity_mlops_mcp.codegen.checking.records import SourceFile

        place = self._parts.settings.allowed_path(path, what="path")
        found = sorted(place.rglob("*.cs")) if place.is_dir() else [place] if place.is_file() else []
        if not found or len(found) > MOST_FILES:
            raise NotFoundError(
                f"{place} holds {len(found)} C# files.", fix=f"Give a .cs file, or a folder with 1 to {MOST_FILES}."
            )
        for file in found:
            name = file.relative_to(place).as_posix() if place.is_dir() else file.name
            yield SourceFile(name, file.read_text(encoding="utf-8-sig", errors="replace"))


def _schema() -> ScriptResult:
    import json

    from unity_mlops_mcp.spec.archetypes import load_archetype
    from unity_mlops_mcp.spec.schema import short_schema

    return ScriptResult(
        spec_schema=json.dumps(short_schema(), separators=(",", ":")),
        example=load_archetype(EXAMPLE).spec.to_yaml(),
        next="Write a spec and pass it as `spec`; the resource spec://schema describes every field.",
    )


def _write(script: GeneratedScript, folder: Path, *, force: bool) -> Path:
    """Put the files into a folder, laid out as in a Unity project; what is replaced moves to ``.replaced/``."""
    changed = [file for file in script.files if _differs(folder / file.path, file.text)]
    there = [file.path for file in changed if (folder / file.path).exists()]
    if there and not force:
        raise ConflictError(
            f"{folder} has other files of these names: {', '.join(there)}.",
            fix="Pass force=true to replace them (the old ones are kept in .replaced/), or another output_path.",
            cause="files_exist",
        )
    for file in changed:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            kept = folder / ".replaced" / f"{file.path}.{_age(path)}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.replace(kept)
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
        ScriptFinding(id=one.id, severity=one.severity, path=one.path, line=one.line, message=one.message, fix=one.fix)
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
        planner=plan.planner if plan else "spec",
        planner_model=plan.model if plan else None,
        prompt_sha256=plan.prompt_sha256 if plan else None,
        words=[WordMeaning(text=word.text, meaning=word.meaning) for word in plan.words] if plan else [],
        assumptions=list(plan.assumptions) if plan else [],
        left_out=list(plan.left_out) if plan else [],
        files=[
            GeneratedFile(path=file.path, kind=file.kind, sha256=file.sha256, uri=f"scripts://{saved.spec_id}/{name}")
            for file, name in zip(script.files, named, strict=True)
        ],
        folder=str(folder),
        foreign=script.foreign,
        findings=_findings(review.findings),
        compile_check=review.compiler,
        next=f"Call build_environment(spec_id={saved.spec_id!r})."
        if review.ok
        else "Mend the errors of findings and pass the agent's code as `source`.",
    )
