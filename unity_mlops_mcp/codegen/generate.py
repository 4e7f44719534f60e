"""Write the C# of an environment spec: the agent, its training area, and the Editor's maker of the scene."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.codegen.agent_view import AgentView
from unity_mlops_mcp.codegen.area_view import AreaView
from unity_mlops_mcp.codegen.records import GeneratedScript, ScriptFile, ScriptKind
from unity_mlops_mcp.codegen.versions import Versions
from unity_mlops_mcp.spec.environment import EnvironmentSpec

if TYPE_CHECKING:
    import jinja2

WIDTH = 110
"""Columns of a wrapped description."""


def generate_script(spec: EnvironmentSpec, versions: Versions, *, agent_source: str | None = None) -> GeneratedScript:
    """The C# of a spec; the same spec and versions give the same text.

    Args:
        spec: the environment.
        versions: the Editor and the ML-Agents package it is for.
        agent_source: code of the agent that somebody else wrote, with a class ``<name>Agent``; it replaces ours. The
            area then knows it as an ``Agent`` only, and offers it the same methods.
    """
    name, area = spec.behavior_name, AreaView(spec, foreign=agent_source is not None)
    common = {"header": _header(spec, versions), "description": _description(spec)}
    if agent_source is None:
        agent_text = _render("agent.cs.j2", {**common, "v": AgentView(spec)})
    else:
        agent_text = agent_source.replace("\r\n", "\n")
    files: list[tuple[str, ScriptKind, str]] = [
        (f"Assets/{name}/{name}Agent.cs", "agent", agent_text),
        (f"Assets/{name}/{name}Area.cs", "area", _render("area.cs.j2", {**common, "v": area})),
        (f"Assets/{name}/Editor/{name}Scene.cs", "scene", _render("scene.cs.j2", {**common, "v": area})),
    ]
    return GeneratedScript.of(
        name,
        versions,
        [ScriptFile.of(path, kind, text) for path, kind, text in files],
        tags=area.tags,
        foreign=agent_source is not None,
    )


def _header(spec: EnvironmentSpec, versions: Versions) -> str:
    made = f"spec {spec.digest()[:8]}, Unity {versions.unity}, ML-Agents {versions.ml_agents}"
    return f"// Written by unity-mlops ({made}); yours to keep and edit."


def _description(spec: EnvironmentSpec) -> list[str]:
    told = " ".join(spec.description.split()) or f"The agent of {spec.behavior_name}."
    return textwrap.wrap(escape(told, quote=False), WIDTH)


def _render(template: str, context: Mapping[str, Any]) -> str:
    return _tidy(_environment().get_template(template).render(context))


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - C#, not HTML; all that comes from a spec is a checked name, number or escaped
    )
    environment.filters |= {
        "number": naming.number,
        "words": naming.words,
        "line": lambda text: text.rstrip("\n"),
        "quoted": lambda text: f'"{text}"',
        "a": lambda text: f"an {text}" if text[0] in "aeiou" else f"a {text}",
    }
    return environment


def _tidy(text: str) -> str:
    """No space at line ends, one empty line between parts, none after ``{`` and before ``}``."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    lines = re.sub(r"\n{3,}", "\n\n", lines)
    lines = re.sub(r"\{\n\n", "{\n", lines)
    return re.sub(r"\n\n(\s*\})", r"\n\1", lines).strip() + "\n"
