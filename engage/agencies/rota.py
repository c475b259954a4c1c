"""Reads rotas and the people on them: rows in, values for the rules out. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, Branch, Clinician, HolidayRow, ShiftChange, ShiftRow
from engage.agencies.rules.oncall import Shift
from engage.agencies.rules.people import Duty, ShiftChangeKind, Unreachable, why_unreachable
from engage.agencies.rules.rota import Change, Holiday, Rota

_Row = TypeVar("_Row", ShiftRow, HolidayRow)


@dataclass(frozen=True, slots=True)
class Crew:
    """An agency's people and their rota. `people`: everybody by id; `branches`: their names by id."""

    rota: Rota
    people: Mapping[int, Clinician]
    branches: Mapping[int, str]

    def why_unreachable(self, clinician_id: int, now: datetime) -> Unreachable | None:
        """Why somebody cannot be paged at `now`; None if they can."""
        person = self.people[clinician_id]
        today = now.astimezone(ZoneInfo(self.rota.zone_of(person.branch_id))).date()
        may_ring = person.phone_hash is not None and "voice" in person.page_channels
        may_mail = person.email is not None and "email" in person.page_channels
        has_stopped = person.texts_stopped_at is not None and not (may_ring or may_mail)
        may_text = person.phone_hash is not None and "sms" in person.page_channels
        return why_unreachable(may_text or may_ring or may_mail, has_stopped, person.left_on, today)

    def reachable(self, now: datetime) -> frozenset[int]:
        """Ids of everybody who can be paged."""
        return frozenset(person for person in self.people if self.why_unreachable(person, now) is None)


def load_crew(session: Session, agency_id: int, since: datetime) -> Crew:
    """The crew of one agency, for questions about `since` and later: changes that were over by then are left out."""
    agency = session.scalars(select(Agency).where(Agency.id == agency_id)).one()
    branches = list(session.scalars(select(Branch).where(Branch.agency_id == agency_id)))
    people = session.scalars(select(Clinician).where(Clinician.agency_id == agency_id).order_by(Clinician.id))
    zones = {branch.id: branch.time_zone for branch in branches}
    bare = Rota(agency.time_zone, zones, (), (), (), agency.texts_after, agency.texts_until)
    rota = Rota(
        bare.zone,
        zones,
        tuple(_shift(row, bare) for row in _rows(session, ShiftRow, agency_id)),
        tuple(_change(row, bare) for row in _changes(session, agency_id, since)),
        tuple(Holiday(h.day_on, h.as_weekday, h.branch_id, h.id) for h in _rows(session, HolidayRow, agency_id)),
        agency.texts_after,
        agency.texts_until,
    )
    return Crew(rota, {person.id: person for person in people}, {branch.id: branch.name for branch in branches})


def _rows(session: Session, row: type[_Row], agency_id: int) -> list[_Row]:
    return list(session.scalars(select(row).where(row.agency_id == agency_id).order_by(row.id)))


def _changes(session: Session, agency_id: int, since: datetime) -> list[ShiftChange]:
    from_ = since.replace(tzinfo=None) - timedelta(days=1)  # no zone is further from UTC than that
    query = select(ShiftChange).where(ShiftChange.agency_id == agency_id, ShiftChange.ends_local >= from_)
    return list(session.scalars(query.order_by(ShiftChange.id)))


def _shift(row: ShiftRow, rota: Rota) -> Shift:
    return Shift(
        row.clinician_id,
        rota.zone_of(row.branch_id),
        frozenset(row.weekdays),
        row.starts,
        row.ends,
        row.first_on,
        row.last_on,
        Duty(row.duty),
        row.branch_id,
        row.id,
    )


def _change(row: ShiftChange, rota: Rota) -> Change:
    return Change(
        ShiftChangeKind(row.kind),
        row.clinician_id,
        rota.zone_of(row.branch_id),
        row.starts_local,
        row.ends_local,
        row.instead_id,
        row.branch_id,
        row.id,
    )
