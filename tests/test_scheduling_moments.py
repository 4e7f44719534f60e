"""When rules are due: zones, both nights on which clocks change, words, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.scheduling.cron import PRESETS
from unity_mlops_mcp.scheduling.moments import MOST_AT_ONCE, due, upcoming
from unity_mlops_mcp.scheduling.records import Rule

BERLIN = ZoneInfo("Europe/Berlin")


def at(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]


def local(cron: str, start: datetime, count: int, zone: str = "Europe/Berlin") -> list[str]:
    moments = upcoming(Rule(cron=cron, timezone=zone), start, count=count)
    return [moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z") for moment in moments]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", ["29 03:00+0200", "30 02:30+0200", "31 02:30+0200"]),  # there is no 02:30 on the 29th
        ("0 4 * * *", ["29 04:00+0200", "30 04:00+0200", "31 04:00+0200"]),
        ("0 * * * *", ["29 00:00+0100", "29 01:00+0100", "29 03:00+0200"]),
    ],
)
def test_in_the_night_that_loses_an_hour_a_rule_is_due_right_after_the_leap(cron: str, expected: list[str]) -> None:
    assert local(cron, at(2026, 3, 28, 22, 30), 3) == expected


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 2 * * *", ["25 02:30+0200", "26 02:30+0100"]),  # 02:30 comes twice; the rule is due once
        ("15 1,2 * * *", ["25 01:15+0200", "25 02:15+0200", "26 01:15+0100"]),
        ("0 * * * *", ["25 01:00+0200", "25 02:00+0200", "25 02:00+0100", "25 03:00+0100"]),  # every hour that passes
        ("*/30 */1 * * *", ["25 01:00+0200", "25 01:30+0200", "25 02:00+0200", "25 02:30+0200", "25 02:00+0100"]),
    ],
)
def test_in_the_night_that_has_an_hour_twice_a_rule_with_an_hour_is_due_once(cron: str, expected: list[str]) -> None:
    assert local(cron, at(2026, 10, 24, 22, 40), len(expected)) == expected


def test_asking_in_the_second_of_both_hours_does_not_give_the_moment_again() -> None:
    assert local("30 2 * * *", at(2026, 10, 25, 0, 31), 1) == ["26 02:30+0100"]


@settings(deadline=None)
@given(
    cron=st.sampled_from(["30 2 * * *", "0 * * * *", "*/7 1-4 * * *", "0 0 * * 0", "59 23 31 12 *"]),
    start=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 1)),  # noqa: DTZ001 - made aware below
    cuts=st.lists(st.integers(1, 60 * 24 * 20), min_size=1, max_size=6),
)
def test_however_the_time_is_cut_every_moment_comes_once(cron: str, start: datetime, cuts: list[int]) -> None:
    rule, begin = Rule(cron=cron, timezone="America/New_York"), start.replace(tzinfo=timezone.utc)
    end = begin + timedelta(minutes=sum(cuts))
    pieces: list[datetime] = []
    here = begin
    for minutes in cuts:
        there = here + timedelta(minutes=minutes)
        pieces += due(rule, after=here, until=there)
        here = there
    whole = due(rule, after=begin, until=end)
    if len(whole) < MOST_AT_ONCE:
        assert pieces == list(whole)
    assert sorted(set(pieces)) == pieces


def test_after_a_long_absence_only_the_newest_moments_are_given() -> None:
    found = due(Rule(cron="* * * * *"), after=at(1990, 1, 1), until=at(2026, 2, 1))  # counted through: half an hour
    assert found == tuple(at(2026, 2, 1) - timedelta(minutes=ago) for ago in reversed(range(MOST_AT_ONCE)))
    assert due(Rule(cron="0 12 29 2 *"), after=at(1990, 1, 1), until=at(2026, 2, 1))[0] == at(1992, 2, 29, 12)


@pytest.mark.parametrize("word", [word for word in PRESETS if word != "continuous"])
def test_words_stand_for_rules(word: str) -> None:
    assert Rule(cron=f"@{word.upper()}") == Rule(cron=word) == Rule(cron=PRESETS[word], timezone="UTC")


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("* * * *", None, "not five fields"),
        ("* * * * * *", None, "not five fields"),
        ("61 * * * *", None, "out of range"),
        ("0 0 31 2 *", None, "never comes true"),
        ("now", None, "not five fields"),
        ("0 2 * * *", "Mars/Olympus", "no time zone"),
        ("0 2 * * *", "../../etc/passwd", "no time zone"),
        ("0 2 * * *", "localtime", "this machine's own"),
        ("0 2 * * *", "right/UTC", "this machine's own"),
        ("0 2 * * *", "Factory", "this machine's own"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_would_be(cron: str, zone: str | None, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Rule(cron=cron, timezone=zone or "UTC")
