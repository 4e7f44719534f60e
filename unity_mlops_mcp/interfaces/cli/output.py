"""What the commands print: a record as JSON, or as lines for a person; errors and their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.errors import InvalidInputError, MlopsError
from unity_mlops_mcp.interfaces.cli.calls import as_commands
from unity_mlops_mcp.interfaces.upkeep import LateApp, Upkeep

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from unity_mlops_mcp.app import App

FAILED, MISUSE, INTERRUPTED = 1, 2, 130
_FILE_WIDTH = 200
"""Columns of what is no terminal, so that a table in a file or a pipe is whole."""


@contextmanager
def application(*, upkeep: bool = False, tend: bool = True, here: bool = False) -> Iterator[App]:
    """The application for one command; tended once at its end, with ``upkeep`` also while it waits; never without.

    With ``here`` paths in the present folder are allowed too: the command itself reads them, now, for who typed them.
    """
    app = LateApp(Path.cwd() if here else None)
    keeping = Upkeep(app)
    if upkeep:
        with keeping:
            yield app()
        return
    try:
        yield app()
        if tend:
            keeping.tend_once()
    finally:
        app.close()


def console(*, errors: bool = False) -> Console:
    """The terminal: colours where it has them (``NO_COLOR`` is respected), plain lines elsewhere."""
    from rich.console import Console

    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else _FILE_WIDTH
    return Console(stderr=errors, markup=False, highlight=False, soft_wrap=True, width=width)


def show(result: BaseModel, *, as_json: bool) -> None:
    """Print a result: the record as JSON and nothing else, or lines for a person."""
    if as_json:
        print_json(result.model_dump(mode="json"))
        return
    from unity_mlops_mcp.interfaces.cli.render import render

    render(result, console())


def print_json(data: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def text_or_file(text_or_file: str | None) -> str | None:
    """The file's text when it names a file, else itself.

    Raises:
        InvalidInputError: it has a file's name, and there is no such file.
    """
    if text_or_file is None or not text_or_file.endswith((".yaml", ".yml", ".json")) or "\n" in text_or_file:
        return text_or_file
    file = Path(text_or_file)
    if not file.is_file():
        raise InvalidInputError(f"There is no file {file}.", fix="Give an existing file, or the text itself.")
    return file.read_text(encoding="utf-8", errors="replace")


def fail(error: MlopsError, *, as_json: bool) -> int:
    """Print an error; the exit code: 2 for input that cannot be used, else 1."""
    if as_json:
        print_json(error_record(error.cause, error.message, error.fix, error.evidence))
    else:
        _print_error(error)
    return MISUSE if isinstance(error, InvalidInputError) else FAILED


def error_record(cause: str, message: str, fix: str, evidence: Sequence[str] = ()) -> dict[str, Any]:
    """An error as JSON shows it."""
    return {"cause": cause, "message": message, "fix": fix, "evidence": list(evidence)}


def _print_error(error: MlopsError) -> None:
    terminal = console(errors=True)
    terminal.print(f"{error.cause}: {error.message}", style="red")
    for line in error.evidence:
        terminal.print(f"  | {line}", style="dim")
    terminal.print(f"To mend it: {as_commands(error.fix)}")
