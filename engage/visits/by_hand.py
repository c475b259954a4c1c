"""What somebody of ours decides about one visit: moved, done, or missed and why. In the caller's transaction, and audited.

Reminders follow by themselves: the planner reads the visit anew. The EMR's next file may say otherwise, and then it wins.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.errors import BadInput, NotFound
from engage.patients.model import Patient
from engage.patients.rules.window import local_day
from engage.visits.model import Visit
from engage.visits.rules.words import Missed, VisitStatus

FARTHEST_DAYS = 120
"""A visit is not moved beyond the next certification: further away it is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Moved:
    """When the visit was, and when it is now."""

    visit_id: int
    patient_id: int
    before: tuple[date, time | None]
    after: tuple[date, time | None]


def move_visit(
    session: Session, agency_id: int, visit_id: int, on: date, starts: time | None, actor: str, now: datetime
) -> Moved:
    """Put a scheduled visit on another day or time of the patient's clock; what the patient had said of the old one is forgotten.

    Raises NotFound without such a visit, BadInput for one that is over, for a day that is past or too far, and for no change.
    """
    visit, today = _scheduled(session, agency_id, visit_id, now)
    if on < today:
        raise BadInput("That day is past where the patient lives.", reason="visit.day_past")
    if (on - today).days > FARTHEST_DAYS:
        raise BadInput(f"That day is more than {FARTHEST_DAYS} days away.", reason="visit.day_far", days=FARTHEST_DAYS)
    before, after = (visit.starts_on, visit.starts_local), (on, starts)
    if before == after:
        raise BadInput("That is when the visit is already.", reason="visit.same_time")
    if visit.ends_local is not None:  # its end was that of the old hour
        visit.ends_local = None
    visit.starts_on, visit.starts_local = after
    visit.answer, visit.answered_at, visit.wanted = None, None, None
    visit.changed_at = now
    _audit(session, visit, "visit.move", actor, now, {"before": _told(before), "after": _told(after)})
    return Moved(visit.id, visit.patient_id, before, after)


def complete_visit(session: Session, agency_id: int, visit_id: int, actor: str, now: datetime) -> None:
    """The visit took place. Raises NotFound without such a visit, BadInput for one that is over or yet to come."""
    visit, today = _scheduled(session, agency_id, visit_id, now)
    if visit.starts_on > today:
        raise BadInput("That visit is still to come.", reason="visit.to_come")
    visit.status, visit.completed_at, visit.changed_at = VisitStatus.COMPLETED, now, now
    _audit(session, visit, "visit.completed", actor, now, {})


def miss_visit(session: Session, agency_id: int, visit_id: int, why: Missed, actor: str, now: datetime) -> None:
    """The visit did not take place, because of `why`. Raises NotFound without such a visit, BadInput for one that is over."""
    visit, today = _scheduled(session, agency_id, visit_id, now)
    if visit.starts_on > today:
        raise BadInput("That visit is still to come: move it, or cancel it in the EMR.", reason="visit.to_come_move")
    visit.status, visit.changed_at = VisitStatus.MISSED, now
    _audit(session, visit, "visit.missed", actor, now, {"why": str(why)})


def _scheduled(session: Session, agency_id: int, visit_id: int, now: datetime) -> tuple[Visit, date]:
    visit = session.scalars(
        select(Visit).where(Visit.agency_id == agency_id, Visit.id == visit_id).with_for_update()
    ).first()
    if visit is None:
        raise NotFound("There is no such visit.", reason="visit.none")
    if visit.status != VisitStatus.SCHEDULED:
        raise BadInput(f"That visit is {visit.status} already.", reason=f"visit.is_{visit.status}")
    zone = session.get_one(Patient, (agency_id, visit.patient_id)).time_zone
    return visit, local_day(now, zone)


def _audit(session: Session, visit: Visit, action: str, actor: str, now: datetime, detail: dict[str, object]) -> None:
    event = {"actor": actor, "action": action, "subject": "visit", "subject_id": visit.id, "detail": detail}
    session.add(AuditEvent(agency_id=visit.agency_id, at=now, **event))


def _told(when: tuple[date, time | None]) -> str:
    return when[0].isoformat() + (f" {when[1]:%H:%M}" if when[1] is not None else "")
