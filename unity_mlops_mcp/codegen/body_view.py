"""What the template of the agent reads of its body: the motion model and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from unity_mlops_mcp.codegen.view import View

CONSTANTS = {
    "speed": ("Speed", "metres per second at full action"),
    "turn": ("Turn", "degrees per second at full steering"),
    "force": ("Force", "newtons at full action"),
    "mass": ("Mass", "kilograms"),
    "damping": ("Damping", "share of the velocity lost per second"),
    "rate": ("TiltRate", "degrees per second at full action"),
    "most": ("MostTilt", "degrees"),
    "gravity": ("Gravity", "metres per second squared on a vertical slope"),
    "top_speed": ("TopSpeed", "metres per second by which observed velocities are scaled"),
}
"""Field of a motion model -> its constant in C#, and what it is."""


@dataclass(frozen=True)
class Constant:
    """A constant of the agent."""

    name: str
    value: float
    words: str


class BodyView(View):
    """A spec as far as the agent's body goes."""

    @property
    def constants(self) -> list[Constant]:
        """The numbers of the motion model that no parameter changes."""
        numbers = [(name, getattr(self.motion, name)) for name in type(self.motion).model_fields if name in CONSTANTS]
        speed_seen = any(part.kind == "velocity" for part in self.spec.observations.vector)
        return [
            Constant(CONSTANTS[name][0], value, CONSTANTS[name][1])
            for name, value in numbers
            if not isinstance(value, str) and (name != "top_speed" or speed_seen)
        ]

    def of_motion(self, field: str) -> str:
        """C# of a number of the motion model."""
        value = getattr(self.motion, field)
        return self.there(value) if isinstance(value, str) else CONSTANTS[field][0]

    @property
    def agent_cell(self) -> str:
        """C# of the size of a cell."""
        cell = getattr(self.motion, "cell", 1.0)
        return self.there(cell) if isinstance(cell, str) else f"{self.name}Area.Cell"

    @property
    def top_speed(self) -> str:
        """C# of the speed by which velocities are scaled."""
        if self.motion.kind == "force":
            return f"({self.of_motion('force')} / ({self.of_motion('mass')} * {self.of_motion('damping')}))"
        return self.of_motion("top_speed" if self.motion.kind == "tilt" else "speed")

    @property
    def motion_words(self) -> str:
        """What the motion model does."""
        return {
            "holonomic": "Moves in any direction at once.",
            "car": "Steers, then drives ahead.",
            "force": "Accelerates, loses some speed, drifts.",
            "grid": "Jumps to the next cell, once per decision.",
            "tilt": "Tilts the ground, on which it rolls.",
        }[self.motion.kind]

    @property
    def paced(self) -> bool:
        """Whether one side is slower."""
        return any(team.pace != 1 for team in self.spec.teams)

    @property
    def settles(self) -> bool:
        """Whether anything is to be done after all have moved."""
        return bool(self.solids) or self.spec.arena.walls or self.own_speed

    @property
    def settling_words(self) -> str:
        """What that is."""
        held = ["the walls hold it"] * self.spec.arena.walls + ["solid things push it out"] * bool(self.solids)
        told = " and ".join(held) or "its velocity is known"
        return f"After all moves: {told}."
