"""Puts one page for one person into the outbox, on the best channel that is left: an alert and a person in, a row out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.model import Alert, AlertEvent
from engage.alerts.rules.reach import Reach, after, channels
from engage.alerts.rules.words import EventKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.paging import URGENT
from engage.outreach.rules.words import Channel, Kind


@dataclass(frozen=True, slots=True)
class Rung:
    """Where on the ladder a page belongs, and until when it is worth anything.

    `who` is the step's word for whom it pages; `wish` is the step's channel, if it names one.
    """

    round: int
    step: int
    until: datetime
    who: str
    wish: str | None = None
    template: str = "page"


def reach_of(person: Clinician) -> Reach:
    """What is known of how to page them."""
    return Reach(
        has_phone=person.phone_hash is not None,
        has_email=person.email is not None,
        has_stopped_texts=person.texts_stopped_at is not None,
        wanted=tuple(person.page_channels),
    )


def is_reachable(person: Clinician) -> bool:
    """Whether any channel reaches them."""
    return bool(channels(reach_of(person)))


def page_person(
    session: Session, alert: Alert, person: Clinician, rung: Rung, now: datetime, tried: Sequence[str] = ()
) -> Channel | None:
    """Page `person` on their first channel that is not among `tried`; None when there is none, or they have that page."""
    channel = after(tried, reach_of(person), rung.wish)
    if channel is None or rung.until <= now:
        return None
    page = Outgoing(
        agency_id=alert.agency_id,
        kind=Kind.PAGE,
        template=rung.template,
        clinician_id=person.id,
        patient_id=alert.patient_id,
        alert_id=alert.id,
        alert_round=rung.round,
        alert_step=rung.step,
        params={"code": alert.code, "severity": alert.severity, "paged_as": rung.who},
        useful_for=max(rung.until - now, timedelta(seconds=1)),
        channel=channel,
        is_urgent=alert.severity >= URGENT,
    )
    message_id = queue(session, page, now)
    if message_id is None:
        return None
    detail = {"round": rung.round, "step": rung.step, "channel": channel}
    tell(session, alert, now, EventKind.PAGED, clinician_id=person.id, message_id=message_id, detail=detail)
    return channel


def tell(
    session: Session,
    alert: Alert,
    now: datetime,
    kind: EventKind,
    *,
    clinician_id: int | None = None,
    message_id: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add one thing to the alert's story."""
    session.add(
        AlertEvent(
            agency_id=alert.agency_id,
            alert_id=alert.id,
            at=now,
            kind=kind,
            clinician_id=clinician_id,
            message_id=message_id,
            detail=dict(detail or {}),
        )
    )
