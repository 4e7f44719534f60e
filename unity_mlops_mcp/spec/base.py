"""What every part of a spec shares: strict frozen records, names, and numbers that may be parameters."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from typing_extensions import Self

from unity_mlops_mcp.errors import unknown_name


def digest_of(data: Any) -> str:
    """Sha256 (hex) over the canonical JSON of what JSON gave."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A lower-case name such as ``target`` or ``obstacle_count``."""

Quantity = Annotated[
    float | Name,
    Field(description="A number, or the name of an entry of `parameters` whose value is used in each episode."),
]


class Strict(BaseModel):
    """A record that refuses unknown fields, and tells the nearest that there is."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _tell_what_there_is(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            if not any(_is_unknown(fault) for fault in faults):
                raise
            told = [_told(fault, cls) for fault in faults]
            raise ValidationError.from_exception_data(error.title, told) from None


class Part(Strict):
    """A frozen piece of a spec that refuses unknown fields, infinities and NaN."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


def _is_unknown(fault: ErrorDetails) -> bool:
    return fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1


def _told(fault: ErrorDetails, part: type[BaseModel]) -> InitErrorDetails:
    """The same fault; of an unknown field with what there is."""
    known = part.model_fields
    message = unknown_name(str(fault["loc"][0]), known) if _is_unknown(fault) else fault["msg"]
    kind: Any = fault["type"]
    return InitErrorDetails(
        type=PydanticCustomError(kind, "{told}", {"told": message}), loc=fault["loc"], input=fault["input"]
    )


class Lesson(Part):
    """One stage of a curriculum (ML-Agents' ``curriculum`` of an environment parameter)."""

    value: float | tuple[float, float]
    """The parameter's value, or [least, greatest]: drawn uniformly in each episode."""
    measure: Literal["progress", "reward"] = "progress"
    """What decides that the lesson is over: steps / max_steps of the training, or the mean reward of an episode."""
    threshold: float | None = None
    """The next lesson begins when the measure is above it (progress: 0..1); only the last lesson has none."""
    min_lesson_length: int = Field(default=100, ge=1, description="Episodes at least before the measure counts.")
    signal_smoothing: bool = True
    """Smooth the measure by its own past."""


class Parameter(Part):
    """A number that the trainer may set (an ML-Agents environment parameter) and a curriculum may raise."""

    default: float
    """The value where nobody sets another."""
    minimum: float
    """Least value; a smaller one that the trainer sends is raised to it."""
    maximum: float
    """Greatest value; a greater one that the trainer sends is lowered to it."""
    sample: bool = False
    """Draw the value uniformly from minimum..maximum in each episode, until the trainer sets it."""
    curriculum: tuple[Lesson, ...] = ()
    """Lessons that the trainer leads through, easiest first; then the range is only their bound."""
    description: str = ""
    """What the parameter does, for whoever writes a curriculum."""
