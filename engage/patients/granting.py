"""Enters a consent that came on paper or by phone, by category and with its proof; and tells what every phone has said.

A STOP of the phone is never undone here: only the phone itself takes it back. Sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.model import ConsentEvent, Contact, Patient
from engage.patients.rules.window import local_day
from engage.patients.rules.words import Category, ConsentKind, ConsentSource, Relationship


@dataclass(frozen=True, slots=True)
class Granting:
    """What was said: of which patient, on which day, how, about which kinds of text, and the proof (who took it, where it lies).

    `contact`: the id of the contact who said it; the patient's own phone without it.
    """

    patient: str
    said_on: date
    source: ConsentSource
    categories: tuple[Category, ...]
    proof: str
    contact: int | None = None


def grant(db: Database, agency_id: int, said: Granting, actor: str, now: datetime) -> int:
    """Enter `said`; returns the contact it counts for. It counts from the midnight that began its day, where the patient lives.

    Raises NotFound for an unknown patient or contact; BadInput without proof, for a day to come, after an opt-out of the phone,
    and where the same was taken back later: of two words the later one stands.
    """
    if not said.proof.strip():
        raise BadInput("--proof: say who took the consent or where the paper is; without proof it is none.")
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, said.patient)
        contact = _contact(session, patient, said.contact)
        if said.said_on > local_day(now, patient.time_zone):
            raise BadInput(f"{said.said_on:%Y-%m-%d} has not come yet.")
        said_at = datetime.combine(said.said_on, time(0), ZoneInfo(patient.time_zone)).astimezone(UTC)
        _refuse_against_later(words_of(session, contact), said, said_at)
        for category in said.categories:
            session.add(
                ConsentEvent(
                    agency_id=agency_id,
                    contact_id=contact.id,
                    phone_hash=contact.phone_hash,
                    category=category,
                    kind=ConsentKind.GRANTED,
                    source=said.source,
                    proof=said.proof,
                    said_at=said_at,
                    recorded_at=now,
                )
            )
        detail = {"said_on": str(said.said_on), "by": said.source, "categories": list(said.categories)}
        event = {"actor": actor, "action": "consent.grant", "subject": "contact", "subject_id": contact.id}
        session.add(AuditEvent(agency_id=agency_id, at=now, detail=detail, **event))
        return contact.id


def show_consent(
    db: Database, agency_id: int, emr_id: str, actor: str, now: datetime
) -> list[tuple[Contact, list[ConsentEvent]]]:
    """Every contact of the patient with everything that was ever said, oldest first. The look is put on record.

    Raises NotFound for an unknown patient.
    """
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, emr_id)
        contacts = session.scalars(select(Contact).where(Contact.patient_id == patient.id).order_by(Contact.id)).all()
        event = {"actor": actor, "action": "consent.show", "subject": "patient", "subject_id": patient.id}
        session.add(AuditEvent(agency_id=agency_id, at=now, **event))
        return [(contact, list(words_of(session, contact))) for contact in contacts]


def patient_of(session: Session, emr_id: str) -> Patient:
    """The patient with this id in the EMR; raises NotFound."""
    patient = session.scalars(select(Patient).where(Patient.emr_id == emr_id)).first()
    if patient is None:
        raise NotFound(f"No patient has the EMR id {emr_id!r}.")
    return patient


def words_of(session: Session, contact: Contact) -> Sequence[ConsentEvent]:
    """What this contact and this phone have said, in the order in which it was said."""
    is_theirs = ConsentEvent.contact_id == contact.id
    is_of_phone = (ConsentEvent.contact_id.is_(None)) & (ConsentEvent.phone_hash == contact.phone_hash)
    return session.scalars(
        select(ConsentEvent).where(is_theirs | is_of_phone).order_by(ConsentEvent.said_at, ConsentEvent.id)
    ).all()


def _contact(session: Session, patient: Patient, contact_id: int | None) -> Contact:
    theirs = select(Contact).where(Contact.patient_id == patient.id, Contact.ended_at.is_(None)).order_by(Contact.id)
    contacts = session.scalars(theirs).all()
    if contact_id is not None:
        found = [contact for contact in contacts if contact.id == contact_id]
        if not found:
            raise NotFound(f"The patient has no contact {contact_id} that stands: engage contact list.")
        return found[0]
    own = [contact for contact in contacts if contact.relationship == Relationship.PATIENT]
    if len(own) != 1:
        raise NotFound(
            f"The patient has {len(own)} phones of their own: say with --contact which one (engage contact list)."
        )
    return own[0]


def _refuse_against_later(words: Sequence[ConsentEvent], said: Granting, said_at: datetime) -> None:
    of_phone = [word for word in words if word.contact_id is None]
    if of_phone and of_phone[-1].kind == ConsentKind.OPTED_OUT:
        raise BadInput("This phone has said STOP, and only a START from it takes that back: ask them to text START.")
    for word in words:
        if word.kind == ConsentKind.REVOKED and word.category in said.categories and word.said_at >= said_at:
            raise BadInput(
                f"On {word.said_at:%Y-%m-%d} they took it back, which is later than {said.said_on:%Y-%m-%d} and stands."
            )
