"""Puts a message for one reader into the outbox, in the caller's transaction: answers, pages, notes. Sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from engage.outreach.model import Message
from engage.outreach.rules.words import Asks, Channel, Kind, Priority

_PRIORITY = {
    Kind.OPT_OUT_CONFIRMATION: Priority.OPT_OUT_CONFIRMATION,
    Kind.ANSWER: Priority.ANSWER,
    Kind.HAND: Priority.ANSWER,
    Kind.ENROLMENT: Priority.DAY_BEFORE,
    Kind.PAGE: Priority.PAGE,
    Kind.NOTE: Priority.PAGE,
}
# An opt-out is confirmed within five minutes or not at all (47 CFR 64.1200(a)(12)); a late answer confuses.
_USEFUL = {
    Kind.OPT_OUT_CONFIRMATION: timedelta(minutes=5),
    Kind.ANSWER: timedelta(hours=2),
    Kind.HAND: timedelta(hours=12),  # written in the evening, it may wait for the patient's morning
    Kind.ENROLMENT: timedelta(hours=36),  # asked in the night, it waits for the day; the reminder comes after two
    Kind.PAGE: timedelta(minutes=30),
    Kind.NOTE: timedelta(hours=1),
}


_MESSAGES = cast(Table, Message.__table__)  # a row of a table costs half of what an object costs


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to queue. `params` fill its template and hold no personal data; what is urgent leaves before all else.

    `after`: so long it waits, so that what must be read first comes first. `also_for`: other patients on the phone whom it names. `body`: words written by hand, by `written_by`, for consents of `category`.
    """

    agency_id: int
    kind: Kind
    template: str
    contact_id: int | None = None
    clinician_id: int | None = None
    patient_id: int | None = None
    reply_id: int | None = None
    alert_id: int | None = None
    alert_round: int | None = None
    alert_step: int | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    useful_for: timedelta | None = None
    also_for: tuple[int, ...] = ()
    body: str | None = None
    written_by: int | None = None
    category: str | None = None
    channel: Channel = Channel.SMS
    is_urgent: bool = False
    asks: Asks = Asks.NOTHING
    touchpoint_id: int | None = None
    after: timedelta = timedelta(0)


def queue(session: Session, outgoing: Outgoing, now: datetime) -> int | None:
    """The new message's id; None when this answer or page is in the outbox already."""
    own = {"params", "useful_for", "also_for", "is_urgent", "after"}
    row = {name: getattr(outgoing, name) for name in Outgoing.__slots__ if name not in own}
    useful = outgoing.useful_for or _USEFUL[outgoing.kind]
    values = {
        **row,
        "params": dict(outgoing.params),
        "also_for": list(outgoing.also_for) or None,
        "priority": _priority(outgoing),
        "state": "planned",
        "attempts": 0,
        "planned_at": now,
        "send_at": now + outgoing.after,
        "due_at": now + outgoing.after,
        "expires_at": now + outgoing.after + useful,
    }
    message_id: int | None = session.scalar(
        insert(_MESSAGES).values(values).on_conflict_do_nothing().returning(_MESSAGES.c.id)
    )
    return message_id


def _priority(outgoing: Outgoing) -> Priority:
    if outgoing.channel is Channel.EMAIL:
        return Priority.MAIL
    return Priority.URGENT_PAGE if outgoing.is_urgent else _PRIORITY[outgoing.kind]
