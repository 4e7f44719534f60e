"""A page as PDF: through WeasyPrint, else through a browser that is installed; neither may fetch anything."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from unity_mlops_mcp.errors import ExternalError, SetupError
from unity_mlops_mcp.process.commands import find, run
from unity_mlops_mcp.process.files import write_atomically

BROWSERS = Path(__file__).with_name("browsers.yaml")
_BROWSER_S = 120.0
FIX = (
    "Install WeasyPrint with `pip install 'unity-mlops-mcp[pdf]'` and, on Linux, the system's Pango "
    "(Debian, Ubuntu: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; macOS: brew install pango); or install "
    "Chrome, Edge or Chromium. The same report is there now with format=html, which any browser prints."
)


def write_pdf(html: str, path: Path, *, browser: Path | None = None) -> str:
    """Write a page as PDF; what is there already is replaced whole.

    Args:
        html: the page.
        path: the file.
        browser: the one to fall back on; None: what is installed.

    Returns:
        What made it.

    Raises:
        SetupError: neither WeasyPrint with its libraries nor a browser is here (cause ``no_pdf_printer``).
        ExternalError: the browser failed.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # OSError: the package is here, its libraries are not
        return _by_browser(html, path, browser or installed_browser(), missing=error)
    made = HTML(string=html, url_fetcher=Refusal()).write_pdf()
    write_atomically(path, made)
    return "WeasyPrint"


class Refusal:
    """A loader that loads nothing: a report carries all that it needs."""

    _fail_on_errors = False  # WeasyPrint reads it: a page is printed without what was refused

    def __call__(self, url: str, *_: Any, **__: Any) -> NoReturn:
        """Refuse an address.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"A report loads nothing: {url[:80]}")


def _by_browser(html: str, path: Path, browser: Path | None, *, missing: Exception) -> str:
    if browser is None:
        raise SetupError(
            "Nothing here can make a PDF: WeasyPrint cannot be loaded "
            f"({str(missing).splitlines()[0][:160]}), and no Chrome, Edge or Chromium was found.",
            fix=FIX,
            cause="no_pdf_printer",
        )
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".print-") as folder:
        page, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        as_root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        options = [*_table()["arguments"], *as_root, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}"]
        done = run([browser, *options, page.as_uri()], timeout_s=_BROWSER_S)
        if not made.is_file():
            raise ExternalError(
                f"{browser} printed no PDF (exit code {done.returncode}).",
                fix=FIX,
                cause="browser_failed",
                evidence=done.stderr.splitlines()[-5:],
            )
        write_atomically(path, made.read_bytes())
    return browser.name


def installed_browser() -> Path | None:
    """A browser of this machine that can print; None when there is none."""
    found = (find(name) for name in _table()["names"])
    places = (place for named in _table()["places"] if (place := Path(named)).is_file())
    return next((one for one in found if one is not None), next(places, None))


@lru_cache(maxsize=1)
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = yaml.safe_load(BROWSERS.read_text(encoding="utf-8"))
    return table
