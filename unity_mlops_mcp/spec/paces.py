"""How fast, how far apart and for how long: what a sentence measures."""

from __future__ import annotations

from unity_mlops_mcp.spec.body import DT
from unity_mlops_mcp.spec.contests import sides
from unity_mlops_mcp.spec.drafting import Data, Draft, contradiction
from unity_mlops_mcp.spec.language import Measure, Reading

SLOWEST, FASTEST = 0.5, 20.0
"""Metres per second that the planner takes on."""
USUAL = 4.0
"""Metres per second of the presets' bodies; a slower body gets more time."""
KINDS_WITH_DISTANCE = {"near", "keep"}


def pace(draft: Draft, reading: Reading) -> None:
    """As fast, and for as long, as the sentence says."""
    for speed in reading.measures.get("speed", ()):
        if not SLOWEST <= speed.values[0] <= FASTEST:
            raise _no_speed(draft, speed)
        _speed(draft, reading, speed)
    _agree(draft)
    if time := reading.measure("time"):
        draft.data["episode"]["max_step"] = max(round(time.values[0] / DT), 1)
        draft.say(time.text, f"an episode lasts {time.values[0]:g} s at most")
    else:
        draft.assume(f"An episode lasts {draft.data['episode']['max_step'] * DT:g} s at most.")


def _speed(draft: Draft, reading: Reading, speed: Measure) -> None:
    """Give a speed to whoever was named last before it: a thing that moves by itself, a side, or the agent."""
    movers = {
        counted.concept: entity
        for counted in draft.rules.counts
        if (entity := draft.entity(counted.entity)) and entity["motion"]["kind"] == "roam"
    }
    teams = {counted.concept: team for counted, team in sides(draft)}
    whose = reading.nearest_before(speed.start, [*movers, *teams, "agents"])
    if whose in movers:
        movers[whose]["motion"]["speed"] = speed.values[0]
        draft.say(speed.text, f"each {movers[whose]['name']} moves at {speed.values[0]:g} m/s")
    elif whose in teams:
        _team_speed(draft, teams[whose], list(teams.values()), speed)
    else:
        _agent_speed(draft, speed)


def _agent_speed(draft: Draft, speed: Measure) -> None:
    moving, value = draft.data["agent"]["motion"], speed.values[0]
    if moving["kind"] in {"grid", "tilt"}:
        raise _no_speed(draft, speed)
    draft.data["episode"]["max_step"] = round(draft.data["episode"]["max_step"] * max(USUAL / value, 1.0))
    _set_speed(moving, value)
    draft.say(speed.text, f"greatest speed {value:g} m/s")


def _team_speed(draft: Draft, team: Data, teams: list[Data], speed: Measure) -> None:
    """The motion has the quicker side's speed; the other one's pace is its share of it."""
    moving = draft.data["agent"]["motion"]
    speeds = {other["name"]: other["pace"] * top_speed(moving) for other in teams}
    speeds[team["name"]] = speed.values[0]
    top = max(speeds.values())
    _set_speed(moving, top)
    for other in teams:
        other["pace"] = round(speeds[other["name"]] / top, 4)
    draft.say(speed.text, f"the team {team['name']} moves at {speed.values[0]:g} m/s")


def top_speed(moving: Data) -> float:
    """Metres per second of a body at full action."""
    if moving["kind"] == "force":
        return float(moving["force"] / (moving["mass"] * moving["damping"]))
    return float(moving.get("speed", USUAL))


def _set_speed(moving: Data, value: float) -> None:
    if moving["kind"] == "force":
        moving["force"] = value * moving["mass"] * moving["damping"]
    else:
        moving["speed"] = value


def _agree(draft: Draft) -> None:
    """Whoever has to be followed or reached must not be quicker than the agent."""
    goal = draft.entity(draft.rules.goal or "")
    if goal is None or goal["motion"]["kind"] != "roam" or draft.motion in {"grid", "tilt"}:
        return
    own = top_speed(draft.data["agent"]["motion"])
    if goal["motion"]["speed"] >= own:
        raise contradiction(
            f"The {goal['name']} moves at {goal['motion']['speed']:g} m/s and the agent at {own:g} m/s: it would never "
            "keep up.",
            f"Give the {goal['name']} a lower speed, or the agent a higher one.",
        )


def _no_speed(draft: Draft, speed: Measure) -> Exception:
    return contradiction(
        f"{speed.text!r}: not a speed for {draft.motion} motion.", f"Give {SLOWEST:g} to {FASTEST:g} m/s, or none."
    )


def distances(draft: Draft, reading: Reading) -> None:
    """As near, or as far apart, as the sentence says."""
    measure = reading.measure("distance")
    parts = [part for part in (*draft.data["events"], *draft.data["rewards"]) if _kind(part) in KINDS_WITH_DISTANCE]
    if measure is None or not parts:
        return
    value = measure.values[0]
    if not 0.5 <= value <= draft.half_extent:  # noqa: PLR2004 - bodies touch at less
        raise contradiction(
            f"{measure.text!r}: such a distance does not fit into the arena.",
            f"Give 0.5 to {draft.half_extent:g} m, or a larger arena.",
        )
    for part in parts:
        part["distance"] = value
    for part in (*draft.data["events"], *draft.data["rewards"]):
        if _kind(part) == "far":
            part["distance"] = max(part["distance"], value + 3.0)
        if _kind(part) == "within":
            part["distance"] = min(part["distance"], value / 2)
    draft.say(measure.text, f"a distance of {value:g} m")


def _kind(part: Data) -> str:
    return str(part.get("kind") or part.get("when"))
