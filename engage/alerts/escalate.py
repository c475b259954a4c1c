"""Climbs the ladder of every alert that is due: pages the next people, or says that nobody is left. Sends nothing itself.

Timer, page and event move in one transaction, and the claim asks again whether the alert is still open: an alert taken
before the claim is never paged, and one whose worker died is simply due again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.model import Clinician
from engage.alerts.bundling import bundle
from engage.alerts.closing import open_to_try
from engage.alerts.fallback import take_next_channels, tell_of_dead_phones
from engage.alerts.model import Alert, AlertEvent, Ladder, LadderStep
from engage.alerts.paging import Rung, page_person
from engage.alerts.people import pageable
from engage.alerts.promises import break_promises
from engage.alerts.rules.ladder import Exhausted, Move, Nobody, Page, Place, Step, climb
from engage.alerts.rules.words import AlertState, EventKind, Who
from engage.alerts.taking import passers_of, takers_of
from engage.db import Database

# Due: its time has come, or every page of its last step has failed, so that waiting for an answer is in vain. A page fares as
# the one that speaks for it; a mail in the place of a page that failed is sent, but nobody waits for it to be read.
_DUE = text("""
SELECT a.id FROM alerts a
WHERE a.state <> 'resolved' AND a.exhausted_at IS NULL AND (
    a.next_due_at <= :now
    OR (a.state = 'open' AND a.step > 0 AND NOT EXISTS (
        SELECT FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
          AND m.alert_round = a.round AND m.alert_step = a.step
          AND COALESCE((SELECT b.state FROM messages b WHERE b.agency_id = m.agency_id AND b.id = m.bundle_id), m.state)
              NOT IN ('failed', 'undelivered', 'suppressed', 'expired', 'cancelled')
          AND NOT (m.channel = 'email' AND EXISTS (
              SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.alert_id = m.alert_id AND o.kind = 'page'
                AND o.alert_round = m.alert_round AND o.alert_step = m.alert_step AND o.clinician_id = m.clinician_id
                AND o.channel <> 'email')))))
ORDER BY a.severity DESC, a.next_due_at LIMIT :most FOR UPDATE OF a SKIP LOCKED
""")


@dataclass(slots=True)
class Escalated:
    """What one run did."""

    paged: int = 0
    reopened: int = 0
    exhausted: int = 0
    bundled: int = 0


def escalate(db: Database, now: datetime, most: int = 200) -> Escalated:
    """Move every due alert one step on, worst first; `most` at a time."""
    done = Escalated()
    with db.system_session("escalate") as session:
        break_promises(session, now)
        lost = take_next_channels(session, now)
        done.paged += lost.paged
        ids = list(session.scalars(_DUE, {"now": now, "most": most}))
        alerts = session.scalars(select(Alert).where(Alert.id.in_(ids)))
        for alert in sorted(alerts, key=lambda alert: (-alert.severity, alert.id)):
            agency_id, alert_id = alert.agency_id, alert.id
            try:
                with session.begin_nested():
                    _climb(session, alert, now, done)
            except Exception:  # noqa: BLE001 - one agency's broken row must not keep every other alert from its nurse
                log.get().exception("an alert cannot climb its ladder", agency=agency_id, alert=alert_id)
        done.bundled = bundle(session, now)
    tell_of_dead_phones(db, lost.dead, now)
    return done


def _climb(session: Session, alert: Alert, now: datetime, done: Escalated) -> None:
    if alert.state == AlertState.ACKNOWLEDGED and alert.try_again_at is not None:
        open_to_try(session, alert, now)
        done.reopened += 1
        return
    if alert.state == AlertState.ACKNOWLEDGED:
        _add_event(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by)
        alert.acknowledged_by = alert.acknowledged_at = None
        done.reopened += 1
    elif alert.step > 0 and alert.next_due_at is not None and alert.next_due_at > now:
        _add_event(session, alert, now, EventKind.PAGE_FAILED)
    steps, rounds = _ladder(session, alert)
    place = Place(alert.round, alert.step)
    alert.state = AlertState.OPEN
    for move in _moves(session, alert, place, steps, rounds, now):
        match move:
            case Page():
                _page(session, alert, move, steps[move.step - 1].who, now)
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


def _moves(
    session: Session, alert: Alert, place: Place, steps: list[Step], rounds: int, now: datetime
) -> tuple[Move, ...]:
    """Whoever passed it on is not asked again in this round; one of several who have taken it not at all."""
    taken, passed = takers_of(session, alert), passers_of(session, alert)
    people = _without(taken, pageable(session, alert, now))
    if not passed:
        return climb(place, steps, rounds, people, now)
    here = climb(place, steps, place.round, _without(passed, people), now)
    if not isinstance(here[-1], Exhausted):
        return here
    return *here[:-1], *climb(Place(place.round, len(steps)), steps, rounds, people, now)


def _without(but: set[int], people: Mapping[Who, Sequence[int]]) -> dict[Who, list[int]]:
    return {who: [person for person in reached if person not in but] for who, reached in people.items()}


def _page(session: Session, alert: Alert, page: Page, who: Who, now: datetime) -> None:
    alert.round, alert.step, alert.next_due_at = page.round, page.step, page.next_due_at
    template = "page" if page.round == page.step == 1 else "page-again"
    rung = Rung(page.round, page.step, page.next_due_at, who, template=template)
    for person in page.people:
        page_person(session, alert, session.get_one(Clinician, (alert.agency_id, person)), rung, now)


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
