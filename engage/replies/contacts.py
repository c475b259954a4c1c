"""What an agency says of a contact by hand: who it is, what they may see, language, hours; and asks a phone to agree. Audited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, AuditEvent
from engage.db import Database, encryption
from engage.errors import BadInput, NotFound
from engage.outreach.rules.wording import LANGUAGES
from engage.patients.granting import patient_of, words_of
from engage.patients.model import Contact
from engage.patients.rules.words import Category, ConsentKind, EnrolmentPurpose, MaySee, PhoneKind, Relationship
from engage.replies.enrolment import Invitation, invite
from engage.sms.rules.phones import PhoneRefusal, parse_phone


@dataclass(frozen=True, slots=True)
class ContactShown:
    """A contact without its number: enough to tell which one is meant, and what stands."""

    id: int
    relationship: str
    name: str | None
    phone_ends: str
    phone_kind: str
    language: str | None
    hours: str | None
    may_see: str
    agreed_to: tuple[str, ...]
    is_opted_out: bool
    is_ended: bool
    asked: str | None


def list_contacts(db: Database, agency_id: int, emr_id: str) -> list[ContactShown]:
    """Everybody who may be texted for the patient; raises NotFound for an unknown one."""
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, emr_id)
        contacts = session.scalars(select(Contact).where(Contact.patient_id == patient.id).order_by(Contact.id)).all()
        return [_shown(session, contact) for contact in contacts]


@dataclass(frozen=True, slots=True)
class NewContact:
    """Somebody to be texted for a patient, by EMR id; the phone in any usual form."""

    patient: str
    phone: str
    relationship: Relationship
    name: str | None = None
    may_see: MaySee = MaySee.VISITS
    language: str | None = None


def add_contact(db: Database, agency_id: int, new: NewContact, actor: str, now: datetime) -> int:
    """The id of the new contact, who is not texted before they agree. BadInput for a number that cannot be used or is there already."""
    parsed = parse_phone(new.phone)
    if isinstance(parsed, PhoneRefusal):
        raise BadInput(f"--phone cannot be used: {parsed.says}")
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, new.patient)
        hashed = encryption.phone_hash(parsed.e164)
        if session.scalar(select(Contact.id).where(Contact.patient_id == patient.id, Contact.phone_hash == hashed)):
            raise BadInput("The patient has this phone already: engage contact list.")
        contact = Contact(
            agency_id=agency_id,
            patient_id=patient.id,
            relationship=new.relationship,
            name=new.name,
            phone=parsed.e164,
            phone_hash=hashed,
            language=_language(new.language),
            may_see=new.may_see,
        )
        session.add(contact)
        session.flush()
        _audit(session, agency_id, "contact.add", contact.id, {"may_see": new.may_see}, actor, now)
        return contact.id


def set_contact(
    db: Database, agency_id: int, contact_id: int, changes: Mapping[str, Any], actor: str, now: datetime
) -> ContactShown:
    """Change what is known of a contact: `relationship`, `may_see`, `language`, `hours` (two times, or None to forget them).

    Raises NotFound for an unknown contact, BadInput for a language Engage does not speak or hours that are no span of a day.
    """
    with db.agency_session(agency_id) as session:
        contact = _contact(session, contact_id)
        if "hours" in changes:
            contact.texts_after, contact.texts_until = _hours(changes["hours"])
        if "language" in changes:
            contact.language = _language(changes["language"])
        for name in ("relationship", "may_see"):
            if name in changes:
                setattr(contact, name, changes[name])
        told = {name: str(value) for name, value in changes.items()}
        _audit(session, agency_id, "contact.set", contact.id, told, actor, now)
        session.flush()
        return _shown(session, contact)


def enrol_contact(
    db: Database,
    agency_id: int,
    contact_id: int,
    categories: tuple[Category, ...],
    basis: str,
    actor: str,
    now: datetime,
) -> tuple[str, ...]:
    """Ask this phone by text whether we may text it about `categories` (none: all that they may see); returns what is asked about.

    `basis` is how we came by the number, and is kept.

    Raises NotFound for an unknown contact; BadInput where there is nothing to ask: an opt-out, all agreed already, a question that is
    open, a phone that gets no texts, or a contact who may not see what is asked about.
    """
    with db.agency_session(agency_id) as session:
        contact, agency = _contact(session, contact_id), session.get_one(Agency, agency_id)
        shown = _shown(session, contact)
        all_they_see = (Category.VISITS,) if contact.may_see == MaySee.VISITS else tuple(Category)
        wanted = tuple(str(one.value) for one in categories or all_they_see if one not in shown.agreed_to)
        if shown.is_opted_out:
            raise BadInput("This phone has said STOP: it is not asked again. Only a START from it takes that back.")
        if shown.is_ended or contact.phone_kind not in {PhoneKind.UNKNOWN, PhoneKind.MOBILE}:
            raise BadInput("This phone gets no texts: it is ended, a landline, out of service or a stranger's.")
        if not wanted:
            raise BadInput("They have agreed to all of that already: engage consent show.")
        if contact.may_see == MaySee.VISITS and set(wanted) != {Category.VISITS}:
            raise BadInput(
                "This contact may be told of visits only: ask about visits, or engage contact set --may-see scores."
            )
        invitation = Invitation(
            agency_id, contact.id, contact.patient_id, contact.phone_hash, wanted, agency.weekly_cap, basis, actor
        )
        if not invite(session, invitation, EnrolmentPurpose.ENROL, now):
            raise BadInput("This phone has an open question already; one at a time, and one reminder.")
        detail = {"categories": list(wanted), "basis": basis}
        _audit(session, agency_id, "contact.enrol", contact.id, detail, actor, now)
    return wanted


_ASKED = text("""
SELECT purpose || ': ' || COALESCE(settled_how, 'open') FROM enrolments WHERE phone_hash = :hash ORDER BY id DESC LIMIT 1
""")


def _shown(session: Session, contact: Contact) -> ContactShown:
    words = words_of(session, contact)
    last = {word.category: word.kind for word in words if word.contact_id is not None}
    of_phone = [word.kind for word in words if word.contact_id is None]
    hours = (
        f"{contact.texts_after:%H:%M}-{contact.texts_until:%H:%M}"
        if contact.texts_after and contact.texts_until
        else None
    )
    return ContactShown(
        id=contact.id,
        relationship=contact.relationship,
        name=contact.name,
        phone_ends=contact.phone[-4:],
        phone_kind=contact.phone_kind,
        language=contact.language,
        hours=hours,
        may_see=contact.may_see,
        agreed_to=tuple(
            sorted(category for category, kind in last.items() if category and kind == ConsentKind.GRANTED)
        ),
        is_opted_out=bool(of_phone) and of_phone[-1] == ConsentKind.OPTED_OUT,
        is_ended=contact.ended_at is not None,
        asked=session.scalar(_ASKED, {"hash": contact.phone_hash}),
    )


def _contact(session: Session, contact_id: int) -> Contact:
    contact = session.scalars(select(Contact).where(Contact.id == contact_id)).first()
    if contact is None:
        raise NotFound(f"There is no contact {contact_id}: engage contact list names them.")
    return contact


def _hours(hours: tuple[time, time] | None) -> tuple[time | None, time | None]:
    if hours is None:
        return None, None
    if hours[0] >= hours[1]:
        raise BadInput("--hours: the first time must be before the second, such as 10:00-18:00.")
    return hours


def _language(language: str | None) -> str | None:
    if language is not None and language not in LANGUAGES:
        raise BadInput(f"--language: {language!r} is not known; Engage speaks {', '.join(sorted(LANGUAGES))}.")
    return language


def _audit(
    session: Session,
    agency_id: int,
    action: str,
    subject_id: int,
    detail: Mapping[str, object],
    actor: str,
    now: datetime,
) -> None:
    event = {"actor": actor, "action": action, "subject": "contact", "subject_id": subject_id, "detail": dict(detail)}
    session.add(AuditEvent(agency_id=agency_id, at=now, **event))
