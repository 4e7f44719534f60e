"""Reports: what is gathered, what each format says of it, and that nothing in them is markup of somebody else's."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.event_files import LENGTH, REWARD, SUCCESS
from tests.report_homes import BEGUN, RISING, add_evaluation, add_run, configuration, spec_data
from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.reports.charts import MOST_LINES
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.page import html_page, markdown_page
from unity_mlops_mcp.reports.records import Report
from unity_mlops_mcp.reports.svg import ticks
from unity_mlops_mcp.store.rows import AliasRow, AuditRow, ModelRow, VersionRow
from unity_mlops_mcp.store.store import Store

NOW = datetime(2026, 11, 25, 13, 0, tzinfo=timezone.utc)
FALLING = tuple(reversed(RISING))
EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;"
POLICY = b"a policy"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = Store(home)
    yield opened
    opened.close()


def report_of(store: Store, *run_ids: str) -> Report:
    return gather(store, run_ids, report_id="report-1", now=NOW)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.ids: set[str] = set()
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.ids |= {str(value) for name, value in attrs if name == "id"}
        self._open = tag if tag in self.inside else None
        if self._open:
            self.inside[self._open].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the base class names it
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[self._open][-1] += data


def test_a_report_of_one_run_tells_all_that_it_recorded(store: Store) -> None:
    curves = {
        LENGTH: FALLING,
        "Losses/Policy Loss": RISING,
        "Losses/Curiosity Loss": RISING,
        "Policy/Entropy": FALLING,
        "Policy/Learning Rate": FALLING,
        "Self-play/ELO": [1200 + 10 * value for value in RISING],
        "Environment/Lesson Number/obstacles": [0.0] * 10 + [1.0] * 10,
        "Environment/Ending/crashed": FALLING,
        "Environment/Coins": RISING,
    }
    add_run(store, "nav-1", curves=curves, policy=POLICY, spec=spec_data())
    add_evaluation(store, "nav-1", hashlib.sha256(POLICY).hexdigest())
    report = report_of(store, "nav-1")

    assert [section.id for section in report.sections] == [
        *("summary", "learning", "evaluation", "selfplay", "curriculum", "optimisation", "resources"),
        *("environment", "configuration", "runs", "models", "repeat"),
    ]
    titles = [chart.title for chart in report.charts]
    assert titles == [
        *("Reward of an episode", "Success", "Length of an episode", "Ended by crashed", "ELO rating"),
        *("Lesson of obstacles", "Policy loss", "Curiosity Loss", "Entropy", "Learning rate", "Coins"),
        *("Processor", "Memory"),
    ]
    (run,) = report.runs
    assert (run.seed, run.step, run.duration_s, run.cores, run.memory) == (1, 20_000, 100.0, 1.5, 400_000_000)
    assert run.final_reward == pytest.approx(0.95, abs=0.04)
    assert report.evaluations[0].roles == {"target": "goal", "obstacle": "hazard"}
    assert report.evaluations[0].good == ("reached",)
    assert "succeeded in 90\N{NO-BREAK SPACE}% (77" in report.headline
    assert report.spec is not None
    lesson = next(chart for chart in report.charts if chart.section == "curriculum")
    assert list(zip(lesson.lines[0].x, lesson.lines[0].y, strict=True)) == [(1000, 0), (11_000, 1), (20_000, 1)]
    for page in (html_page(report), html_page(report, for_print=True), markdown_page(report)):
        for said in (
            "ELO rating",
            "Curiosity Loss",
            hashlib.sha256(POLICY).hexdigest(),
            "obstacle count",
            "launcher.py",
        ):
            assert said in page


def test_runs_that_differ_by_the_seed_alone_are_one_line_with_a_band(store: Store) -> None:
    for seed, height in ((1, 1.0), (2, 2.0), (3, 3.0)):
        add_run(store, f"nav-{seed}", seed=seed, curves={REWARD: [height * value for value in RISING]})
    report = report_of(store, "nav-3", "nav-1", "nav-2")

    (group,) = report.groups
    assert group.run_ids == ("nav-1", "nav-2", "nav-3")
    assert report.comparison is None
    reward = report.charts[0].lines[0]
    assert (reward.runs, reward.x[0], reward.x[-1]) == (3, 1000, 20_000)
    assert (reward.low[-1], reward.y[-1], reward.high[-1]) == (1.0, 2.0, 3.0)


def test_different_settings_are_compared_and_only_what_differs_is_told(store: Store) -> None:
    for seed in (1, 2, 3):
        add_run(store, f"slow-{seed}", seed=seed, curves={REWARD: [0.2 * value for value in RISING]})
        faster = configuration(learning_rate=1e-3)
        add_run(
            store, f"fast-{seed}", seed=seed, settings=faster, curves={REWARD: [value + seed / 50 for value in RISING]}
        )
    report = report_of(store, "slow-1", "slow-2", "slow-3", "fast-1", "fast-2", "fast-3")

    assert [group.label for group in report.groups] == ["learning_rate 0.001", "learning_rate 0.0003"]
    compared = report.comparison
    assert compared is not None
    assert [setting.name for setting in compared.differences] == ["hyperparameters.learning_rate"]
    assert compared.differences[0].values == ("0.001", "0.0003")
    assert [rank.label for rank in compared.ranking] == ["learning_rate 0.001", "learning_rate 0.0003"]
    assert compared.doubt == ""
    assert "hyperparameters.learning_rate" not in [setting.name for setting in report.settings]
    assert "hyperparameters.batch_size" in [setting.name for setting in report.settings]


def test_a_run_whose_record_is_gone_is_told_by_what_it_was_asked_for(store: Store) -> None:
    add_run(store, "nav-1").record.unlink()
    names = [setting.name for setting in report_of(store, "nav-1").settings]
    assert "hyperparameters.learning_rate" in names
    assert not [name for name in names if name.startswith("configuration")]


def test_one_seed_of_each_is_said_to_be_too_few(store: Store) -> None:
    add_run(store, "slow", curves={REWARD: FALLING})
    add_run(store, "fast", settings=configuration(learning_rate=1e-3))
    compared = report_of(store, "slow", "fast").comparison
    assert compared is not None
    assert compared.verdict.startswith("learning_rate 0.001 is ahead")
    assert "One seed of learning_rate 0.001: not enough" in compared.doubt


def test_only_so_many_groups_are_drawn_as_one_can_tell_apart(store: Store) -> None:
    for place in range(MOST_LINES + 3):
        add_run(store, f"nav-{place}", settings=configuration(batch_size=64 + place))
    report = report_of(store, *(f"nav-{place}" for place in range(MOST_LINES + 3)))
    assert {len(chart.lines) for chart in report.charts} == {MOST_LINES}
    assert {chart.left_out for chart in report.charts} == {3}
    assert len(report.runs) == MOST_LINES + 3
    assert "3 more are not drawn" in html_page(report)


def test_a_registered_version_is_named_with_its_aliases(store: Store) -> None:
    add_run(store, "nav-1", policy=POLICY)
    digest = hashlib.sha256(POLICY).hexdigest()
    version = VersionRow("unity-nav-v001", "nav", 1, digest, {}, NOW, run_id="nav-1")
    store.models.add_version(ModelRow("nav", "Nav", NOW), digest, lambda number: replace(version, number=number))
    note = AuditRow("nav", "promote", NOW, alias="production", version_id="unity-nav-v001")
    store.models.move_alias(AliasRow("nav", "production", "unity-nav-v001", 0, NOW), expected=None, note=note)
    (model,) = report_of(store, "nav-1").runs[0].models
    assert (model.version, model.aliases) == ("unity-nav-v001", ("production",))


def test_a_run_that_has_recorded_nothing_yet_has_a_report_too(store: Store) -> None:
    folder = add_run(store, "nav-1", resources=False, state="running")
    for file in folder.path.rglob("events.*"):
        file.unlink()
    folder.record.unlink()
    report = report_of(store, "nav-1")
    assert report.charts == ()
    assert any("had not ended" in note for note in report.notes)
    assert html_page(report)
    assert markdown_page(report)


def test_values_that_are_no_numbers_and_files_cut_off_are_passed_over_and_told(store: Store) -> None:
    broken = [float("nan"), float("inf"), *RISING[2:]]
    folder = add_run(store, "nav-1", curves={REWARD: broken, "Losses/Value Loss": [float("nan")] * 20})
    (events,) = folder.path.rglob("events.*")
    events.write_bytes(events.read_bytes()[:-40] + b"\xff" * 64)
    report = report_of(store, "nav-1")
    assert "Value loss" not in [chart.title for chart in report.charts]
    assert report.charts[0].lines[0].x[0] == 3000
    assert json.loads(Elements(html_page(report)).inside["script"][0])


def test_a_run_that_is_not_there_is_told_with_those_that_are(store: Store) -> None:
    add_run(store, "nav-1")
    with pytest.raises(NotFoundError, match=r"There is no run 'nav-2'.*nav-1"):
        report_of(store, "nav-1", "nav-2")


def evil_report(store: Store) -> Report:
    """A report in which every text that a user or a player can choose is an attack."""
    spec = spec_data(description=EVIL)
    settings = configuration(learning_rate=EVIL)
    curves = {f"Environment/{EVIL}": RISING, f"Environment/Ending/{EVIL}": RISING}
    add_run(store, "nav-1", curves=curves, settings=settings, spec=spec, policy=POLICY, env_args=[EVIL])
    add_run(store, "nav-2", settings=configuration(learning_rate=f"2{EVIL}"), spec=spec, build_id=EVIL)
    endings = {EVIL: add_evaluation(store, "nav-2", "0" * 64).decisions}
    add_evaluation(
        store,
        "nav-1",
        hashlib.sha256(POLICY).hexdigest(),
        endings=endings,
        measures=endings,
        notes=(EVIL,),
        player_name=EVIL,
    )
    return report_of(store, "nav-1", "nav-2")


@pytest.mark.parametrize("for_print", [False, True])
def test_no_text_of_a_user_becomes_markup(store: Store, *, for_print: bool) -> None:
    page = html_page(evil_report(store), for_print=for_print)
    elements = Elements(page)
    assert page.count("alert(1)") > 10
    assert [name for name, _ in elements.found].count("script") == (0 if for_print else 2)
    assert "img" not in [name for name, _ in elements.found]
    for name, attributes in elements.found:
        assert not [one for one in attributes if one.startswith("on") or one in ("style", "srcdoc", "formaction")], name
    links = [str(attributes["href"]) for name, attributes in elements.found if name == "a"]
    assert all(link.startswith(("#", "../../runs/")) for link in links)
    assert all(link[1:] in elements.ids for link in links if link.startswith("#"))


def test_no_text_of_a_user_becomes_markup_in_markdown(store: Store) -> None:
    page = markdown_page(evil_report(store))
    for line in page.splitlines():
        if not line.startswith("unity-mlops "):  # the command, inside its fence
            assert "<script" not in re.sub(r"`[^`]*`", "", line).replace("\\<", "")


def test_the_security_policy_names_exactly_what_is_in_the_page(store: Store) -> None:
    add_run(store, "nav-1")
    elements = Elements(html_page(report_of(store, "nav-1")))
    (policy,) = [a["content"] for name, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    data, script = elements.inside["script"]
    for text in (script, *elements.inside["style"]):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert json.loads(data)[0]["id"] == "reward"
    assert not [a for _, a in elements.found if "src" in a]


def test_the_charts_are_there_without_script_and_say_what_they_show(store: Store) -> None:
    add_run(store, "nav-1", curves={SUCCESS: RISING})
    elements = Elements(html_page(report_of(store, "nav-1"), for_print=True))
    labels = [a["aria-label"] for name, a in elements.found if name == "svg" and a.get("role") == "img"]
    assert "Success over agent steps. Nav: from 5 % at step 1k to 100 % at step 20k" in labels


def test_a_report_is_the_same_again_from_its_own_json(store: Store) -> None:
    add_run(store, "nav-1", policy=POLICY, spec=spec_data())
    add_evaluation(store, "nav-1", hashlib.sha256(POLICY).hexdigest())
    report = report_of(store, "nav-1")
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert html_page(again) == html_page(report)
    assert BEGUN.isoformat()[:10] in report.model_dump_json()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.9), (5.0, 5.0), (0.0, 0.0), (1e-9, 2e-9), (0, 3.1e11)])
def test_ticks_are_few_round_and_cover_the_span(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert found[0] <= low + 1e-12
    assert found[-1] >= high * (1 - 1e-9)
    assert found == sorted(set(found))
