"""Opens an alert for monitored patients whose check-ins go unanswered: rows in, alerts out, set by set. It sends nothing.

Each check-in is looked at once, when its time for an answer is over. What was never delivered does not count, and whoever
writes anything at all, from any phone of the patient's, is not silent.
"""

from datetime import datetime, timedelta

from sqlalchemy import text

from engage import log
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database

TIME_TO_ANSWER = timedelta(hours=3)
"""Most who answer do so within the hour; the evening's check-in is counted while somebody may still be called."""
LOOKS_BACK = timedelta(days=30)
"""An older check-in says nothing about now."""

# One process at a time looks; the row says how far.
_BEGIN = text("INSERT INTO silence_watch (id, looked_until) VALUES (1, :since) ON CONFLICT DO NOTHING")
_LOCK = text("SELECT looked_until FROM silence_watch WHERE id = 1 FOR UPDATE SKIP LOCKED")
_REACHED = text("UPDATE silence_watch SET looked_until = :until WHERE id = 1")

# `phones`: every contact row with a phone of the patient's, whoever else's phone it is. A text of a shared phone whose scores
# are all another patient's says nothing of this one, and a machine's answer of nobody. After an alert was resolved silence
# begins anew.
_SILENT = text("""
WITH due AS (
    SELECT DISTINCT m.agency_id, who.patient_id
    FROM messages m CROSS JOIN LATERAL unnest(m.patient_id || COALESCE(m.also_for, '{}')) AS who(patient_id)
    WHERE m.asks = 'score_1_5' AND m.kind = 'touchpoint' AND m.state = 'delivered'
      AND m.claimed_at > :after AND m.claimed_at <= :until)
SELECT d.agency_id, d.patient_id, asked.count AS unanswered, asked.contact_id, asked.message_id
FROM due d
JOIN agencies a ON a.id = d.agency_id
JOIN patients p ON p.agency_id = d.agency_id AND p.id = d.patient_id AND p.status = 'active' AND p.is_monitored
LEFT JOIN patient_levels l ON l.agency_id = p.agency_id AND l.patient_id = p.id
CROSS JOIN LATERAL (SELECT COALESCE(l.silent_after, a.silent_after) AS checkins) AS wanted
CROSS JOIN LATERAL (
    SELECT GREATEST(CAST(:oldest AS timestamptz), (
        SELECT max(r.received_at) FROM contacts c
        JOIN replies r ON r.agency_id = c.agency_id AND r.phone_hash = c.phone_hash AND r.received_at > :oldest
        WHERE c.agency_id = p.agency_id AND c.patient_id = p.id
          AND NOT EXISTS (SELECT FROM readings g WHERE g.agency_id = r.agency_id AND g.reply_id = r.id AND g.intents = '{auto_reply}')
          AND (NOT EXISTS (SELECT FROM scores s WHERE s.agency_id = r.agency_id AND s.reply_id = r.id)
               OR EXISTS (SELECT FROM scores s WHERE s.agency_id = r.agency_id AND s.reply_id = r.id AND s.patient_id = p.id))
    ), (SELECT max(t.resolved_at) FROM alerts t WHERE t.agency_id = p.agency_id AND t.patient_id = p.id AND t.kind = 'silence')) AS at
) AS heard
CROSS JOIN LATERAL (
    SELECT count(DISTINCT o.id) AS count, max(o.contact_id) AS contact_id, max(o.id) AS message_id
    FROM contacts c
    JOIN contacts phones ON phones.agency_id = c.agency_id AND phones.phone_hash = c.phone_hash
    JOIN messages o ON o.agency_id = phones.agency_id AND o.contact_id = phones.id AND o.claimed_at > heard.at AND o.claimed_at <= :until
    WHERE c.agency_id = p.agency_id AND c.patient_id = p.id AND o.asks = 'score_1_5' AND o.kind = 'touchpoint' AND o.state = 'delivered'
      AND (o.patient_id = p.id OR p.id = ANY(o.also_for))
) AS asked
WHERE wanted.checkins > 0 AND asked.count >= wanted.checkins
  AND (l.snoozed_until IS NULL OR l.snoozed_until <= :now)
  AND NOT EXISTS (SELECT FROM alerts t WHERE t.agency_id = p.agency_id AND t.patient_id = p.id AND t.kind = 'silence' AND t.state <> 'resolved')
ORDER BY d.agency_id, d.patient_id
""")


def tell_silences(db: Database, now: datetime) -> int:
    """How many silences were handed to a person; idempotent."""
    told, until = 0, now - TIME_TO_ANSWER
    with db.system_session("silence") as session:
        session.execute(_BEGIN, {"since": until})
        after = session.scalar(_LOCK)
        if after is None or after >= until:
            return 0
        values = {"after": after, "until": until, "oldest": now - LOOKS_BACK, "now": now}
        for row in session.execute(_SILENT, values).all():
            detail = {"unanswered": row.unanswered}
            reason = Reason(
                AlertKind.SILENCE,
                row.agency_id,
                row.patient_id,
                row.contact_id,
                message_id=row.message_id,
                detail=detail,
            )
            try:
                with session.begin_nested():
                    open_alert(session, reason, now)
            except Exception:  # noqa: BLE001 - one agency's missing rule must not keep the others' patients from a call
                log.get().exception("a silence cannot be told", agency=row.agency_id, patient=row.patient_id)
            else:
                told += 1
        session.execute(_REACHED, {"until": until})
    return told
