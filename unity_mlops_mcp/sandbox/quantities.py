"""Numbers of a spec that parameters may change: one value per area, fixed for an episode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.simulation import Draw, Floats
from unity_mlops_mcp.spec.base import Parameter


class Quantities:
    """The current value of every parameter in every area; the arrays it gives are updated in place."""

    def __init__(self, parameters: Mapping[str, Parameter], areas: int, agents_per_area: int = 1) -> None:
        self._areas, self._crew = areas, agents_per_area
        self._parameters = parameters
        self._values = {name: np.full(areas, p.default, np.float32) for name, p in parameters.items()}
        self._of_agents = {name: np.repeat(values, agents_per_area) for name, values in self._values.items()}
        self._set: dict[str, float] = {}
        self._samplers: dict[str, Draw] = {}

    @property
    def draws(self) -> int:
        """Random numbers that ``begin`` needs per area."""
        return len(self._parameters)

    def of(self, quantity: float | str) -> Floats:
        """(areas,) the quantity's value in each area's present episode; the same array for life."""
        if isinstance(quantity, str):
            return self._values[quantity]
        return np.full(self._areas, quantity, np.float32)

    def of_agents(self, quantity: float | str) -> Floats:
        """(agents,) the quantity's value for each agent, in the order of their rows; the same array for life."""
        if isinstance(quantity, str) and self._crew > 1:
            return self._of_agents[quantity]
        return self.of(quantity) if self._crew == 1 else np.full(self._areas * self._crew, quantity, np.float32)

    def now(self, area: int) -> dict[str, float]:
        """Every parameter's value in an area's present episode."""
        return {name: float(values[area]) for name, values in self._values.items()}

    def put(self, area: int, values: Mapping[str, float]) -> None:
        """Change parameters of an area's present episode."""
        for name, value in values.items():
            self._values[name][area] = value
            self._spread(name, np.array([area]))

    def set(self, name: str, value: float) -> None:
        """Set a parameter for the episodes to come, held within its range; unknown names are ignored as in Unity."""
        parameter = self._parameters.get(name)
        if parameter is not None:
            self._set[name] = min(max(value, parameter.minimum), parameter.maximum)
            self._samplers.pop(name, None)

    def sample(self, name: str, draw: Draw) -> None:
        """Draw a parameter for each episode to come, held within its range; unknown names are ignored as in Unity."""
        if name in self._parameters:
            self._samplers[name] = draw

    def begin(self, rows: NDArray[np.intp], draws: Floats) -> None:
        """Choose the values of the episodes that begin in these areas; ``draws`` is (len(rows), self.draws)."""
        for i, (name, parameter) in enumerate(self._parameters.items()):
            if name in self._samplers:
                values = self._samplers[name](draws[:, i])
                self._values[name][rows] = np.clip(values, parameter.minimum, parameter.maximum)
            elif name in self._set:
                self._values[name][rows] = self._set[name]
            elif parameter.sample:
                span = parameter.maximum - parameter.minimum
                self._values[name][rows] = parameter.minimum + span * draws[:, i]
            self._spread(name, rows)

    def _spread(self, name: str, rows: NDArray[np.intp]) -> None:
        if self._crew > 1:
            self._of_agents[name].reshape(-1, self._crew)[rows] = self._values[name][rows, None]
