"""The documentation is true: its tables, commands, calls, snippets, links, settings and examples of specs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import anyio
import pytest
import typer.main
import yaml
from pydantic import BaseModel

from tests.conftest import REPOSITORY
from tests.doc_tables import DOCS, pages
from tests.mcp_clients import in_memory, server_environment
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.interfaces.cli.main import OPERATIONS, command_line
from unity_mlops_mcp.interfaces.connect import CLIENTS, ClientName
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.by_rules import plan_by_rules
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.requests import UnityAssetSpec

PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])
SPEAKING = [*PAGES, *sorted(REPOSITORY.glob("examples/*.*")), *sorted(REPOSITORY.glob("prompts/*.md"))]
DATA = sorted((REPOSITORY / "unity_mlops_mcp").rglob("*.yaml"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[\s/\\])unity-mlops +([a-z][^;&|`\n]*)")
CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\(([^()]*)\)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [content for said, content in FENCE.findall(text_of(path)) if said == language]


def code(path: Path) -> list[str]:
    """What stands in code: each line of the fenced blocks and each span of a page; each line of any other file."""
    text = text_of(path)
    if path.suffix != ".md":
        return [line.removesuffix('")') for line in text.splitlines()]
    fenced = [line for _, content in FENCE.findall(text) for line in content.splitlines()]
    return [*fenced, *SPAN.findall(FENCE.sub("", text))]


def commands(path: Path) -> list[list[str]]:
    """The words after ``unity-mlops`` wherever it is typed."""
    found = [match for line in code(path) for match in COMMAND.findall(line)]
    return [shlex.split(words, comments=True) for words in found]


@cache
def tools() -> dict[str, dict[str, Any]]:
    """The arguments' schemas of each tool."""

    async def listed() -> dict[str, dict[str, Any]]:
        async with in_memory("auto") as client:
            return {tool.name: tool.input_schema["properties"] for tool in (await client.list_tools()).tools}

    return anyio.run(listed)


def parse(words: list[str]) -> None:
    """Read a command line as ``unity-mlops`` does, without running it; raises what it would say."""
    command: Any = typer.main.get_command(command_line())
    rest = list(words)
    while hasattr(command, "commands"):
        assert rest[0] in command.commands, f"unity-mlops {' '.join(words)}: there is no {rest[0]}"
        command = command.commands[rest.pop(0)]
        if not rest and hasattr(command, "commands"):
            return
    command.make_context(words[0], rest)


def test_the_tables_are_what_the_program_says() -> None:
    for name, page in pages().items():
        assert text_of(DOCS / name) == page, f"docs/{name} is old; run: python -m tests.doc_tables"


@pytest.mark.parametrize("path", SPEAKING, ids=name_of)
def test_every_command_and_option_that_is_named_exists(path: Path) -> None:
    for words in commands(path):
        parse(words)


def test_commands_are_found_where_they_stand() -> None:
    found = [words for path in PAGES for words in commands(path)]
    assert len(found) > 25
    assert ["train", "reach the target", "--max-steps", "200000"] in found


@pytest.mark.parametrize("wrong", ["trane x", "train x --max-step 200", "list-runs --limit 500", "trainer instal"])
def test_a_command_that_does_not_exist_would_be_found(wrong: str) -> None:
    with pytest.raises(Exception, match=r"there is no (trane|instal)|No such option|less than or equal to 50"):
        parse(wrong.split())


def test_the_commands_that_errors_tell_people_to_type_exist() -> None:
    for path in DATA:
        for line in SPAN.findall(text_of(path)):
            for match in COMMAND.findall(line):
                parse(shlex.split(match.replace("{run_id}", "RUN_ID")))


@pytest.mark.parametrize("path", [*SPEAKING, *DATA], ids=name_of)
def test_every_call_of_a_tool_has_arguments_that_the_tool_has(path: Path) -> None:
    for name, arguments in CALL.findall(text_of(path)):
        if name in tools():
            assert set(re.findall(r"(\w+)=", arguments)) <= set(tools()[name]), f"{name}({arguments})"


def test_tools_and_commands_have_the_same_words() -> None:
    assert [name.replace("_", "-") for name in tools()] == list(OPERATIONS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(text_of(page)):
        if "://" not in link:
            file, _, heading = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), link
            assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_json_and_yaml_snippets_can_be_read(page: Path) -> None:
    for snippet in blocks(page, "json"):
        json.loads(snippet)
    for snippet in blocks(page, "yaml"):
        yaml.safe_load(snippet)


def test_the_readme_shows_what_connect_writes_but_for_the_path(home: Path) -> None:
    desktop, vscode = map(json.loads, blocks(REPOSITORY / "README.md", "json"))
    assert desktop == json.loads(text_of(REPOSITORY / "claude_desktop_config.example.json"))
    assert server_in(desktop, "claude-desktop") == server_in(connect("claude-desktop", home), "claude-desktop")
    assert server_in(vscode, "vscode") == server_in(connect("vscode", home), "vscode")


def connect(client: ClientName, home: Path) -> dict[str, Any]:
    """The snippet in what the command prints, made with no roots and the usual home."""
    environment = server_environment(home)
    environment = {key: value for key, value in environment.items() if not key.startswith("UNITY_MLOPS_")}
    command = [sys.executable, "-m", "unity_mlops_mcp", "connect", client]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    begin, end = done.stdout.index("{\n"), done.stdout.index("\n}\n") + 2
    return dict(json.loads(done.stdout[begin:end]))


def server_in(document: dict[str, Any], client: ClientName) -> dict[str, Any]:
    """The server's entry without its path: the program's name, or the module behind an interpreter."""
    server = dict(document[CLIENTS[client].key]["unity-mlops"])
    assert Path(server.pop("command")).stem in {"unity-mlops", Path(sys.executable).stem}
    return {**server, "args": server["args"][-1:]}


@pytest.mark.parametrize("path", SPEAKING, ids=name_of)
def test_settings_that_are_named_exist(path: Path) -> None:
    known = {f"UNITY_MLOPS_{name.upper()}" for name in Settings.model_fields}
    tests_own = {name for name in re.findall(r"UNITY_MLOPS_\w+", text_of(path)) if name.startswith("UNITY_MLOPS_TEST_")}
    assert set(re.findall(r"UNITY_MLOPS_[A-Z_]*[A-Z]", text_of(path))) - tests_own <= known


def sentences() -> set[str]:
    """What users are told to ask for: in the pages, in help, and in the tool's argument."""
    places = [*PAGES, *REPOSITORY.glob("examples/*.py"), *(REPOSITORY / "unity_mlops_mcp" / "interfaces").rglob("*.py")]
    found = {match for path in places for match in re.findall(r'(?:train|run|\.py|such as) "([^"{/]+)"', text_of(path))}
    return {*found, *re.findall(r"'([^']+)'", tools()["build_environment"]["description"]["description"])}


def test_every_sentence_that_is_suggested_can_be_planned() -> None:
    assert {"reach the target", "patrol five waypoints in order", "a robot finds the red ball"} <= sentences()
    for sentence in sentences():
        plan_by_rules(UnityAssetSpec(description=sentence))


def test_the_targets_of_make_that_are_named_exist() -> None:
    makefile = text_of(REPOSITORY / "Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {match for page in PAGES for line in code(page) for match in re.findall(r"^make ([a-z-]+)", line)}
    assert {"demo", "test"} <= named <= targets


def test_paths_of_the_repository_that_are_named_exist() -> None:
    starts = (
        "unity_mlops_mcp/",
        "tests/",
        "docs/",
        "examples/",
        "bench/",
        "prompts/",
        "interfaces/",
        "spec/",
        "training/",
    )
    for page in PAGES:
        for span in SPAN.findall(FENCE.sub("", text_of(page))):
            if span.startswith(starts) and "*" not in span:
                assert any((root / span).exists() for root in (REPOSITORY, REPOSITORY / "unity_mlops_mcp")), span


def specs() -> dict[str, str]:
    """The specs that the documentation and the examples show."""
    (annotated,) = blocks(DOCS / "environments.md", "yaml")
    examples = {path.stem: text_of(path) for path in (REPOSITORY / "examples").glob("*.yaml")}
    return {"page": annotated, **examples}


@pytest.mark.parametrize("where", ["page", "custom_environment", "bee_meadow"])
def test_the_specs_that_are_shown_can_be_simulated(where: str) -> None:
    spec = EnvironmentSpec.from_text(specs()[where])
    world = World(spec, areas=4, seed=1)
    (behavior,) = world.behaviors
    assert tuple((one.name, one.shape) for one in behavior.observations) == spec.sensors()
    (step,) = world.reset().values()
    assert len(step.decisions.ids) == 4 * spec.agents_per_area


def test_the_sizes_in_the_notes_of_the_annotated_spec_are_right() -> None:
    spec = EnvironmentSpec.from_text(specs()["page"])
    (ray,) = spec.observations.rays
    assert f"2 + 2 + 2 = {spec.vector_size} numbers" in specs()["page"]
    assert f"(tags + 2) * (2 * {ray.rays_per_direction} + 1) = {ray.size} numbers" in specs()["page"]


def test_every_kind_of_piece_of_a_spec_is_told() -> None:
    page = text_of(DOCS / "environments.md")
    kinds = set(kinds_in(EnvironmentSpec))
    assert {"holonomic", "box", "one_hot", "complete", "approach"} <= kinds
    assert not [kind for kind in kinds if f"`{kind}`" not in page]


def kinds_in(model: type[BaseModel], seen: frozenset[type] = frozenset()) -> Iterator[str]:
    """The values of the fields ``kind`` and ``when`` that choose between records, in a record and those inside it."""
    for name, annotation in get_type_hints(model).items():
        if name in {"kind", "when"} and len(get_args(annotation)) == 1:
            yield from get_args(annotation)
        for inner in records_in(annotation):
            if inner not in seen:
                yield from kinds_in(inner, seen | {model})


def records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The record types within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from records_in(inner)
