"""Sends a text again because a person asks for it: a message that never arrived in, a new one in the outbox out. It sends nothing.

The new one says the same to the same reader about the same occasion (`retry_of`, unique: a second click changes nothing). It is
asked for as any text is: consents, hours, caps, visits and the planner's revisions decide until it leaves.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.errors import NotFound
from engage.outreach.gather import Terms, gather
from engage.outreach.rules.again import Never, Past, may_send_again, useful_until
from engage.outreach.rules.draft import Drop, Ready, decide
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.permission import Hold, Refusal
from engage.sms.rules.statuses import MessageState

_PAST = """
SELECT m.id, m.kind, m.channel, m.state, m.reason, m.attempts, m.expires_at,
       EXISTS (SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.retry_of = m.id) AS is_tried_again
FROM messages m WHERE m.agency_id = :agency AND m.id = :message
"""
_LOOK, _LOCK = text(_PAST), text(f"{_PAST} FOR UPDATE OF m")
_AGAIN = text("""
WITH again AS (
    INSERT INTO messages (agency_id, retry_of, kind, channel, priority, touchpoint_id, occasion, patient_id, contact_id, visit_id,
                          reply_id, template, params, category, asks, also_for, written_by, body, planned_at, send_at, due_at, expires_at)
    SELECT m.agency_id, m.id, m.kind, m.channel, m.priority, m.touchpoint_id, m.occasion, m.patient_id, m.contact_id, m.visit_id,
           m.reply_id, m.template, m.params, m.category, m.asks, m.also_for, m.written_by, CASE WHEN m.kind = 'hand' THEN m.body END,
           :now, :now, :now, :until
    FROM messages m WHERE m.agency_id = :agency AND m.id = :message
    ON CONFLICT (agency_id, retry_of) WHERE retry_of IS NOT NULL DO NOTHING
    RETURNING id
), told AS (
    INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
    SELECT :agency, :message, :now, 'tried_again', 'sent_again', :now FROM again
)
SELECT id FROM again
""")

Obstacle = Never | Refusal | Drop


@dataclass(frozen=True, slots=True)
class Look:
    """What would become of it now: the text that would leave, until when it would wait, or why it is not sent again."""

    past: Past
    verdict: Ready | Hold | Obstacle


def look(session: Session, agency_id: int, message_id: int, terms: Terms, now: datetime) -> Look:
    """What would become of the message if it were sent again now. Raises NotFound for one that the agency does not have."""
    return _look(session, agency_id, message_id, terms, now, is_locked=False)


def send_again(session: Session, agency_id: int, message_id: int, terms: Terms, now: datetime) -> int | Obstacle:
    """The new message's id, or why there is none; asked again, TRIED_AGAIN. Raises NotFound as `look` does."""
    found = _look(session, agency_id, message_id, terms, now, is_locked=True)
    if isinstance(found.verdict, Never | Refusal | Drop):
        return found.verdict
    values = {"agency": agency_id, "message": message_id, "now": now, "until": useful_until(found.past, now)}
    made: int | None = session.scalar(_AGAIN, values)
    return Never.TRIED_AGAIN if made is None else made


def past_of(row: Row[Any]) -> Past:
    """What the rule asks, of a row with a message's kind, channel, state, reason, attempts, expires_at and is_tried_again."""
    return Past(
        Kind(row.kind),
        Channel(row.channel),
        MessageState(row.state),
        row.reason,
        row.attempts,
        row.expires_at,
        row.is_tried_again,
    )


def _look(session: Session, agency_id: int, message_id: int, terms: Terms, now: datetime, *, is_locked: bool) -> Look:
    row = session.execute(_LOCK if is_locked else _LOOK, {"agency": agency_id, "message": message_id}).first()
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    past = past_of(row)
    never = may_send_again(past, now)
    if never is not None:
        return Look(past, never)
    claimed, _ = gather(session, [message_id], now, terms)
    if not claimed:
        return Look(past, Drop.COULD_NOT_DECIDE)
    return Look(past, decide(replace(claimed[0].draft, expires_at=useful_until(past, now)), now))
