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
from engage.outreach.rules.words import Asks
from engage.patients.model import Contact
from engage.replies.apply import Done, apply
from engage.replies.asked import Found, find_context, texts_before
from engage.replies.clinician import handle_clinician
from engage.replies.enrolled import find_asking, settle_by_meaning, settle_plainly
from engage.replies.following import find_following, settle_following
from engage.replies.interpret import Meaning, interpret
from engage.replies.model import Reply
from engage.replies.pending import find_pending
from engage.replies.readings import keep_reading
from engage.replies.rules import Asked, Intent, Lexicon, Reading, read
from engage.replies.rules.decide import Context, decide
from engage.replies.rules.reading import RULE_VERSION, Evidence
from engage.replies.rules.together import Reads, is_harmless, reader, speaks_against
from engage.replies.rules.trends import is_muted

MOST_FAILURES = 3

_NEXT = text(
    "SELECT id FROM replies WHERE state = 'stored' AND failures < :most ORDER BY failures, received_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_GIVE_UP = text(
    "SELECT id FROM replies WHERE state = 'stored' AND failures >= :most ORDER BY received_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)


# Two texts of one phone are read one after the other, or the second would not see what the first has led to.
_ONE_AT_A_TIME = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('engage reply', 0) # hashtextextended(encode(:phone, 'hex'), 0))"
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
        with db.system_session("handle", by_key=True) as session:
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
        with db.system_session("handle", by_key=True) as session:
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
    session.execute(_ONE_AT_A_TIME, {"phone": reply.phone_hash})
    before = texts_before(session, reply)
    found, pending = find_context(session, reply, now), find_pending(session, reply)
    following = find_following(session, reply, found)
    followed = settle_following(session, following, reply, now) if following is not None else None
    if followed is not None:
        return followed
    asking = find_asking(session, reply, found)
    plainly = settle_plainly(session, asking, reply, now) if asking is not None else None
    if plainly is not None:
        return plainly
    if asking is not None and asking.is_verifying and asking.said is not None and asking.said.is_all:
        return _not_theirs(session, reply, found, now)
    meanings = interpret(reply.body, found, list(before.values()), pending, lexicon)
    reads = reader(lexicon, found.language, found.today)
    done = [Done(meaning, decide(meaning.reading, _context(reply, found, meaning, reads, now))) for meaning in meanings]
    intents = apply(session, reply, done, found, list(before), now)
    if asking is not None:
        settle_by_meaning(session, asking, reply, intents, now)
    return intents


def _not_theirs(session: Session, reply: Reply, found: Found, now: datetime) -> list[str]:
    """ "N" to "is this still the right phone?": as if they had written that it is a wrong number."""
    evidence = Evidence(Intent.WRONG_NUMBER, reply.body, 0, len(reply.body), "yes_no: no to the number being theirs")
    reading = Reading((Intent.WRONG_NUMBER,), None, (), (evidence,), 1.0, False, RULE_VERSION)
    meaning = Meaning(reading, None, found.household, True, reply.body)
    return apply(session, reply, [Done(meaning, decide(reading, Context(patients=1)))], found, [], now)


def _context(reply: Reply, found: Found, meaning: Meaning, reads: Reads, now: datetime) -> Context:
    """What the decision needs to know beside the reading."""
    question, first = meaning.question, meaning.members[0]
    value, asked = meaning.reading.score, question.asked if question else Asked.NONE
    is_alone = len(meaning.members) == 1  # of several patients nobody's own level counts
    own = first.thresholds if is_alone and asked is Asked.CHECKIN else None
    at_most = question.alert_at_most if question else None
    return Context(
        asks=question.asks if question else Asks.NOTHING,
        alert_at_most=at_most if own is None or own.alert_at_most is None else own.alert_at_most,
        is_monitored=any(member.is_monitored for member in meaning.members),
        provider_answered=reply.provider_answered,
        answers_last_hour=found.answers_last_hour,
        patients=1 if meaning.is_named else len(meaning.members),
        may_ask=question is not None and not question.is_asked_back,
        is_muted=own is not None and value is not None and is_muted(value, own, now),
        by_hand=found.by_hand,
        is_picture=reply.media > 0 and not reply.body.strip(),
        is_harmless=is_harmless(reply.body),
        speaks_against=value is not None and speaks_against(meaning.words, value, asked, reads),
    )


def _from_nobody(session: Session, lexicon: Lexicon, reply: Reply, now: datetime) -> list[str]:
    """A phone we do not know: nobody to answer, so a person looks at it, unless it is a machine or only an opt-out."""
    reading = read(reply.body, Asked.NONE, lexicon=lexicon)
    intents = set(reading.intents)
    if not intents <= {Intent.AUTO_REPLY, Intent.THANKS, Intent.OPTOUT, Intent.OPTIN}:
        kind = AlertKind.URGENT if Intent.URGENT in intents else AlertKind.UNREADABLE
        open_alert(session, Reason(kind, reply.agency_id, reply_id=reply.id), now)
    keep_reading(session, reply, [reading], None, {"actions": []}, [], now)
    reply.state, reply.handled_at = "needs_person", now
    return [str(intent) for intent in reading.intents]


def _give_up(db: Database, now: datetime) -> bool:
    """Hand a reply that failed too often to a person."""
    with db.system_session("handle", by_key=True) as session:
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
