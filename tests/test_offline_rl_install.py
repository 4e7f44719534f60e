"""The environment for learning from rewards is made from its pins, by real pip from an index of tiny wheels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.wheels import Index, make_wheel
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import ExternalError, SetupError
from unity_mlops_mcp.training.trainer.environment import interpreter_of
from unity_mlops_mcp.training.trainer.offline_rl import find_offline_rl, install_offline_rl, requirements

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 11, 30, tzinfo=timezone.utc)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that pip is configured to use, and no other."""
    (tmp_path / "wheels").mkdir()
    for requirement in requirements():
        needs = ["numpy"] if requirement.startswith("d3rlpy") else []
        make_wheel(tmp_path / "wheels", requirement, requires=needs)
    make_wheel(tmp_path / "wheels", "numpy==2.4.6")
    with Index(tmp_path / "wheels") as served:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", served.url)
        monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip cache"))
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield served


def install(said: list[str], *, repair: bool = False) -> Path:
    """Install into the home of the test."""
    return install_offline_rl(settings(), now=NOW, tell=lambda text, _: said.append(text), repair=repair).python


@pytest.mark.usefixtures("index")
def test_it_is_made_once_and_found(home: Path) -> None:
    with pytest.raises(SetupError, match="needs d3rlpy"):
        find_offline_rl(settings())
    said: list[str] = []
    assert install(said) == interpreter_of(home / "offline-rl")
    assert next(text for text in said if text.startswith("Installing")) == "Installing torch==2.13.0."
    assert find_offline_rl(settings()).versions.torch == "2.13.0"
    again: list[str] = []
    install(again)
    assert again == []
    install(again, repair=True)
    assert "Installing torch==2.13.0." in again


def test_one_that_was_cut_off_is_none_until_it_is_finished(home: Path, index: Index) -> None:
    broken = next(index.folder.glob("d3rlpy-*.whl"))
    kept = broken.read_bytes()
    broken.unlink()
    with pytest.raises(ExternalError):
        install([])
    with pytest.raises(SetupError, match="needs d3rlpy"):
        find_offline_rl(settings())
    broken.write_bytes(kept)
    said: list[str] = []
    install(said)
    assert said[0] == f"Going on with the environment in {home / 'offline-rl'}."
    assert find_offline_rl(settings()).python.exists()
