"""The pages of the registry: models, one model with its history, the card of a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.http.dashboard.asking import Asked, Page

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

MODELS_A_PAGE = 20


def models(app: App, asked: Asked) -> Page:
    """All models with what their aliases point to."""
    found = app.list_models(limit=MODELS_A_PAGE, cursor=asked.get("cursor"))
    return Page("models", "Models", {"found": found}, place="models")


def model(app: App, asked: Asked) -> Page:
    """One model: versions, aliases, what was done to it, and what was taken back."""
    found = app.list_models(name=asked.path["name"], cursor=asked.get("cursor"))
    (line,) = found.models
    shown = {"model": line, "next_cursor": found.next_cursor, "first": asked.get("cursor") is None}
    return Page("model", f"{line.title}", shown, place="models")


def card(app: App, asked: Asked) -> Page:
    """The card of a version, as it was written."""
    version = asked.path["version"]
    shown = {"version": version, "card": app.model_card(version), "name": asked.path["name"]}
    return Page("card", f"Card of {version}", shown, place="models", refresh_s=0)
