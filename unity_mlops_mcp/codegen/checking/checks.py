"""The checks of one script: parse, measure, let every detector look, guard what is foreign."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from unity_mlops_mcp.codegen.checking import (
    action_rules,
    episode_rules,
    language_rules,
    observation_rules,
    scene_rules,
    signature_rules,
)
from unity_mlops_mcp.codegen.checking.guard import guard
from unity_mlops_mcp.codegen.checking.observing import measure
from unity_mlops_mcp.codegen.checking.parsing import parse
from unity_mlops_mcp.codegen.checking.project import Project, project_of
from unity_mlops_mcp.codegen.checking.records import AgentFacts, ScriptCheck, SourceFile
from unity_mlops_mcp.codegen.checking.rules import Context, Detector, finding, ordered
from unity_mlops_mcp.codegen.versions import Versions, resolve_versions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.environment import EnvironmentSpec

MAX_FILES = 400
MAX_CHARACTERS = 4_000_000
"""Of all files together."""
DETECTORS: tuple[Detector, ...] = (
    *language_rules.DETECTORS,
    *signature_rules.DETECTORS,
    *observation_rules.DETECTORS,
    *action_rules.DETECTORS,
    *episode_rules.DETECTORS,
    *scene_rules.DETECTORS,
)
_YEARS = (2017, 2018, 2019, 2020, 2021, 2022, 2023, 6000)


def check_script(
    files: Sequence[SourceFile],
    *,
    spec: EnvironmentSpec | None = None,
    versions: Versions | None = None,
    foreign: bool = False,
    tags: Sequence[str] | None = None,
) -> ScriptCheck:
    """Check C# without Unity; takes milliseconds per file.

    Args:
        files: what belongs together; types are looked up in all of them. Those in a folder ``Editor`` are read with
            ``UNITY_EDITOR`` defined, the others as a player sees them.
        spec: what the agent should be: its sizes, actions and tags are compared with the code.
        versions: what the code is meant for; without them no rule about versions speaks.
        foreign: whether somebody else wrote it; then the guard reads it too, save files that are ``trusted``.
        tags: the project's tags, where they are known; left out: those of the spec.

    Raises:
        InvalidInputError: no files, or a file is binary, too long, nested too deeply, or takes too long to parse.
    """
    _bounded(files)
    try:
        return _checked(files, spec, versions, foreign=foreign, tags=tags)
    except RecursionError as error:
        raise InvalidInputError(
            "The C# is nested too deeply to be checked.",
            fix="Pass C# as a person writes it.",
            cause="script_too_nested",
        ) from error


def _bounded(files: Sequence[SourceFile]) -> None:
    characters = sum(len(file.text) for file in files)
    if not files or len(files) > MAX_FILES or characters > MAX_CHARACTERS:
        raise InvalidInputError(
            f"There are {len(files)} C# files to check, with {characters} characters.",
            fix=f"Pass 1 to {MAX_FILES} files, with {MAX_CHARACTERS} characters at most.",
            cause="script_files",
        )


def _checked(
    files: Sequence[SourceFile],
    spec: EnvironmentSpec | None,
    versions: Versions | None,
    *,
    foreign: bool,
    tags: Sequence[str] | None,
) -> ScriptCheck:
    symbols = defined_symbols(versions)
    sources = [parse(file, symbols | _sort_of(file)) for file in files]
    project = project_of(sources)
    known_tags = frozenset(tags) if tags is not None else scene_rules.tags_of(spec)
    context = Context(project, tuple(project.agents()), spec, versions, known_tags)
    found = [finding(hit) for detector in DETECTORS for hit in detector(context)]
    if foreign:
        found += [one for file in files if not file.trusted for one in guard(file)]
    return ScriptCheck(ordered(found), tuple(_facts(context.project, context)))


def defined_symbols(versions: Versions | None) -> frozenset[str]:
    """What Unity defines for ``#if``: of the newest versions we know where none are given."""
    unity = (versions or resolve_versions(None, None)).unity
    numbers = [int(one) for one in re.findall(r"\d+", unity)[:2]]
    year, minor = numbers[0], numbers[1] if len(numbers) > 1 else 0
    newer = {f"UNITY_{one}_{part}_OR_NEWER" for one in _YEARS for part in range(5) if (one, part) <= (year, minor)}
    return frozenset(
        {*newer, f"UNITY_{year}", f"UNITY_{year}_{minor}", "CSHARP_7_3_OR_NEWER", "ENABLE_LEGACY_INPUT_MANAGER"}
    )


def _sort_of(file: SourceFile) -> frozenset[str]:
    folders = file.path.replace("\\", "/").split("/")[:-1]
    return frozenset(
        {"UNITY_EDITOR", "UNITY_STANDALONE"} if "Editor" in folders else {"UNITY_STANDALONE", "ENABLE_MONO"}
    )


def _facts(project: Project, context: Context) -> Iterator[AgentFacts]:
    for agent in context.agents:
        if not agent.abstract:
            size = measure(agent, project).size
            yield AgentFacts(agent.name, agent.source.path, size.number, size.formula)
