"""Which C# a build of a spec takes: ours, or what somebody else wrote and a person has allowed."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.codegen.records import GeneratedScript
from unity_mlops_mcp.codegen.versions import Versions, resolve_versions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.library import SavedSpec

MOST_FINDINGS = 10


def require_allowed(home: Path, saved: SavedSpec, *, confirmed: bool) -> None:
    """Refuse to build code that somebody else wrote, unless the caller allows it.

    Raises:
        InvalidInputError: the script that is kept for the spec is such code (cause ``foreign_code``); what the guard
            found in it is the evidence.
    """
    from unity_mlops_mcp.codegen.library import load_script

    kept = load_script(home, saved.spec_id)
    if kept is None or not kept.foreign or confirmed:
        return
    found = _guard(kept, saved)
    raise InvalidInputError(
        f"The agent of spec {saved.spec_id} was written by somebody else; built, it runs with this user's rights. "
        f"The guard found {len(found) or 'nothing'}{' doubtful places' if found else ''}; it reads names, so it can be "
        "fooled.",
        fix="Show the user the code and these lines, and pass confirm=true when the user agrees.",
        cause="foreign_code",
        evidence=found[:MOST_FINDINGS],
    )


def _guard(kept: GeneratedScript, saved: SavedSpec) -> list[str]:
    from unity_mlops_mcp.codegen.checking.checks import check_script
    from unity_mlops_mcp.codegen.reviewing import sources_of

    check = check_script(sources_of(kept), spec=saved.spec, versions=kept.versions, foreign=True)
    return [
        f"{one.path}:{one.line}: {one.id} {one.message}"
        for one in check.findings
        if one.severity == "error" or one.id.startswith("SEC")
    ]


def script_for(home: Path, saved: SavedSpec, *, unity: str, ml_agents: str | None, confirmed: bool) -> GeneratedScript:
    """The scripts of a spec for these versions; the agent's code is the caller's own where one is kept.

    Raises:
        InvalidInputError: it is somebody else's and not allowed, or the versions do not go together.
    """
    from unity_mlops_mcp.codegen.generate import generate_script
    from unity_mlops_mcp.codegen.library import load_script

    require_allowed(home, saved, confirmed=confirmed)
    kept = load_script(home, saved.spec_id)
    agent = kept.file("agent").text if kept and kept.foreign else None
    return generate_script(saved.spec, versions_for(unity, ml_agents), agent_source=agent)


def versions_for(unity: str, ml_agents: str | None) -> Versions:
    """The table's entry for a project: the package that it has, or the one that the Editor gets.

    Raises:
        InvalidInputError: they are unknown, or do not go together.
    """
    return resolve_versions(unity or None, ml_agents)
