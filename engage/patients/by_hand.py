"""A phone that somebody of ours adds for a patient, with what its owner agreed to, or ends, with the consents that end with it.

In the caller's transaction, and audited. Nothing is texted without a consent that is recorded here or elsewhere; a STOP of the phone
itself stands, whatever is ticked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.db import encryption
from engage.errors import BadInput, NotFound
from engage.patients.model import ConsentEvent, Contact
from engage.patients.rules.words import Category, ConsentKind, ConsentSource, Relationship, WhyEnded
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

    One that was ended begins anew: what it had agreed to before has ended. Raises BadInput for a phone that is none, one that the
    patient has already, and a consent that came otherwise.
    """
    parsed = parse_phone(phone)
    if isinstance(parsed, PhoneRefusal):
        raise BadInput(f"That phone cannot be used: {parsed.says}", reason=f"phone.{parsed}")
    if agreed and how not in _HOW:
        raise BadInput("Say whether they agreed on paper or by phone.", reason="contact.how_agreed")
    hashed = encryption.phone_hash(parsed.e164)
    mine = (Contact.agency_id == agency_id, Contact.patient_id == patient_id, Contact.phone_hash == hashed)
    contact = session.scalars(select(Contact).where(*mine).with_for_update()).first()
    if contact is not None and contact.ended_at is None:
        raise BadInput("The patient has this phone on record already.", reason="contact.known")
    if contact is None:
        contact = Contact(agency_id=agency_id, patient_id=patient_id, phone=parsed.e164, phone_hash=hashed)
        session.add(contact)
    contact.relationship, contact.name, contact.ended_at = relationship, name, None
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


@dataclass(frozen=True, slots=True)
class EndedContact:
    """What ended with a contact: the kinds of text it had agreed to. `left`: the patient's contacts that stand."""

    categories: tuple[Category, ...]
    left: int


# What stands of a contact: the last word on each category.
_STANDING = text("""
SELECT category FROM (SELECT DISTINCT ON (e.category) e.category, e.kind FROM consent_events e
                      WHERE e.agency_id = :agency AND e.contact_id = :contact ORDER BY e.category, e.said_at DESC, e.id DESC) last
WHERE kind = 'granted' ORDER BY category
""")


def end_contact(
    session: Session, agency_id: int, contact_id: int, because: WhyEnded, actor: str, now: datetime
) -> EndedContact:
    """End the contact and every consent that stands of it; what is queued for it does not leave.

    The consents end too, so that a phone that comes back, with an import or by hand, has agreed to nothing. Raises NotFound for an
    unknown contact, BadInput for one that has ended.
    """
    contact = session.get(Contact, (agency_id, contact_id), with_for_update=True)
    if contact is None:
        raise NotFound(f"There is no contact {contact_id}: engage contact list names them.")
    if contact.ended_at is not None:
        raise BadInput("This phone has ended already.")
    contact.ended_at = now
    standing = session.scalars(_STANDING, {"agency": agency_id, "contact": contact_id})
    ended = tuple(Category(category) for category in standing)
    session.add_all(
        ConsentEvent(
            agency_id=agency_id,
            contact_id=contact_id,
            phone_hash=contact.phone_hash,
            category=category,
            kind=ConsentKind.REVOKED,
            source=ConsentSource.STAFF,
            proof=f"the contact ended: {because}",
            said_at=now,
            recorded_at=now,
        )
        for category in ended
    )
    detail = {"contact": contact_id, "because": because, "ended": list(ended)}
    event = {"actor": actor, "action": "contact.end", "subject": "patient", "subject_id": contact.patient_id}
    session.add(AuditEvent(agency_id=agency_id, at=now, detail=detail, **event))
    session.flush()
    others = select(func.count()).where(
        Contact.agency_id == agency_id, Contact.patient_id == contact.patient_id, Contact.ended_at.is_(None)
    )
    return EndedContact(ended, session.scalar(others) or 0)
