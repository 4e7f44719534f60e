"""What can be changed of a schedule."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, field_validator

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.inputs import names, validated
from unity_mlops_mcp.pipeline.records import HowTrained
from unity_mlops_mcp.scheduling.records import Cron, MaxConcurrentJobs, Rule, Schedule, ScheduleName
from unity_mlops_mcp.spec.yaml_text import read_mapping
from unity_mlops_mcp.store.rows import Json


class ScheduleChanges(Rule, HowTrained):
    """All that can be changed, with the types it has there; what is left out stays as it is.

    Attributes:
        name: another name.
        cron: another rule.
        max_concurrent_jobs: pipelines of one firing that run at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ScheduleName = ""
    cron: Cron = ""
    max_concurrent_jobs: MaxConcurrentJobs = 4

    @field_validator("after", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        return names(given) if isinstance(given, str) else given

    @field_validator("training", mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        return read_mapping(given, what="training") if isinstance(given, str) else given

    def applied_to(self, data: Json) -> Schedule:
        """The schedule of a row's data with these changes; they may mend what could not be read of it.

        Raises:
            InvalidInputError: the rest cannot be used.
        """
        given = self.model_dump(mode="json", exclude_unset=True)
        changed = data | {name: given[name] for name in ("name", "max_concurrent_jobs") if name in given}
        changed["rule"] = data.get("rule", {}) | _those_of(Rule, given)
        changed["work"] = [wanted | _those_of(HowTrained, given) for wanted in data.get("work", [])]
        return validated(Schedule, changed)


def read_changes(text: str) -> ScheduleChanges:
    """The changes that a YAML or JSON text holds.

    Raises:
        InvalidInputError: it is no mapping, a field cannot be changed, or a value cannot be used.
    """
    given = read_mapping(text, what="changes")
    unknown = [str(name) for name in given if name not in ScheduleChanges.model_fields]
    if unknown:
        raise InvalidInputError(
            f"{', '.join(unknown)} cannot be changed.",
            fix=f"What can: {', '.join(sorted(ScheduleChanges.model_fields))}. "
            "For another environment remove the schedule and add a new one.",
        )
    return validated(ScheduleChanges, given)


def _those_of(record: type[Rule | HowTrained], given: Json) -> Json:
    return {name: value for name, value in given.items() if name in record.model_fields}
