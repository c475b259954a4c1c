"""A clinician says what was done about an alert: it is closed, or it comes back when they want to try again.

In the caller's transaction. Nobody is reached by "no answer", so that closes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.by_code import unresolved
from engage.alerts.model import Alert
from engage.alerts.paging import tell
from engage.alerts.rules.words import AlertState, EventKind, Outcome
from engage.alerts.taking import hold, rule_of
from engage.errors import BadInput, NotFound
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind

TRY_AFTER = timedelta(minutes=30)
"""When somebody who got no answer names no time."""
TAKE_AGAIN_WITHIN = timedelta(minutes=10)
"""How long the ladder waits for them when that time has come."""
MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the note in their own words (stored encrypted), and the minutes it took."""

    outcome: str
    note: str | None = None
    minutes: int | None = None


def resolve(session: Session, agency_id: int, code: str, clinician_id: int, done: Done, now: datetime) -> int:
    """Close the unresolved alert with `code` and keep what was done; returns its id.

    Raises NotFound without such an alert, BadInput for an outcome that is not one or that reached nobody.
    """
    if done.outcome not in set(Outcome):
        raise BadInput(f"The outcome {done.outcome!r} is not one of: {', '.join(Outcome)}.")
    if done.outcome == Outcome.NO_ANSWER:
        raise BadInput(
            "Nobody was reached, so the alert cannot be closed: say when you will try again.",
            reason="alert.nobody_reached",
        )
    if done.minutes is not None and not 0 <= done.minutes <= MOST_MINUTES:
        raise BadInput(
            f"{done.minutes} minutes cannot be: it must be 0 to {MOST_MINUTES}.",
            reason="alert.minutes",
            minutes=done.minutes,
            most=MOST_MINUTES,
        )
    alert = _unresolved(session, agency_id, code, clinician_id)
    alert.state, alert.resolved_at, alert.resolved_by = AlertState.RESOLVED, now, clinician_id
    alert.outcome, alert.next_due_at = done.outcome, None
    alert.note, alert.minutes_spent = _joined(alert.note, done.note), _sum(alert.minutes_spent, done.minutes)
    alert.try_again_at = None
    detail = {"minutes": done.minutes} if done.minutes is not None else {}
    tell(session, alert, now, EventKind.RESOLVED, clinician_id=clinician_id, detail=detail)
    return alert.id


def try_again(
    session: Session, agency_id: int, code: str, clinician_id: int, at: datetime, done: Done, now: datetime
) -> datetime:
    """Nobody answered: the alert stays theirs and opens again at `at`, or when an acknowledgement of its kind ends; when.

    A promise to call counts as kept: the call was made. Raises NotFound without such an alert.
    """
    alert = _unresolved(session, agency_id, code, clinician_id)
    latest = now + timedelta(minutes=rule_of(session, alert).acknowledged_minutes)
    until = min(max(at, now + timedelta(minutes=1)), latest)
    hold(alert, clinician_id, alert.acknowledged_at or now, until)
    alert.try_again_at, alert.promised_until = until, None
    alert.note, alert.minutes_spent = _joined(alert.note, done.note), _sum(alert.minutes_spent, done.minutes)
    tell(session, alert, now, EventKind.TRY_AGAIN, clinician_id=clinician_id, detail={"until": until.isoformat()})
    return until


def open_to_try(session: Session, alert: Alert, now: datetime) -> None:
    """The time to try again has come: the alert is open, whoever wanted to try reads of it, and the ladder goes on soon."""
    tell(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by, detail={"why": "try_again"})
    note = Outgoing(
        agency_id=alert.agency_id,
        kind=Kind.NOTE,
        template="note-try-again",
        clinician_id=alert.acknowledged_by,
        alert_id=alert.id,
        params={"code": alert.code},
        is_urgent=True,
    )
    queue(session, note, now)
    alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.OPEN, None, None
    alert.try_again_at, alert.next_due_at = None, now + TAKE_AGAIN_WITHIN


def _unresolved(session: Session, agency_id: int, code: str, clinician_id: int) -> Alert:
    alert = unresolved(session, agency_id, code)
    if session.get(Clinician, (agency_id, clinician_id)) is None:
        raise NotFound("That clinician does not work in this agency.", reason="clinician.none")
    return alert


def _joined(before: str | None, now: str | None) -> str | None:
    return "\n".join(part for part in (before, now) if part) or None


def _sum(before: int | None, now: int | None) -> int | None:
    return before if now is None else min((before or 0) + now, MOST_MINUTES)
