"""Makes a new message of one that Twilio took and that then did not arrive, where trying again may help. It sends nothing.

The new one says the same to the same reader about the same occasion, is decided anew when it leaves, and keeps the old one's
end: after that nobody wants it. Pages are never tried again: the ladder climbs at once instead (alerts.escalate).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.sms.rules.codes import Meaning

# The tries of a chain are counted on one channel: a text that became a call begins anew. Both statements of the insert are one,
# so that the story of the old message and the new message are written together or not at all.
_TRY_AGAIN = text("""
WITH RECURSIVE chain AS (
    SELECT m.agency_id, m.id, m.retry_of, m.channel, 0 AS before FROM messages m WHERE m.agency_id = :agency AND m.id = :message
    UNION ALL
    SELECT o.agency_id, o.id, o.retry_of, o.channel, c.before + 1
    FROM chain c JOIN messages o ON o.agency_id = c.agency_id AND o.id = c.retry_of AND o.channel = c.channel
), again AS (
    INSERT INTO messages (agency_id, retry_of, kind, channel, priority, touchpoint_id, occasion, patient_id, contact_id,
                          clinician_id, visit_id, reply_id, alert_id, alert_round, alert_step, template, params, category, asks,
                          also_for, written_by, body, planned_at, send_at, due_at, expires_at)
    SELECT m.agency_id, m.id, m.kind, m.channel, m.priority, m.touchpoint_id, m.occasion, m.patient_id, m.contact_id,
           m.clinician_id, m.visit_id, m.reply_id, m.alert_id, m.alert_round, m.alert_step, m.template, m.params, m.category, m.asks,
           m.also_for, m.written_by, CASE WHEN m.kind = 'hand' OR m.template = 'trial' THEN m.body END, :now, :due, :due, m.expires_at
    FROM messages m
    WHERE m.agency_id = :agency AND m.id = :message AND m.kind <> 'page' AND m.expires_at > :due
      AND (SELECT max(before) FROM chain) < :most
    ON CONFLICT (agency_id, retry_of) WHERE retry_of IS NOT NULL DO NOTHING
    RETURNING id
)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT :agency, :message, :now, 'tried_again', :reason, :due FROM again
RETURNING id
""")


def try_again(session: Session, failed: Any, meaning: Meaning, now: datetime) -> bool:
    """Whether the message `failed` (agency_id, id) is tried once more, after the pause and as often as `meaning` allows.

    Not when it would come too late. Asked again about the same message it changes nothing.
    """
    values = {
        "agency": failed.agency_id,
        "message": failed.id,
        "now": now,
        "due": now + meaning.wait,
        "most": meaning.retries,
        "reason": str(meaning.kind),
    }
    return session.execute(_TRY_AGAIN, values).first() is not None
