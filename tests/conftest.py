"""Fixtures that every test file may use."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unity_mlops_mcp import config

if TYPE_CHECKING:
    from tests.csharp.toolchain import Toolchain
    from unity_mlops_mcp.app import App

collect_ignore = [] if sys.version_info >= (3, 11) else ["test_http_schema.py"]
"""What needs a library that Python 3.10 does not get: schemathesis."""
REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Heed Ctrl-C as a program of a terminal does: a shell's background job ignores it, and its children do too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh UNITY_MLOPS_HOME, its path with a space in it."""
    folder = tmp_path / "mlops home"
    monkeypatch.setenv("UNITY_MLOPS_HOME", str(folder))
    monkeypatch.setenv("UNITY_MLOPS_ROOTS", str(tmp_path))
    config.settings.cache_clear()
    yield folder
    config.settings.cache_clear()


@pytest.fixture(scope="session")
def trainer_python() -> Path:
    """An interpreter that has mlagents."""
    named = os.environ.get("UNITY_MLOPS_TEST_TRAINER")
    if not named:
        pytest.skip("no trainer environment: set UNITY_MLOPS_TEST_TRAINER, or run make test, which makes one")
    return Path(named)


@pytest.fixture(scope="session")
def csharp() -> Toolchain:
    """A C# compiler and a runtime."""
    from tests.csharp.toolchain import Toolchain

    named = os.environ.get("UNITY_MLOPS_TEST_CSHARP")
    if named == "none":  # what .ci/run sets where it cannot make one
        pytest.skip("C# is compiled and run only on Linux x86-64 with mono-mcs: this test runs only on such a machine")
    if not named:
        pytest.skip("no C# toolchain: set UNITY_MLOPS_TEST_CSHARP to a folder that python -m tests.csharp.install made")
    return Toolchain(Path(named))


@pytest.fixture(scope="session")
def checked_cache(trainer_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of a home in which the trainer was checked already; the check takes seconds."""
    folder = tmp_path_factory.mktemp("checked home")
    from unity_mlops_mcp.app import App

    application = App(config.Settings(home=folder, trainer=trainer_python))
    application.check_setup()
    application.close()
    return folder / "cache"


@pytest.fixture
def app(home: Path, trainer_python: Path, checked_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """An application over a fresh home with the real trainer; what it started is ended with the test."""
    from tests.training_home import nothing_is_left
    from unity_mlops_mcp.app import App

    shutil.copytree(checked_cache, home / "cache")
    monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(trainer_python))
    config.settings.cache_clear()
    application = App(config.settings())
    yield application
    for job in application.jobs.open():
        application.stop_training(job.id)
    application.close()
    assert nothing_is_left(home)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Under UNITY_MLOPS_TEST_STRICT a skip fails the session, unless only another system could run the test."""
    if not os.environ.get("UNITY_MLOPS_TEST_STRICT"):
        return
    reasons = {
        report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)
    }
    missed = sorted(reason for reason in reasons if "runs only on" not in reason)
    if missed:
        terminalreporter.write_line("Skipped although this machine was set up to run everything:", red=True)
        for reason in missed:
            terminalreporter.write_line(f"  {reason}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn such a skip into the session's failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("UNITY_MLOPS_TEST_STRICT") or reporter is None or session.exitstatus != 0:
        return
    for report in reporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple) and "runs only on" not in report.longrepr[2]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
