"""Climbs the ladder of every alert that is due: pages the next people, or says that nobody is left. Sends nothing itself.

Timer, page and event move in one transaction, and the claim asks again whether the alert is still open: an alert taken
before the claim is never paged, and one whose worker died is simply due again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.rota import Crew, load_crew
from engage.alerts.ladders import place_of, put_at, steps_of
from engage.alerts.model import Alert, AlertEvent
from engage.alerts.people import pageable
from engage.alerts.rules.ladder import Exhausted, Move, Nobody, Page, climb
from engage.alerts.rules.words import AlertState, EventKind
from engage.alerts.unreachable import tell_unreachable
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
    crews: dict[int, Crew] = {}
    with db.system_session("escalate") as session:
        ids = list(session.scalars(_DUE, {"now": now, "most": most}))
        alerts = session.scalars(select(Alert).where(Alert.id.in_(ids)))
        for alert in sorted(alerts, key=lambda alert: (-alert.severity, alert.id)):
            agency_id, alert_id = alert.agency_id, alert.id
            try:
                with session.begin_nested():
                    if agency_id not in crews:
                        crews[agency_id] = load_crew(session, agency_id, now)
                    _climb(session, alert, crews[agency_id], now, done)
            except Exception:  # noqa: BLE001 - one agency's broken row must not keep every other alert from its nurse
                log.get().exception("an alert cannot climb its ladder", agency=agency_id, alert=alert_id)
    if done.exhausted:
        tell_unreachable(db, now)
    return done


def _climb(session: Session, alert: Alert, crew: Crew, now: datetime, done: Escalated) -> None:
    has_failed = alert.step > 0 and alert.next_due_at is not None and alert.next_due_at > now
    is_stale = alert.state == AlertState.ACKNOWLEDGED
    if is_stale:
        _add_event(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by)
        alert.acknowledged_by = alert.acknowledged_at = None
        done.reopened += 1
    elif has_failed:
        _add_event(session, alert, now, EventKind.PAGE_FAILED)
    alert.state = AlertState.OPEN
    for move in _moves(session, alert, crew, now, has_failed=has_failed, is_stale=is_stale):
        match move:
            case Page():
                _page(session, alert, move, now)
                done.paged += len(move.people)
            case Nobody(place=place, who=who):
                detail = {"who": who, "step": place.step, "round": place.round}
                _add_event(session, alert, now, EventKind.NOBODY, detail=detail)
            case Exhausted():
                _exhaust(session, alert, now)
                done.exhausted += 1


def _moves(
    session: Session, alert: Alert, crew: Crew, now: datetime, *, has_failed: bool, is_stale: bool
) -> tuple[Move, ...]:
    steps, rounds = steps_of(session, alert.agency_id, alert.ladder_id)
    people = pageable(session, alert, steps, crew, now)
    wall = now.astimezone(ZoneInfo(crew.rota.zone_of(alert.branch_id))).time()
    place = place_of(alert)
    if has_failed:  # the same people on the same way again would be in vain
        place = place.given_up(steps)
    moves = climb(place, steps, rounds, people, wall, now)
    if is_stale and isinstance(moves[-1], Exhausted):  # somebody had it and let it go: it does not end in silence
        moves = climb(place.begun_again(), steps, rounds, people, wall, now)
    return moves


def _exhaust(session: Session, alert: Alert, now: datetime) -> None:
    alert.exhausted_at, alert.next_due_at = now, None
    _add_event(session, alert, now, EventKind.EXHAUSTED)
    log.get().error("alert exhausted: nobody took it", agency=alert.agency_id, alert=alert.id, severity=alert.severity)


def _page(session: Session, alert: Alert, page: Page, now: datetime) -> None:
    is_first = alert.step == 0  # of this climb: steps without anybody have told nobody
    put_at(alert, page.place)
    alert.next_due_at = page.next_due_at
    for person in page.people:
        message_id = queue(
            session,
            Outgoing(
                agency_id=alert.agency_id,
                kind=Kind.PAGE,
                template="page" if is_first else "page-again",
                clinician_id=person,
                patient_id=alert.patient_id,
                alert_id=alert.id,
                alert_round=page.place.round,
                alert_step=page.place.step,
                params={"code": alert.code, "severity": alert.severity},
                useful_for=page.next_due_at - now,
            ),
            now,
        )
        detail = {"round": page.place.round, "step": page.place.step, "channel": page.channel}
        _add_event(session, alert, now, EventKind.PAGED, clinician_id=person, message_id=message_id, detail=detail)


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
