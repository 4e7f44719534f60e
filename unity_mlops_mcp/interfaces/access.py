"""Who may do what: scopes of callers and of tools, and the tools that a server is started with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unity_mlops_mcp.errors import InvalidInputError

Scope = Literal["read", "run", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "run", "admin")
"""From the least to the most: each may do all that those before it may."""

TOOL_SETS: dict[str, tuple[str, ...]] = {
    "setup": ("check_setup",),
    "scripts": ("generate_behavior_script", "check_behavior_script"),
    "training": (
        "run_pipeline",
        "build_environment",
        "start_training",
        "wait_for",
        "get_run",
        "list_runs",
        "stop_training",
        "resume_training",
    ),
    "insight": ("wait_for", "get_run", "list_runs", "get_metrics", "compare_runs", "evaluate_model", "render_report"),
    "models": ("list_models", "register_model", "promote_model", "rollback_model", "install_model"),
    "schedules": ("add_schedule", "list_schedules", "update_schedule"),
    "datasets": ("record_demonstrations", "inspect_dataset"),
}
"""Names for groups of tools; a tool may be in several."""

_READ = {
    "check_setup",
    "check_behavior_script",
    "wait_for",
    "get_run",
    "list_runs",
    "get_metrics",
    "compare_runs",
    "list_models",
    "list_schedules",
    "inspect_dataset",
}
_ADMIN = {"promote_model", "rollback_model", "install_model", "add_schedule", "update_schedule"}
_MORE: dict[tuple[str, str], Scope] = {("check_setup", "fix"): "run"}
"""An argument that, when it is set, needs another scope than its tool."""


def allows(held: Scope, needed: Scope) -> bool:
    """Whether a scope is enough for what needs another."""
    return SCOPES.index(held) >= SCOPES.index(needed)


def scope_of(tool: str, arguments: Mapping[str, Any] | None = None) -> Scope:
    """The scope that a call of a tool needs."""
    needed: Scope = "read" if tool in _READ else "admin" if tool in _ADMIN else "run"
    for name, value in (arguments or {}).items():
        if value and (tool, name) in _MORE:
            needed = _MORE[tool, name]
    return needed


@dataclass(frozen=True)
class Offer:
    """What a server offers, chosen when it is started.

    Attributes:
        read_only: nothing can be started or changed, whatever the caller's scope.
        tools: names of tools, or of sets of them; empty for all.
    """

    read_only: bool = False
    tools: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, *, read_only: bool = False, tools: Sequence[str] = ()) -> Offer:
        """The offer that a command line names; each of ``tools`` may hold several, separated by commas.

        Raises:
            InvalidInputError: there is no such tool or set.
        """
        named = {name.strip().replace("-", "_") for text in tools for name in text.split(",") if name.strip()}
        known = {tool for members in TOOL_SETS.values() for tool in members}
        unknown = sorted(named - known - set(TOOL_SETS))
        if unknown:
            raise InvalidInputError(
                f"There is no tool or set of tools {', '.join(unknown)}.",
                fix=f"Sets: {', '.join(TOOL_SETS)}. Or name tools, such as list_runs.",
            )
        chosen = {tool for name in named for tool in TOOL_SETS.get(name, (name,))}
        return cls(read_only=read_only, tools=frozenset(chosen))

    def holds(self, tool: str) -> bool:
        """Whether a tool is offered."""
        return (not self.tools or tool in self.tools) and not (self.read_only and scope_of(tool) != "read")

    def capped(self, scope: Scope) -> Scope:
        """A caller's scope here: no more than reading when nothing else is offered."""
        return "read" if self.read_only else scope
