"""A thread that somebody of ours writes by hand: words in, a message in the outbox; and what comes back goes to the writer.

Such a text is sent as it is, under the same permissions as any other; nothing here sends it.
"""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent, Clinician
from engage.alerts.model import Alert
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.alerts.taking import acknowledge
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind
from engage.patients.model import Patient
from engage.patients.rules.words import Category
from engage.replies.asked import Member
from engage.replies.model import Reply
from engage.sms.rules.segments import MOST_CHARACTERS

# The patient's own phone first; of a phone, the category that stands: a nurse writes about health rather than about a visit.
_READER = text("""
SELECT c.id, (
    SELECT e.category FROM (SELECT DISTINCT ON (category) category, kind FROM consent_events
                            WHERE agency_id = c.agency_id AND contact_id = c.id
                            ORDER BY category, said_at DESC, id DESC) e
    WHERE e.kind = 'granted' ORDER BY e.category LIMIT 1) AS category
FROM contacts c
WHERE c.agency_id = :agency AND c.patient_id = :patient AND c.ended_at IS NULL
ORDER BY c.relationship = 'patient' DESC, c.id LIMIT 1
""")


def write_by_hand(
    db: Database, agency_id: int, patient: str, words: str, *, writer: str | None, actor: str, now: datetime
) -> int:
    """Queue `words` for the patient with the EMR id `patient`; returns the message's id.

    `writer` is the EMR id of the clinician who writes: answers go to them. It leaves when `may_text` allows it, within twelve
    hours or not at all. Raises NotFound for an unknown patient, writer or phone, BadInput for empty or too many words.
    """
    said = words.strip()
    if not 0 < len(said) <= MOST_CHARACTERS:
        raise BadInput(
            f"A text has from 1 to {MOST_CHARACTERS} characters; this one has {len(said)}.",
            reason="text.length",
            most=MOST_CHARACTERS,
            length=len(said),
        )
    with db.agency_session(agency_id) as session:
        person = session.scalars(select(Patient).where(Patient.emr_id == patient)).first()
        if person is None:
            raise NotFound(f"No patient has the EMR id {patient!r}.")
        clinician = session.scalars(select(Clinician).where(Clinician.emr_id == writer)).first() if writer else None
        if writer and clinician is None:
            raise NotFound(f"No clinician has the EMR id {writer!r}: engage clinician add.")
        reader = session.execute(_READER, {"agency": agency_id, "patient": person.id}).first()
        if reader is None:
            raise NotFound("The patient has no phone on record.", reason="patient.no_phone")
        outgoing = Outgoing(
            agency_id=agency_id,
            kind=Kind.HAND,
            template="hand",
            contact_id=reader.id,
            patient_id=person.id,
            body=said,
            written_by=clinician.id if clinician else None,
            category=reader.category or Category.CHECKINS,
        )
        message_id = queue(session, outgoing, now)
        if message_id is None:
            raise AssertionError("nothing makes a text by hand the same as another")
        event = {"actor": actor, "action": "write", "subject": "message", "subject_id": message_id}
        session.add(AuditEvent(agency_id=agency_id, at=now, detail={"patient": person.id, "writer": writer}, **event))
    return message_id


def tell_writer(session: Session, reply: Reply, member: Member, writer: int | None, now: datetime) -> None:
    """Hand `reply` to the clinician who writes in its thread: an alert that is theirs already, and a note with its code.

    If they do nothing about it, it comes back to the ladder like any alert that was taken; so it does where nobody knows the writer.
    """
    reason = Reason(
        AlertKind.QUESTION,
        reply.agency_id,
        member.patient_id,
        member.contact_id,
        reply.id,
        detail={"why": "an answer in a thread written by hand"},
    )
    alert = session.get_one(Alert, (reply.agency_id, open_alert(session, reason, now)))
    clinician = session.get(Clinician, (reply.agency_id, writer)) if writer is not None else None
    if clinician is None or clinician.left_on is not None or clinician.texts_stopped_at is not None:
        return
    session.flush()
    acknowledge(session, reply.agency_id, clinician.id, alert.code, now)
    note = Outgoing(
        agency_id=reply.agency_id,
        kind=Kind.NOTE,
        template="note-answered",
        clinician_id=clinician.id,
        alert_id=alert.id,
        params={"code": alert.code},
    )
    queue(session, note, now)
