"""C# of what happens: each kind of event is one method, and becomes one method of the agent."""

from __future__ import annotations

from dataclasses import dataclass

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.codegen.choices import Chooser
from unity_mlops_mcp.codegen.naming import words
from unity_mlops_mcp.codegen.view import Thing, View
from unity_mlops_mcp.spec.entities import WALL_TAG
from unity_mlops_mcp.spec.rules import Event


@dataclass(frozen=True)
class Happening:
    """An event and its names.

    Attributes:
        event: of the spec.
        check: the method that says whether it fires.
        before: the field with whether it held before.
        fired: the variable with whether it fired.
        touching: the field with whether there is contact, for touch events of entities.
        contact: C# of the distance to what is touched.
        used: whether anybody asks whether it fired.
        comment: what it is.
        lines: the method's body.
    """

    event: Event
    check: str
    before: str
    fired: str
    touching: str
    contact: str
    used: bool
    comment: str
    lines: tuple[str, ...]

    @property
    def fresh(self) -> bool:
        """Whether it fires only when it begins to hold."""
        return self.event.kind not in {"visit", "collect"}


class Referee:
    """Writes what happens."""

    def __init__(self, view: View, chooser: Chooser) -> None:
        self._view, self._chooser = view, chooser

    def judge(self, event: Event, before: str, touching: str) -> tuple[list[str], str]:
        """The body of the method that checks an event, and what the event is."""
        setup, holds, comment = getattr(self, f"_{event.kind}")(event, touching)
        if event.kind in {"visit", "collect"}:
            return [*setup, f"return {holds};"], comment
        return [*setup, f"return Fires({holds}, ref {before});"], comment

    def _enter(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        thing, subject = self._thing(event), getattr(event, "subject", None)
        point = self._chooser.position_of(subject)
        start = self._view.thing(subject) if subject else None
        inside = f"{self._gap(thing, point)} <= 0f"
        guards = [guard for guard in [self._chooser.exists(subject)] if guard]
        who = f"the {start.words}'s middle" if start else "its middle"
        return [], " && ".join([*guards, inside]), f"{_title(event)}: {who} comes inside {_one(thing)}."

    def _touch(self, event: Event, touching: str) -> tuple[list[str], str, str]:
        thing = self._view.thing(getattr(event, "of", ""))
        if thing is None:
            return [], "area.IsAtWall(Position)", f"{_title(event)}: it comes into contact with a {WALL_TAG}."
        return [], touching, f"{_title(event)}: it comes into contact with {_one(thing)}."

    def _leave(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        outside = "Mathf.Max(Mathf.Abs(Position.x), Mathf.Abs(Position.y)) > area.HalfExtent"
        return [], outside, f"{_title(event)}: its middle leaves the arena."

    def _visit(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        thing = self._thing(event)
        visits, count = f"{thing.element}Visits", self._chooser.count(thing)
        lines = [
            f"bool inside = area.{thing.field}[{visits} % {count}].Gap(Position) <= 0f;",
            f"{visits} += inside ? 1 : 0;",
        ]
        return (
            lines,
            "inside",
            f"{_title(event)}: its middle is inside the current {thing.words}; the next one's turn comes.",
        )

    def _complete(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        thing, laps = self._thing(event), getattr(event, "laps", 1)
        rounds = f"{laps} * " if laps > 1 else ""
        done = f"{thing.element}Visits >= {rounds}{self._chooser.count(thing)}"
        told = f"{laps} times" if laps > 1 else "once"
        return [], done, f"{_title(event)}: all {naming.plural(thing.words)} were visited {told}."

    def _collect(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        thing, again = self._thing(event), getattr(event, "respawn", False)
        own = thing.element if thing.many else f"area.{thing.field}"
        act = f"area.Respawn{thing.pascal}({own});" if again else f"{own}.Exists = false;"
        lines = ["bool any = false;"]
        block = [f"if ({own}.Gap(Position) <= 0f)", "{", f"    {act}", "    any = true;", "}"]
        if thing.many:
            loop = f"foreach ({self._view.name}Area.Body {own} in area.{thing.field})"
            block = [loop, "{", *(f"    {line}" for line in block), "}"]
        told = "is put somewhere else" if again else "is gone"
        return [*lines, *block], "any", f"{_title(event)}: its middle is inside {_one(thing)}, which {told}."

    def _cleared(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        thing = self._thing(event)
        none = f"!area.{thing.field}.Exists"
        if thing.many:
            none = f"{self._view.name}Area.Count(area.{thing.field}) == 0"
        return [], none, f"{_title(event)}: no {thing.words} is left."

    def _near(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        return self._distance(event, "<=", "comes within")

    def _far(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        return self._distance(event, ">", "gets farther than")

    def _distance(self, event: Event, compare: str, does: str) -> tuple[list[str], str, str]:
        choice = self._chooser.choose(getattr(event, "of", ""), "nearest")
        quantity = getattr(event, "distance", 0.0)
        limit = self._view.there(quantity)
        guards = [guard for guard in [choice.guard] if guard]
        holds = " && ".join([*guards, f"({choice.position} - Position).magnitude {compare} {limit}"])
        told = words(quantity) if isinstance(quantity, str) else f"{quantity:g} m"
        return [choice.setup] if choice.setup else [], holds, f"{_title(event)}: {choice.words} {does} {told}."

    def _timeout(self, event: Event, touching: str) -> tuple[list[str], str, str]:  # noqa: ARG002
        return [], "area.Step >= EpisodeSteps", f"{_title(event)}: the episode reaches its last step."

    def _thing(self, event: Event) -> Thing:
        return self._view.entity(getattr(event, "of", ""))

    def _gap(self, thing: Thing, point: str) -> str:
        own = f"area.{thing.field}"
        return f"{self._view.name}Area.Gap({own}, {point})" if thing.many else f"{own}.Gap({point})"


def _title(event: Event) -> str:
    return words(event.name).capitalize()


def _one(thing: Thing) -> str:
    return f"one of the {naming.plural(thing.words)}" if thing.many else f"the {thing.words}"
