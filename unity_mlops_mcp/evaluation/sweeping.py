"""The values that a sweep over a parameter tries."""

from __future__ import annotations

import numpy as np

from unity_mlops_mcp.evaluation.request import SWEEP_VALUES
from unity_mlops_mcp.spec.base import Parameter


def even_values(parameter: Parameter, values: int = SWEEP_VALUES) -> tuple[float, ...]:
    """Even steps from a parameter's least value to its greatest; whole numbers where both ends are."""
    steps = np.linspace(parameter.minimum, parameter.maximum, values)
    if parameter.minimum.is_integer() and parameter.maximum.is_integer():
        steps = np.unique(np.round(steps))
    return tuple(float(round(value, 6)) for value in np.unique(steps))
