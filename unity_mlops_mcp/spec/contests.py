"""What a sentence may wish for in a contest: how many on each side, and which side is the quicker one."""

from __future__ import annotations

from unity_mlops_mcp.spec.archetypes import Counted
from unity_mlops_mcp.spec.drafting import Data, Draft, contradiction
from unity_mlops_mcp.spec.language import Reading

SLOWER = 0.8
"""Pace of the slower side, where no speeds are named."""


def contest(draft: Draft, reading: Reading) -> None:
    """As many on each side as the sentence says, and as quick."""
    for counted, team in sides(draft):
        _count(draft, reading, counted, team)
    _paces(draft, reading)


def sides(draft: Draft) -> list[tuple[Counted, Data]]:
    """What names each team, and the team."""
    return [(counted, team) for counted in draft.rules.counts if (team := draft.team(counted.entity))]


def _count(draft: Draft, reading: Reading, counted: Counted, team: Data) -> None:
    mention, denied = reading.count(counted.concept), reading.denied(counted.concept)
    if denied and not reading.affirmed(counted.concept):
        raise contradiction(f"{denied[0].text!r}: a contest has two sides.", "Say how many there are on each.")
    if mention is None or mention.count is None:
        draft.assume(f"1 {team['name']}, as no number was given.")
        return
    least, most = mention.count
    if least != most or not 1 <= most <= counted.most:
        raise contradiction(
            f"{mention.text!r}: a side has one fixed number of agents, within 1..{counted.most}.", "Give one number."
        )
    team["count"] = most
    draft.say(mention.text, f"{most} in the team {team['name']}")


def _paces(draft: Draft, reading: Reading) -> None:
    teams = sides(draft)
    if not teams:
        return
    if equal := reading.affirmed("equal_pace"):
        for _, team in teams:
            team["pace"] = 1.0
        draft.say(equal[0].text, "both sides are equally quick")
        return
    for counted, team in teams:
        mention = next((mention for mention in reading.affirmed(counted.concept) if mention.pace), None)
        if mention is None:
            continue
        for _, other in teams:
            quick = (other is team) == (mention.pace == "fast")
            other["pace"] = 1.0 if quick else SLOWER
        draft.say(f"{mention.pace} {mention.text}", f"the team {team['name']} is the {mention.pace}er one")
        return
    slower = next((team for _, team in teams if team["pace"] < 1), None)
    if slower and not reading.measure("speed"):
        draft.assume(f"The team {slower['name']} moves at {slower['pace']:.0%} of the other's speed.")
