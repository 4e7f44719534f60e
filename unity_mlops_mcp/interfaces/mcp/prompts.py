"""The prompts: templates in ``prompts/`` that a user picks in the chat client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from unity_mlops_mcp.spec.prompts import render

if TYPE_CHECKING:
    from mcp.server import MCPServer


def add_prompts(server: MCPServer[Any]) -> None:
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
