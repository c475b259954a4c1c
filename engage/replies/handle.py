"""Understands stored replies and does what follows, one transaction a reply: reading, scores, alerts, answers together.

A reply that cannot be handled is tried again, and after three failures it goes to a person: nothing is ever dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from engage import log
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.patients.model import Contact
from engage.replies.apply import apply
from engage.replies.asked import Question, find_context
from engage.replies.clinician import handle_clinician
from engage.replies.model import Reply
from engage.replies.rules import Asked, Intent, Lexicon, Reading, read
from engage.replies.rules.decide import decide

MOST_FAILURES = 3

_NEXT = text(
    "SELECT id FROM replies WHERE state = 'stored' AND failures < :most ORDER BY failures, received_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_GIVE_UP = text(
    "SELECT id FROM replies WHERE state = 'stored' AND failures >= :most ORDER BY received_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)


@dataclass(slots=True)
class Handled:
    """What one run did: how many replies, and how often each intent was read."""

    replies: int = 0
    failed: int = 0
    intents: dict[str, int] = field(default_factory=dict)


def handle(db: Database, lexicon: Lexicon, now: Callable[[], datetime], most: int = 500) -> Handled:
    """Handle every stored reply, oldest first, at most `most`; `now` is asked for each of them."""
    done = Handled()
    while done.replies + done.failed < most and (_one(db, lexicon, now(), done) or _give_up(db, now())):
        pass
    return done


def _one(db: Database, lexicon: Lexicon, now: datetime, done: Handled) -> bool:
    reply_id: int | None = None
    try:
        with db.system_session("handle") as session:
            reply_id = session.scalar(_NEXT, {"most": MOST_FAILURES})
            if reply_id is None:
                return False
            reply = session.scalars(select(Reply).where(Reply.id == reply_id)).one()
            for intent in _understand(session, lexicon, reply, now):
                done.intents[intent] = done.intents.get(intent, 0) + 1
        done.replies += 1
    except Exception:
        log.get().exception("a reply could not be handled", reply=reply_id)
        if reply_id is None:
            raise
        with db.system_session("handle") as session:
            session.execute(update(Reply).where(Reply.id == reply_id).values(failures=Reply.failures + 1))
        done.failed += 1
    return True


def _understand(session: Session, lexicon: Lexicon, reply: Reply, now: datetime) -> list[str]:
    if reply.clinician_id is not None:
        handle_clinician(session, reply, now)
        reply.state, reply.handled_at = "handled", now
        return []
    if reply.contact_id is None:
        return _from_nobody(session, lexicon, reply, now)
    found = find_context(session, reply, now)
    reading, question = _best_reading(lexicon, reply, found.questions, found.language)
    actions = decide(reading, found.context_for(question))
    apply(session, reply, reading, question, actions, now)
    return [str(intent) for intent in reading.intents]


def _best_reading(
    lexicon: Lexicon, reply: Reply, questions: tuple[Question, ...], language: str
) -> tuple[Reading, Question | None]:
    """The reading under the newest open question that makes sense of the words, else under the newest of all.

    "Y" after a check-in makes no sense as a score and answers yesterday's reminder.
    """
    first: tuple[Reading, Question | None] | None = None
    for question in (*questions, None):
        asked = question.asked if question is not None else Asked.NONE
        today = question.today if question is not None else None
        reading = read(reply.body, asked, lexicon=lexicon, language=language, today=today)
        first = first or (reading, question)
        if Intent.UNCLEAR not in reading.intents:
            return reading, question
    if first is None:
        raise AssertionError("there is always the reading without a question")
    return first


def _from_nobody(session: Session, lexicon: Lexicon, reply: Reply, now: datetime) -> list[str]:
    """A phone we do not know: nobody to answer, so a person looks at it, unless it is a machine or only an opt-out."""
    reading = read(reply.body, Asked.NONE, lexicon=lexicon)
    intents = set(reading.intents)
    if not intents <= {Intent.AUTO_REPLY, Intent.THANKS, Intent.OPTOUT, Intent.OPTIN}:
        kind = AlertKind.URGENT if Intent.URGENT in intents else AlertKind.UNREADABLE
        open_alert(session, Reason(kind, reply.agency_id, reply_id=reply.id), now)
    apply(session, reply, reading, None, (), now)
    reply.state = "needs_person"
    return [str(intent) for intent in reading.intents]


def _give_up(db: Database, now: datetime) -> bool:
    """Hand a reply that failed too often to a person."""
    with db.system_session("handle") as session:
        reply_id = session.scalar(_GIVE_UP, {"most": MOST_FAILURES})
        if reply_id is None:
            return False
        # Column by column: what failed may be the reading of the row itself, with a key that is missing.
        reply = session.execute(
            select(Reply.agency_id, Reply.contact_id, Contact.patient_id)
            .outerjoin(Contact, (Contact.agency_id == Reply.agency_id) & (Contact.id == Reply.contact_id))
            .where(Reply.id == reply_id)
        ).one()
        reason = Reason(AlertKind.UNREADABLE, reply.agency_id, reply.patient_id, reply.contact_id, reply_id)
        open_alert(session, reason, now)
        session.execute(update(Reply).where(Reply.id == reply_id).values(state="needs_person", handled_at=now))
    return True
