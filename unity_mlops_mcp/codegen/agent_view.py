"""What the template of the agent reads: what is seen, what happens, what is paid, what ends an episode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unity_mlops_mcp.codegen import naming
from unity_mlops_mcp.codegen.body_view import BodyView
from unity_mlops_mcp.codegen.choices import Chooser
from unity_mlops_mcp.codegen.judging import Happening, Referee
from unity_mlops_mcp.codegen.naming import pascal
from unity_mlops_mcp.codegen.paying import Cashier, Paid
from unity_mlops_mcp.codegen.seeing import Eyes, Seen
from unity_mlops_mcp.codegen.view import Thing
from unity_mlops_mcp.spec.body import MATE, OPPONENT
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.rules import TIMEOUT, Ending, Event, Reward


@dataclass(frozen=True)
class End:
    """An ending: its event, the test for several agents, and whether it is a success."""

    event: Happening
    test: str
    success: str


@dataclass(frozen=True)
class Group:
    """Other agents that this one looks at."""

    field: str
    test: str


class AgentView(BodyView):
    """A spec as the template of its agent sees it."""

    def __init__(self, spec: EnvironmentSpec) -> None:
        super().__init__(spec, foreign=False)
        self._chooser = Chooser(self)
        constants = naming.Names(naming.reserved("agent_members"))
        self._teams = {side.name: constants.take(pascal(side.name), f"{pascal(side.name)}Team") for side in spec.teams}
        things = {name for thing in self.things for name in (thing.element, thing.field)}
        fields = naming.Names(naming.reserved("keywords", "inherited", "locals", "agent_locals"), things)
        self.events = [self._happening(event, fields) for event in self.events_used]
        self._happened = {happening.event.name: happening for happening in self.events}

    def team(self, name: str) -> str:
        """The constant of a team."""
        return self._teams[name]

    # Other agents.

    @property
    def _groups_seen(self) -> list[str]:
        return [of for of in (OPPONENT, MATE) if any(of == seen for seen, _ in self.chosen)]

    @property
    def groups(self) -> list[Group]:
        """Arrays of other agents."""
        tests = {OPPONENT: "other.team != team", MATE: "other != this"}
        if self.spec.teams:
            tests[MATE] += " && other.team == team"
        seen = [of for of in self._groups_seen if of == MATE or not self.lone_opponent]
        return [Group(f"{of}s", tests[of]) for of in seen]

    @property
    def picks_agents(self) -> bool:
        """Whether the nearest of other agents is looked for."""
        fields = {group.field for group in self.groups}
        return any(f"{of}s" in fields and pick == "nearest" for of, pick in self.chosen)

    @property
    def mean_agents(self) -> bool:
        """Whether the mean of other agents is looked at."""
        fields = {group.field for group in self.groups}
        return any(f"{of}s" in fields and pick == "mean" for of, pick in self.chosen)

    @property
    def mean_agent_speeds(self) -> bool:
        """Whether the mean of their velocities is."""
        return self.mean_agents and bool(self.mean_velocities & {OPPONENT, MATE})

    # What it sees.

    @cached_property
    def observed(self) -> list[Seen]:
        """The parts of the vector observation."""
        writer = Eyes(self, self._chooser)
        return [writer.see(part) for part in self.spec.observations.vector]

    @property
    def visited(self) -> list[Thing]:
        """Ordered things that somebody asks about."""
        return [thing for thing in self.things if thing.entity.ordered and thing.entity.name in self._asked]

    @property
    def _asked(self) -> set[str]:
        asked = {of for of, pick in self.chosen if pick in {"current", "next"}}
        asked |= {part.of for part in self.spec.observations.vector if part.kind in {"progress", "one_hot"}}
        return asked | {event.of for event in self.events_used if event.kind in {"visit", "complete"}}

    # What happens.

    def _happening(self, event: Event, fields: naming.Names) -> Happening:
        own, name = naming.camel(event.name), pascal(event.name)
        thing = self.thing(event.of) if event.kind == "touch" else None
        contact = ""
        if thing is not None:
            many = f"{self.name}Area.Gap(area.{thing.field}, position)"
            contact = many if thing.many else f"area.{thing.field}.Gap(position)"
        rewarded = {reward.event for reward in self.spec.rewards if reward.when == "event"}
        used = event.name in rewarded | {ending.event for ending in self.spec.endings}
        fired, before = fields.take(own, f"{own}Now"), fields.take(f"{own}Before", f"{own}HeldBefore")
        touching = fields.take(f"touching{name}", f"touching{name}Now") if thing else ""
        lines, comment = Referee(self, self._chooser).judge(event, before, touching)
        return Happening(event, f"Check{name}", before, fired, touching, contact, used, comment, tuple(lines))

    @property
    def touches(self) -> list[Happening]:
        """Events of contact with things."""
        return [happening for happening in self.events if happening.touching]

    @property
    def fresh(self) -> bool:
        """Whether any event fires only when it begins to hold."""
        return any(happening.fresh for happening in self.events)

    # What it is paid for.

    @cached_property
    def shaped(self) -> list[Paid]:
        """Rewards for the way of a physics step."""
        rewards = [reward for reward in self.spec.rewards if reward.when not in {"event", "step"}]
        return self._payments(rewards)

    @cached_property
    def paid(self) -> list[Paid]:
        """Rewards for events, and for the step itself."""
        return self._payments([reward for reward in self.spec.rewards if reward.when in {"event", "step"}])

    def _payments(self, rewards: list[Reward]) -> list[Paid]:
        fired = {name: happening.fired for name, happening in self._happened.items()}
        cashier = Cashier(self, self._chooser, self._teams, fired)
        payments, chosen = list[Paid](), set[str]()
        for reward in rewards:
            payment = cashier.pay(reward)
            if payment.setup in chosen:
                payment = Paid(payment.comment, None, payment.test, payment.code)
            chosen |= {payment.setup} if payment.setup else set()
            payments.append(payment)
        return payments

    @property
    def approaches(self) -> bool:
        """Whether coming nearer is paid for."""
        return any(reward.when == "approach" for reward in self.spec.rewards)

    @property
    def keeps(self) -> bool:
        """Whether keeping a distance is paid for."""
        return any(reward.when == "keep" for reward in self.spec.rewards)

    @property
    def aligns(self) -> bool:
        """Whether moving the same way is paid for."""
        return any(reward.when == "align" for reward in self.spec.rewards)

    # What ends an episode.

    @property
    def endings(self) -> list[End]:
        """The endings in their order."""
        return [self._end(ending) for ending in self.spec.endings]

    def _end(self, ending: Ending) -> End:
        happening = self._happened[ending.event]
        others = ending.team is not None and ending.team != self.spec.sides[0].name
        success = (ending.result == "success") != others
        test = f"agent.{happening.fired}"
        if ending.team is not None:
            test += f" && agent.team == {self.team(ending.team)}"
        return End(happening, test, "true" if success else "false")

    @property
    def times_out(self) -> bool:
        """Whether reaching the last step is an ending of its own."""
        return any(self._happened[ending.event].event.kind == "timeout" for ending in self.spec.endings)

    @property
    def causes(self) -> list[str]:
        """Every cause of an episode's end."""
        return list(dict.fromkeys([*(ending.event for ending in self.spec.endings), TIMEOUT]))
