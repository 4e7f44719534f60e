"""C# of what the agent sees: each kind of vector observation is one method."""

from __future__ import annotations

from dataclasses import dataclass

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.codegen.body_view import BodyView
from unity_mlops_mcp.codegen.choices import Chooser
from unity_mlops_mcp.spec import observations as parts


@dataclass(frozen=True)
class Seen:
    """A part of the vector observation; which of the C# snippets there are depends on the kind."""

    kind: str
    comment: str
    setup: tuple[str, ...] = ()
    vector: str = ""
    top_speed: str = ""
    visits: str = ""
    count: str = ""
    size: int = 0
    share: str = ""
    most: str = ""


class Eyes:
    """Writes what is seen."""

    def __init__(self, view: BodyView, chooser: Chooser) -> None:
        self._view, self._chooser = view, chooser
        self._known: set[str] = set()

    def see(self, part: parts.VectorPart) -> Seen:
        """One part of the vector observation."""
        seen: Seen = getattr(self, f"_{part.kind}", self._plain)(part)
        return seen

    def _plain(self, part: parts.VectorPart) -> Seen:
        comment = {
            "position": "Its own position in the arena, in half extents (2).",
            "heading": "The way it faces: sine and cosine of the yaw (2).",
            "wall_distance": "How far the walls at +x, -x, +z and -z are, in arena widths (4).",
            "time_left": "The time that is left, from 1 to 0 (1).",
            "tilt": "The ground's tilt, of the greatest tilt (2).",
            "team": "Which team it is on (2).",
        }[part.kind]
        most = self._view.of_motion("most") if part.kind == "tilt" else ""
        return Seen(part.kind, comment, size=len(self._view.spec.teams), most=most)

    def _relative(self, part: parts.Relative) -> Seen:
        vector, setup, told = self._way(part)
        return Seen("relative", f"{told}, in arena widths (2).", setup, vector)

    def _bearing(self, part: parts.Bearing) -> Seen:
        vector, setup, told = self._way(part)
        return Seen("bearing", f"{told}: the direction, then the distance in arena widths (3).", setup, vector)

    def _velocity(self, part: parts.Velocity) -> Seen:
        framed = self._view.framed and part.frame == "agent"
        if part.of is None:
            vector = "InOwnFrame(velocity)" if framed else "velocity"
            return Seen("velocity", "Its own velocity, in top speeds (2).", (), vector, self._view.top_speed)
        choice = self._chooser.choose(part.of, part.pick)
        code = _framed(_guarded([choice.guard], choice.velocity), framed=framed)
        if code == choice.velocity and choice.setup is None:
            setup: tuple[str, ...] = ()
            vector = code
        else:
            vector = f"velocityOf{choice.label}{'InOwnFrame' * framed}"
            setup = self._fresh([choice.setup, f"Vector2 {vector} = {code};"])
        comment = f"The velocity of {choice.words}, in own top speeds (2)."
        return Seen("velocity", comment, setup, vector, self._view.top_speed)

    def _progress(self, part: parts.Progress) -> Seen:
        visits, count, thing = self._turns(part)
        return Seen(
            "progress", f"How much of this lap of {naming.plural(thing)} is done (1).", visits=visits, count=count
        )

    def _one_hot(self, part: parts.OneHot) -> Seen:
        visits, count, thing = self._turns(part)
        size = self._view.spec.part_size(part)
        return Seen("one_hot", f"Which {thing} comes now ({size}).", visits=visits, count=count, size=size)

    def _turns(self, part: parts.Progress | parts.OneHot) -> tuple[str, str, str]:
        thing = self._view.entity(part.of)
        return f"{thing.element}Visits", self._chooser.count(thing), thing.words

    def _remaining(self, part: parts.Remaining) -> Seen:
        thing = self._view.entity(part.of)
        if not thing.may_be_missing:
            share = "1f" if thing.most else "0f"
        elif thing.many:
            least = self._chooser.count(thing)
            share = f"(float){self._view.name}Area.Count(area.{thing.field}) / Mathf.Max({least}, 1)"
        else:
            share = f"area.{thing.field}.Exists ? 1f : 0f"
        return Seen("remaining", f"Which share of the {naming.plural(thing.words)} is left (1).", share=share)

    def _way(self, part: parts.Relative | parts.Bearing) -> tuple[str, tuple[str, ...], str]:
        """The way from the subject to what is chosen: its variable, the statements before, and words."""
        subject, framed = part.subject, self._view.framed and part.frame == "agent"
        choice = self._chooser.choose(part.of, part.pick, subject)
        way = f"{choice.position} - {self._chooser.position_of(subject)}"
        code = _framed(_guarded([choice.guard, self._chooser.exists(subject)], way), framed=framed)
        start = self._view.thing(subject) if subject else None
        vector = f"{start.element if start else ''}{'To' if start else 'to'}{choice.label}{'InOwnFrame' * framed}"
        setup = self._fresh([choice.setup, f"Vector2 {vector} = {code};"])
        return vector, setup, f"The way{f' from the {start.words}' if start else ''} to {choice.words}"

    def _fresh(self, lines: list[str | None]) -> tuple[str, ...]:
        """The statements that were not written before."""
        fresh = tuple(line for line in lines if line and line not in self._known)
        self._known.update(fresh)
        return fresh


def _guarded(guards: list[str | None], code: str) -> str:
    """A vector that is zero where one of the guards does not hold."""
    tests = " && ".join(guard for guard in guards if guard)
    return f"{tests} ? {code} : Vector2.zero" if tests else code


def _framed(code: str, *, framed: bool) -> str:
    return f"InOwnFrame({code})" if framed else code
