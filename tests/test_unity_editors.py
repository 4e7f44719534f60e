"""Editors are found where the Hub puts them on each system, and the one that fits a project is chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stand_ins.unity_editor import install_editor
from tests.unity_worlds import needs_a_shell
from unity_mlops_mcp.builds.unity.editors import choose_editor, find_editors, version_order
from unity_mlops_mcp.builds.unity.licence import HIDDEN, hide, licence_found
from unity_mlops_mcp.builds.unity.platforms import TARGETS, Platform, own_target, platform_of
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.training.doctor import check_unity

SYSTEMS = ("linux", "darwin", "win32")


def places(system: str, folder: Path) -> Platform:
    """The places of a system, moved below a folder."""
    found = platform_of(system, {"HOME": "/home/x", "USERPROFILE": "C:/Users/Ann", "APPDATA": "C:/Users/Ann/Roaming"})

    def moved(paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(folder / str(path).replace(":", "").lstrip("/") for path in paths)

    return found.model_copy(
        update={
            "editors": moved(found.editors),
            "single": moved(found.single),
            "hub": moved((found.hub,))[0],
            "licences": moved(found.licences),
            "server": moved(found.server),
        }
    )


def install(root: Path, version: str, where: Platform, *modules: str) -> Path:
    """An Editor's files as the Hub lays them out on a system."""
    executable = root / version / where.executable
    executable.parent.mkdir(parents=True)
    executable.touch()
    for module in modules:
        (root / version / where.playback[0] / module).mkdir(parents=True, exist_ok=True)
    return executable


@pytest.mark.parametrize("system", SYSTEMS)
def test_editors_of_the_hub_are_found_newest_first(system: str, tmp_path: Path, home: Path) -> None:
    where = places(system, tmp_path)
    old = install(where.editors[0], "2022.3.9f1", where, "LinuxStandaloneSupport", "windowsstandalonesupport")
    new = install(where.editors[0], "6000.0.58f2", where, "MacStandaloneSupport")
    patch = install(where.editors[0], "2022.3.62f3", where)
    found = find_editors(Settings(home=home), where)
    assert [editor.path for editor in found] == [new, patch, old]
    assert [editor.version for editor in found] == ["6000.0.58f2", "2022.3.62f3", "2022.3.9f1"]
    assert found[2].modules == ("linux64", "win64")
    assert found[0].modules == ("osx",)
    assert found[1].modules is None, "a layout that does not show its modules is not taken for one without"
    assert {editor.source for editor in found} == {"hub"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_hubs_own_files_name_more(system: str, tmp_path: Path, home: Path) -> None:
    where = places(system, tmp_path)
    where.hub.mkdir(parents=True)
    second = tmp_path / "big disk" / "Unity"
    moved = install(second, "2023.2.20f1", where)
    by_hand = install(tmp_path / "by hand", "2021.3.45f1", where)
    older = install(tmp_path / "older list", "2020.3.48f1", where)
    (where.hub / "secondaryInstallPath.json").write_text(json.dumps(str(second)))
    located = by_hand.parents[2] if system == "darwin" else by_hand  # the Hub notes the bundle there
    entry = {"version": "2021.3.45f1", "location": [str(located)], "manual": True}
    (where.hub / "editors-v2.json").write_text(json.dumps({"schema_version": "v2", "data": [entry, {"odd": 1}]}))
    (where.hub / "editors.json").write_text(json.dumps({"2020.3.48f1": {"location": [str(older)], "manual": True}}))
    found = {editor.path.resolve(): editor.source for editor in find_editors(Settings(home=home), where)}
    assert found == {moved.resolve(): "hub", by_hand.resolve(): "located", older.resolve(): "located"}


@pytest.mark.parametrize("content", ["", "{", "[]", '""', "null", '{"data": 3}', '[{"location": 7}]'])
def test_odd_files_of_the_hub_are_passed_over(content: str, tmp_path: Path, home: Path) -> None:
    where = places("linux", tmp_path)
    where.hub.mkdir(parents=True)
    for name in ("secondaryInstallPath.json", "editors-v2.json", "editors.json"):
        (where.hub / name).write_text(content)
    assert find_editors(Settings(home=home), where) == ()


def test_versions_sort_by_age() -> None:
    ages = ["", "2019.4.40f1", "2022.3.9f1", "2022.3.62f3", "6000.0.1a5", "6000.0.1b2", "6000.0.1f1", "6000.3.0f1"]
    assert sorted([*ages[4:], *ages[:4]], key=version_order) == ages


def test_the_projects_version_is_chosen_else_the_newest_of_its_line(tmp_path: Path, home: Path) -> None:
    where, settings = places("linux", tmp_path), Settings(home=home)
    for version in ("2022.3.9f1", "2022.3.62f3", "6000.0.58f2"):
        install(where.editors[0], version, where)

    def chosen(version: str | None) -> str:
        return choose_editor(settings, version=version, platform=where).version

    assert chosen("2022.3.9f1") == "2022.3.9f1"
    assert chosen("2022.3.40f1") == "2022.3.62f3"
    assert chosen(None) == "6000.0.58f2"
    with pytest.raises(SetupError, match=r"needs Unity 2021\.3\.5f1") as caught:
        chosen("2021.3.5f1")
    assert "6000.0.58f2" in caught.value.message
    assert "Unity Hub" in caught.value.fix


@needs_a_shell
def test_the_editor_of_the_settings_comes_first_and_says_its_version(tmp_path: Path, home: Path) -> None:
    where = places("linux", tmp_path)
    other = install(where.editors[0], "2022.3.62f3", where)
    named = install_editor(tmp_path / "elsewhere", "2022.3.10f1")
    plain = named.parents[1].rename(tmp_path / "unity")  # a folder whose name tells no version
    script = (plain / "Editor" / "Unity").read_text()
    (plain / "Editor" / "Unity").write_text(f'#!/bin/sh\n[ "$1" = -version ] && echo 2022.3.10f1 && exit\n{script}')
    settings = Settings(home=home, editor=plain)
    found = find_editors(settings, where)
    assert [(editor.version, editor.source) for editor in found] == [("2022.3.10f1", "setting"), ("2022.3.62f3", "hub")]
    assert choose_editor(settings, version="2022.3.30f1", platform=where).path == plain / "Editor" / "Unity"
    assert choose_editor(settings, version="2022.3.30f1", given=str(other), platform=where).path == other


def test_an_editor_that_nobody_named_is_not_run(tmp_path: Path, home: Path) -> None:
    where = places("linux", tmp_path)
    known = install(where.editors[0], "2022.3.62f3", where)
    stranger = install(tmp_path / "downloads", "2022.3.62f3", where)
    with pytest.raises(SetupError, match="none of the Editors that were found") as caught:
        choose_editor(Settings(home=home), version=None, given=str(stranger), platform=where)
    assert caught.value.cause == "editor_not_allowed"
    assert str(known) in caught.value.message


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_licence_or_a_licence_server_is_seen_where_unity_keeps_it(system: str, tmp_path: Path) -> None:
    where = places(system, tmp_path)
    assert licence_found(where) is None
    for file in (*where.licences, *where.server):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        assert licence_found(where) == str(file)
        file.unlink()


def test_the_setup_check_tells_what_unity_there_is(tmp_path: Path, home: Path) -> None:
    where = places("linux", tmp_path)
    settings = Settings(home=home)
    assert (check_unity(settings, where).status, check_unity(settings, where).found) == ("warn", "no Editor")
    install(where.editors[0], "2022.3.62f3", where, "SomeOtherSupport")
    assert "without build support" in check_unity(settings, where).found
    install(where.editors[0], "6000.0.58f2", where, *(target.module for target in TARGETS.values()))
    told = check_unity(settings, where)
    assert "no licence was seen" in told.found
    assert "Unity Hub" in told.fix
    where.licences[0].parent.mkdir(parents=True)
    where.licences[0].touch()
    told = check_unity(settings, where)
    assert told.status == "ok"
    assert "6000.0.58f2" in told.found


def test_each_system_builds_for_itself() -> None:
    assert [own_target(system).name for system in SYSTEMS] == ["linux64", "osx", "win64"]
    assert set(TARGETS) == {"linux64", "win64", "osx"}


def test_secrets_are_hidden_by_value_and_by_flag() -> None:
    said = "Unity -serial SC-1234 -username 'ann@x.org' -PASSWORD \"pass word\" -projectPath /p; told SC-1234 to ann"
    shown = hide(said, ["SC-1234", "ann@x.org", "pass word"])
    assert not any(secret in shown for secret in ("SC-1234", "ann@x.org", "pass word"))
    assert shown.count(HIDDEN) == 4
    assert "-projectPath /p" in shown
    assert "F4" not in hide("-serial F4-unknown", [])
