"""Changes of the rota, as the command line and the console make them: shifts, spans with somebody more, off or replaced, swaps and holidays
in; one audited change, and what is wrong in the next 14 days now, out. In the caller's transaction; wall times are the branch's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician, HolidayRow, ShiftChange, ShiftRow
from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.people import Duty, ShiftChangeKind
from engage.agencies.rules.rota import Change
from engage.alerts.changes import Author, Changed, problems_now, record
from engage.db import Base
from engage.errors import BadInput, NotFound

SHORT = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS: Mapping[str, type[Base]] = MappingProxyType({"shift": ShiftRow, "change": ShiftChange, "holiday": HolidayRow})
"""What can be removed from a rota, by the word for it."""


@dataclass(frozen=True, slots=True)
class NewShift:
    """A weekly shift; `branch_id` None: of every branch. `last_on` is the last day on which one begins."""

    clinician_id: int
    branch_id: int | None
    weekdays: tuple[int, ...]
    starts: time
    ends: time
    duty: Duty = Duty.ON_CALL
    first_on: date | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewChange:
    """Somebody more, off, or replaced by `instead_id`, between two wall times."""

    kind: ShiftChangeKind
    clinician_id: int
    branch_id: int | None
    starts: datetime
    ends: datetime
    instead_id: int | None = None


def add_shift(session: Session, by: Author, new: NewShift) -> Changed:
    """Give somebody a weekly shift. Raises BadInput for days that are none, or an end before the beginning; NotFound for nobody."""
    if not new.weekdays or not set(new.weekdays) <= set(range(7)):
        raise BadInput("Say on which weekdays the shift begins.")
    if new.first_on and new.last_on and new.first_on > new.last_on:
        raise BadInput(f"The last day, {new.last_on}, is before the first, {new.first_on}.")
    person = _person(session, by, new.clinician_id)
    row = ShiftRow(
        agency_id=by.agency_id,
        branch_id=new.branch_id,
        clinician_id=person.id,
        weekdays=sorted(new.weekdays),
        starts=new.starts,
        ends=new.ends,
        first_on=new.first_on,
        last_on=new.last_on,
        duty=new.duty,
    )
    session.add(row)
    session.flush()
    days = ",".join(SHORT[day] for day in row.weekdays)
    hours = f"{new.starts:%H:%M}-{new.ends:%H:%M}"
    return _done(
        session, by, "oncall.add", f"Shift {row.id}: {_named(person)}, {new.duty.replace('_', ' ')}, {days} {hours}."
    )


def end_shift(session: Session, by: Author, number: int, last_on: date) -> Changed:
    """Let a weekly shift begin for the last time on `last_on`; what was before stays on record. NotFound, BadInput before its first day."""
    row = session.get(ShiftRow, (by.agency_id, number))
    if row is None:
        raise NotFound(f"There is no shift {number}: see engage oncall list.")
    if row.first_on is not None and last_on < row.first_on:
        raise BadInput(f"The shift begins on {row.first_on}: remove it instead of ending it on {last_on}.")
    row.last_on = last_on
    who = session.get_one(Clinician, (by.agency_id, row.clinician_id))
    return _done(session, by, "oncall.end", f"Shift {number} of {_named(who)} begins for the last time on {last_on}.")


def remove(session: Session, by: Author, kind: str, number: int) -> Changed:
    """Remove a shift, a change or a holiday by its number, as if it had never been. NotFound where there is none."""
    row = session.get(KINDS[kind], (by.agency_id, number))
    if row is None:
        raise NotFound(f"There is no {kind} {number}: see engage oncall list.")
    session.delete(row)
    return _done(session, by, "oncall.remove", f"The {kind} {number} is removed.")


def add_change(session: Session, by: Author, new: NewChange) -> Changed:
    """Change the rota for a span of time. Raises BadInput for an empty span or somebody in their own place, NotFound for nobody."""
    row = _change(session, by, new)
    session.flush()
    return _done(session, by, "oncall.override", _told(session, by, [row]))


def swap(session: Session, by: Author, first: NewChange, second: NewChange) -> Changed:
    """Let two people take each other's turns: both changes or neither. Raises BadInput for turns that overlap, and as add_change does."""
    if first.starts < second.ends and second.starts < first.ends:
        raise BadInput("The two turns overlap; a swap is about two separate times.")
    rows = [_change(session, by, first), _change(session, by, second)]
    session.flush()
    return _done(session, by, "oncall.swap", _told(session, by, rows))


def set_holiday(session: Session, by: Author, on: date, as_weekday: int, branch_id: int | None) -> Changed:
    """Let the shifts of `as_weekday` (0 = Monday) hold on a day, in one branch or in all."""
    if as_weekday not in range(7):
        raise BadInput("Say the shifts of which weekday hold.")
    there = select(HolidayRow).where(
        HolidayRow.agency_id == by.agency_id,
        HolidayRow.day_on == on,
        HolidayRow.branch_id.is_not_distinct_from(branch_id),
    )
    row = session.scalars(there).first() or HolidayRow(agency_id=by.agency_id, branch_id=branch_id, day_on=on)
    row.as_weekday = as_weekday
    session.add(row)
    return _done(session, by, "oncall.holiday", f"{on} has the shifts of {SHORT[as_weekday]}.")


def change_told(crew: Crew, change: Change) -> str:
    """A change in a line."""
    who = _named(crew.people[change.clinician_id])
    other = _named(crew.people[change.instead_id]) if change.instead_id is not None else "nobody"
    what = {
        ShiftChangeKind.ADD: f"{who} is added",
        ShiftChangeKind.REMOVE: f"{who} is off",
        ShiftChangeKind.REPLACE: f"{other} stands in for {who}",
    }[change.kind]
    where = crew.branches[change.branch_id] if change.branch_id is not None else "every branch"
    return f"{what}, {change.starts:%Y-%m-%d %H:%M} to {change.ends:%Y-%m-%d %H:%M}, {where}"


def _change(session: Session, by: Author, new: NewChange) -> ShiftChange:
    if new.starts >= new.ends:
        raise BadInput(f"{new.ends:%Y-%m-%dT%H:%M} is not after {new.starts:%Y-%m-%dT%H:%M}.")
    if (new.kind is ShiftChangeKind.REPLACE) != (new.instead_id is not None):
        raise BadInput("Somebody who is replaced needs somebody who stands in, and nobody else does.")
    if new.instead_id == new.clinician_id:
        raise BadInput("Nobody stands in for themselves: name two people.")
    person = _person(session, by, new.clinician_id)
    other = _person(session, by, new.instead_id) if new.instead_id is not None else None
    row = ShiftChange(
        agency_id=by.agency_id,
        branch_id=new.branch_id,
        kind=new.kind,
        clinician_id=person.id,
        instead_id=other.id if other else None,
        starts_local=new.starts,
        ends_local=new.ends,
    )
    session.add(row)
    return row


def _told(session: Session, by: Author, rows: list[ShiftChange]) -> str:
    crew = load_crew(session, by.agency_id, by.now)
    return "\n".join(f"Change {row.id}: {change_told(crew, _as_rule(row))}." for row in rows)


def _as_rule(row: ShiftChange) -> Change:
    kind = ShiftChangeKind(row.kind)
    return Change(kind, row.clinician_id, "", row.starts_local, row.ends_local, row.instead_id, row.branch_id, row.id)


def _done(session: Session, by: Author, action: str, said: str) -> Changed:
    record(session, by, "rota", action, said)
    return Changed(said, problems_now(session, by))


def _person(session: Session, by: Author, clinician_id: int) -> Clinician:
    found = session.get(Clinician, (by.agency_id, clinician_id))
    if found is None:
        raise NotFound("There is no such person: engage clinician add.")
    return found


def _named(person: Clinician) -> str:
    return f"{person.first_name} {person.last_name}"
