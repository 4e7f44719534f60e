"""The model card: what a version is, made of facts alone, as Markdown."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.evaluation.records import Evaluation, shares
from unity_mlops_mcp.registry.records import ModelVersion

if TYPE_CHECKING:
    from jinja2 import Template

_INLINE = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#"})


def card_of(version: ModelVersion, evaluation: Evaluation | None) -> str:
    """The card of a version.

    Args:
        version: the version.
        evaluation: the newest one of its policy, where there is one.
    """
    return _template().render(version=version, evaluation=evaluation, shares=shares, plain=_plain)


def _plain(text: Any) -> str:
    """Text that comes from outside, on one line and without Markdown's signs."""
    return " ".join(str(text).split()).translate(_INLINE)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    text = files("unity_mlops_mcp.registry").joinpath("card.md.j2").read_text("utf-8")
    environment = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - Markdown, escaped by `plain`
    return environment.from_string(text)
