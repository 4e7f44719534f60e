"""C# for whom a part of the spec speaks of: an entity, one of several, their mean, or other agents."""

from __future__ import annotations

from dataclasses import dataclass

from unity_mlops_mcp.codegen.naming import words
from unity_mlops_mcp.codegen.view import Thing, View
from unity_mlops_mcp.spec.body import OPPONENT


@dataclass(frozen=True)
class Choice:
    """How the agent's C# speaks of what was chosen.

    Attributes:
        words: in a sentence: ``the nearest item``.
        label: as a part of a name: ``NearestItem``.
        setup: the statement that chooses it; None where nothing is to be chosen.
        position: its position.
        velocity: its velocity.
        guard: a condition that it exists; None where it always does.
    """

    words: str
    label: str
    setup: str | None
    position: str
    velocity: str
    guard: str | None


class Chooser:
    """Writes the choices of one spec's agent."""

    def __init__(self, view: View) -> None:
        self._view = view

    def choose(self, of: str, pick: str, subject: str | None = None) -> Choice:
        """C# of one choice; ``subject`` is the entity from which the nearest one is looked for."""
        thing = self._view.thing(of)
        if thing is None:
            return self._agents(of, pick)
        if not thing.many:
            return self._lone(thing)
        if pick == "mean":
            return self._mean(thing)
        label = f"{pick.capitalize()}{thing.pascal}"
        own = label[:1].lower() + label[1:]
        if pick == "nearest":
            if subject is not None:
                own = f"{own}To{self._view.entity(subject).pascal}"
            code = f"{self._area}.Nearest(area.{thing.field}, {self.position_of(subject)})"
            guard = f"{own} != null" if thing.may_be_missing else None
        else:
            turn = f"{thing.element}Visits" if pick == "current" else f"({thing.element}Visits + 1)"
            code, guard = f"area.{thing.field}[{turn} % {self.count(thing)}]", None
        setup = f"{self._area}.Body {own} = {code};"
        return Choice(f"the {pick} {thing.words}", label, setup, f"{own}.Position", f"{own}.velocity", guard)

    def position_of(self, subject: str | None) -> str:
        """C# of where the subject is: the agent, or an entity of which there is one."""
        return "Position" if subject is None else f"area.{self._view.entity(subject).field}.Position"

    def exists(self, subject: str | None) -> str | None:
        """C# of whether the subject exists; None where it always does."""
        if subject is None or not self._view.entity(subject).may_be_missing:
            return None
        return f"area.{self._view.entity(subject).field}.Exists"

    def count(self, thing: Thing) -> str:
        """C# of how many the episode began with."""
        if thing.count is None:
            return f"area.{thing.field}.Length" if thing.many else "1"
        own = thing.count.removeprefix("Mathf.RoundToInt(").removesuffix(")")
        return f"area.{own}" if own == thing.count else f"Mathf.RoundToInt(area.{own})"

    @property
    def _area(self) -> str:
        return f"{self._view.name}Area"

    def _lone(self, thing: Thing) -> Choice:
        own = f"area.{thing.field}"
        guard = f"{own}.Exists" if thing.may_be_missing else None
        return Choice(f"the {thing.words}", thing.pascal, None, f"{own}.Position", f"{own}.velocity", guard)

    def _mean(self, thing: Thing) -> Choice:
        own = f"mean{thing.pascal}"
        setup = f"var {own} = {self._area}.Mean(area.{thing.field});"
        guard = f"{own}.count > 0" if thing.may_be_missing or not thing.most else None
        label = f"Mean{thing.pascal}"
        return Choice(f"the mean {thing.words}", label, setup, f"{own}.position", f"{own}.velocity", guard)

    def _agents(self, of: str, pick: str) -> Choice:
        view, group = self._view, f"{of}s"
        if of == OPPONENT and view.lone_opponent:
            return Choice("the opponent", "Opponent", None, "opponent.Position", "opponent.velocity", None)
        own, label = f"{pick}{of.capitalize()}", f"{pick.capitalize()}{of.capitalize()}"
        alone = of != OPPONENT and view.may_be_alone
        if pick == "mean":
            setup, guard = f"var {own} = Mean({group});", f"{own}.count > 0"
            position, velocity = f"{own}.position", f"{own}.velocity"
        else:
            setup, guard = f"{view.name}Agent {own} = Nearest({group});", f"{own} != null"
            position, velocity = f"{own}.Position", f"{own}.velocity"
        return Choice(f"the {pick} {words(of)}", label, setup, position, velocity, guard if alone else None)
