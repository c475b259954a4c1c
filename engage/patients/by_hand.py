"""A phone that somebody of ours adds for a patient, with what its owner agreed to. In the caller's transaction, and audited.

Nothing is texted without a consent that is recorded here or elsewhere; a STOP of the phone itself stands, whatever is ticked.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.db import encryption
from engage.errors import BadInput
from engage.patients.model import ConsentEvent, Contact
from engage.patients.rules.words import Category, ConsentKind, ConsentSource, Relationship
from engage.sms.rules.phones import PhoneRefusal, parse_phone

_HOW = frozenset({ConsentSource.PAPER, ConsentSource.PHONE})


def add_contact(
    session: Session,
    agency_id: int,
    patient_id: int,
    phone: str,
    name: str | None,
    relationship: Relationship,
    agreed: Collection[Category],
    how: ConsentSource,
    actor: str,
    now: datetime,
) -> int:
    """A new contact of the patient who agreed to the categories `agreed`, on paper or by phone (`how`); its id.

    Raises BadInput for a phone that is none, one that the patient has already, and a consent that came otherwise.
    """
    parsed = parse_phone(phone)
    if isinstance(parsed, PhoneRefusal):
        raise BadInput(f"That phone cannot be used: {parsed.says}", reason=f"phone.{parsed}")
    if agreed and how not in _HOW:
        raise BadInput("Say whether they agreed on paper or by phone.", reason="contact.how_agreed")
    hashed = encryption.phone_hash(parsed.e164)
    mine = (Contact.agency_id == agency_id, Contact.patient_id == patient_id, Contact.phone_hash == hashed)
    if session.scalars(select(Contact.id).where(*mine)).first() is not None:
        raise BadInput("The patient has this phone on record already.", reason="contact.known")
    contact = Contact(agency_id=agency_id, patient_id=patient_id, relationship=relationship, name=name)
    contact.phone, contact.phone_hash = parsed.e164, hashed
    session.add(contact)
    session.flush()
    session.add_all(
        ConsentEvent(
            agency_id=agency_id,
            contact_id=contact.id,
            phone_hash=hashed,
            category=category,
            kind=ConsentKind.GRANTED,
            source=how,
            said_at=now,
            recorded_at=now,
        )
        for category in sorted(set(agreed))
    )
    detail = {"contact": contact.id, "relationship": relationship, "agreed": sorted(agreed), "how": how}
    event = {"actor": actor, "action": "contact.add", "subject": "patient", "subject_id": patient_id, "detail": detail}
    session.add(AuditEvent(agency_id=agency_id, at=now, **event))
    return contact.id
