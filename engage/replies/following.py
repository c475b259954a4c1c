"""Questions that follow a low score ("Is it harder than usual to breathe?"): asks each once, and does what its answer asks for.

In the transaction of the reply, after the alert for the score: the question never delays it. A yes opens an alert or makes the one
that stands worse; a no is evidence on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.planning.groups import FACTS, IS_IN_GROUP
from engage.outreach.rules.words import Asks, Kind, YesOpens
from engage.replies.asked import Found, Member
from engage.replies.model import Reply
from engage.replies.readings import keep_reading
from engage.replies.rules.yes_no import Said, read_yes_no, reading_of

_AFTER_THE_ANSWER = timedelta(seconds=5)
"""Whoever gave the score reads first that a nurse will call."""

# Once for each text of ours, patient and question. Only who may see scores is asked; a group and an override hold here too.
_ASK = text(
    """
INSERT INTO follow_ups (agency_id, touchpoint_id, patient_id, contact_id, asked_about, reply_id, until)
SELECT t.agency_id, t.id, p.id, c.id, m.id, :reply, CAST(:now AS timestamptz) + (t.offset_minutes + t.useful_minutes) * interval '1 minute'
FROM messages m
JOIN touchpoints parent ON parent.agency_id = m.agency_id AND parent.id = m.touchpoint_id
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.anchor = 'score' AND t.is_active AND t.follows = parent.key AND t.follows_at_most >= :value
JOIN agencies a ON a.id = m.agency_id
JOIN patients p ON p.agency_id = m.agency_id AND p.id = :patient
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = :contact AND c.may_see = 'scores'
CROSS JOIN LATERAL (SELECT (CAST(:now AS timestamptz) AT TIME ZONE p.time_zone)::date AS on_day) day
{facts}
WHERE m.agency_id = :agency AND m.id = :message AND {is_in_group}
  AND NOT EXISTS (SELECT FROM programme_overrides o WHERE o.agency_id = t.agency_id AND o.touchpoint_id = t.id AND o.patient_id = p.id AND o.is_off)
ON CONFLICT DO NOTHING RETURNING id, touchpoint_id
""".replace("{facts}", FACTS).replace("{is_in_group}", IS_IN_GROUP)
)
_TOUCHPOINT = text(
    "SELECT template, category, offset_minutes, useful_minutes FROM touchpoints WHERE agency_id = :agency AND id = :id"
)
_ASKED = text("UPDATE follow_ups SET message_id = :message WHERE agency_id = :agency AND id = :id")

# What is open on the phone: asked, its text has left, and nobody has answered it. Several patients of one text are answered together.
_OPEN = text("""
SELECT f.id, f.patient_id, f.contact_id, f.reply_id, t.key, t.yes_opens, asked.id AS message_id, asked.claimed_at
FROM contacts c
JOIN follow_ups f ON f.agency_id = c.agency_id AND f.contact_id = c.id AND f.said_yes IS NULL AND f.until > :received
JOIN touchpoints t ON t.agency_id = f.agency_id AND t.id = f.touchpoint_id
JOIN LATERAL (SELECT m.id, m.claimed_at FROM messages m
              WHERE m.agency_id = f.agency_id AND m.reply_id = f.reply_id AND m.touchpoint_id = f.touchpoint_id
                AND m.claimed_at <= :received AND m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered')
              ORDER BY m.claimed_at DESC LIMIT 1) asked ON true
WHERE c.agency_id = :agency AND c.phone_hash = :hash
ORDER BY asked.claimed_at DESC, f.id FOR UPDATE OF f
""")
_ANSWERED = text(
    "UPDATE follow_ups SET said_yes = :yes, answered_by = :reply WHERE agency_id = :agency AND id = ANY(:ids)"
)
_EVIDENCE = text("""
INSERT INTO alert_events (agency_id, alert_id, at, kind, reply_id, detail)
SELECT DISTINCT e.agency_id, e.alert_id, CAST(:now AS timestamptz), 'evidence', :reply, CAST(:detail AS jsonb) FROM alert_events e
JOIN alerts al ON al.agency_id = e.agency_id AND al.id = e.alert_id AND al.state <> 'resolved' AND al.patient_id = :patient
WHERE e.agency_id = :agency AND e.reply_id = :because
""")


def ask_what_follows(
    session: Session, reply: Reply, message_id: int, member: Member, value: int, now: datetime
) -> None:
    """Queue every question that follows the score `value`, given by `member` to our text `message_id`; each once."""
    names = {"agency": reply.agency_id, "reply": reply.id, "message": message_id, "value": value, "now": now}
    made = session.execute(_ASK, {**names, "patient": member.patient_id, "contact": member.contact_id}).all()
    for row in made:
        touchpoint = session.execute(_TOUCHPOINT, {"agency": reply.agency_id, "id": row.touchpoint_id}).one()
        question = Outgoing(
            agency_id=reply.agency_id,
            kind=Kind.ANSWER,
            template=touchpoint.template,
            contact_id=reply.contact_id,
            patient_id=member.patient_id,
            reply_id=reply.id,
            category=touchpoint.category,
            asks=Asks.YES_NO,
            touchpoint_id=row.touchpoint_id,
            after=_AFTER_THE_ANSWER + timedelta(minutes=touchpoint.offset_minutes),
            useful_for=timedelta(minutes=touchpoint.useful_minutes),
        )
        message = queue(session, question, now)
        session.execute(_ASKED, {"agency": reply.agency_id, "id": row.id, "message": message})


@dataclass(frozen=True, slots=True)
class Following:
    """The open question that a reply answers, of each patient it was asked about, and the answer."""

    rows: Sequence[Row[Any]]
    said: Said


def find_following(session: Session, reply: Reply, found: Found) -> Following | None:
    """What `reply` answers of these questions; none when it is no yes or no, or something else was asked since."""
    said = read_yes_no(reply.body)
    if said is None or reply.message_id is not None or found.by_hand:
        return None
    names = {"agency": reply.agency_id, "hash": reply.phone_hash, "received": reply.received_at}
    rows = session.execute(_OPEN, names).all()
    if not rows or any(question.asked_at > rows[0].claimed_at for question in found.questions):
        return None
    return Following([row for row in rows if row.message_id == rows[0].message_id], said)


def settle_following(session: Session, following: Following, reply: Reply, now: datetime) -> list[str] | None:
    """Open what a yes opens, or note a no. The intents, when the reply was nothing else; None when the rest of it is to be read."""
    rows, said = following.rows, following.said
    names = {"agency": reply.agency_id, "ids": [row.id for row in rows], "yes": said.is_yes, "reply": reply.id}
    session.execute(_ANSWERED, names)
    for row in rows:
        detail = {"why": "follow_up", "asked": row.key, "answer": "yes" if said.is_yes else "no"}
        if said.is_yes:
            kind = AlertKind(row.yes_opens)
            reason = Reason(kind, reply.agency_id, row.patient_id, row.contact_id, reply.id, row.message_id, detail)
            open_alert(session, reason, now)
        else:
            values = {"agency": reply.agency_id, "patient": row.patient_id, "because": row.reply_id, "reply": reply.id}
            session.execute(_EVIDENCE, {**values, "detail": dumps(detail), "now": now})
    if not said.is_all:
        return None
    first = rows[0]
    worse = "answer-urgent" if first.yes_opens == YesOpens.URGENT else "answer-nurse"
    answer = Outgoing(
        agency_id=reply.agency_id,
        kind=Kind.ANSWER,
        template=worse if said.is_yes else "follow-noted",
        contact_id=reply.contact_id,
        patient_id=first.patient_id,
        reply_id=reply.id,
    )
    queue(session, answer, now)
    outcome = {"actions": ["FollowUp"], "patients": sorted(row.patient_id for row in rows)}
    return keep_reading(session, reply, [reading_of(reply.body, said)], first.message_id, outcome, [], now)
