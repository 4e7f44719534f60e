"""What a schedule is, as frozen records; kept in its row."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.scheduling.cron import CONTINUOUS, read_cron, read_zone
from unity_mlops_mcp.scheduling.words import CatchUp, Overlap
from unity_mlops_mcp.store.rows import ScheduleRow

LONGEST_NAME = 100


def _one_line(name: str) -> str:
    """A name that fits into tables and messages."""
    cleaned = " ".join(name.split())
    if not 0 < len(cleaned) <= LONGEST_NAME:
        raise InvalidInputError(
            f"The schedule's name is empty or longer than {LONGEST_NAME} characters.", fix="Give a short name."
        )
    bad = next((character for character in cleaned if unicodedata.category(character) in ("Cc", "Cs")), None)
    if bad is not None:
        raise InvalidInputError(
            f"The schedule's name holds {bad!a}, which is no character that can be shown.", fix="Leave it out."
        )
    return cleaned


Cron = Annotated[str, AfterValidator(read_cron)]
ScheduleName = Annotated[str, AfterValidator(_one_line)]
MaxConcurrentJobs = Annotated[int, Field(ge=1, le=64)]


class Rule(BaseModel):
    """When a schedule fires.

    Attributes:
        cron: five fields (minute, hour, day of month, month, day of week), a word of `PRESETS`, or ``continuous``.
        timezone: the zone in which the fields are meant, such as ``Europe/Berlin``.
        pause_s: seconds between the end of a firing and the next one of a continuous schedule.
        overlap: what happens to a firing while an earlier one runs.
        catch_up: which of the moments that nobody was there for are made up for.

    Raises:
        InvalidInputError: cron or zone is none that this machine knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: Cron
    timezone: Annotated[str, AfterValidator(read_zone)] = "UTC"
    pause_s: float = Field(default=60.0, ge=0, le=30 * 86_400)
    overlap: Overlap = "skip"
    catch_up: CatchUp = "latest"

    @property
    def continuous(self) -> bool:
        """Whether it fires whenever the last firing is over."""
        return self.cron == CONTINUOUS

    @property
    def pause(self) -> timedelta:
        """The pause of a continuous schedule."""
        return timedelta(seconds=self.pause_s)


class Schedule(BaseModel):
    """A rule and what it starts.

    Attributes:
        name: unique in the home; at most 100 characters.
        rule: when it fires.
        work: one pipeline for each asset.
        max_concurrent_jobs: pipelines of one firing that run at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ScheduleName
    rule: Rule
    work: tuple[Wanted, ...] = Field(min_length=1)
    max_concurrent_jobs: MaxConcurrentJobs = 4


def read_schedule(row: ScheduleRow) -> Schedule:
    """The schedule that a row keeps.

    Raises:
        InvalidInputError: this machine does not know its zone, or this version its fields.
    """
    try:
        return Schedule.model_validate(row.data)
    except ValidationError as error:
        places = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_url=False)})
        raise InvalidInputError(
            f"This version cannot read {', '.join(places)} of the schedule.",
            fix="Change these fields with update_schedule, or remove the schedule and add it again.",
        ) from error
