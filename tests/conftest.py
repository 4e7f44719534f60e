"""Fixtures that every test file may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from unity_mlops_mcp import config

REPOSITORY = Path(__file__).resolve().parents[1]


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
