"""A user's project is read, never written, and copied: only what changed is copied again, nothing from outside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.unity_worlds import own_project, snapshot
from unity_mlops_mcp.builds.unity.copying import copy_project
from unity_mlops_mcp.builds.unity.project import read_project, scenes_to_build
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, MlopsError

SCRIPT = "Assets/Scripts/RollerAgent.cs"


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    return Settings(home=home, roots=(tmp_path,))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return own_project(tmp_path)


def test_a_project_says_what_it_is(project: Path, settings: Settings) -> None:
    found = read_project(project, settings)
    assert (found.version, found.changeset, found.ml_agents) == ("2022.3.62f3", "4af31df58517", "2.0.1")
    assert found.scenes == ("Assets/Scenes/Arena.unity",)
    assert found.all_scenes == ("Assets/Scenes/Arena.unity", "Assets/Scenes/Menu.unity")
    assert found.tags == ("goal",)
    assert not found.open
    (project / "Temp").mkdir()
    (project / "Temp" / "UnityLockfile").touch()
    assert read_project(project, settings).open


def test_what_is_no_project_is_refused_with_the_one_nearby(project: Path, settings: Settings) -> None:
    with pytest.raises(InvalidInputError, match="no Unity project") as caught:
        read_project(project.parent, settings)
    assert str(project) in caught.value.fix
    (project / "Packages" / "manifest.json").write_text('{"dependencies": {}}')
    with pytest.raises(InvalidInputError, match="does not use ML-Agents") as caught:
        read_project(project, settings)
    assert caught.value.cause == "no_ml_agents"
    (project / "Packages" / "manifest.json").write_text("{")
    with pytest.raises(InvalidInputError, match="no JSON"):
        read_project(project, settings)


def test_an_embedded_package_counts(project: Path, settings: Settings) -> None:
    (project / "Packages" / "manifest.json").write_text('{"dependencies": {}}')
    package = project / "Packages" / "com.unity.ml-agents"
    package.mkdir()
    (package / "package.json").write_text('{"name": "com.unity.ml-agents", "version": "2.0.1"}')
    assert read_project(project, settings).ml_agents == "2.0.1"


def test_scenes_are_those_asked_for_or_of_the_build_settings(project: Path, settings: Settings) -> None:
    found = read_project(project, settings)
    assert scenes_to_build(found, ()) == ("Assets/Scenes/Arena.unity",)
    assert scenes_to_build(found, ("Menu",)) == ("Assets/Scenes/Menu.unity",)
    assert scenes_to_build(found, ("Assets\\Scenes\\Menu.unity",)) == ("Assets/Scenes/Menu.unity",)
    with pytest.raises(InvalidInputError, match="no scene Lobby") as caught:
        scenes_to_build(found, ("Lobby",))
    assert "Assets/Scenes/Arena.unity" in caught.value.fix
    (project / "ProjectSettings" / "EditorBuildSettings.asset").unlink()
    with pytest.raises(InvalidInputError, match="not clear which"):
        scenes_to_build(read_project(project, settings), ())


def test_a_project_outside_the_allowed_folders_is_refused(home: Path, tmp_path: Path, project: Path) -> None:
    with pytest.raises(InvalidInputError, match="outside the allowed folders"):
        read_project(project, Settings(home=home, roots=(tmp_path / "other",)))


def test_a_copy_holds_everything_but_what_unity_and_others_make(
    project: Path, settings: Settings, tmp_path: Path
) -> None:
    for junk in ("Library/ArtifactDB", "Temp/x", "Logs/x", "obj/x", ".git/config", "Assets/.git/config", "Builds/Game"):
        (project / junk).parent.mkdir(parents=True, exist_ok=True)
        (project / junk).write_text("junk")
    (project / "My Game.sln").write_text("junk")
    (project / "Assets" / "Library").mkdir()
    (project / "Assets" / "Library" / "book.txt").write_text("kept")
    before = snapshot(project)
    copied = copy_project(project, tmp_path / "copy", settings=settings, added={"Assets/Ours.cs": b"// ours"})
    there = snapshot(tmp_path / "copy")
    assert set(there) == set(copied.files)
    assert set(there) == {name for name, (_, content) in before.items() if content != b"junk"} | {"Assets/Ours.cs"}
    assert snapshot(project) == before
    assert all(there[name] == before[name] for name in there if name != "Assets/Ours.cs")


def test_a_second_copy_changes_only_what_changed_and_keeps_what_unity_made(
    project: Path, settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    first = copy_project(project, target, settings=settings, added={"Assets/Ours.cs": b"1"})
    (target / "Library").mkdir()
    (target / "Library" / "ArtifactDB").write_text("imported")
    (target / "Assets" / "Ours.cs.meta").write_text("guid")
    (target / SCRIPT).write_text("// upgraded by the Editor")
    (target / "Assets" / "Made by a script").mkdir()
    (target / "Assets" / "Made by a script" / "x.asset").write_text("old")
    kept = (target / "Assets/Scripts/Arena.cs").stat().st_ino
    (project / "Assets/Scenes/Menu.unity").unlink()
    second = copy_project(project, target, settings=settings, added={"Assets/Ours.cs": b"2"})
    assert (target / SCRIPT).read_bytes() == (project / SCRIPT).read_bytes()
    assert (target / "Assets/Scripts/Arena.cs").stat().st_ino == kept
    assert (target / "Library" / "ArtifactDB").read_text() == "imported"
    assert (target / "Assets" / "Ours.cs.meta").exists()
    assert not (target / "Assets" / "Made by a script").exists()
    assert not (target / "Assets/Scenes/Menu.unity").exists()
    changed = {name for name in first.files if first.files[name] != second.files.get(name)}
    assert changed == {"Assets/Ours.cs", "Assets/Scenes/Menu.unity"}


def test_a_file_that_changed_within_its_size_and_time_is_noticed(
    project: Path, settings: Settings, tmp_path: Path
) -> None:
    first = copy_project(project, tmp_path / "copy", settings=settings, added={})
    seen = (project / SCRIPT).stat()
    text = (project / SCRIPT).read_text()
    (project / SCRIPT).write_text(text.replace("Speed = 4f", "Speed = 5f"))
    os.utime(project / SCRIPT, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    second = copy_project(project, tmp_path / "copy", settings=settings, added={})
    assert first.files[SCRIPT] != second.files[SCRIPT]
    assert "Speed = 5f" in (tmp_path / "copy" / SCRIPT).read_text()


def test_links_are_followed_within_the_allowed_folders_only(project: Path, settings: Settings, tmp_path: Path) -> None:
    shared = tmp_path / "shared art"
    shared.mkdir()
    (shared / "tree.txt").write_text("a tree")
    (project / "Assets" / "Art").symlink_to(shared)
    (project / "Assets" / "Loop").symlink_to(project / "Assets")
    (project / "Assets" / "Gone").symlink_to(tmp_path / "nowhere")
    copied = copy_project(project, tmp_path / "copy", settings=settings, added={})
    assert not (tmp_path / "copy" / "Assets" / "Art").is_symlink()
    assert (tmp_path / "copy" / "Assets" / "Art" / "tree.txt").read_text() == "a tree"
    assert any("Gone leads nowhere" in note for note in copied.notes)
    (project / "Assets" / "Secrets").symlink_to("/etc")
    with pytest.raises(InvalidInputError, match="outside the allowed folders") as caught:
        copy_project(project, tmp_path / "copy", settings=settings, added={})
    assert caught.value.cause == "path_not_allowed"


def test_local_packages_are_found_from_the_copy_and_count_as_inputs(
    project: Path, settings: Settings, tmp_path: Path
) -> None:
    package = tmp_path / "tools"
    package.mkdir()
    (package / "package.json").write_text('{"name": "com.studio.tools", "version": "1.0.0"}')
    manifest = project / "Packages" / "manifest.json"
    data = json.loads(manifest.read_text())
    data["dependencies"]["com.studio.tools"] = "file:../../tools"
    manifest.write_text(json.dumps(data))
    copied = copy_project(project, tmp_path / "far" / "copy", settings=settings, added={})
    written = json.loads((tmp_path / "far" / "copy" / "Packages" / "manifest.json").read_text())
    assert written["dependencies"]["com.studio.tools"] == f"file:{package.as_posix()}"
    assert "package:com.studio.tools/package.json" in copied.files
    data["dependencies"]["com.studio.tools"] = "file:/etc"
    manifest.write_text(json.dumps(data))
    with pytest.raises(InvalidInputError, match=r"local package com\.studio\.tools"):
        copy_project(project, tmp_path / "far" / "copy", settings=settings, added={})


def test_a_folder_in_the_way_of_a_file_is_replaced(project: Path, settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copy_project(project, target, settings=settings, added={})
    (target / SCRIPT).unlink()
    (target / SCRIPT).mkdir()
    shutil.rmtree(target / "Assets" / "Scenes")
    (target / "Assets" / "Scenes").write_text("a file now")
    copy_project(project, target, settings=settings, added={})
    assert (target / SCRIPT).is_file()
    assert (target / "Assets" / "Scenes" / "Arena.unity").is_file()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="runs only on accounts that may be refused")
def test_a_file_that_cannot_be_read_is_told(project: Path, settings: Settings, tmp_path: Path) -> None:
    (project / SCRIPT).chmod(0)
    with pytest.raises(MlopsError, match="cannot be read"):
        copy_project(project, tmp_path / "copy", settings=settings, added={})
