"""What the operations on notifications answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from unity_mlops_mcp.results.base import Result


class EndpointResult(Result):
    """Somebody who is told of events."""

    endpoint_id: str
    kind: Literal["webhook", "email"]
    target: str = Field(description="The address; of a URL without its path, which often is a secret.")
    events: list[str] = Field(description="Which types; empty: all.")
    kinds: list[str] = Field(description="Of which sorts of jobs.")
    shape: str
    private: bool = Field(description="Whether its address may be a loopback or private one.")
    disabled: str | None = Field(default=None, description="Why it gets nothing any more.")
    pending: int = Field(description="Deliveries on their way.")
    dead: int = Field(description="Deliveries that were given up.")
    secret: str | None = Field(default=None, description="What signs its webhooks; shown once, when it is made.")
    next: str


class EndpointList(Result):
    """All endpoints."""

    endpoints: list[EndpointResult]
    next: str


class DeliveryResult(Result):
    """One event on its way to one endpoint."""

    delivery_id: str
    endpoint_id: str
    target: str = Field(description="Where to; of a URL without its path.")
    created_at: datetime
    event: str
    sequence: int
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_at: datetime | None = None
    problem: str | None = None
    summary: str


class DeliveryList(Result):
    """What is or was on its way, newest first."""

    deliveries: list[DeliveryResult]
    next: str


class Replayed(Result):
    """Dead deliveries that are tried anew."""

    count: int
    next: str
