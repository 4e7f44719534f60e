"""What a promotion job was asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

KIND = "promotion"


class PromotionRequest(BaseModel):
    """A promotion that first makes the evidence which its gates miss.

    Attributes:
        version_id: who shall be promoted.
        alias: to where.
        gates: as they were given; None: the default ones.
        seen: version and number of moves of the alias when it was asked for; None where nothing held it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version_id: str
    alias: str
    gates: str | None = None
    seen: tuple[str, int] | None = None
