"""Gates and what they found, as frozen records."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.registry.records import ModelVersion

Figure = Literal["success", "return"]
Outcome = Literal["passed", "failed", "missing"]
"""``missing``: evidence that the promotion can make is not there yet."""


class Record(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Gate(Record):
    name: str = Field(min_length=1, max_length=60)


class Evaluated(_Gate):
    """The version was evaluated over enough episodes."""

    kind: Literal["evaluated"]
    episodes: int = Field(default=100, ge=1)


class Described(_Gate):
    """The version says what changed."""

    kind: Literal["described"]


class NotWorse(_Gate):
    """A figure is not worse than the holder's by more than the margin; without a holder, than the goal."""

    kind: Literal["not_worse"]
    figure: Figure
    margin: float = Field(default=0.05, ge=0)
    goal: float | None = None


class NoRegression(_Gate):
    """Endings and counters that mean harm did not become more frequent."""

    kind: Literal["no_regression"]
    measures: tuple[str, ...] = Field(default=(), description="Their names; empty: found by what they are called.")
    margin: float = Field(default=0.02, ge=0)
    limit: float | None = Field(default=None, description="Most that is allowed whatever the holder has.")


class Reproducible(_Gate):
    """A second evaluation, or a second training, came to the same."""

    kind: Literal["reproducible"]
    method: Literal["evaluation", "training"] = "evaluation"
    tolerance: float = Field(default=0.1, ge=0)


Gate = Annotated[Evaluated | Described | NotWorse | NoRegression | Reproducible, Field(discriminator="kind")]
_GATES: TypeAdapter[tuple[Gate, ...]] = TypeAdapter(tuple[Gate, ...])


class GateResult(Record):
    """What one gate found.

    Attributes:
        name: the gate's.
        outcome: whether it holds.
        value: what was found, in figures.
        needed: what would pass it.
        fix: what to do about it; empty when it passed.
    """

    name: str
    outcome: Outcome
    value: str
    needed: str
    fix: str = ""


class Evidence(Record):
    """All that gates look at.

    Attributes:
        version: who shall be promoted.
        evaluation: its newest.
        holder: who holds the alias now.
        holder_evaluation: the holder's newest on the same build, played in the same way.
        second: another evaluation of the same kind: of the same policy with another seed, or of a second training's.
        goal: least success that the preset asks for.
        failures: names of the endings that the spec calls failures.
    """

    version: ModelVersion
    evaluation: Evaluation | None = None
    holder: ModelVersion | None = None
    holder_evaluation: Evaluation | None = None
    second: Evaluation | None = None
    goal: float | None = None
    failures: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def default_gates() -> tuple[Gate, ...]:
    """The gates of ``gates.yaml``."""
    text = files("unity_mlops_mcp.registry.promoting").joinpath("gates.yaml").read_text("utf-8")
    return _GATES.validate_python(yaml.safe_load(text))


def read_gates(text: str | None) -> tuple[Gate, ...]:
    """A caller's own gates, as YAML or JSON; the default ones where there are none.

    Raises:
        InvalidInputError: the text is no list of gates; every wrong field is told.
    """
    if text is None:
        return default_gates()
    try:
        data: Any = yaml.safe_load(text) if len(text) < 20_000 else None  # noqa: PLR2004 - nobody writes so many
        gates = _GATES.validate_python(data)
    except yaml.YAMLError as error:
        raise InvalidInputError(f"gates is no YAML: {str(error).splitlines()[0]}.", fix=_HOW) from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise InvalidInputError(f"gates cannot be used: {told}.", fix=_HOW) from error
    if not gates:
        raise InvalidInputError("gates is an empty list.", fix="Leave it out, or promote with override_reason.")
    return gates


_HOW = "Give a list such as [{name: success, kind: not_worse, figure: success, goal: 0.9}]; docs/promotion.md has all."
