"""Writes the tables of the documentation from what they describe: ``python -m tests.doc_tables``.

``docs/tools.md`` is made whole from the schemas that the server publishes; other pages have tables between
``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import anyio
import typer.main
from mcp.types import Prompt, Resource, ResourceTemplate, Tool

from tests.conftest import REPOSITORY
from tests.mcp_clients import in_memory
from unity_mlops_mcp.builds.unity.logs import failure_classes
from unity_mlops_mcp.codegen.checking.rules import rules
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.interfaces.access import scope_of
from unity_mlops_mcp.interfaces.cli.main import OPERATIONS, command_line
from unity_mlops_mcp.interfaces.http.guard import API
from unity_mlops_mcp.interfaces.http.routes import ROUTES
from unity_mlops_mcp.training.diagnosis import diagnoses
from unity_mlops_mcp.upkeep.deployment.settings import PREFIX, DeploySettings

Schema = dict[str, Any]
DOCS = REPOSITORY / "docs"
INTRODUCTION = """\
# Tools and commands

Made by `python -m tests.doc_tables` from the schemas that the server publishes. Each tool is also a command with the
same words; its result is what `--json` prints. Options are the arguments with dashes (`max_steps`: `--max-steps`).

Structured arguments (`spec`, `observation_space`, `action_space`, `trainer_config`) are YAML or JSON text. Times are
ISO 8601 UTC, names that end in `_s` are seconds, `state` is one of queued, starting, running, stopping, succeeded,
failed, cancelled, interrupted. `next` is one sentence: the call that usually follows. A result is at most 20 KB.
"""
STAND_FOR = {
    "run_id": "RUN_ID",
    "log": "the trainer's log",
    "player_log": "the player's log",
    "home": "the home",
    "reason": "…",
    "exit_code": "…",
    "signal_number": "…",
}
EDITOR_STAND_FOR = {
    "project": "COPY",
    "version": "VERSION",
    "log": "editor.log",
    "file": "FILE",
    "line": "LINE",
    "target": "TARGET",
    "module": "MODULE",
}


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped) + "\n"


def tools_page() -> str:
    """The whole of ``docs/tools.md``."""
    tools, prompts, resources = anyio.run(_published)
    parts = [INTRODUCTION, *(_tool(tool, tools) for tool in tools), _more(prompts, resources), _other_commands()]
    return "\n".join(parts)


async def _published() -> tuple[list[Tool], list[Prompt], list[Resource | ResourceTemplate]]:
    async with in_memory("auto") as client:
        return (
            (await client.list_tools()).tools,
            (await client.list_prompts()).prompts,
            [
                *(await client.list_resources()).resources,
                *(await client.list_resource_templates()).resource_templates,
            ],
        )


def _tool(tool: Tool, tools: list[Tool]) -> str:
    command = tool.name.replace("_", "-")
    rows = [
        (f"`{name}`", _type(schema), _default(name, schema, tool.input_schema), schema["description"])
        for name, schema in tool.input_schema["properties"].items()
    ]
    return "\n".join(
        [
            f"## {tool.name}\n\n{tool.description}\n",
            f"Command: `unity-mlops {_usage(command)}`\n",
            table(("argument", "type", "default", "meaning"), rows),
            _result(tool, tools),
        ]
    )


def _usage(command: str) -> str:
    """The command with its positional arguments, as help shows them."""
    group: Any = typer.main.get_command(command_line())
    given = [parameter for parameter in group.commands[command].params if parameter.param_type_name == "argument"]
    names = [(_placeholder(one), one.required) for one in given]
    return " ".join([command, *(name if required else f"[{name}]" for name, required in names)])


def _placeholder(argument: Any) -> str:
    """Its name; of one that takes a few words only, the first of them."""
    choices = get_args(argument.type_descriptor.annotation) if argument.type_descriptor.is_choice else ()
    return str(choices[0]) if choices else str(argument.metavar or argument.name.upper())


def _type(schema: Schema) -> str:
    """The type in words: the values there are, or the kind with its bounds."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else next(one for one in kinds if one != "null")
    word = {"string": "text", "array": "list", "object": "record", "boolean": "true, false"}.get(kind, kind)
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    signs = ((">=", least), (">", above), ("<=", most), ("<", below))
    bounds = [f"{sign} {bound:,}" for sign, bound in signs if bound is not None]
    return f"{word} {', '.join(bounds)}".strip()


def _default(name: str, schema: Schema, of: Schema) -> str:
    if name in of.get("required", []):
        return "**required**"
    value = schema.get("default")
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _result(tool: Tool, tools: list[Tool]) -> str:
    """The described fields as rows; the others, whose names say it, in one line; another tool's fields by its name."""
    properties = (tool.output_schema or {})["properties"]
    schemas = [(one.name, (one.output_schema or {})["properties"]) for one in tools]
    place = [one.name for one in tools].index(tool.name)
    same = [
        (name, fields)
        for other, (name, fields) in enumerate(schemas)
        if fields.items() <= properties.items() and (other < place or len(fields) < len(properties))
    ]
    above, known = max(same, key=lambda pair: len(pair[1]), default=("", {}))
    fields = list(_fields({name: schema for name, schema in properties.items() if name not in known}))
    said = [(f"`{name}`", _type(schema), meaning) for name, schema, meaning in fields if meaning]
    plain = ", ".join(f"`{name}`" for name, schema, meaning in fields if not meaning and not _inside(schema))
    more = [f"All that [{above}](#{above}) gives."] if above else []
    more += [f"Also {plain}."] if plain else []
    return "\n".join([table(("result", "type", "meaning"), said), " ".join(more) + "\n" if more else ""])


def _fields(properties: Schema, inside: str = "") -> Iterator[tuple[str, Schema, str]]:
    """Name, schema and meaning of each field, with the fields of records inside."""
    for name, schema in properties.items():
        description, _, attributes = schema.get("description", "").partition("Attributes:")
        yield f"{inside}{name}", schema, _sentence(description.split("\n\n")[0])
        told = _attributes(attributes or schema.get("items", {}).get("description", ""))
        within = {
            key: {**one, "description": one.get("description", told.get(key, ""))}
            for key, one in _inside(schema).items()
        }
        yield from _fields(within, f"{inside}{name}{'[]' if 'items' in schema else ''}.")


def _inside(schema: Schema) -> Schema:
    """The fields of a record, or of the records in a list."""
    fields: Schema = schema.get("items", schema).get("properties", {})
    return fields


def _sentence(text: str) -> str:
    """The text on one line, as a sentence about JSON."""
    line = re.sub(r"\bNone\b", "null", " ".join(text.split()))
    return line[:1].upper() + line[1:]


def _attributes(text: str) -> dict[str, str]:
    """The meanings in the ``Attributes:`` part of a docstring."""
    found = re.findall(r"^ +(\w+): (.+(?:\n {5,}.+)*)", text, re.MULTILINE)
    return {name: " ".join(meaning.replace("``", "`").split()) for name, meaning in found}


def _more(prompts: list[Prompt], resources: list[Resource | ResourceTemplate]) -> str:
    asked = [
        (f"`{one.name}`", ", ".join(f"`{a.name}`" for a in one.arguments or []), one.description or "")
        for one in prompts
    ]
    read = [
        (f"`{one.uri if isinstance(one, Resource) else one.uri_template}`", str(one.mime_type), one.description or "")
        for one in resources
    ]
    return "\n".join(
        [
            "## Prompts and resources\n",
            table(("prompt", "arguments, all optional", "what it asks the model to do"), asked),
            table(("resource", "type", "content"), read),
        ]
    )


def _other_commands() -> str:
    group: Any = typer.main.get_command(command_line())
    rows = []
    for name, command in group.commands.items():
        inside = getattr(command, "commands", None)
        if name not in OPERATIONS and inside is None:
            rows.append((f"`{_usage(name)}`", command.help))
        rows += [(f"`{name} {inner}`", one.help) for inner, one in (inside or {}).items()]
    return "\n".join(["## Commands that are no tools\n", table(("`unity-mlops` …", "what it does"), rows)])


def causes() -> str:
    """Each diagnosis of a failed training, once per cause and message, placeholders in words."""
    rows = [(f"`{one.cause}`", _plain(one.message), _plain(one.fix)) for one in diagnoses()]
    return table(("cause", "what it means", "what to do"), dict.fromkeys(rows))


def unity_causes() -> str:
    """Each class of an Editor's failure, in the order in which they are looked for, placeholders in words."""
    words = EDITOR_STAND_FOR
    rows = [(f"`{one.cause}`", _plain(one.message, words), _plain(one.fix, words)) for one in failure_classes()]
    return table(("cause", "what it means", "what to do"), dict.fromkeys(rows))


def _plain(template: str, words: Mapping[str, str] = STAND_FOR) -> str:
    """A template without its braces: what the log would fill in is left open."""
    parts = [text + ("" if name is None else words.get(name, "…")) for text, name, _, _ in _parsed(template)]
    return re.sub(r"…+\.?", "…", "".join(parts))


def _parsed(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(template))


def lint_rules(first: str) -> str:
    """Each case of the rules whose ids begin so: severity, what it finds, what to do."""
    shown = [one for one in rules().values() if one.id.startswith(first)]
    rows = [(one.id, one.severity, _plain(one.message), _plain(one.fix)) for one in shown]
    return table(("id", "severity", "what it finds", "what to do"), rows)


def settings() -> str:
    """Each setting with its default and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default in (None, ()) else f"`{field.default}`"
        rows.append((f"`UNITY_MLOPS_{name.upper()}`", default, field.description or ""))
    return table(("variable", "default", "meaning"), rows)


def deploy_settings() -> str:
    """Each variable of a deployment with its default and meaning."""
    rows = []
    for name, field in DeploySettings.model_fields.items():
        needed = "**required**" if field.is_required() else ""
        default = needed or ("" if field.default_factory or field.default in (None, ()) else f"`{field.default}`")
        shown = f"`{field.default[0]}`" if name == "egress_ports" else default
        rows.append((f"`{PREFIX}{name.upper()}`", shown, field.description or ""))
    return table(("variable", "default", "meaning"), rows)


def rest_routes() -> str:
    """Each tool's address over HTTP, and the scope that it needs."""
    rows = [(f"`{route.tool}`", f"`{route.method} {API}{route.path}`", scope_of(route.tool)) for route in ROUTES]
    return table(("tool", "request", "scope"), rows)


def filled(page: str, name: str, content: str) -> str:
    """The page with the content between its markers.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, after = page.index(begin) + len(begin), page.index(end)
    return page[:before] + content + page[after:]


def pages() -> dict[str, str]:
    """Every page with a table, as it has to be, by its name in ``docs/``."""
    made = {"tools.md": tools_page()}
    for file, name, content in (
        ("troubleshooting.md", "causes", causes()),
        ("how-it-works.md", "settings", settings()),
        ("deployment.md", "deploy settings", deploy_settings()),
        ("unity.md", "unity causes", unity_causes()),
        ("http.md", "rest-routes", rest_routes()),
        ("lint.md", "rules", lint_rules("MLA")),
        ("lint.md", "guard", lint_rules("SEC")),
    ):
        page = made.get(file) or (DOCS / file).read_text(encoding="utf-8")
        made[file] = filled(page, name, content)
    return made


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
