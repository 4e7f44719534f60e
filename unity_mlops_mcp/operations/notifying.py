"""The operations on notifications: who is told of what, and what is on its way."""

from __future__ import annotations

import dataclasses
import logging
from contextlib import suppress
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Literal, get_args

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import names
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.notices import DeliveryList, DeliveryResult, EndpointList, EndpointResult, Replayed
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import DeliveryRow, EndpointRow

if TYPE_CHECKING:
    from unity_mlops_mcp.scheduling.notifying.records import Shape, Wishes

_LOG = logging.getLogger(__name__)
DeliveryState = Literal["pending", "delivered", "dead"]
_SENT_SOON = "They are sent within seconds while a process of ours lives."
_NOTHING_DEAD = (
    "Nothing of it is dead, or its endpoint is disabled: unity-mlops notify replay ENDPOINT_ID tells it again."
)
_NEXT = "unity-mlops notify test ENDPOINT_ID sends it a test."


class Notifications:
    """Webhooks and e-mail."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._warned = False

    def add_endpoint(
        self,
        target: str,
        *,
        events: str | None = None,
        kinds: str | None = None,
        shape: Shape = "standard",
        private: bool = False,
        secret: str | None = None,
        replace: bool = False,
    ) -> EndpointResult:
        """Tell somebody of what happens from now on.

        Args:
            target: an http or https URL, or an e-mail address.
            events: types or their first words, separated by commas, such as ``job.failed,model``; left out: all.
            kinds: sorts of jobs, separated by commas, or ``all``; left out: trainings, pipelines,
                Unity builds and promotions.
            shape: how a webhook's body looks: ours, Slack's or Discord's.
            private: whether a webhook may go to a loopback or private address.
            secret: signs it: ``whsec_`` and base64; left out: a new one, which the answer shows this once.
            replace: change the endpoint of this target, where there is one: it gets these events, kinds, shape and
                privacy, and keeps its id, what is on its way, and its secret unless one is given.

        Raises:
            InvalidInputError: something cannot be used; nothing was written.
            ConflictError: the target is told already, and ``replace`` is false.
        """
        from unity_mlops_mcp.scheduling.notifying import email, signing, webhook

        wishes = _wishes(events, kinds, shape, private=private)
        by_mail = "@" in target and "://" not in target
        checked = email.require_address(target) if by_mail else webhook.require_url(target, private=private)
        if by_mail:
            email.require_server(self._parts.settings)
        made = None if by_mail else signing.require_secret(secret) if secret else signing.new_secret()
        now = utc_now()
        row = EndpointRow(
            endpoint_id=new_id("endpoint", now=now, rng=SystemRandom()),
            kind="email" if by_mail else "webhook",
            target=checked,
            data=wishes.model_dump(mode="json"),
            after_seq=0,
            created_at=now,
            secret=made,
        )
        if self._parts.store.notices.add(row):
            return self._result(row).model_copy(update={"secret": made if made != secret else None})
        known = self._row(target)
        if not replace:
            raise ConflictError(
                f"{webhook.masked(target)} is told already, as {known.endpoint_id}.",
                fix="Change it with --replace, or remove it: unity-mlops notify remove " + known.endpoint_id,
            )
        kept = made if secret and not by_mail else known.secret
        return self._changed(dataclasses.replace(known, data=row.data, secret=kept))

    def list_endpoints(self) -> EndpointList:
        """Who is told, and how that goes."""
        found = [self._result(row) for row in self._parts.store.notices.endpoints()]
        told = _NEXT if found else "unity-mlops notify add URL adds the first."
        return EndpointList(endpoints=found, next=told)

    def remove_endpoint(self, endpoint_id: str) -> EndpointResult:
        """Tell an endpoint nothing any more; what is on its way to it is dropped.

        Raises:
            NotFoundError: there is no such endpoint.
        """
        row = self._row(endpoint_id)
        told = self._result(row)
        self._parts.store.notices.remove(row.endpoint_id)
        return told.model_copy(update={"next": "It is told nothing any more."})

    def test_endpoint(self, endpoint_id: str) -> EndpointResult:
        """Send a test now.

        Raises:
            NotFoundError: there is no such endpoint.
            ExternalError: it did not take it; the message says why.
        """
        from unity_mlops_mcp.scheduling.notifying.deliver import delivery_of
        from unity_mlops_mcp.scheduling.notifying.records import Notice, NoticeData

        row, now = self._row(endpoint_id), utc_now()
        notice = Notice(
            type="test", sequence=0, timestamp=now, data=NoticeData(summary="A test of unity-mlops: all is well.")
        )
        sent = delivery_of(row, notice, now)
        fresh = new_id(f"msg-{row.endpoint_id}-test", now=now, rng=SystemRandom())
        self._parts.deliverer.send(row, dataclasses.replace(sent, delivery_id=fresh), now)
        return self._result(row).model_copy(update={"next": "It took the test."})

    def renew_secret(self, endpoint_id: str) -> EndpointResult:
        """Give a webhook a new secret, which the answer shows this once; what is sent from now on is signed by it.

        Raises:
            NotFoundError: there is no such endpoint.
            InvalidInputError: it is an e-mail address, which has none.
            ConflictError: the settings of this process give its secret.
        """
        from unity_mlops_mcp.scheduling.notifying import signing

        row, settings = self._row(endpoint_id), self._parts.settings
        if row.kind == "email":
            raise InvalidInputError(f"{row.target} is an e-mail address, which has no secret.", fix="Name a webhook.")
        of_settings = settings.webhook_url is not None and settings.webhook_url.get_secret_value() == row.target
        if of_settings and settings.webhook_secret is not None:
            raise ConflictError(
                f"{row.endpoint_id} has the secret of UNITY_MLOPS_WEBHOOK_SECRET.", fix="Set another one there."
            )
        made = signing.new_secret()
        return self._changed(dataclasses.replace(row, secret=made)).model_copy(update={"secret": made})

    def list_deliveries(
        self, endpoint_id: str | None = None, *, state: DeliveryState | None = None, limit: int = 50
    ) -> DeliveryList:
        """What is or was on its way, newest first.

        Raises:
            NotFoundError: there is no such endpoint.
        """
        from unity_mlops_mcp.scheduling.notifying.webhook import masked

        if endpoint_id is not None:
            self._row(endpoint_id)
        rows = self._parts.store.notices.deliveries(endpoint_id=endpoint_id, state=state, limit=limit)
        targets = {row.endpoint_id: masked(row.target) for row in self._parts.store.notices.endpoints()}
        return DeliveryList(
            deliveries=[_delivery(row, targets.get(row.endpoint_id, "removed")) for row in rows],
            next="unity-mlops notify replay tries the dead ones anew.",
        )

    def replay_deliveries(self, *, delivery_id: str | None = None, endpoint_id: str | None = None) -> Replayed:
        """Let dead deliveries be tried anew: one, those of an endpoint, or all.

        A disabled endpoint that is named is told again of what happens from now on; what happened while it was
        disabled is not made up for. Dead deliveries of other disabled endpoints stay dead.

        Raises:
            NotFoundError: there is no such endpoint.
        """
        notices = self._parts.store.notices
        if endpoint_id is not None:
            notices.enable(self._row(endpoint_id).endpoint_id)
        count = notices.replay(now=utc_now(), delivery_id=delivery_id, endpoint_id=endpoint_id)
        return Replayed(count=count, next=_SENT_SOON if count else _NOTHING_DEAD)

    def tend(self, now: datetime | None = None) -> int:
        """Send what is due; how many deliveries were tried. It takes about a minute at most."""
        self._warn()
        try:
            self._ensure_configured()
        finally:  # the others are told, whatever is wrong with the one of the settings
            tried = self._parts.deliverer.tend(now or utc_now())
        return tried

    def ensure_endpoint(self, url: str, *, private: bool | None = None, secret: str | None = None) -> None:
        """Tell a webhook from now on; when it is told already, by this secret and to such an address.

        Args:
            url: its URL.
            private: whether it may be a loopback or private address; None: as it is, or no for a new one.
            secret: signs it; None: that of the settings, or as it is, or a new one, which `renew_secret` replaces by
                one that is shown.

        Raises:
            InvalidInputError: the URL or the secret cannot be used.
        """
        from unity_mlops_mcp.scheduling.notifying import signing

        if secret is None and self._parts.settings.webhook_secret is not None:
            secret = self._parts.settings.webhook_secret.get_secret_value()
        row = next((row for row in self._parts.store.notices.endpoints() if row.target == url), None)
        if row is None:
            with suppress(ConflictError):  # another process has just done it
                self.add_endpoint(url, private=bool(private), secret=secret)
            return
        given = {} if private is None else {"private": private}
        kept = signing.require_secret(secret) if secret else row.secret
        wanted = dataclasses.replace(row, secret=kept, data={**row.data, **given})
        if wanted != row:
            self._parts.store.notices.change(wanted)

    def _warn(self) -> None:
        """Say once, in the log of this process, that it can send no e-mail."""
        if not self._warned and (problem := self._parts.deliverer.mail_problem()):
            self._warned = True
            _LOG.warning("E-mail: %s", problem)

    def _ensure_configured(self) -> None:
        """The endpoint that the settings name is one like any other; what they do not say of it stays as it is."""
        settings = self._parts.settings
        if settings.webhook_url is not None:
            private = settings.webhook_private if "webhook_private" in settings.model_fields_set else None
            self.ensure_endpoint(settings.webhook_url.get_secret_value(), private=private)

    def _changed(self, row: EndpointRow) -> EndpointResult:
        self._parts.store.notices.change(row)
        return self._result(row)

    def _row(self, endpoint_id: str) -> EndpointRow:
        rows = self._parts.store.notices.endpoints()
        for row in rows:
            if endpoint_id in (row.endpoint_id, row.target):
                return row
        known = ", ".join(row.endpoint_id for row in rows) or "none yet"
        raise NotFoundError(f"There is no endpoint {endpoint_id!r}.", fix=f"Endpoints: {known}.")

    def _result(self, row: EndpointRow) -> EndpointResult:
        from unity_mlops_mcp.scheduling.notifying.records import Wishes
        from unity_mlops_mcp.scheduling.notifying.webhook import masked

        wishes, notices = Wishes.model_validate(row.data), self._parts.store.notices
        return EndpointResult.model_validate(
            {
                "endpoint_id": row.endpoint_id,
                "kind": row.kind,
                "target": masked(row.target),
                "events": list(wishes.events),
                "kinds": list(wishes.kinds),
                "shape": wishes.shape,
                "private": wishes.private,
                "disabled": row.disabled,
                "pending": notices.count(row.endpoint_id, "pending"),
                "dead": notices.count(row.endpoint_id, "dead"),
                "next": _NEXT,
            }
        )


def _wishes(events: str | None, kinds: str | None, shape: Shape, *, private: bool) -> Wishes:
    from unity_mlops_mcp.kinds import KINDS
    from unity_mlops_mcp.scheduling.notifying.records import EVERY_KIND, EventType, Wishes

    types = set(get_args(EventType))
    asked = names(events)
    unknown = [one for one in asked if one not in types and one not in {name.split(".")[0] for name in types}]
    if unknown:
        raise InvalidInputError(f"There is no event {', '.join(unknown)}.", fix=f"Events: {', '.join(sorted(types))}.")
    sorts = names(kinds)
    strange = [one for one in sorts if one not in KINDS and one != EVERY_KIND]
    if strange:
        raise InvalidInputError(
            f"There is no kind of job {', '.join(strange)}.", fix=f"Kinds: {EVERY_KIND}, {', '.join(sorted(KINDS))}."
        )
    chosen = {"kinds": sorts} if sorts else {}
    return Wishes.model_validate({"events": asked, "shape": shape, "private": private, **chosen})


def _delivery(row: DeliveryRow, target: str) -> DeliveryResult:
    return DeliveryResult.model_validate(
        {
            "delivery_id": row.delivery_id,
            "endpoint_id": row.endpoint_id,
            "target": target,
            "created_at": row.created_at,
            "event": row.event,
            "sequence": row.seq,
            "state": row.state,
            "attempts": row.attempts,
            "next_at": row.next_at if row.state == "pending" else None,
            "problem": row.problem,
            "summary": row.body["data"]["summary"],
        }
    )
