"""The git revision that a run's record names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from unity_mlops_mcp.training.revision import git_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the PATH")


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    return subprocess.run(["git", "-C", folder, *named, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "a project"
    folder.mkdir()
    return folder


def test_a_folder_without_a_repository_or_without_a_commit_has_no_revision(project: Path) -> None:
    assert git_revision(project) is None
    git(project, "init")
    assert git_revision(project) is None


def test_the_revision_is_the_hash_of_head_and_says_when_files_differ_from_it(project: Path) -> None:
    git(project, "init")
    (project / "Agent.cs").write_text("class Agent {}\n")
    git(project, "add", ".")
    git(project, "commit", "-m", "begin")
    head = git(project, "rev-parse", "HEAD").strip()
    (project / "untracked.txt").write_text("not part of it\n")
    assert git_revision(project) == head
    (project / "Agent.cs").write_text("class Agent { int speed; }\n")
    assert git_revision(project) == f"{head}-dirty"


def test_a_program_that_a_repository_names_in_its_settings_is_not_started(project: Path) -> None:
    git(project, "init")
    (project / "Agent.cs").write_text("class Agent {}\n")
    git(project, "add", ".")
    git(project, "commit", "-m", "begin")
    program = project.parent / "watch.sh"  # git hands it to a shell, which splits at spaces
    program.write_text(f"#!/bin/sh\ntouch '{project}/started'\n")
    program.chmod(0o755)
    git(project, "config", "core.fsmonitor", str(program))
    git(project, "update-index", "--fsmonitor")
    git(project, "status")
    (project / "started").unlink()  # git itself does start it
    assert git_revision(project)
    assert not (project / "started").exists()
