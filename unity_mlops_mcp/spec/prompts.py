"""The instruction files in ``prompts/``: found inside the package or beside it, and filled in."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def prompts_folder() -> Path:
    """Where the templates lie: inside the installed package, else beside it in a checkout."""
    installed = _PACKAGE / "_prompts"
    return installed if installed.is_dir() else _PACKAGE.parent / "prompts"


def render(name: str, **values: str) -> str:
    """The prompt ``name`` with its values filled in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # The text is read by a model, never by a browser: escaping would only spoil it.
    templates = Environment(  # noqa: S701
        loader=FileSystemLoader(prompts_folder()), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template(f"{name}.md").render(**values).strip()
