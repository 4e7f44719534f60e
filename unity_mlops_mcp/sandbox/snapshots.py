"""One area's state as plain data, and back: what another implementation of the same spec needs to go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unity_mlops_mcp.sandbox.quantities import Quantities
from unity_mlops_mcp.sandbox.scoring import Referee
from unity_mlops_mcp.sandbox.state import FAR, State
from unity_mlops_mcp.spec.environment import EnvironmentSpec

Snapshot = dict[str, Any]
"""What JSON can hold, exactly: a float32 is the double of the same value."""

_OF_AGENT = ("position", "velocity", "yaw", "tilt")
_OF_INSTANCE = {
    "centre": "centre",
    "velocity": "entity_velocity",
    "yaw": "entity_yaw",
    "phase": "entity_phase",
    "half": "half",
    "radius": "radius",
}


class Album:
    """Takes snapshots of a world and puts them back."""

    def __init__(self, spec: EnvironmentSpec, state: State, quantities: Quantities, referee: Referee) -> None:
        self._spec, self._state, self._quantities, self._referee = spec, state, quantities, referee
        self._teams = [side.name for side in spec.sides]

    def take(self, area: int) -> Snapshot:
        """The state of an area; see ``World.snapshot``."""
        state = self._state
        agents = range(area * state.crew.size, (area + 1) * state.crew.size)
        return {
            "step": int(state.step[area]),
            "respawns": int(state.respawns[area]),
            "half_extent": float(state.half_extent[area]),
            "parameters": self._quantities.now(area),
            "agents": [self._agent(row) for row in agents],
            "entities": {
                name: {
                    "count": int(state.count[name][area]),
                    "instances": [self._instance(area, slot) for slot in range(where.start, where.stop)],
                }
                for name, where in state.slots.of.items()
            },
        }

    def _agent(self, row: int) -> Snapshot:
        state = self._state
        return {
            "team": self._teams[state.crew.side[row]],
            **{name: getattr(state, name)[row].tolist() for name in _OF_AGENT},
            "visits": {entity: int(visits[row]) for entity, visits in state.visits.items()},
            "holds": {event: bool(holds[row]) for event, holds in self._referee.holds.items()},
        }

    def _instance(self, area: int, slot: int) -> Snapshot:
        state = self._state
        values = {name: getattr(state, array)[area, slot].tolist() for name, array in _OF_INSTANCE.items()}
        return {"there": bool(state.centre[area, slot, 0] < FAR), **values}

    def put(self, area: int, snapshot: Mapping[str, Any]) -> None:
        """Make an area what a snapshot says; see ``World.restore``."""
        state = self._state
        state.step[area], state.respawns[area] = snapshot["step"], snapshot["respawns"]
        self._quantities.put(area, snapshot["parameters"])
        for agent, data in enumerate(snapshot["agents"]):
            self._put_agent(area * state.crew.size + agent, data)
        for name, entity in snapshot["entities"].items():
            state.count[name][area] = entity["count"]
            for index, data in enumerate(entity["instances"]):
                for key, array in _OF_INSTANCE.items():
                    getattr(state, array)[area, state.slots.of[name].start + index] = data[key]

    def _put_agent(self, row: int, data: Mapping[str, Any]) -> None:
        state = self._state
        for name in _OF_AGENT:
            getattr(state, name)[row] = data[name]
        for entity, visits in data["visits"].items():
            state.visits[entity][row] = visits
        for event, holds in data["holds"].items():
            self._referee.holds[event][row] = holds
