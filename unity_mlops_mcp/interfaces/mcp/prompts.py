"""The prompts: templates in ``prompts/`` that a user picks in the chat client."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    from mcp.server import MCPServer

_PACKAGE = Path(__file__).resolve().parents[2]


def add_prompts(server: MCPServer[None]) -> None:
    """Register the prompts; every argument is optional, so that a client without a form can call them."""

    @server.prompt(title="Train a behaviour")
    def train_behavior(
        goal: Annotated[str, Field(description="What the agent shall learn, in one sentence.")] = "",
        minutes: Annotated[str, Field(description="How long the training may take.")] = "10",
    ) -> str:
        """Train a behaviour from one sentence and say how good it became."""
        return render("train_behavior", goal=goal, minutes=minutes)

    @server.prompt(title="Find out why a run does not learn")
    def diagnose_run(
        run_id: Annotated[str, Field(description="The run; empty: the newest one.")] = "",
    ) -> str:
        """Look at a run that failed or does not learn, and mend it."""
        return render("diagnose_run", run_id=run_id)


def render(name: str, **values: str) -> str:
    """The prompt ``name`` with its values filled in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # The text is read by a model, never by a browser: escaping would only spoil it.
    templates = Environment(  # noqa: S701
        loader=FileSystemLoader(prompts_folder()), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template(f"{name}.md").render(**values).strip()


def prompts_folder() -> Path:
    """Where the templates lie: inside the installed package, else beside it in a checkout."""
    installed = _PACKAGE / "_prompts"
    return installed if installed.is_dir() else _PACKAGE.parent / "prompts"
