"""Opens an alert, in the transaction of whoever found the reason: the alert exists when the reply is handled, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.alerts.model import Alert, AlertEvent, AlertRule
from engage.alerts.promises import start_timer_of_rule
from engage.alerts.rules.words import AlertKind, AlertState, EventKind

# Codes are short and may be used again after an alert is resolved; opening is one at a time in an agency.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('engage alert code', :agency))")
_FREE_CODE = text("""
SELECT n::text FROM generate_series(CAST(:lowest AS int), CAST(:highest AS int)) AS n
WHERE NOT EXISTS (SELECT FROM alerts a WHERE a.agency_id = :agency AND a.code = n::text AND a.state <> 'resolved')
ORDER BY random() LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody must act, and for whom. `detail` is shown beside it: codes and words of ours, nothing personal."""

    kind: AlertKind
    agency_id: int
    patient_id: int | None = None
    contact_id: int | None = None
    reply_id: int | None = None
    message_id: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


def open_alert(session: Session, reason: Reason, now: datetime) -> int:
    """The id of the alert: a new one, due at once, or the open one of the same patient and kind, with this as evidence.

    An alert that a nurse has taken is not joined: she may be done with the first reason before she sees the second.
    """
    session.execute(_LOCK, {"agency": reason.agency_id})
    alert = _open_one(session, reason)
    kind = EventKind.EVIDENCE
    if alert is None:
        alert = _new(session, reason, now)
        kind = EventKind.OPENED
    session.add(
        AlertEvent(
            agency_id=reason.agency_id,
            alert_id=alert.id,
            at=now,
            kind=kind,
            reply_id=reason.reply_id,
            message_id=reason.message_id,
            detail=dict(reason.detail),
        )
    )
    return alert.id


def _open_one(session: Session, reason: Reason) -> Alert | None:
    if reason.patient_id is None:
        return None
    return session.scalars(
        select(Alert)
        .where(
            Alert.agency_id == reason.agency_id,
            Alert.patient_id == reason.patient_id,
            Alert.kind == reason.kind,
            Alert.state == AlertState.OPEN,
            Alert.exhausted_at.is_(None),
        )
        .order_by(Alert.id)
        .limit(1)
        .with_for_update()
    ).first()


def _new(session: Session, reason: Reason, now: datetime) -> Alert:
    rule = session.scalars(
        select(AlertRule).where(AlertRule.agency_id == reason.agency_id, AlertRule.kind == reason.kind)
    ).one()
    alert = Alert(
        agency_id=reason.agency_id,
        patient_id=reason.patient_id,
        contact_id=reason.contact_id,
        reply_id=reason.reply_id,
        kind=reason.kind,
        severity=rule.severity,
        ladder_id=rule.ladder_id,
        code=_code(session, reason.agency_id),
        state=AlertState.OPEN,
        round=1,
        step=0,
        next_due_at=now,
        opened_at=now,
    )
    session.add(alert)
    session.flush()
    start_timer_of_rule(session, alert, rule, now)
    return alert


def _code(session: Session, agency_id: int) -> str:
    for lowest, highest in ((1000, 9999), (10000, 99999), (100000, 999999)):
        code: str | None = session.scalar(_FREE_CODE, {"lowest": lowest, "highest": highest, "agency": agency_id})
        if code is not None:
            return code
    raise AssertionError("a million alerts are open in one agency")
