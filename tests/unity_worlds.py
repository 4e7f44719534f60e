"""A Unity project of a user's own, an Editor for it, and builds of it as tests make them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.stand_ins.unity_editor import install_editor
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.kinds import KINDS

PROJECT = REPOSITORY / "tests" / "fixtures" / "unity_project"
VERSION = "2022.3.62f3"
REAL_EDITOR = os.environ.get("UNITY_MLOPS_TEST_EDITOR")
needs_a_shell = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in Editor runs only on systems with a shell"
)


def own_project(folder: Path, name: str = "My Game") -> Path:
    """A copy of the small project, as a user has it; its path has a space in it."""
    return Path(shutil.copytree(PROJECT, folder / name))


def set_editor(monkeypatch: pytest.MonkeyPatch, editor: Path, **settings: object) -> None:
    """Name the Editor in the settings, and change others."""
    monkeypatch.setenv("UNITY_MLOPS_EDITOR", str(editor))
    for name, value in settings.items():
        monkeypatch.setenv(f"UNITY_MLOPS_{name.upper()}", str(value))
    config.settings.cache_clear()


def with_stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: object) -> App:
    """An application whose Editor is the stand-in; whatever else this machine has is not looked for."""
    monkeypatch.setenv("HOME", str(folder / "nobody"))
    set_editor(monkeypatch, install_editor(folder / "Editors", VERSION), **settings)
    return App(config.settings())


def build_now(app: App, project: Path, **options: Any) -> Job:
    """A build made in this process to its end, with a real Editor process."""
    from unity_mlops_mcp.builds.unity.request import plan_unity_build

    count = len(list((app.settings.home / "builds").glob("*"))) if (app.settings.home / "builds").exists() else 0
    request = plan_unity_build(app.settings, build_id=f"unity-test-{count}", project_path=str(project), **options)
    return run_now(app, request.model_dump(mode="json"))


def run_now(app: App, request: Mapping[str, Any]) -> Job:
    """The job of a request, run in this process."""
    return app.jobs.run_inline(KINDS["build_unity"], request, subject=str(request["build_id"]))


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below with its time and content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
