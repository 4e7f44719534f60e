"""What a sentence may wish for beyond its archetype: each wish reads the sentence and changes the draft."""

from __future__ import annotations

import math
from collections.abc import Callable

from unity_mlops_mcp.spec.archetypes import Counted
from unity_mlops_mcp.spec.contests import contest
from unity_mlops_mcp.spec.drafting import Data, Draft, contradiction
from unity_mlops_mcp.spec.language import Mention, Reading, vocabulary
from unity_mlops_mcp.spec.paces import distances, pace

ROAM_SPEED = 2.0
"""Metres per second of what moves by itself, where no speed is named: half of what bodies can."""


def walls(draft: Draft, reading: Reading) -> None:
    """Leave the walls away, or make touching them a failure."""
    denied, avoided = reading.denied("walls"), reading.affirmed("avoid_walls")
    if denied and avoided:
        raise contradiction(
            f"The description wants no walls ({denied[0].text!r}) and walls to avoid ({avoided[0].text!r}).",
            "Keep one of the two.",
        )
    walled = draft.data["arena"]["walls"]
    if avoided and not walled:
        raise contradiction(f"{avoided[0].text!r}: there are no walls here.", "Leave the walls out.")
    if denied:
        draft.say(denied[0].text, "arena without walls; leaving it is a failure")
        if walled:
            draft.data["arena"]["walls"] = False
            draft.add("no_walls")
        for ray in draft.data["observations"]["rays"]:
            ray["tags"] = [tag for tag in ray["tags"] if tag != "wall"]
    elif avoided:
        draft.add("avoid_walls")
        draft.say(avoided[0].text, "touching a wall is a failure")


def motion(draft: Draft, reading: Reading) -> None:
    """Move as the sentence says."""
    allowed = draft.rules.motions
    if len(allowed) == 1:
        return
    found = [(kind, word) for kind, entry in vocabulary()["motions"].items() if (word := reading.find(entry["words"]))]
    if len(found) > 1:
        raise contradiction(
            f"The description names two ways of moving: {found[0][1]!r} and {found[1][1]!r}.", "Keep one of the two."
        )
    if not found:
        draft.assume(f"The body moves by the model {draft.motion!r}, as no vehicle was named.")
        return
    kind, word = found[0]
    if kind not in allowed:
        raise contradiction(f"{word!r}: this behaviour has no {kind} motion.", f"Use one of: {', '.join(allowed)}.")
    draft.say(word, f"motion model {kind}")
    if kind != draft.motion:
        entry = vocabulary()["motions"][kind]
        draft.data["agent"] |= entry["agent"]
        for part in draft.data["observations"]["vector"]:
            if "frame" in part:
                part["frame"] = entry["frame"]
        if draft.data["observations"]["rays"]:
            draft.set_rays()
    if kind == "grid":
        draft.data["actions"]["kind"] = "discrete"
        parts = draft.data["observations"]["vector"]
        draft.data["observations"]["vector"] = [part for part in parts if part["kind"] != "velocity"]


def agents(draft: Draft, reading: Reading) -> None:
    """As many agents as the sentence says."""
    mention = reading.count("agents")
    if draft.data["teams"] or mention is None or mention.count is None:
        if draft.data["agent"]["count"] > 1:
            draft.assume(f"{draft.data['agent']['count']} agents, as no number was given.")
        return
    least, most = mention.count
    if most == 1 and draft.data["agent"]["count"] == 1:
        return
    if least != most or not 1 <= most <= draft.rules.most_agents:
        raise contradiction(
            f"{mention.text!r}: an area of this behaviour holds one fixed number of agents, "
            f"at most {draft.rules.most_agents}.",
            "Give one number within that (training runs many areas at once).",
        )
    draft.data["agent"]["count"] = most
    spawn = draft.data["agent"]["spawn"]
    spawn["min_distance"] = max(spawn["min_distance"], 0.3)
    draft.say(mention.text, f"{most} agents of one policy in an area")
    if draft.rules.goal not in {None, "leader"}:
        draft.assume("The episode ends for all agents of an area when one of them succeeds.")


def things(draft: Draft, reading: Reading) -> None:
    """As many of each thing as the sentence says, and none of what it does not want."""
    for counted in draft.rules.counts:
        entity, mention = draft.entity(counted.entity), reading.count(counted.concept)
        denied = reading.denied(counted.concept)
        if entity is None or counted.concept == "obstacles":
            continue
        if denied and counted.least > 0 and not reading.affirmed(counted.concept):
            raise contradiction(
                f"{denied[0].text!r}: this behaviour needs a {counted.entity}.",
                f"Say how many, such as `5 {counted.concept}`.",
            )
        named = reading.affirmed(counted.concept)
        if counted.least == 0 and not named:
            draft.drop(counted.entity)
            if denied:
                draft.say(denied[0].text, f"no {counted.entity}")
            continue
        _count(draft, entity, mention, counted)
        if counted.steps:
            _lengthen(draft, entity, reading, counted.steps)


def _lengthen(draft: Draft, entity: Data, reading: Reading, steps: int) -> None:
    """Time enough for all of them, in each lap."""
    laps = reading.count("laps")
    rounds = laps.count[1] if laps and laps.count else 1
    for event in draft.data["events"]:
        if event["kind"] == "complete":
            event["laps"] = rounds
    if laps:
        draft.say(laps.text, f"success is {rounds} full laps")
    draft.data["episode"]["max_step"] = steps * draft.most(entity) * rounds


def in_the_way(draft: Draft) -> list[str]:
    """The concepts that mean obstacles: what threatens, unless it is a side; what poisons, unless it is a thing."""
    named = {counted.concept for counted in draft.rules.counts}
    threats = [] if draft.data["teams"] else ["threats"]
    return ["obstacles", *threats, *(["poison"] if "poison" not in named else [])]


def obstacles(draft: Draft, reading: Reading) -> None:
    """Put obstacles in the way, as many as the sentence says."""
    counted = next((counted for counted in draft.rules.counts if counted.concept == "obstacles"), None)
    concepts = in_the_way(draft)
    wanted = [mention for concept in concepts for mention in reading.affirmed(concept)]
    denied = [mention for concept in concepts for mention in reading.denied(concept)]
    if wanted and denied:
        raise contradiction(
            f"The description wants obstacles ({wanted[0].text!r}) and none ({denied[0].text!r}).",
            "Keep one of the two.",
        )
    if wanted and counted is None:
        raise contradiction(f"{wanted[0].text!r}: there is no place for obstacles here.", "Leave them out.")
    if denied:
        draft.say(denied[0].text, "no obstacles")
    if wanted and draft.entity("obstacle") is None:
        ends = draft.rules.crash_ends
        draft.add("obstacles" if ends else "bumpy_obstacles")
        draft.set_rays()
        what = "is a failure" if ends else "costs a little"
        draft.say(wanted[0].text, f"obstacles and rays to see them; touching one {what}")
    if counted and (entity := draft.entity("obstacle")):
        _count(draft, entity, next((mention for mention in wanted if mention.count), None), counted)


def _count(draft: Draft, entity: Data, mention: Mention | None, counted: Counted) -> None:
    """Take over a number, or a range that is then drawn from in each episode."""
    name, count = entity["name"], entity["count"]
    if mention is None or mention.count is None:
        if counted.most > 1:
            default = draft.data["parameters"][count]["default"] if isinstance(count, str) else count
            draft.assume(f"{default:g} {name}s, as no number was given.")
        return
    low, high = mention.count
    if not counted.least <= low <= high <= counted.most:
        within = f"within {counted.least}..{counted.most}" if counted.most > counted.least else f"{counted.most}"
        raise contradiction(
            f"{mention.text!r}: the number of {name}s must be {within}.",
            "Give another number." if counted.most > 1 else "Ask for one; for several in order, `visit 3 waypoints`.",
        )
    if low == high and isinstance(count, int):
        entity["count"] = low
    else:
        entity["count"] = f"{name}_count"
        draft.data["parameters"][entity["count"]] = {
            "default": low,
            "minimum": low if low < high else min(low, counted.least),
            "maximum": high,
            "sample": low < high,
            "description": f"How many {name}s there are.",
        }
    draft.say(mention.text, f"{low} {name}s" if low == high else f"{low} to {high} {name}s, drawn in each episode")


def moving(draft: Draft, reading: Reading) -> None:
    """Let obstacles and targets move by themselves."""
    for counted in draft.rules.counts:
        concepts = in_the_way(draft) if counted.concept == "obstacles" else [counted.concept]
        named = [mention for concept in concepts for mention in reading.affirmed(concept)]
        mention = next((mention for mention in named if mention.moving), None)
        entity = draft.entity(counted.entity)
        if mention and any(other.count and not other.moving for other in named):
            raise contradiction(
                f"{mention.text!r} move and others do not: either all obstacles move or none does.",
                "Keep one of the two, or pass a spec with two entities.",
            )
        if mention is None or entity is None or entity["motion"]["kind"] == "roam":
            continue
        if entity["motion"]["kind"] == "pushable" or entity["ordered"]:
            raise contradiction(f"{mention.text!r}: a {counted.entity} cannot move by itself.", "Leave that out.")
        entity["motion"] = {"kind": "roam", "speed": ROAM_SPEED, "turn": 45.0, "period": 4.0}
        draft.say(mention.text, f"each {counted.entity} moves by itself")
        draft.assume(f"The {counted.entity} moves at {ROAM_SPEED:g} m/s where no speed is named for it.")
        addition = f"moving_{counted.entity}" + "s" * (counted.entity == "obstacle")
        if addition in vocabulary()["additions"] and draft.motion != "grid":
            draft.add(addition)


def round_block(draft: Draft, reading: Reading) -> None:
    """Push a round thing, where the sentence names one."""
    block, mentions = draft.entity("block"), reading.affirmed("round")
    if block is not None and mentions:
        block["shape"] = {"kind": "circle", "radius": 0.6}
        draft.say(mentions[0].text, "the block is round")
        draft.assume("What is pushed moves only while it is pushed; it does not roll on.")


def arena(draft: Draft, reading: Reading) -> None:
    """As large as the sentence says, or large enough for all that it names."""
    smallest, largest = draft.rules.half_extent
    needed = math.sqrt(2 * sum(_room(draft, entity) for entity in draft.data["entities"])) / 2
    given = reading.measure("size") or reading.measure("width")
    if given is None:
        if needed > draft.half_extent:
            draft.resize(float(math.ceil(needed)))
            draft.assume(f"The arena grew to {2 * draft.half_extent:g} m, so that everything finds room.")
        return
    half = given.values[0] / 2
    if len(set(given.values)) > 1:
        raise contradiction(f"{given.text!r}: the arena is a square.", "Give one length, such as `20x20 m arena`.")
    if not max(smallest, needed) <= half <= largest:
        raise contradiction(
            f"{given.text!r}: the arena must be {2 * max(smallest, math.ceil(needed)):g} to {2 * largest:g} m wide "
            "for what lies in it.",
            "Give another size, or fewer things.",
        )
    draft.resize(half)
    draft.say(given.text, f"arena {2 * half:g} m wide")


def _room(draft: Draft, entity: Data) -> float:
    """Square metres that an entity's instances and the gaps around them take."""
    shape = entity["shape"]
    width = max(shape["size"]) if shape["kind"] == "box" else 2 * shape["radius"]
    return float(draft.most(entity) * (width + min(entity["spawn"]["min_distance"], 1.0)) ** 2)


WISHES: tuple[Callable[[Draft, Reading], None], ...] = (
    contest,
    walls,
    motion,
    agents,
    things,
    obstacles,
    moving,
    round_block,
    arena,
    distances,
    pace,
)
"""In the order in which they are taken up."""
