"""What we asked back and nobody has answered: kept, settled by the next reply, or given to a person when its time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import log
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.outreach.rules.words import Asks
from engage.replies.asked import Question
from engage.replies.model import Reply

WAITS_FOR = timedelta(minutes=30)
"""How long an answer to our question is awaited before a person looks. A low score or a worrying word has not waited for it."""

_FIND = text("""
SELECT q.id, q.reply_id, q.message_id, q.scale, q.value, r.received_at, m.asks, m.patient_id, m.also_for, m.claimed_at, t.alert_at_most
FROM clarifications q
JOIN replies r ON r.agency_id = q.agency_id AND r.id = q.reply_id
JOIN messages m ON m.agency_id = q.agency_id AND m.id = q.message_id
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
WHERE q.agency_id = :agency AND q.phone_hash = :hash AND q.why = 'whose' AND r.received_at <= :received AND r.id <> :reply
  AND (q.settled_at IS NULL OR q.settled_at >= CAST(:handled AS timestamptz))
ORDER BY q.id DESC LIMIT 1
""")
_ASK = text("""
INSERT INTO clarifications (agency_id, reply_id, message_id, patient_id, phone_hash, why, scale, value, until, settled_at, settled_how)
VALUES (:agency, :reply, :message, :patient, :hash, :why, :scale, :value, :until, CAST(:settled AS timestamptz),
        CASE WHEN CAST(:settled AS timestamptz) IS NOT NULL THEN 'person' END)
ON CONFLICT (agency_id, message_id, why) DO NOTHING
""")
_SETTLE = text(
    "UPDATE clarifications SET settled_at = :now, settled_how = 'answered' WHERE agency_id = :agency AND id = :id"
)
_SETTLE_MEANINGS = text("""
UPDATE clarifications SET settled_at = :now, settled_how = 'answered'
WHERE agency_id = :agency AND phone_hash = :hash AND why = 'meaning' AND settled_at IS NULL AND reply_id <> :reply
""")
_OVERDUE = text("""
UPDATE clarifications q SET settled_at = :now, settled_how = 'person'
FROM (SELECT agency_id, id FROM clarifications WHERE settled_at IS NULL AND until <= :now ORDER BY until LIMIT :most
      FOR UPDATE SKIP LOCKED) due, replies r
WHERE q.agency_id = due.agency_id AND q.id = due.id AND r.agency_id = q.agency_id AND r.id = q.reply_id
RETURNING q.agency_id, q.id, q.reply_id, q.message_id, q.patient_id, q.why, r.contact_id
""")
_WHY = {"whose": "nobody said whose score it is", "meaning": "we asked what was meant, and nothing came"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A score that waits for a name: from which reply, to which question of ours."""

    id: int
    reply_id: int
    value: int
    given_at: datetime
    question: Question


def find_pending(session: Session, reply: Reply) -> Pending | None:
    """The score on this phone that waits for a name when `reply` is handled, or, of one that was handled, waited then."""
    names = {"agency": reply.agency_id, "hash": reply.phone_hash, "received": reply.received_at}
    names |= {"reply": reply.id, "handled": reply.handled_at}
    row = session.execute(_FIND, names).first()
    if row is None:
        return None
    patients = (row.patient_id, *(row.also_for or ()))
    question = Question(row.message_id, Asks(row.asks), row.alert_at_most, None, patients, row.claimed_at, True)
    return Pending(row.id, row.reply_id, row.value, row.received_at, question)


def ask_whose(session: Session, reply: Reply, question: Question, scale: int, value: int, now: datetime) -> None:
    """Keep a score until somebody says whose it is."""
    _ask(session, reply, question, now, why="whose", scale=scale, value=value)


def ask_meaning(session: Session, reply: Reply, question: Question, *, is_waiting: bool, now: datetime) -> None:
    """Note that we asked back; without `is_waiting` a person knows already, and the note only keeps us from asking twice."""
    _ask(session, reply, question, now, why="meaning", settled=None if is_waiting else now)


def _ask(session: Session, reply: Reply, question: Question, now: datetime, **more: object) -> None:
    values = {
        "agency": reply.agency_id,
        "reply": reply.id,
        "message": question.message_id,
        "patient": question.patients[0],
        "hash": reply.phone_hash,
        "until": now + WAITS_FOR,
        "scale": None,
        "value": None,
        "settled": None,
    }
    session.execute(_ASK, values | more)


def settle(session: Session, reply: Reply, named: Pending | None, now: datetime) -> None:
    """What `reply` answers waits no more: the score whose owner it names, and whatever we did not understand before."""
    session.execute(
        _SETTLE_MEANINGS, {"agency": reply.agency_id, "hash": reply.phone_hash, "reply": reply.id, "now": now}
    )
    if named is not None:
        session.execute(_SETTLE, {"agency": reply.agency_id, "id": named.id, "now": now})


def tell_unanswered(db: Database, now: datetime, most: int = 200) -> int:
    """Hand to a person what we asked and nobody answered in time; idempotent. Returns how many."""
    told = 0
    with db.system_session("ask a person") as session:
        for row in session.execute(_OVERDUE, {"now": now, "most": most}).all():
            detail = {"why": _WHY[row.why]}
            reason = Reason(
                AlertKind.UNREADABLE,
                row.agency_id,
                row.patient_id,
                row.contact_id,
                row.reply_id,
                row.message_id,
                detail,
            )
            try:
                with session.begin_nested():
                    open_alert(session, reason, now)
            except Exception:  # noqa: BLE001 - one agency's missing rule must not keep the others' patients from a call
                log.get().exception("an unanswered question cannot be told", agency=row.agency_id, reply=row.reply_id)
            else:
                told += 1
    return told
