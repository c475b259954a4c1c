"""Asks phones whether we may text them, and old ones whether they are still theirs; reminds once, and ends what was not answered.

Rows in, texts in the outbox out. What is answered is settled when the reply is handled (enrolled). Silence grants nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Asks, Kind
from engage.patients.model import Enrolment
from engage.patients.rules.enrolment import OPEN_FOR, REMIND_AFTER, Step, due, params, template
from engage.patients.rules.words import EnrolmentPurpose, Settled

BY_ITSELF = "engage"
"""Who asked, when nobody did by hand."""
_MOST = 500  # a run; an import of thousands is asked over some minutes

# Whoever nobody has ever asked: one a phone, the patient before the family; an emergency contact is somebody else. A phone that
# said STOP is not asked, nor one that was asked about anybody before.
_NEVER_ASKED = text("""
SELECT DISTINCT ON (c.agency_id, c.phone_hash) c.agency_id, c.id AS contact_id, c.patient_id, c.phone_hash, c.may_see, a.weekly_cap
FROM agencies a
JOIN contacts c ON c.agency_id = a.id AND c.ended_at IS NULL AND c.phone_kind IN ('unknown', 'mobile') AND c.relationship <> 'emergency'
JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id AND p.status = 'active'
WHERE a.is_active AND a.enrol_on_import
  AND NOT EXISTS (SELECT FROM consent_events e WHERE e.agency_id = c.agency_id AND e.contact_id = c.id)
  AND NOT EXISTS (SELECT FROM consent_events e WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL)
  AND NOT EXISTS (SELECT FROM enrolments v WHERE v.agency_id = c.agency_id AND v.phone_hash = c.phone_hash)
ORDER BY c.agency_id, c.phone_hash, c.relationship = 'patient' DESC, c.id LIMIT :most
""")

# Phones whose texts the dispatcher holds because nobody has been heard of there for long.
_UNHEARD = text("""
SELECT DISTINCT ON (c.agency_id, c.phone_hash) c.agency_id, c.id AS contact_id, c.patient_id, c.phone_hash, c.may_see, a.weekly_cap
FROM messages m
JOIN agencies a ON a.id = m.agency_id
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
WHERE m.state = 'planned' AND m.reason = 'number_unverified'
  AND NOT EXISTS (SELECT FROM enrolments v WHERE v.agency_id = c.agency_id AND v.phone_hash = c.phone_hash
                  AND (v.settled_at IS NULL OR v.purpose = 'verify' AND v.settled_how <> 'agreed'))
ORDER BY c.agency_id, c.phone_hash, c.id LIMIT :most
""")

# Those with something to do: a reminder, an end, or nobody left to ask.
_OPEN = text("""
SELECT v.agency_id, v.id, v.contact_id, v.phone_hash, v.purpose, v.categories, v.asked_at, v.reminded_at, v.until, c.patient_id, a.weekly_cap,
       c.ended_at IS NOT NULL OR p.status = 'deceased' OR c.phone_kind NOT IN ('unknown', 'mobile')
       OR (SELECT e.kind FROM consent_events e WHERE e.agency_id = v.agency_id AND e.phone_hash = v.phone_hash AND e.contact_id IS NULL
           ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'opted_out' AS is_over
FROM enrolments v
JOIN agencies a ON a.id = v.agency_id
JOIN contacts c ON c.agency_id = v.agency_id AND c.id = v.contact_id
JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
WHERE v.settled_at IS NULL AND (v.until <= :now OR (v.reminded_at IS NULL AND v.asked_at <= :remind)
      OR c.ended_at IS NOT NULL OR p.status = 'deceased' OR c.phone_kind NOT IN ('unknown', 'mobile')
      OR EXISTS (SELECT FROM consent_events e WHERE e.agency_id = v.agency_id AND e.phone_hash = v.phone_hash AND e.contact_id IS NULL
                 AND e.kind = 'opted_out' AND e.said_at >= v.asked_at))
ORDER BY v.agency_id, v.id LIMIT 5000 FOR UPDATE OF v SKIP LOCKED
""")
_REMINDED = text("UPDATE enrolments SET reminded_at = :now WHERE agency_id = :agency AND id = :id")
_SETTLED = text("UPDATE enrolments SET settled_at = :now, settled_how = :how WHERE agency_id = :agency AND id = :id")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What one run did: phones asked whether we may text, phones asked whether they are still theirs, reminders, silences."""

    asked: int = 0
    verified: int = 0
    reminded: int = 0
    silent: int = 0


def enrol(db: Database, now: datetime) -> Enrolled:
    """Ask whom an agency wants asked, ask again at old numbers, remind once, and end what nobody answered."""
    with db.system_session("enrol") as session:
        never = session.execute(_NEVER_ASKED, {"most": _MOST}).all()
        asked = sum(_ask(session, row, EnrolmentPurpose.ENROL, now) for row in never)
        unheard = session.execute(_UNHEARD, {"most": _MOST}).all()
        verified = sum(_ask(session, row, EnrolmentPurpose.VERIFY, now) for row in unheard)
        steps = [
            _go_on(session, row, now)
            for row in session.execute(_OPEN, {"now": now, "remind": now - REMIND_AFTER}).all()
        ]
        return Enrolled(asked, verified, steps.count(Step.REMIND), steps.count(Step.END))


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to ask, about what, how we came by the number, and who asks."""

    agency_id: int
    contact_id: int
    patient_id: int
    phone_hash: bytes
    categories: tuple[str, ...]
    weekly_cap: int
    basis: str
    asked_by: str


def invite(session: Session, invitation: Invitation, purpose: EnrolmentPurpose, now: datetime) -> bool:
    """Queue the question; False when this phone has an open one already."""
    row = insert(Enrolment).values(
        agency_id=invitation.agency_id,
        contact_id=invitation.contact_id,
        phone_hash=invitation.phone_hash,
        purpose=purpose,
        categories=list(invitation.categories),
        basis=invitation.basis,
        asked_by=invitation.asked_by,
        asked_at=now,
        until=now + OPEN_FOR,
    )
    if session.scalar(row.on_conflict_do_nothing().returning(Enrolment.id)) is None:
        return False
    _queue(session, invitation, template(purpose, is_again=False), now)
    return True


def _ask(session: Session, row: Row[Any], purpose: EnrolmentPurpose, now: datetime) -> bool:
    categories = ("visits",) if row.may_see == "visits" else ("visits", "checkins", "surveys")
    basis = "the number in the EMR" if purpose is EnrolmentPurpose.ENROL else "nobody was heard of there for long"
    invitation = Invitation(
        row.agency_id, row.contact_id, row.patient_id, row.phone_hash, categories, row.weekly_cap, basis, BY_ITSELF
    )
    return invite(session, invitation, purpose, now)


def _queue(session: Session, invitation: Invitation, name: str, now: datetime) -> None:
    question = Outgoing(
        agency_id=invitation.agency_id,
        kind=Kind.ENROLMENT,
        template=name,
        contact_id=invitation.contact_id,
        patient_id=invitation.patient_id,
        params=params(invitation.categories, invitation.weekly_cap),
        asks=Asks.YES_NO,
    )
    queue(session, question, now)


def _go_on(session: Session, row: Row[Any], now: datetime) -> Step | None:
    names = {"agency": row.agency_id, "id": row.id, "now": now}
    if row.is_over:
        session.execute(_SETTLED, {**names, "how": Settled.STOPPED})
        return None
    step, purpose = due(row.asked_at, row.reminded_at, row.until, now), EnrolmentPurpose(row.purpose)
    if step is Step.REMIND:
        session.execute(_REMINDED, names)
        categories: Sequence[str] = row.categories
        again = Invitation(
            row.agency_id, row.contact_id, row.patient_id, row.phone_hash, tuple(categories), row.weekly_cap, "", ""
        )
        _queue(session, again, template(purpose, is_again=True), now)
    elif step is Step.END:
        session.execute(_SETTLED, {**names, "how": Settled.SILENT})
        if (
            purpose is EnrolmentPurpose.VERIFY
        ):  # their texts have ended: a person must know, as of a number that is dead
            why = {"why": "number_unverified"}
            open_alert(
                session, Reason(AlertKind.UNDELIVERABLE, row.agency_id, row.patient_id, row.contact_id, detail=why), now
            )
    return step
