"""What a chat client's own model answered; a module of its own, as the server's face reads it before anything else."""

from __future__ import annotations

from unity_mlops_mcp.spec.base import Part


class ClientAnswer(Part):
    """What the chat client's own model answered to our instructions."""

    text: str
    """The answer as it came."""
    model: str = ""
    """The model, as the client names it."""
