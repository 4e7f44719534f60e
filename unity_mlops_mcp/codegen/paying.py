"""C# of what the agent is paid for: each kind of reward is one method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.codegen.choices import Choice, Chooser
from unity_mlops_mcp.codegen.naming import number, words
from unity_mlops_mcp.codegen.view import View
from unity_mlops_mcp.spec.rules import Reward


@dataclass(frozen=True)
class Paid:
    """A reward: what is chosen for it, when it is given, and how much it is."""

    comment: str
    setup: str | None
    test: str
    code: str


class Cashier:
    """Writes what is paid.

    Args:
        view: of the spec.
        chooser: writes whom a reward speaks of.
        teams: team -> its constant.
        fired: event -> the variable with whether it fired.
    """

    def __init__(self, view: View, chooser: Chooser, teams: Mapping[str, str], fired: Mapping[str, str]) -> None:
        self._view, self._chooser, self._teams, self._fired = view, chooser, teams, fired

    def pay(self, reward: Reward) -> Paid:
        """One reward."""
        team = f"team == {self._teams[reward.team]}" if reward.team else None
        setup, tests, code, comment = getattr(self, f"_{reward.when}")(reward)
        for_whom = f" for the {words(reward.team)}" if reward.team else ""
        test = " && ".join(one for one in [*tests, team] if one)
        return Paid(f"{comment}: {reward.value:g}{for_whom}.", setup, test, code)

    def _event(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        event, shared = getattr(reward, "event", ""), getattr(reward, "shared_by", None)
        code, told = number(reward.value), words(event).capitalize()
        if shared:
            thing = self._view.entity(shared)
            count = self._chooser.count(thing)
            if thing.count is not None or not thing.most:
                count = f"Mathf.Max({count}, 1)"
            code, told = f"{code} / {count}", f"{told}, shared by all {naming.plural(thing.words)}"
        return None, [self._fired[event]], code, told

    def _step(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        return None, [], f"{number(reward.value)} / EpisodeSteps", "Over a whole episode, in every step alike"

    def _approach(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        subject = getattr(reward, "subject", None)
        choice = self._choose(reward, subject)
        start = self._view.thing(subject) if subject else None
        way = f"area.{start.field}.before, area.{start.field}.Position" if start else "before, Position"
        factor = "" if reward.value == 1 else f"{number(reward.value)} * "
        who = f"The {start.words} comes" if start else "Coming"
        told = f"{who} nearer to {choice.words}, for the arena's width"
        guards = [choice.guard, self._chooser.exists(subject)]
        return choice.setup, guards, f"{factor}Nearer({way}, {choice.position})", told

    def _keep(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        choice, distance = self._choose(reward), getattr(reward, "distance", 0.0)
        kept = (
            f"Kept({choice.position}, {self._view.there(distance)}, {self._view.there(getattr(reward, 'width', 1.0))})"
        )
        told = f"Keeping {_metres(distance)} from {choice.words}, over a whole episode"
        return choice.setup, [choice.guard], f"{number(reward.value)} / EpisodeSteps * {kept}", told

    def _align(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        choice = self._choose(reward)
        told = f"Moving the same way as {choice.words}, over a whole episode"
        return choice.setup, [choice.guard], f"{number(reward.value)} / EpisodeSteps * Alike({choice.velocity})", told

    def _within(self, reward: Reward) -> tuple[str | None, list[str | None], str, str]:
        choice, distance = self._choose(reward), getattr(reward, "distance", 0.0)
        near = f"({choice.position} - Position).magnitude < {self._view.there(distance)}"
        told = f"Nearer than {_metres(distance)} to {choice.words}, over a whole episode"
        return choice.setup, [choice.guard, near], f"{number(reward.value)} / EpisodeSteps", told

    def _choose(self, reward: Reward, subject: str | None = None) -> Choice:
        return self._chooser.choose(getattr(reward, "of", ""), getattr(reward, "pick", "nearest"), subject)


def _metres(quantity: float | str) -> str:
    return f"the {words(quantity)}" if isinstance(quantity, str) else f"{quantity:g} m"
