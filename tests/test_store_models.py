from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from unity_mlops_mcp.store.rows import AliasRow, AuditRow, EvaluationRow, IncidentRow, ModelRow, VersionRow
from unity_mlops_mcp.store.store import Store

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
MODEL = ModelRow("nav", "Nav", NOON)
NOTE = AuditRow("nav", "promote", NOON, alias="production")
REGISTER = """
import sys; from pathlib import Path
from tests.test_store_models import MODEL, a_version
from unity_mlops_mcp.store.store import Store
with Store(Path(sys.argv[1])) as store:
    store.models.add_version(MODEL, sys.argv[2], a_version(sys.argv[2]))
"""


class VersionMaker:
    """Gives the row of a version for the number it gets."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256

    def __call__(self, number: int) -> VersionRow:
        return VersionRow(f"nav-v{number:03}", "nav", number, self.sha256, {"n": number}, NOON, "run-1")


def a_version(sha256: str) -> VersionMaker:
    return VersionMaker(sha256)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as found:
        yield found


@pytest.fixture
def two(store: Store) -> Store:
    """A store with two versions of one model."""
    for sha256 in "ab":
        store.models.add_version(MODEL, sha256, a_version(sha256))
    return store


def at(version: str, moves: int = 0) -> AliasRow:
    return AliasRow("nav", "production", version, moves, NOON)


def test_versions_count_up_and_the_same_policy_is_the_same_version(two: Store) -> None:
    again, new = two.models.add_version(replace(MODEL, title="NAV"), "a", a_version("a"))

    assert (again.version_id, new) == ("nav-v001", False)
    assert [row.version_id for row in two.models.versions("nav")] == ["nav-v002", "nav-v001"]
    assert two.models.get("nav") == MODEL
    assert [row.action for row in two.models.audit("nav")] == ["register", "register"]
    assert two.models.versions_of_run("run-1") == two.models.versions("nav")


def test_a_version_that_cannot_be_made_leaves_no_model_behind(store: Store) -> None:
    def fail(number: int) -> VersionRow:
        raise OSError(number)

    with pytest.raises(OSError, match="1"):
        store.models.add_version(MODEL, "a", fail)
    assert store.models.get("nav") is None


def test_processes_that_register_at_once_get_numbers_without_a_gap(home: Path) -> None:
    Store(home).close()
    command = [sys.executable, "-c", REGISTER, str(home)]
    together = [subprocess.Popen([*command, f"sha-{number}"], cwd=Path(__file__).parents[1]) for number in range(6)]

    assert [process.wait(timeout=120) for process in together] == [0] * 6
    with Store(home) as store:
        assert [row.number for row in store.models.versions("nav")] == [6, 5, 4, 3, 2, 1]


def test_an_alias_moves_only_from_where_it_was_seen(two: Store) -> None:
    assert two.models.move_alias(at("nav-v001"), expected=None, note=NOTE)
    seen = two.models.alias("nav", "production")
    assert seen == at("nav-v001", 1)
    assert two.models.move_alias(at("nav-v002"), expected=seen, note=NOTE)

    assert not two.models.move_alias(at("nav-v001"), expected=seen, note=NOTE)
    assert not two.models.move_alias(at("nav-v001"), expected=None, note=NOTE)
    assert two.models.aliases("nav") == (at("nav-v002", 2),)
    assert [row.action for row in two.models.audit("nav")].count("promote") == 2


def test_a_move_back_freezes_and_opens_an_incident_in_one_step(two: Store) -> None:
    two.models.move_alias(at("nav-v002"), expected=None, note=NOTE)
    incident = IncidentRow(
        "incident-1", "nav", "production", "nav-v002", "nav-v001", "it falls", NOON, {"success": 0.2}
    )
    back = replace(NOTE, action="rollback")

    moved = two.models.move_alias(
        at("nav-v001"), expected=at("nav-v002", 1), note=back, freeze="it falls", incident=incident
    )

    frozen = two.models.get("nav")
    assert moved
    assert frozen is not None
    assert frozen.frozen == "it falls"
    assert two.models.incidents("nav") == (incident,)
    assert not two.models.move_alias(at("nav-v002"), expected=at("nav-v001", 2), note=NOTE)
    assert two.models.move_alias(at("nav-v002"), expected=at("nav-v001", 2), note=NOTE, though_frozen=True)

    two.models.set_frozen("nav", None, note=replace(NOTE, action="unfreeze"), closes=NOON + timedelta(hours=1))
    thawed = two.models.get("nav")
    assert thawed is not None
    assert thawed.frozen is None
    assert two.models.incidents("nav")[0].closed_at == NOON + timedelta(hours=1)


def test_models_come_in_pages(store: Store) -> None:
    for number in range(3):
        model = ModelRow(f"m{number}", f"M{number}", NOON + timedelta(seconds=number))
        row = VersionRow(f"m{number}-v001", model.name, 1, "a", {}, NOON)
        store.models.add_version(model, "a", lambda _, row=row: row)  # type: ignore[misc]
    first = store.models.page(limit=2)
    assert [row.name for row in first.rows] == ["m2", "m1"]
    assert [row.name for row in store.models.page(limit=2, cursor=first.next_cursor).rows] == ["m0"]


def test_evaluations_are_found_by_policy_and_run(store: Store) -> None:
    old, new = (EvaluationRow(f"evaluation-{n}", "sha", 200, 1, NOON + timedelta(n), "run-1") for n in range(2))
    for row in (old, new, replace(new, episodes=300)):
        store.evaluations.put(row)

    assert store.evaluations.of_policy("sha") == (replace(new, episodes=300), old)
    assert store.evaluations.of_run("run-1") == store.evaluations.newest()
    assert store.evaluations.get("evaluation-0") == old
    assert store.evaluations.get("none") is None
