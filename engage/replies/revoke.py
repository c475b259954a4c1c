"""Enters a revocation of consent that came on paper or by phone: it counts from this moment, and its deadline is told.

The nurse of a monitored patient is told in the same transaction: with the texts, the monitoring ends.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.model import ConsentEvent, Contact, Patient
from engage.patients.rules.deadlines import last_day
from engage.patients.rules.window import local_day
from engage.patients.rules.words import Category, ConsentKind, ConsentSource

_SINCE = text("""
SELECT max(said_at) FROM consent_events
WHERE agency_id = :agency AND phone_hash = ANY(:phones) AND kind IN ('granted', 'opted_in') AND said_at > :said_at
""")


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was said: when, how, of which kind of text (None: all of them), and the proof, e.g. who took the call."""

    patient: str
    said_on: date
    source: ConsentSource
    category: Category | None = None
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was entered: for how many phones, by when it had to be, and whether it was."""

    phones: int
    last_day: date
    is_late: bool


def revoke(db: Database, agency_id: int, said: Revocation, actor: str, now: datetime) -> Revoked:
    """Enter `said` for every phone of the patient; texts stop at once, those that are queued too.

    Raises NotFound for an unknown patient or one without a phone, BadInput for a day that has not come yet, or after which
    the patient has agreed again: of two words the later one stands.
    """
    with db.agency_session(agency_id) as session:
        patient = session.scalars(select(Patient).where(Patient.emr_id == said.patient)).first()
        if patient is None:
            raise NotFound(f"No patient has the EMR id {said.patient!r}.")
        today = local_day(now, patient.time_zone)
        if said.said_on > today:
            raise BadInput(f"{said.said_on:%Y-%m-%d} has not come yet.")
        contacts = _phones(session, agency_id, patient.id)
        if not contacts:
            raise NotFound("The patient has no phone on record.")
        # The end of that day where the patient lives, but never the future: of two words the later one stands.
        said_at = min(now, datetime.combine(said.said_on, time(23, 59), ZoneInfo(patient.time_zone)))
        _refuse_if_taken_back(session, agency_id, contacts, said_at)
        for contact in contacts:
            session.add(
                ConsentEvent(
                    agency_id=agency_id,
                    contact_id=contact.id if said.category else None,
                    phone_hash=contact.phone_hash,
                    category=said.category,
                    kind=ConsentKind.REVOKED if said.category else ConsentKind.OPTED_OUT,
                    source=said.source,
                    proof=said.proof,
                    said_at=said_at,
                    recorded_at=now,
                )
            )
        if patient.is_monitored and said.category in {None, Category.CHECKINS}:
            reason = Reason(
                AlertKind.OPT_OUT, agency_id, patient.id, contacts[0].id, detail={"why": f"revoked by {said.source}"}
            )
            open_alert(session, reason, now)
        last = last_day(said.said_on)
        done = Revoked(len(contacts), last, today > last)
        detail: dict[str, object] = {"said_on": str(said.said_on), "last_day": str(last), "is_late": done.is_late}
        event = {"actor": actor, "action": "consent.revoke", "subject": "patient", "subject_id": patient.id}
        session.add(
            AuditEvent(agency_id=agency_id, at=now, detail=detail | {"by": said.source, "only": said.category}, **event)
        )
    return done


def _phones(session: Session, agency_id: int, patient_id: int) -> list[Contact]:
    theirs = (Contact.agency_id == agency_id, Contact.patient_id == patient_id, Contact.ended_at.is_(None))
    return list(session.scalars(select(Contact).where(*theirs)))


def _refuse_if_taken_back(session: Session, agency_id: int, contacts: list[Contact], said_at: datetime) -> None:
    values = {"agency": agency_id, "phones": [contact.phone_hash for contact in contacts], "said_at": said_at}
    since = session.scalar(_SINCE, values)
    if since is not None:
        raise BadInput(
            f"After that day, on {since:%Y-%m-%d}, the patient agreed again, and the later word stands. "
            "If they want no more texts now, enter the day on which they said so last."
        )
