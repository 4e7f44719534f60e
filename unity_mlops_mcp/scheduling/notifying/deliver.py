"""Makes deliveries of events, and tries them over hours until they arrive; any process may, nothing is sent by two."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.scheduling.notifying import email, webhook
from unity_mlops_mcp.scheduling.notifying.catalogue import notice_of
from unity_mlops_mcp.scheduling.notifying.deadline import Deadline
from unity_mlops_mcp.scheduling.notifying.records import Notice, Wishes
from unity_mlops_mcp.store.rows import DeliveryRow, EndpointRow
from unity_mlops_mcp.store.store import Store

WAITS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds before each attempt; after the last one a delivery is dead."""
JITTER = 0.2
TIMEOUT_S = 30.0
"""Seconds that one attempt may take."""
CLAIM_S = 120.0
"""Longer than a round: the last attempt begins within the first `TIMEOUT_S` and takes as long at most, and a look-up
of a name takes half a minute. A killed process's claim ends by itself."""
_PAGE = 200


class Deliverer:
    """The notifications of one home.

    Args:
        store: where endpoints and deliveries are kept.
        settings: the mail server's.
        timeout_s: for each attempt.
    """

    def __init__(self, store: Store, settings: Settings, *, timeout_s: float = TIMEOUT_S) -> None:
        self._store = store
        self._settings = settings
        self._timeout_s = timeout_s
        self._random = random.SystemRandom()

    def tend(self, now: datetime) -> int:
        """Make deliveries of what happened and try those that are due; how many were tried.

        Endpoints wait for no other one, and the whole lasts two timeouts at most: what is left then is due at the
        next call.
        """
        for endpoint in self._store.notices.endpoints():
            if endpoint.disabled is None:
                self._spread(endpoint, now)
        waiting = self._store.notices.waiting(now)
        if not waiting:
            return 0
        with ThreadPoolExecutor(len(waiting)) as threads:
            return sum(threads.map(partial(self._tell, now=now, deadline=Deadline(self._timeout_s)), waiting))

    def mail_problem(self) -> MlopsError | None:
        """Why this process can send no e-mail; None where it can, or nobody is told by e-mail."""
        if all(row.kind != "email" for row in self._store.notices.endpoints()):
            return None
        try:
            email.require_server(self._settings)
        except MlopsError as error:
            return error
        return None

    def _spread(self, endpoint: EndpointRow, now: datetime) -> None:
        """Make deliveries of the events that the endpoint was not told of yet."""
        wishes = Wishes.model_validate(endpoint.data)
        while events := self._store.events.after(endpoint.after_seq, limit=_PAGE):
            notices = [notice for event in events if (notice := notice_of(self._store, event)) is not None]
            made = [delivery_of(endpoint, notice, now) for notice in notices if wishes.include(notice)]
            if not self._store.notices.spread(endpoint, events[-1].seq, made):
                return  # another process is at it
            endpoint = replace(endpoint, after_seq=events[-1].seq)

    def _tell(self, endpoint: EndpointRow, now: datetime, deadline: Deadline) -> int:
        """Try what is due for one endpoint, one after the other, until a deadline; how many were tried."""
        tried, until = 0, now + timedelta(seconds=CLAIM_S)
        while not deadline.passed:
            row = self._store.notices.claim(endpoint.endpoint_id, now=now, until=until)
            if row is None:
                break
            self._try(endpoint, row, now)
            tried += 1
        return tried

    def _try(self, endpoint: EndpointRow, row: DeliveryRow, now: datetime) -> None:
        try:
            self.send(endpoint, row, now)
        except webhook.GoneError as error:
            self._settle(row, "dead", now, problem=error.message)
            self._store.notices.disable(endpoint.endpoint_id, error.message, now=now)
        except email.RefusedError as error:
            self._settle(row, "dead", now, problem=error.message)
        except MlopsError as error:
            self._later(row, error.message, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery is put off, and dead in the end
            self._later(row, f"It could not be sent: {type(error).__name__}.", now)  # its text may hold a secret
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
