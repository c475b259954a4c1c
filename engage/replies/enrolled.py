"""Settles the question whether a phone may be texted, or is still theirs, by what it answers: a reply in; consents and an answer out.

In the transaction of the reply. Only a plain yes grants, and only what was asked about; anything else is read as any reply is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.db import encryption
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind
from engage.patients.model import ConsentEvent
from engage.patients.rules.enrolment import proof
from engage.patients.rules.words import ConsentKind, ConsentSource, EnrolmentPurpose, Settled
from engage.replies.asked import Found
from engage.replies.model import Reply
from engage.replies.readings import keep_reading
from engage.replies.rules import Intent
from engage.replies.rules.yes_no import Said, read_yes_no, reading_of

# The open asking of the phone, once its text has left, with the words that were read last. A yes that comes after its end, within
# the month, is still a yes to the text that they have.
_OPEN = text("""
SELECT v.id, v.contact_id, c.patient_id, v.purpose, v.categories, a.weekly_cap, asked.id AS message_id, asked.body, asked.claimed_at
FROM enrolments v
JOIN agencies a ON a.id = v.agency_id
JOIN contacts c ON c.agency_id = v.agency_id AND c.id = v.contact_id
JOIN LATERAL (SELECT m.id, m.body, m.claimed_at FROM messages m
              WHERE m.agency_id = v.agency_id AND m.contact_id = v.contact_id AND m.kind = 'enrolment'
                AND m.claimed_at BETWEEN v.asked_at AND :received
                AND m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered')
              ORDER BY m.claimed_at DESC LIMIT 1) asked ON true
WHERE v.agency_id = :agency AND v.phone_hash = :hash
  AND (v.settled_at IS NULL OR v.settled_how = 'silent' AND v.settled_at > CAST(:received AS timestamptz) - interval '30 days')
ORDER BY v.id DESC LIMIT 1 FOR UPDATE OF v
""")
_SETTLE = text("""
UPDATE enrolments SET settled_at = :now, settled_how = :how, reply_id = :reply WHERE agency_id = :agency AND id = :id
""")
# What waited for the answer need not wait for the hour.
_RELEASE = text("""
UPDATE messages m SET due_at = GREATEST(m.send_at, :now) FROM contacts c
WHERE c.agency_id = :agency AND c.phone_hash = :hash AND m.agency_id = c.agency_id AND m.contact_id = c.id
  AND m.state = 'planned' AND m.reason = 'number_unverified'
""")
_THEIRS = {
    Intent.CONFIRM,
    Intent.SCORE,
    Intent.RESCHEDULE,
    Intent.CANCEL_VISIT,
    Intent.SYMPTOM,
    Intent.URGENT,
    Intent.OPTIN,
}
"""Whoever says such a thing is the one we know, or speaks for them."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The open question on a phone, and its answer if the reply is a plain one."""

    row: Row[Any]
    said: Said | None

    @property
    def is_verifying(self) -> bool:
        """Whether it asks if the number is still theirs."""
        return bool(self.row.purpose == EnrolmentPurpose.VERIFY)


def find_asking(session: Session, reply: Reply, found: Found) -> Asking | None:
    """The asking that `reply` may answer; none when something else was asked since."""
    names = {"agency": reply.agency_id, "hash": reply.phone_hash, "received": reply.received_at}
    row = session.execute(_OPEN, names).first()
    if row is None or any(question.asked_at > row.claimed_at for question in found.questions):
        return None
    return Asking(row, read_yes_no(reply.body))


def settle_plainly(session: Session, asking: Asking, reply: Reply, now: datetime) -> list[str] | None:
    """The intents, when the reply is a plain yes, or a plain no to an enrolment; None for whatever must be read as any reply is."""
    said, row = asking.said, asking.row
    if said is None or not said.is_all or (asking.is_verifying and not said.is_yes):
        return None
    if said.is_yes:
        if not asking.is_verifying:
            _grant(session, row, reply, now)
        _settle(session, row, reply, Settled.AGREED, now)
        answer = "verify-thanks" if asking.is_verifying else "enrol-thanks"
    else:
        _settle(session, row, reply, Settled.DECLINED, now)
        answer = "enrol-declined"
    _answer(session, row, reply, answer, now)
    outcome = {"actions": ["Enrolled" if said.is_yes else "NotEnrolled"], "patients": [row.patient_id]}
    return keep_reading(session, reply, [reading_of(reply.body, said)], row.message_id, outcome, [], now)


def settle_by_meaning(session: Session, asking: Asking, reply: Reply, intents: Sequence[str], now: datetime) -> None:
    """After any other reply: who speaks as the patient has verified the number; a stranger's words leave it held."""
    if (
        asking.is_verifying
        and {str(intent) for intent in _THEIRS} & set(intents)
        and str(Intent.WRONG_NUMBER) not in intents
    ):
        _settle(session, asking.row, reply, Settled.AGREED, now)


def _settle(session: Session, row: Row[Any], reply: Reply, how: Settled, now: datetime) -> None:
    names = {"agency": reply.agency_id, "id": row.id, "how": how, "reply": reply.id, "now": now}
    session.execute(_SETTLE, names)
    if how is Settled.AGREED:
        session.execute(_RELEASE, {"agency": reply.agency_id, "hash": reply.phone_hash, "now": now})


def _grant(session: Session, row: Row[Any], reply: Reply, now: datetime) -> None:
    """One consent a category, each with the exact words of both."""
    asked = encryption.ring().open(bytes(row.body), "messages.body") if row.body is not None else None
    for category in row.categories:
        session.add(
            ConsentEvent(
                agency_id=reply.agency_id,
                contact_id=row.contact_id,
                phone_hash=reply.phone_hash,
                category=category,
                kind=ConsentKind.GRANTED,
                source=ConsentSource.TEXT,
                proof=proof(asked, row.claimed_at, reply.body, reply.received_at),
                reply_id=reply.id,
                said_at=reply.received_at,
                recorded_at=now,
            )
        )


def _answer(session: Session, row: Row[Any], reply: Reply, name: str, now: datetime) -> None:
    params = {"most": row.weekly_cap} if name == "enrol-thanks" else {}
    answer = Outgoing(
        agency_id=reply.agency_id,
        kind=Kind.ANSWER,
        template=name,
        contact_id=row.contact_id,
        patient_id=row.patient_id,
        reply_id=reply.id,
        params=params,
    )
    queue(session, answer, now)
