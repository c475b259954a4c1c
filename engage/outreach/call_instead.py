"""Turns visit reminders that a landline cannot get into calls: rows in, rows out, all in SQL. It rings nobody.

Where the agency allows no calls, the reminder is written down as suppressed when it would be due, so that a person is told
(alerts.undeliverable). Consent is a condition here, as for texts, and asked again at the moment of calling.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.db import Database
from engage.outreach.planning.groups import FACTS, IS_IN_GROUP
from engage.outreach.rules.calling import CALLS_AFTER, CALLS_UNTIL

# The failed text learned that the phone is a landline: the call is a second try of it, due at once.
_INSTEAD = text("""
WITH instead AS (
    INSERT INTO messages (agency_id, retry_of, kind, channel, priority, touchpoint_id, occasion, patient_id, contact_id, visit_id,
                          template, params, category, asks, planned_at, send_at, due_at, expires_at)
    SELECT m.agency_id, m.id, m.kind, 'voice', m.priority, m.touchpoint_id, m.occasion, m.patient_id, m.contact_id, m.visit_id,
           'call-' || m.template, m.params, m.category, m.asks, :now, :now, :now, m.expires_at
    FROM messages m
    JOIN agencies a ON a.id = m.agency_id AND a.voice_reminders
    JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id AND t.anchor = 'visit_day'
    WHERE m.agency_id = :agency AND m.id = :message AND m.channel = 'sms' AND m.asks = 'confirm' AND m.category = 'visits'
      AND m.expires_at > :now
    ON CONFLICT (agency_id, retry_of) WHERE retry_of IS NOT NULL DO NOTHING
    RETURNING id
)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT :agency, :message, :now, 'tried_again', 'landline', :now FROM instead
RETURNING id
""")

# Planned as texts before the phone was known for a landline.
_CHANGE = text("""
UPDATE messages m SET channel = 'voice', template = 'call-' || m.template
FROM contacts c
JOIN agencies a ON a.id = c.agency_id AND a.voice_reminders
JOIN touchpoints t ON t.agency_id = c.agency_id AND t.anchor = 'visit_day' AND t.asks = 'confirm' AND t.category = 'visits'
WHERE c.phone_kind = 'landline' AND m.agency_id = c.agency_id AND m.contact_id = c.id AND m.touchpoint_id = t.id
  AND m.state = 'planned' AND m.channel = 'sms'
""")

# As the planner does for texts (outreach.plan), in the hours of calls. The few contacts with a landline come first.
_PLAN = text(
    """
WITH readers AS (
    SELECT c.agency_id, c.id AS contact_id, p.id AS patient_id, p.time_zone, t.id AS touchpoint_id, a.voice_reminders,
           GREATEST(a.texts_after, CAST(:calls_after AS time)) AS calls_after, LEAST(a.texts_until, CAST(:calls_until AS time)) AS calls_until
    FROM contacts c
    JOIN agencies a ON a.id = c.agency_id AND a.is_active
    JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id AND p.status = 'active'
    JOIN touchpoints t ON t.agency_id = c.agency_id AND t.anchor = 'visit_day' AND t.is_active AND t.asks = 'confirm'
        AND t.category = 'visits' AND (p.is_monitored OR NOT t.only_monitored)
    WHERE c.phone_kind = 'landline' AND c.ended_at IS NULL
      AND (SELECT e.kind FROM consent_events e
           WHERE e.agency_id = c.agency_id AND e.contact_id = c.id AND e.category = t.category
           ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'granted'
      AND (SELECT e.kind FROM consent_events e
           WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL
           ORDER BY e.said_at DESC, e.id DESC LIMIT 1) IS DISTINCT FROM 'opted_out'
), occasions AS (
    SELECT v.agency_id, v.patient_id, v.starts_on AS day, min((v.starts_on + v.starts_local) AT TIME ZONE p.time_zone) AS first_start
    FROM (SELECT DISTINCT agency_id, patient_id, time_zone FROM readers) p
    JOIN visits v ON v.agency_id = p.agency_id AND v.patient_id = p.patient_id AND v.status = 'scheduled'
        AND v.answer IS DISTINCT FROM 'does_not_want_it' AND v.starts_on BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date)
    GROUP BY v.agency_id, v.patient_id, v.starts_on
), wanted AS (
    SELECT r.*, o.day::text AS occasion,
           GREATEST(LEAST((o.day + t.offset_days + moment.at) AT TIME ZONE r.time_zone, o.first_start - interval '60 minutes'),
                    (o.day + t.offset_days + r.calls_after) AT TIME ZONE r.time_zone) AS send_at,
           LEAST((o.day + t.offset_days + moment.at) AT TIME ZONE r.time_zone + t.useful_minutes * interval '1 minute',
                 (o.day + t.offset_days + r.calls_until) AT TIME ZONE r.time_zone, o.first_start) AS expires_at
    FROM readers r
    JOIN touchpoints t ON t.agency_id = r.agency_id AND t.id = r.touchpoint_id
    JOIN occasions o ON o.agency_id = r.agency_id AND o.patient_id = r.patient_id
    JOIN agencies a ON a.id = r.agency_id
    JOIN patients p ON p.agency_id = r.agency_id AND p.id = r.patient_id
    LEFT JOIN programme_overrides own ON own.agency_id = r.agency_id AND own.touchpoint_id = t.id AND own.patient_id = r.patient_id
    CROSS JOIN LATERAL (SELECT o.day AS on_day, COALESCE(own.local_time, t.local_time) AS at) moment
    {facts} WHERE {is_in_group} AND own.is_off IS DISTINCT FROM true
)
INSERT INTO messages (agency_id, kind, channel, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at, state, reason, ended_at)
SELECT w.agency_id, 'touchpoint', 'voice', t.priority, t.id, w.occasion, w.patient_id, w.contact_id, 'call-' || t.template, t.category, t.asks,
       :now, w.send_at, w.send_at, w.expires_at,
       CASE WHEN w.voice_reminders THEN 'planned' ELSE 'suppressed' END,
       CASE WHEN NOT w.voice_reminders THEN 'landline' END,
       CASE WHEN NOT w.voice_reminders THEN CAST(:now AS timestamptz) END
FROM wanted w JOIN touchpoints t ON t.agency_id = w.agency_id AND t.id = w.touchpoint_id
WHERE w.expires_at > :now AND w.send_at < w.expires_at
  AND w.send_at <= CASE WHEN w.voice_reminders THEN CAST(:until AS timestamptz) ELSE :now END
ON CONFLICT (agency_id, touchpoint_id, contact_id, occasion) WHERE state <> 'cancelled' AND retry_of IS NULL DO UPDATE
    SET send_at = EXCLUDED.send_at, due_at = EXCLUDED.send_at, expires_at = EXCLUDED.expires_at
    WHERE messages.state = 'planned' AND messages.channel = 'voice'
      AND (messages.send_at, messages.expires_at) IS DISTINCT FROM (EXCLUDED.send_at, EXCLUDED.expires_at)
RETURNING (xmax = 0) AS is_new
""".replace("{facts}", FACTS).replace("{is_in_group}", IS_IN_GROUP)
)


def call_instead(session: Session, failed: Any, now: datetime) -> bool:
    """Whether the visit reminder `failed` (agency_id, id) becomes a call; in the transaction in which its text failed."""
    values = {"agency": failed.agency_id, "message": failed.id, "now": now}
    return session.execute(_INSTEAD, values).first() is not None


def plan_calls(db: Database, now: datetime, horizon: timedelta = timedelta(hours=26)) -> int:
    """Plan the reminders of everybody whose phone is a landline, as `plan` does for texts; how many are new. Idempotent."""
    values = {
        "now": now,
        "until": now + horizon,
        "first_day": (now - timedelta(days=2)).date(),
        "last_day": (now + horizon + timedelta(days=2)).date(),
        "calls_after": CALLS_AFTER,
        "calls_until": CALLS_UNTIL,
    }
    with db.system_session("plan calls") as session:
        session.execute(_CHANGE)
        return sum(session.execute(_PLAN, values).scalars())
