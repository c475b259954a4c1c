"""The test people: Sunrise Home Health with Nana Rose, Abuela Marta and their nurses; and a stranger's agency beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from sqlalchemy import select, update

from engage.agencies.model import Branch, Clinician, ShiftRow
from engage.db import Database, encryption
from engage.onboarding import NewAgency, found_agency
from engage.outreach.model import Touchpoint
from engage.patients.model import ConsentEvent, Contact, Patient
from engage.patients.rules.words import Category
from engage.visits.model import Visit, VisitClinician

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # Sunday noon in New York

SUNRISE_NUMBER = "+12025550100"
SUNRISE_PAGES = "+12025550101"
OTHER_NUMBER = "+12025550102"
ROSE_PHONE = "+12025550111"
MARTA_PHONE = "+12025550112"
STRANGER_PHONE = "+12025550119"
ANA_PHONE = "+12025550121"
BEN_PHONE = "+12025550122"
SUE_PHONE = "+12025550123"


@dataclass
class Cast:
    """Ids of everybody, by the names used in the tests."""

    db: Database
    config: Path
    id: int
    slug: str
    other_id: int
    branch: int
    ana: int  # Rose's and Marta's nurse
    ben: int  # on call at every hour
    sue: int  # the supervisor
    rose: int
    rose_contact: int
    marta: int
    marta_contact: int
    stranger: int
    stranger_contact: int

    def visit(
        self,
        patient: int,
        on: date = MONDAY,
        at: time | None = time(10),
        *,
        clinicians: tuple[int, ...] = (),
        emr_id: str | None = None,
    ) -> int:
        """A scheduled visit of one of Sunrise's patients."""
        with self.db.agency_session(self.id) as session:
            count = len(session.scalars(select(Visit.id)).all())
            visit = Visit(
                agency_id=self.id,
                patient_id=patient,
                emr_id=emr_id or f"visit-{count + 1}",
                task="Skilled Nurse Visit",
                discipline="SN",
                starts_on=on,
                starts_local=at,
                changed_at=NOON,
            )
            session.add(visit)
            session.flush()
            for clinician in clinicians or (self.ana,):
                session.add(VisitClinician(agency_id=self.id, visit_id=visit.id, clinician_id=clinician))
            return visit.id


def gather_cast(db: Database, config: Path) -> Cast:
    """Found both agencies and invite everybody; patients and phones have full consent."""
    sunrise = found_agency(
        db,
        NewAgency(
            slug="sunrise",
            name="Sunrise Home Health",
            short_name="Sunrise",
            phone="(202) 555-0150",
            time_zone="America/New_York",
            sender_phone=SUNRISE_NUMBER,
            pages_phone=SUNRISE_PAGES,
        ),
        config,
        NOON,
    )
    other = found_agency(
        db,
        NewAgency(
            slug="other",
            name="Other Hospice",
            phone="(202) 555-0151",
            time_zone="America/Chicago",
            sender_phone=OTHER_NUMBER,
            line="hospice",
        ),
        config,
        NOON,
    )
    with db.system_session("test") as session:  # to the minute; the spread has tests of its own
        session.execute(update(Touchpoint).values(spread_minutes=0))
    with db.agency_session(sunrise) as session:
        branch = session.scalars(select(Branch.id)).one()
        ana, ben, sue = (
            _clinician(sunrise, branch, *who)
            for who in (("Ana", "nurse", ANA_PHONE), ("Ben", "nurse", BEN_PHONE), ("Sue", "supervisor", SUE_PHONE))
        )
        session.add_all([ana, ben, sue])
        session.flush()
        session.add(
            ShiftRow(
                agency_id=sunrise,
                branch_id=branch,
                clinician_id=ben.id,
                weekdays=list(range(7)),
                starts=time(0),
                ends=time(0),
            )
        )
        rose = _patient(sunrise, branch, "Rose", "Miller", ana.id)
        marta = _patient(sunrise, branch, "Marta", "Ruiz", ana.id, language="es")
        session.add_all([rose, marta])
        session.flush()
        rose_contact, marta_contact = _contact(rose, ROSE_PHONE), _contact(marta, MARTA_PHONE)
        session.add_all([rose_contact, marta_contact])
        session.flush()
        session.add_all([*_consents(rose_contact), *_consents(marta_contact)])
    with db.agency_session(other) as session:
        other_branch = session.scalars(select(Branch.id)).one()
        stranger = _patient(other, other_branch, "Stranger", "Danger", None)
        session.add(stranger)
        session.flush()
        stranger_contact = _contact(stranger, STRANGER_PHONE)
        session.add(stranger_contact)
        session.flush()
        session.add_all(_consents(stranger_contact))
    return Cast(
        db=db,
        config=config,
        id=sunrise,
        slug="sunrise",
        other_id=other,
        branch=branch,
        ana=ana.id,
        ben=ben.id,
        sue=sue.id,
        rose=rose.id,
        rose_contact=rose_contact.id,
        marta=marta.id,
        marta_contact=marta_contact.id,
        stranger=stranger.id,
        stranger_contact=stranger_contact.id,
    )


def _clinician(agency: int, branch: int, name: str, role: str, phone: str) -> Clinician:
    return Clinician(
        agency_id=agency,
        branch_id=branch,
        emr_id=name.lower(),
        first_name=name,
        last_name="Tester",
        discipline="SN",
        role=role,
        phone=phone,
        phone_hash=encryption.phone_hash(phone),
    )


def _patient(agency: int, branch: int, first: str, last: str, nurse: int | None, language: str = "en") -> Patient:
    return Patient(
        agency_id=agency,
        branch_id=branch,
        case_manager_id=nurse,
        emr_id=first.lower(),
        first_name=first,
        last_name=last,
        language=language,
        time_zone="America/New_York",
        status_since=NOON,
    )


def _contact(patient: Patient, phone: str) -> Contact:
    return Contact(
        agency_id=patient.agency_id,
        patient_id=patient.id,
        relationship="patient",
        phone=phone,
        phone_hash=encryption.phone_hash(phone),
        phone_kind="mobile",
    )


def _consents(contact: Contact) -> list[ConsentEvent]:
    return [
        ConsentEvent(
            agency_id=contact.agency_id,
            contact_id=contact.id,
            phone_hash=contact.phone_hash,
            category=category,
            kind="granted",
            source="paper",
            proof="signed at admission",
            said_at=datetime(2026, 11, 1, tzinfo=UTC),
            recorded_at=datetime(2026, 11, 1, tzinfo=UTC),
        )
        for category in Category
    ]
