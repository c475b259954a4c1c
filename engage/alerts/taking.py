"""A clinician takes an alert, or says what was done about it. In the caller's transaction; the answer is a value."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.model import Alert, AlertEvent, AlertRule
from engage.alerts.rules.words import AlertState, EventKind, Outcome
from engage.errors import BadInput, NotFound
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind


@dataclass(frozen=True, slots=True)
class Taken:
    """The alert is theirs now (or was already)."""

    alert_id: int
    code: str


@dataclass(frozen=True, slots=True)
class TakenByOther:
    """Somebody was quicker."""

    alert_id: int
    code: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlreadyResolved:
    """Nothing is left to do."""

    alert_id: int
    code: str


def acknowledge(
    session: Session, agency_id: int, clinician_id: int, code: str, now: datetime
) -> Taken | TakenByOther | AlreadyResolved | None:
    """Take the alert with `code` for a clinician; None when there is no such alert.

    A code is used again after its alert is resolved, so the newest unresolved one is meant, else the newest of all.
    """
    alert = session.scalars(
        select(Alert)
        .where(Alert.agency_id == agency_id, Alert.code == code)
        .order_by((Alert.state == AlertState.RESOLVED).asc(), Alert.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    if alert is None:
        return None
    if alert.state == AlertState.RESOLVED:
        return AlreadyResolved(alert.id, code)
    if alert.state == AlertState.ACKNOWLEDGED:
        return _held(session, alert, clinician_id)
    rule = session.scalars(
        select(AlertRule).where(AlertRule.agency_id == agency_id, AlertRule.kind == alert.kind)
    ).one()
    alert.state = AlertState.ACKNOWLEDGED
    alert.acknowledged_by, alert.acknowledged_at = clinician_id, now
    alert.next_due_at = now + timedelta(minutes=rule.acknowledged_minutes)
    alert.exhausted_at = None
    _event(session, alert, now, EventKind.ACKNOWLEDGED, clinician_id)
    return Taken(alert.id, code)


def _held(session: Session, alert: Alert, clinician_id: int) -> Taken | TakenByOther:
    if alert.acknowledged_by == clinician_id or alert.acknowledged_at is None:
        return Taken(alert.id, alert.code)
    holder = session.get_one(Clinician, (alert.agency_id, alert.acknowledged_by))
    return TakenByOther(alert.id, alert.code, holder.first_name, alert.acknowledged_at)


def others_paged(session: Session, agency_id: int, alert_id: int, but: int) -> list[int]:
    """Clinicians who were paged for the alert, without the one who took it."""
    paged = session.scalars(
        select(AlertEvent.clinician_id)
        .where(AlertEvent.agency_id == agency_id, AlertEvent.alert_id == alert_id, AlertEvent.kind == EventKind.PAGED)
        .distinct()
    )
    return sorted(person for person in paged if person is not None and person != but)


def tell_others(session: Session, agency_id: int, taken: Taken, by: int, at: str, now: datetime) -> None:
    """Tell everybody else who was paged who has it; `at` is the wall clock as they read it."""
    holder = session.get_one(Clinician, (agency_id, by))
    for person in others_paged(session, agency_id, taken.alert_id, by):
        note = Outgoing(
            agency_id=agency_id,
            kind=Kind.NOTE,
            template="note-taken-by-other",
            clinician_id=person,
            alert_id=taken.alert_id,
            params={"code": taken.code, "who": holder.first_name, "at": at},
        )
        queue(session, note, now)


def resolve(
    session: Session, agency_id: int, code: str, clinician_id: int, outcome: str, note: str | None, now: datetime
) -> int:
    """Close the unresolved alert with `code` and keep what was done; returns its id.

    Raises NotFound without such an alert, BadInput for an outcome that is not one.
    """
    if outcome not in set(Outcome):
        raise BadInput(f"The outcome {outcome!r} is not one of: {', '.join(Outcome)}.")
    alert = session.scalars(
        select(Alert)
        .where(Alert.agency_id == agency_id, Alert.code == code, Alert.state != AlertState.RESOLVED)
        .with_for_update()
    ).first()
    if alert is None:
        raise NotFound(f"No unresolved alert has the code {code}: see engage alerts list.")
    if session.get(Clinician, (agency_id, clinician_id)) is None:
        raise NotFound("That clinician does not work in this agency.")
    alert.state, alert.resolved_at, alert.resolved_by = AlertState.RESOLVED, now, clinician_id
    alert.outcome, alert.note, alert.next_due_at = outcome, note, None
    _event(session, alert, now, EventKind.RESOLVED, clinician_id)
    return alert.id


def _event(session: Session, alert: Alert, now: datetime, kind: EventKind, clinician_id: int) -> None:
    session.add(AlertEvent(agency_id=alert.agency_id, alert_id=alert.id, at=now, kind=kind, clinician_id=clinician_id))
