"""Makes deliveries of events, and tries them over hours until they arrive; any process may, nothing is sent by two."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.scheduling.notifying import email, webhook
from unity_mlops_mcp.scheduling.notifying.catalogue import notice_of
from unity_mlops_mcp.scheduling.notifying.records import Notice, Wishes
from unity_mlops_mcp.store.rows import DeliveryRow, EndpointRow
from unity_mlops_mcp.store.store import Store

WAITS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds before each attempt; after the last one a delivery is dead."""
JITTER = 0.2
AT_ONCE = 8
CLAIM_S = 120.0
"""Longer than one attempt can take; a killed process's claim ends by itself."""
_PAGE = 200


class Deliverer:
    """The notifications of one home.

    Args:
        store: where endpoints and deliveries are kept.
        settings: the mail server's.
        timeout_s: for each step of an exchange.
    """

    def __init__(self, store: Store, settings: Settings, *, timeout_s: float = webhook.TIMEOUT_S) -> None:
        self._store = store
        self._settings = settings
        self._timeout_s = timeout_s
        self._random = random.SystemRandom()

    def tend(self, now: datetime) -> int:
        """Make deliveries of what happened and try those that are due; how many were tried.

        It takes as long as the slowest receiver, at most some timeouts.
        """
        endpoints = {row.endpoint_id: row for row in self._store.notices.endpoints()}
        if not endpoints:
            return 0
        for endpoint in endpoints.values():
            if endpoint.disabled is None:
                self._spread(endpoint, now)
        claimed = self._store.notices.claim(now=now, until=now + timedelta(seconds=CLAIM_S), limit=AT_ONCE)
        if claimed:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(lambda row: self._try(endpoints.get(row.endpoint_id), row, now), claimed))
        return len(claimed)

    def _spread(self, endpoint: EndpointRow, now: datetime) -> None:
        """Make deliveries of the events that the endpoint was not told of yet."""
        events = self._store.events.after(endpoint.after_seq, limit=_PAGE)
        if not events:
            return
        wishes = Wishes.model_validate(endpoint.data)
        notices = [notice for event in events if (notice := notice_of(self._store, event)) is not None]
        made = [delivery_of(endpoint, notice, now) for notice in notices if wishes.include(notice)]
        self._store.notices.spread(endpoint, events[-1].seq, made)

    def _try(self, endpoint: EndpointRow | None, row: DeliveryRow, now: datetime) -> None:
        if endpoint is None or endpoint.disabled is not None:
            reason = endpoint.disabled if endpoint else "the endpoint was removed"
            self._settle(row, "dead", now, problem=reason)
            return
        try:
            self.send(endpoint, row, now)
        except webhook.GoneError as error:
            self._store.notices.disable(endpoint.endpoint_id, error.message)
            self._settle(row, "dead", now, problem=error.message)
        except email.RefusedError as error:
            self._settle(row, "dead", now, problem=error.message)
        except MlopsError as error:
            self._later(row, error.message, now)
        else:
            self._settle(row, "delivered", now)

    def send(self, endpoint: EndpointRow, row: DeliveryRow, now: datetime) -> None:
        """Try a delivery once and write nothing down.

        Raises:
            ExternalError: it was not taken.
        """
        notice, wishes = Notice.model_validate(row.body), Wishes.model_validate(endpoint.data)
        if endpoint.kind == "email":
            email.send(
                endpoint.target,
                notice,
                message_id=row.delivery_id,
                settings=self._settings,
                timeout_s=self._timeout_s,
            )
            return
        webhook.send(
            endpoint.target,
            webhook.body_of(notice, wishes.shape),
            secret=endpoint.secret,
            message_id=row.delivery_id,
            timestamp=int(now.timestamp()),
            private=wishes.private,
            timeout_s=self._timeout_s,
        )

    def _later(self, row: DeliveryRow, problem: str, now: datetime) -> None:
        attempts = row.attempts + 1
        if attempts >= len(WAITS_S):
            self._settle(row, "dead", now, problem=problem)
            return
        wait = WAITS_S[attempts] * (1 + self._random.uniform(-JITTER, JITTER))
        values = {"attempts": attempts, "problem": problem[:500], "next_at": now + timedelta(seconds=wait)}
        self._store.notices.settle(row.delivery_id, **values)

    def _settle(self, row: DeliveryRow, state: str, now: datetime, *, problem: str | None = None) -> None:
        told = problem[:500] if problem else None
        values = {"state": state, "attempts": row.attempts + 1, "problem": told, "finished_at": now}
        self._store.notices.settle(row.delivery_id, **values)


def delivery_of(endpoint: EndpointRow, notice: Notice, now: datetime) -> DeliveryRow:
    """A notice on its way to an endpoint; its id is made of both, so that it is the same whoever makes it."""
    return DeliveryRow(
        delivery_id=f"msg_{endpoint.endpoint_id}_{notice.sequence}",
        endpoint_id=endpoint.endpoint_id,
        seq=notice.sequence,
        event=notice.type,
        body=notice.model_dump(mode="json"),
        state="pending",
        next_at=now,
        created_at=now,
    )
