"""Finds what a reply may answer: the open questions of its author, newest first, and what is known of them. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.outreach.rules.words import Asks
from engage.patients.rules.window import local_day
from engage.replies.model import Reply
from engage.replies.rules import Asked
from engage.replies.rules.decide import Context

OPEN_FOR = timedelta(hours=30)
"""A reminder of yesterday 15:00 may be answered until this evening; an older question is not what the reply is about."""

_ASKED = {Asks.CONFIRM: Asked.REMINDER, Asks.SCORE_1_5: Asked.CHECKIN, Asks.SCORE_1_10: Asked.SURVEY}

_AUTHOR = text("""
SELECT c.patient_id, COALESCE(c.language, p.language) AS language, p.time_zone, p.is_monitored,
       (SELECT count(*) FROM messages m WHERE m.agency_id = c.agency_id AND m.contact_id = c.id AND m.reply_id IS NOT NULL
        AND m.planned_at > :hour_ago) AS answers
FROM contacts c JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
WHERE c.agency_id = :agency AND c.id = :contact
""")

# One question of each kind: a second check-in replaces the first. `unknown` and `sending` count: the patient has the text. A key
# pressed in a call answers that call, whatever else is open.
_QUESTIONS = text("""
SELECT * FROM (
    SELECT DISTINCT ON (m.asks) m.id, m.asks, m.occasion, m.claimed_at, m.visit_id, t.alert_at_most
    FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
    WHERE m.agency_id = :agency AND m.contact_id = :contact AND m.asks <> 'nothing'
      AND CASE WHEN CAST(:called AS bigint) IS NOT NULL THEN m.id = :called
          ELSE m.claimed_at > :since AND m.claimed_at <= :received
              AND m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered') END
    ORDER BY m.asks, m.claimed_at DESC, m.id DESC) newest
ORDER BY claimed_at DESC, id DESC
""")


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: our message, what it asks, and for a reminder the local day of its visits."""

    message_id: int
    asks: Asks
    alert_at_most: int | None
    visit_day: date | None
    today: date

    @property
    def asked(self) -> Asked:
        """The question in the words of the reading rules."""
        return _ASKED[self.asks]


@dataclass(frozen=True, slots=True)
class Found:
    """All that is known about the author of a reply."""

    questions: tuple[Question, ...]
    language: str
    is_monitored: bool
    answers_last_hour: int
    provider_answered: bool

    def context_for(self, question: Question | None) -> Context:
        """What the decision needs, under one question."""
        return Context(
            asks=question.asks if question else Asks.NOTHING,
            alert_at_most=question.alert_at_most if question else None,
            is_monitored=self.is_monitored,
            provider_answered=self.provider_answered,
            answers_last_hour=self.answers_last_hour,
        )


def find_context(session: Session, reply: Reply, now: datetime) -> Found:
    """The open questions of the contact who wrote `reply`, as they stood when it was received."""
    who = {"agency": reply.agency_id, "contact": reply.contact_id}
    author = session.execute(_AUTHOR, {**who, "hour_ago": now - timedelta(hours=1)}).one()
    times = {"since": reply.received_at - OPEN_FOR, "received": reply.received_at, "called": reply.message_id}
    today = local_day(reply.received_at, author.time_zone)
    questions = tuple(_question(row, today) for row in session.execute(_QUESTIONS, {**who, **times}))
    return Found(questions, author.language, author.is_monitored, author.answers, reply.provider_answered)


def _question(row: Row[Any], today: date) -> Question:
    asks = Asks(row.asks)
    day = date.fromisoformat(row.occasion) if asks is Asks.CONFIRM else None
    return Question(row.id, asks, row.alert_at_most, day, today)
