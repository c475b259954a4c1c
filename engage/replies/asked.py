"""Finds what a reply may answer: the open questions on its phone, newest first, and what is known of whom. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.db import encryption
from engage.outreach.rules.words import Asks
from engage.patients.rules.window import local_day
from engage.replies.model import Reply
from engage.replies.rules import Asked
from engage.replies.rules.together import WITHIN
from engage.replies.rules.trends import Thresholds

OPEN_FOR = timedelta(hours=30)
"""A reminder of yesterday 15:00 may be answered until this evening; an older question is not what the reply is about."""
BY_HAND_FOR = timedelta(hours=4)
"""So long after a text that somebody wrote by hand its thread is theirs: automation keeps quiet."""

_ASKED = {Asks.CONFIRM: Asked.REMINDER, Asks.SCORE_1_5: Asked.CHECKIN, Asks.SCORE_1_10: Asked.SURVEY}

# Everybody whose contact this phone is, the author's own first. Somebody whose contact has ended, or whose care has, is no
# longer asked about; the author's own patient always is.
_HOUSEHOLD = text("""
SELECT p.id AS patient_id, p.first_name, o.id AS contact_id, o.relationship, p.is_monitored, p.time_zone,
       COALESCE(c.language, mine.language) AS language, a.drop_by, a.threes_in_a_row, a.silent_after,
       l.baseline, l.alert_at_most, l.drop_by AS own_drop_by, l.threes_in_a_row AS own_threes, l.silent_after AS own_silent,
       l.snoozed_until,
       (SELECT count(*) FROM messages m WHERE m.agency_id = c.agency_id AND m.contact_id = c.id AND m.reply_id IS NOT NULL
        AND m.planned_at > :hour_ago) AS answers
FROM contacts c
JOIN agencies a ON a.id = c.agency_id
JOIN patients mine ON mine.agency_id = c.agency_id AND mine.id = c.patient_id
JOIN contacts o ON o.agency_id = c.agency_id AND o.phone_hash = c.phone_hash AND (o.id = c.id OR o.ended_at IS NULL)
JOIN patients p ON p.agency_id = o.agency_id AND p.id = o.patient_id
    AND (o.id = c.id OR p.status NOT IN ('discharged', 'deceased'))
LEFT JOIN patient_levels l ON l.agency_id = p.agency_id AND l.patient_id = p.id
WHERE c.agency_id = :agency AND c.id = :contact
ORDER BY o.id = c.id DESC, o.id
""")

# Who last wrote to this phone by hand, however it was sent; what never left has opened no thread.
_BY_HAND = text("""
SELECT m.written_by, m.planned_at FROM messages m
WHERE m.agency_id = :agency AND m.contact_id = ANY(:contacts) AND m.kind = 'hand' AND m.planned_at > :since
  AND m.planned_at <= :received AND m.state NOT IN ('suppressed', 'expired', 'cancelled', 'failed')
ORDER BY m.planned_at DESC, m.id DESC LIMIT 1
""")

# One question of each kind and patient: a second check-in replaces the first. `unknown` and `sending` count: the patient has the
# text. A key pressed in a call answers that call, whatever else is open. `is_asked`: we have asked back about it.
_QUESTIONS = text("""
SELECT * FROM (
    SELECT DISTINCT ON (m.asks, m.patient_id) m.id, m.asks, m.occasion, m.claimed_at, m.patient_id, m.also_for, t.alert_at_most,
           EXISTS (SELECT FROM clarifications q WHERE q.agency_id = m.agency_id AND q.message_id = m.id) AS is_asked,
           EXISTS (SELECT FROM scores s WHERE s.agency_id = m.agency_id AND s.message_id = m.id) AS is_answered
    FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
    WHERE m.agency_id = :agency AND m.contact_id = ANY(:contacts) AND m.asks NOT IN ('nothing', 'yes_no')
      AND CASE WHEN CAST(:called AS bigint) IS NOT NULL THEN m.id = :called
          ELSE m.claimed_at > :since AND m.claimed_at <= :received
              AND m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered') END
    ORDER BY m.asks, m.patient_id, m.claimed_at DESC, m.id DESC) newest
ORDER BY claimed_at DESC, id DESC
""")


# What the same person wrote just before; keys pressed in a call are no texts.
_BEFORE = text("""
SELECT id, body FROM replies
WHERE agency_id = :agency AND phone_hash = :hash AND contact_id IS NOT NULL AND message_id IS NULL
  AND received_at >= :since AND (received_at, id) < (:received, :reply)
ORDER BY received_at, id LIMIT 10
""")


@dataclass(frozen=True, slots=True)
class Member:
    """A patient on the phone, through which contact, what the contact is to the patient, and what counts as worrying."""

    patient_id: int
    first_name: str
    contact_id: int
    relationship: str
    is_monitored: bool
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: our message, what it asks, of which patients, and for a reminder the local day of its visits."""

    message_id: int
    asks: Asks
    alert_at_most: int | None
    visit_day: date | None
    patients: tuple[int, ...]
    asked_at: datetime
    is_asked_back: bool = False
    is_answered: bool = False

    @property
    def asked(self) -> Asked:
        """The question in the words of the reading rules."""
        return _ASKED[self.asks]


@dataclass(frozen=True, slots=True)
class Found:
    """All that is known about the author of a reply; `today` is the date where the patient lives."""

    household: tuple[Member, ...]
    questions: tuple[Question, ...]
    language: str
    today: date
    answers_last_hour: int
    by_hand: bool = False
    writer: int | None = None  # the clinician who wrote by hand, where that is known

    @property
    def names(self) -> Mapping[int, str]:
        """First names by patient."""
        return {member.patient_id: member.first_name for member in self.household}

    def members(self, patients: Sequence[int]) -> tuple[Member, ...]:
        """These patients, in their order on the phone; all of them when none of these is on it any more."""
        return tuple(member for member in self.household if member.patient_id in patients) or self.household


def find_context(session: Session, reply: Reply, now: datetime) -> Found:
    """The open questions on the phone that wrote `reply`, as they stood when it was received, and who is on that phone."""
    who = {"agency": reply.agency_id, "contact": reply.contact_id}
    rows = session.execute(_HOUSEHOLD, {**who, "hour_ago": now - timedelta(hours=1)}).all()
    own = rows[0]
    household = {
        row.patient_id: _member(row) for row in reversed(rows)
    }  # the author's own contact, else the first of each
    ordered = tuple(household[patient] for patient in dict.fromkeys(row.patient_id for row in rows))
    today = local_day(reply.received_at, own.time_zone)
    contacts = {"agency": reply.agency_id, "contacts": [row.contact_id for row in rows], "received": reply.received_at}
    hand = session.execute(_BY_HAND, {**contacts, "since": reply.received_at - BY_HAND_FOR}).first()
    times = {"since": reply.received_at - OPEN_FOR, "called": reply.message_id}
    asked = (_question(row) for row in session.execute(_QUESTIONS, {**contacts, **times}))
    questions = tuple(
        question
        for question in asked
        if (hand is None or question.asked_at > hand.planned_at)  # "4" answers what the nurse asked, not our check-in
        and (question.visit_day is None or question.visit_day >= today)  # nobody confirms a visit that is over
    )
    writer = hand.written_by if hand is not None else None
    return Found(ordered, questions, own.language, today, own.answers, hand is not None, writer)


def texts_before(session: Session, reply: Reply) -> dict[int, str]:
    """What the same phone wrote within the minute before `reply`, oldest first, by the number of its reply."""
    if reply.message_id is not None:
        return {}
    names = {"agency": reply.agency_id, "hash": reply.phone_hash, "reply": reply.id, "received": reply.received_at}
    rows = session.execute(_BEFORE, names | {"since": reply.received_at - WITHIN})
    return {row.id: encryption.ring().open(bytes(row.body), "replies.body") for row in rows}


def _member(row: Row[Any]) -> Member:
    thresholds = Thresholds(
        alert_at_most=row.alert_at_most,
        drop_by=row.drop_by if row.own_drop_by is None else row.own_drop_by,
        threes_in_a_row=row.threes_in_a_row if row.own_threes is None else row.own_threes,
        silent_after=row.silent_after if row.own_silent is None else row.own_silent,
        baseline=row.baseline,
        snoozed_until=row.snoozed_until,
    )
    return Member(row.patient_id, row.first_name, row.contact_id, row.relationship, row.is_monitored, thresholds)


def _question(row: Row[Any]) -> Question:
    asks = Asks(row.asks)
    return Question(
        message_id=row.id,
        asks=asks,
        alert_at_most=row.alert_at_most,
        visit_day=date.fromisoformat(row.occasion) if asks is Asks.CONFIRM else None,
        patients=(row.patient_id, *(row.also_for or ())),
        asked_at=row.claimed_at,
        is_asked_back=row.is_asked,
        is_answered=row.is_answered,
    )
