"""Climbs the ladder of every alert that is due: pages the next people, or says that nobody is left. Sends nothing itself.

Timer, page and event move in one transaction, and the claim asks again whether the alert is still open: an alert taken
before the claim is never paged, and one whose worker died is simply due again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import log
from engage.alerts.model import Alert, AlertEvent, Ladder, LadderStep
from engage.alerts.people import pageable
from engage.alerts.rules.ladder import Exhausted, Nobody, Page, Place, Step, climb
from engage.alerts.rules.words import AlertState, EventKind, Who
from engage.db import Database
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind

# Due: its time has come, or every page of its last step has failed, so that waiting for an answer is in vain.
_DUE = text("""
SELECT a.id FROM alerts a
WHERE a.state <> 'resolved' AND a.exhausted_at IS NULL AND (
    a.next_due_at <= :now
    OR (a.state = 'open' AND a.step > 0 AND NOT EXISTS (
        SELECT FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
          AND m.alert_round = a.round AND m.alert_step = a.step
          AND m.state NOT IN ('failed', 'undelivered', 'suppressed', 'expired', 'cancelled'))))
ORDER BY a.severity DESC, a.next_due_at LIMIT :most FOR UPDATE OF a SKIP LOCKED
""")


@dataclass(slots=True)
class Escalated:
    """What one run did."""

    paged: int = 0
    reopened: int = 0
    exhausted: int = 0


def escalate(db: Database, now: datetime, most: int = 200) -> Escalated:
    """Move every due alert one step on, worst first; `most` at a time."""
    done = Escalated()
    with db.system_session("escalate") as session:
        ids = list(session.scalars(_DUE, {"now": now, "most": most}))
        alerts = session.scalars(select(Alert).where(Alert.id.in_(ids)))
        for alert in sorted(alerts, key=lambda alert: (-alert.severity, alert.id)):
            agency_id, alert_id = alert.agency_id, alert.id
            try:
                with session.begin_nested():
                    _climb(session, alert, now, done)
            except Exception:  # noqa: BLE001 - one agency's broken row must not keep every other alert from its nurse
                log.get().exception("an alert cannot climb its ladder", agency=agency_id, alert=alert_id)
    return done


def _climb(session: Session, alert: Alert, now: datetime, done: Escalated) -> None:
    if alert.state == AlertState.ACKNOWLEDGED:
        _add_event(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by)
        alert.acknowledged_by = alert.acknowledged_at = None
        done.reopened += 1
    elif alert.step > 0 and alert.next_due_at is not None and alert.next_due_at > now:
        _add_event(session, alert, now, EventKind.PAGE_FAILED)
    steps, rounds = _ladder(session, alert)
    place = Place(alert.round, alert.step)
    alert.state = AlertState.OPEN
    for move in climb(place, steps, rounds, pageable(session, alert, now), now):
        match move:
            case Page():
                _page(session, alert, move, now)
                done.paged += len(move.people)
            case Nobody():
                _add_event(
                    session,
                    alert,
                    now,
                    EventKind.NOBODY,
                    detail={"who": move.who, "step": move.step, "round": move.round},
                )
            case Exhausted():
                alert.exhausted_at, alert.next_due_at = now, None
                _add_event(session, alert, now, EventKind.EXHAUSTED)
                log.get().error(
                    "alert exhausted: nobody took it", agency=alert.agency_id, alert=alert.id, severity=alert.severity
                )
                done.exhausted += 1


def _page(session: Session, alert: Alert, page: Page, now: datetime) -> None:
    alert.round, alert.step, alert.next_due_at = page.round, page.step, page.next_due_at
    for person in page.people:
        message_id = queue(
            session,
            Outgoing(
                agency_id=alert.agency_id,
                kind=Kind.PAGE,
                template="page" if page.round == page.step == 1 else "page-again",
                clinician_id=person,
                patient_id=alert.patient_id,
                alert_id=alert.id,
                alert_round=page.round,
                alert_step=page.step,
                params={"code": alert.code, "severity": alert.severity},
                useful_for=page.next_due_at - now,
            ),
            now,
        )
        detail = {"round": page.round, "step": page.step}
        _add_event(session, alert, now, EventKind.PAGED, clinician_id=person, message_id=message_id, detail=detail)


def _ladder(session: Session, alert: Alert) -> tuple[list[Step], int]:
    rows = session.scalars(
        select(LadderStep)
        .where(LadderStep.agency_id == alert.agency_id, LadderStep.ladder_id == alert.ladder_id)
        .order_by(LadderStep.position)
    )
    ladder = session.get_one(Ladder, (alert.agency_id, alert.ladder_id))
    return [Step(Who(row.who), timedelta(minutes=row.wait_minutes)) for row in rows], ladder.rounds


def _add_event(
    session: Session,
    alert: Alert,
    now: datetime,
    kind: EventKind,
    *,
    clinician_id: int | None = None,
    message_id: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
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
