"""What a sentence may wish for beyond its archetype: each wish reads the sentence and changes the draft."""

from __future__ import annotations

import math
from collections.abc import Callable

from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.drafting import Data, Draft, contradiction
from unity_mlops_mcp.spec.language import Mention, Reading, vocabulary

MOST = {"waypoint": 16, "obstacle": 48}
"""Greatest numbers of instances that the planner takes on."""
STEPS_PER_WAYPOINT = 200
SMALLEST, LARGEST = 3.0, 20.0
"""Half-extents in metres that the planner takes on."""


def walls(draft: Draft, reading: Reading) -> None:
    """Leave the walls away, or make touching them a failure."""
    denied, avoided = reading.denied("walls"), reading.affirmed("avoid_walls")
    if denied and avoided:
        raise contradiction(
            f"The description wants no walls ({denied[0].text!r}) and walls to avoid ({avoided[0].text!r}).",
            "Keep one of the two.",
        )
    if denied:
        draft.data["arena"]["walls"] = False
        draft.add("no_walls")
        draft.say(denied[0].text, "arena without walls; leaving it is a failure")
        for ray in draft.data["observations"]["rays"]:
            ray["tags"] = [tag for tag in ray["tags"] if tag != "wall"]
    elif avoided:
        draft.add("avoid_walls")
        draft.say(avoided[0].text, "touching a wall is a failure")


def motion(draft: Draft, reading: Reading) -> None:
    """Move as the sentence says."""
    found = [(kind, word) for kind, entry in vocabulary()["motions"].items() if (word := reading.find(entry["words"]))]
    if len(found) > 1:
        raise contradiction(
            f"The description names two ways of moving: {found[0][1]!r} and {found[1][1]!r}.", "Keep one of the two."
        )
    if not found:
        draft.assume(f"The body moves by the model {draft.data['agent']['motion']['kind']!r}, as no vehicle was named.")
        return
    kind, word = found[0]
    draft.say(word, f"motion model {kind}")
    if kind != draft.data["agent"]["motion"]["kind"]:
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


def one_agent(draft: Draft, reading: Reading) -> None:  # noqa: ARG001
    """One agent and one target in an area, so far."""
    for concept in ("agents", "target"):
        mention = reading.count(concept)
        if mention and mention.count and mention.count[1] > 1:
            raise contradiction(
                f"{mention.text!r}: an area holds one agent and one target.",
                "Ask for one (training runs many areas at once); for several places in order, say `visit 3 waypoints`.",
            )


def waypoints(draft: Draft, reading: Reading) -> None:
    """As many waypoints and laps as the sentence says."""
    entity = draft.entity("waypoint")
    if entity is None:
        return
    if denied := reading.denied("waypoints"):
        raise contradiction(f"{denied[0].text!r}: a patrol needs waypoints.", "Say how many, such as `5 waypoints`.")
    _count(draft, entity, reading.count("waypoints"), least=2)
    count = (
        entity["count"] if isinstance(entity["count"], int) else draft.data["parameters"]["waypoint_count"]["maximum"]
    )
    laps = reading.count("laps")
    rounds = laps.count[1] if laps and laps.count else 1
    for event in draft.data["events"]:
        if event["kind"] == "complete":
            event["laps"] = rounds
    if laps:
        draft.say(laps.text, f"success is {rounds} full laps")
    draft.data["episode"]["max_step"] = STEPS_PER_WAYPOINT * count * rounds


def obstacles(draft: Draft, reading: Reading) -> None:
    """Put obstacles in the way, as many as the sentence says."""
    wanted, denied = reading.affirmed("obstacles"), reading.denied("obstacles")
    if wanted and denied:
        raise contradiction(
            f"The description wants obstacles ({wanted[0].text!r}) and none ({denied[0].text!r}).",
            "Keep one of the two.",
        )
    if denied:
        draft.say(denied[0].text, "no obstacles")
    if wanted and draft.entity("obstacle") is None:
        draft.add("obstacles")
        draft.set_rays()
        draft.say(wanted[0].text, "obstacles and rays to see them; touching one is a failure")
    if entity := draft.entity("obstacle"):
        _count(draft, entity, reading.count("obstacles"), least=1)


def _count(draft: Draft, entity: Data, mention: Mention | None, *, least: int) -> None:
    """Take over a number, or a range that is then drawn from in each episode."""
    name = entity["name"]
    if mention is None or mention.count is None:
        count = (
            draft.data["parameters"][entity["count"]]["default"]
            if isinstance(entity["count"], str)
            else entity["count"]
        )
        draft.assume(f"{count:g} {name}s, as no number was given.")
        return
    low, high = mention.count
    if not least <= low <= high <= MOST[name]:
        raise contradiction(
            f"{mention.text!r}: the number of {name}s must lie within {least}..{MOST[name]}.", "Give another number."
        )
    if low == high and isinstance(entity["count"], int):
        entity["count"] = low
    else:
        entity["count"] = f"{name}_count"
        draft.data["parameters"][entity["count"]] = {
            "default": low,
            "minimum": low if low < high else min(low, least),
            "maximum": high,
            "sample": low < high,
            "description": f"How many {name}s there are.",
        }
    draft.say(mention.text, f"{low} {name}s" if low == high else f"{low} to {high} {name}s, drawn in each episode")


def arena(draft: Draft, reading: Reading) -> None:
    """As large as the sentence says, or large enough for all that it names."""
    needed = math.sqrt(2 * sum(_room(draft, entity) for entity in draft.data["entities"])) / 2
    given = reading.measures.get("size") or reading.measures.get("width")
    if given is None:
        if needed > draft.half_extent:
            draft.resize(float(math.ceil(needed)))
            draft.assume(f"The arena grew to {2 * draft.half_extent:g} m, so that everything finds room.")
        return
    half = given.values[0] / 2
    if len(set(given.values)) > 1:
        raise contradiction(f"{given.text!r}: the arena is a square.", "Give one length, such as `20x20 m arena`.")
    if not max(SMALLEST, needed) <= half <= LARGEST:
        smallest = 2 * max(SMALLEST, math.ceil(needed))
        raise contradiction(
            f"{given.text!r}: the arena must be {smallest:g} to {2 * LARGEST:g} m wide for what lies in it.",
            "Give another size, or fewer things.",
        )
    draft.resize(half)
    draft.say(given.text, f"arena {2 * half:g} m wide")


def _room(draft: Draft, entity: Data) -> float:
    """Square metres that an entity's instances and the gaps around them take."""
    count = entity["count"]
    number = draft.data["parameters"][count]["maximum"] if isinstance(count, str) else count
    return float(number * (2 * entity["shape"]["radius"] + min(entity["spawn"]["min_distance"], 1.0)) ** 2)


def pace(draft: Draft, reading: Reading) -> None:
    """As fast, and for as long, as the sentence says."""
    if speed := reading.measures.get("speed"):
        moving = draft.data["agent"]["motion"]
        value = speed.values[0]
        if moving["kind"] == "grid" or not 0.5 <= value <= 20:  # noqa: PLR2004
            raise contradiction(f"{speed.text!r}: not a speed for {moving['kind']} motion.", "Give 0.5 to 20 m/s.")
        slower = max(4.0 / value, 1.0)
        draft.data["episode"]["max_step"] = round(draft.data["episode"]["max_step"] * slower)
        if moving["kind"] == "force":
            moving["force"] = value * moving["mass"] * moving["damping"]
        else:
            moving["speed"] = value
        draft.say(speed.text, f"greatest speed {value:g} m/s")
    if time := reading.measures.get("time"):
        draft.data["episode"]["max_step"] = max(round(time.values[0] / DT), 1)
        draft.say(time.text, f"an episode lasts {time.values[0]:g} s at most")
    else:
        draft.assume(f"An episode lasts {draft.data['episode']['max_step'] * DT:g} s at most.")


WISHES: tuple[Callable[[Draft, Reading], None], ...] = (one_agent, walls, motion, waypoints, obstacles, arena, pace)
"""In the order in which they are taken up."""
