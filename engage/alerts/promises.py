"""A patient was told that a nurse will call by a time: the words go out, and the time is kept as a timer on the alert.

A promise is kept when the alert is closed, or somebody called and got no answer. A broken one opens the alert again, pages the
next step at once and is told to the supervisors. Sends nothing itself.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.model import Agency
from engage.alerts.by_code import unresolved
from engage.alerts.model import Alert, AlertRule
from engage.alerts.paging import tell
from engage.alerts.rules.words import AlertState, EventKind
from engage.errors import BadInput
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.wording import clock_words
from engage.outreach.rules.words import Kind
from engage.patients.model import Contact, Patient

LONGEST = timedelta(hours=24)

_SUPERVISORS = text("""
SELECT k.id FROM clinicians k
WHERE k.agency_id = :agency AND k.role = 'supervisor' AND k.phone_hash IS NOT NULL AND (k.left_on IS NULL OR k.left_on > :today)
  AND (k.branch_id IS NULL OR NOT EXISTS (
      SELECT FROM patients p WHERE p.agency_id = k.agency_id AND p.id = CAST(:patient AS bigint) AND p.branch_id <> k.branch_id))
ORDER BY k.id
""")


def promise(session: Session, agency_id: int, code: str, within: timedelta, now: datetime) -> datetime:
    """Tell whoever wrote that a nurse will call `within` that time, and start the timer; until when.

    Raises NotFound without such an unresolved alert, BadInput for one that nobody wrote, or a time beyond a day.
    """
    if not timedelta(0) < within <= LONGEST:
        raise BadInput("A call can be promised within 1 minute to 24 hours.")
    alert = unresolved(session, agency_id, code)
    if alert.contact_id is None or alert.patient_id is None:
        raise BadInput(f"Nobody who can be texted stands behind {code}.")
    patient = session.get_one(Patient, (agency_id, alert.patient_id))
    contact = session.get_one(Contact, (agency_id, alert.contact_id))
    zone = patient.time_zone or session.scalars(select(Agency.time_zone).where(Agency.id == agency_id)).one()
    until = now + within
    words = Outgoing(
        agency_id=agency_id,
        kind=Kind.ANSWER,
        template="promise-call",
        contact_id=contact.id,
        patient_id=patient.id,
        alert_id=alert.id,
        params={"at": clock_words(until, zone, contact.language or patient.language)},
    )
    queue(session, words, now)
    start_timer(session, alert, until, now)
    return until


def start_timer(session: Session, alert: Alert, until: datetime, now: datetime) -> None:
    """Remember that a call was promised; of two promises the earlier one counts."""
    alert.promised_until = until if alert.promised_until is None else min(until, alert.promised_until)
    tell(session, alert, now, EventKind.PROMISED, detail={"until": alert.promised_until.isoformat()})


def start_timer_of_rule(session: Session, alert: Alert, rule: AlertRule, now: datetime) -> None:
    """The timer of an alert whose reply was answered with words that name a time, if the agency's rule says so."""
    if rule.promise_minutes is not None and alert.reply_id is not None:
        start_timer(session, alert, now + timedelta(minutes=rule.promise_minutes), now)


def break_promises(session: Session, now: datetime) -> int:
    """How many promises were not kept: their alerts are open again and due now, and the supervisors read of them."""
    overdue = session.scalars(
        select(Alert)
        .where(Alert.promised_until <= now, Alert.state != AlertState.RESOLVED)
        .order_by(Alert.severity.desc(), Alert.id)
        .limit(200)
        .with_for_update(skip_locked=True)
    ).all()
    broken = 0
    for alert in overdue:
        agency_id, alert_id = alert.agency_id, alert.id
        try:
            with session.begin_nested():
                _break(session, alert, now)
            broken += 1
        except Exception:  # noqa: BLE001 - one agency's broken row must not keep every other alert from its nurse
            log.get().exception("a broken promise cannot be told", agency=agency_id, alert=alert_id)
    return broken


def _break(session: Session, alert: Alert, now: datetime) -> None:
    detail = {"until": alert.promised_until.isoformat() if alert.promised_until else None}
    tell(session, alert, now, EventKind.PROMISE_BROKEN, clinician_id=alert.acknowledged_by, detail=detail)
    log.get().error("a promised call was not made", agency=alert.agency_id, alert=alert.id)
    alert.promised_until = alert.try_again_at = None
    if alert.state == AlertState.ACKNOWLEDGED:
        tell(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by)
        alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.OPEN, None, None
    if alert.exhausted_at is None:
        alert.next_due_at = now
    _tell_supervisors(session, alert, now)


def _tell_supervisors(session: Session, alert: Alert, now: datetime) -> None:
    names = {"agency": alert.agency_id, "patient": alert.patient_id, "today": now.date()}
    for supervisor in session.scalars(_SUPERVISORS, names).all():
        note = Outgoing(
            agency_id=alert.agency_id,
            kind=Kind.NOTE,
            template="note-promise-broken",
            clinician_id=supervisor,
            alert_id=alert.id,
            params={"code": alert.code},
            is_urgent=True,
        )
        queue(session, note, now)
