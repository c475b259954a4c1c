"""Turns touchpoints into planned messages: rows in, rows out, all in SQL. It sends nothing and decides no wording.

Every tick re-derives what should be queued from what is true now: new occasions are inserted once (a unique key), moved
ones move, and what has lost its reason is cancelled. Consent is a condition here and asked again when the text leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.db import Database

# Whom a touchpoint may go to: contacts with standing consent for its category whose phone has not opted out. Check-ins
# and surveys ask one person a patient (the patient before the family); reminders go to everybody who consented.
_READERS = """
readers AS (
    SELECT t.agency_id, t.id AS touchpoint_id, t.category, t.asks, c.id AS contact_id, p.id AS patient_id, p.time_zone, p.is_monitored,
           row_number() OVER (PARTITION BY t.agency_id, t.id, p.id ORDER BY c.relationship = 'patient' DESC, c.id) AS place
    FROM touchpoints t
    JOIN agencies a ON a.id = t.agency_id AND a.is_active
    JOIN patients p ON p.agency_id = t.agency_id AND p.status = 'active' AND (p.is_monitored OR NOT t.only_monitored)
    JOIN contacts c ON c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL
        AND c.phone_kind IN ('unknown', 'mobile')
    WHERE t.anchor = :anchor AND t.is_active
      AND (SELECT e.kind FROM consent_events e
           WHERE e.agency_id = c.agency_id AND e.contact_id = c.id AND e.category = t.category
           ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'granted'
      AND (SELECT e.kind FROM consent_events e
           WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL
           ORDER BY e.said_at DESC, e.id DESC LIMIT 1) IS DISTINCT FROM 'opted_out'
)
"""

# Each day with visits, one message; pulled forward if the first visit begins soon after, and useless once it has begun.
_VISIT_DAYS = """
occasions AS (
    SELECT v.agency_id, v.patient_id, v.starts_on AS day,
           min((v.starts_on + v.starts_local) AT TIME ZONE p.time_zone) AS first_start
    FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
    WHERE v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it'
      AND v.starts_on BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date)
    GROUP BY v.agency_id, v.patient_id, v.starts_on
),
wanted AS (
    SELECT r.*, o.day::text AS occasion, NULL::bigint AS visit_id,
           GREATEST(LEAST((o.day + t.offset_days + t.local_time) AT TIME ZONE r.time_zone, o.first_start - interval '60 minutes'),
                    (o.day + t.offset_days + a.texts_after) AT TIME ZONE r.time_zone) AS send_at,
           LEAST((o.day + t.offset_days + t.local_time) AT TIME ZONE r.time_zone + t.useful_minutes * interval '1 minute',
                 (o.day + t.offset_days + a.texts_until) AT TIME ZONE r.time_zone, o.first_start) AS expires_at
    FROM readers r
    JOIN touchpoints t ON t.agency_id = r.agency_id AND t.id = r.touchpoint_id
    JOIN agencies a ON a.id = r.agency_id
    JOIN occasions o ON o.agency_id = r.agency_id AND o.patient_id = r.patient_id
)
"""

# Each day of care. An episode that was discharged or has not begun stops them; a patient without episodes is in care.
_DAYS = """
wanted AS (
    SELECT r.*, d.day::date::text AS occasion, NULL::bigint AS visit_id,
           (d.day::date + t.offset_days + t.local_time) AT TIME ZONE r.time_zone AS send_at,
           LEAST((d.day::date + t.offset_days + t.local_time) AT TIME ZONE r.time_zone + t.useful_minutes * interval '1 minute',
                 (d.day::date + t.offset_days + a.texts_until) AT TIME ZONE r.time_zone) AS expires_at
    FROM readers r
    JOIN touchpoints t ON t.agency_id = r.agency_id AND t.id = r.touchpoint_id
    JOIN agencies a ON a.id = r.agency_id
    CROSS JOIN generate_series(CAST(:first_day AS date), CAST(:last_day AS date), interval '1 day') AS d(day)
    WHERE r.place = 1
      AND (EXISTS (SELECT FROM episodes e WHERE e.agency_id = r.agency_id AND e.patient_id = r.patient_id
                   AND e.starts_on <= d.day AND COALESCE(e.discharged_on, 'infinity') >= d.day)
           OR NOT EXISTS (SELECT FROM episodes e WHERE e.agency_id = r.agency_id AND e.patient_id = r.patient_id))
)
"""

# Each completed visit, some minutes later, moved into the patient's hours.
_COMPLETED = """
visited AS (
    SELECT r.*, t.useful_minutes, a.texts_after, a.texts_until, v.id AS visit_id,
           (v.completed_at + t.offset_minutes * interval '1 minute') AT TIME ZONE r.time_zone AS wall
    FROM readers r
    JOIN touchpoints t ON t.agency_id = r.agency_id AND t.id = r.touchpoint_id
    JOIN agencies a ON a.id = r.agency_id
    JOIN visits v ON v.agency_id = r.agency_id AND v.patient_id = r.patient_id AND v.status = 'completed'
        AND v.completed_at BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date)
    WHERE r.place = 1
),
wanted AS (
    SELECT agency_id, touchpoint_id, contact_id, patient_id, visit_id, 'visit:' || visit_id AS occasion,
           moment.at AS send_at, moment.at + useful_minutes * interval '1 minute' AS expires_at
    FROM visited, LATERAL (SELECT CASE
        WHEN wall::time < texts_after THEN wall::date + texts_after
        WHEN wall::time >= texts_until THEN wall::date + 1 + texts_after
        ELSE wall END AT TIME ZONE time_zone) AS moment(at)
)
"""

_INSERT = """
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, visit_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT w.agency_id, 'touchpoint', t.priority, t.id, w.occasion, w.patient_id, w.contact_id, w.visit_id, t.template, t.category, t.asks,
       :now, w.send_at, w.send_at, w.expires_at
FROM wanted w JOIN touchpoints t ON t.agency_id = w.agency_id AND t.id = w.touchpoint_id
WHERE w.expires_at > :now AND w.send_at < w.expires_at AND w.send_at <= :until
ON CONFLICT (agency_id, touchpoint_id, contact_id, occasion) WHERE state <> 'cancelled' AND retry_of IS NULL DO UPDATE
    SET send_at = EXCLUDED.send_at, due_at = EXCLUDED.send_at, expires_at = EXCLUDED.expires_at
    WHERE messages.state = 'planned'
      AND (messages.send_at, messages.expires_at) IS DISTINCT FROM (EXCLUDED.send_at, EXCLUDED.expires_at)
RETURNING (xmax = 0) AS is_new
"""

_PLANS = {
    "visit_day": f"WITH {_READERS}, {_VISIT_DAYS} {_INSERT}",
    "every_day": f"WITH {_READERS}, {_DAYS} {_INSERT}",
    "visit_completed": f"WITH {_READERS}, {_COMPLETED} {_INSERT}",
}

# Also what was moved so early that its reminder could only come late: the planner leaves out what has no time left.
_CANCEL = """
UPDATE messages m SET state = 'cancelled', ended_at = :now, reason = CASE WHEN t.is_active THEN 'visit_changed' ELSE 'touchpoint_off' END
FROM touchpoints t
WHERE t.agency_id = m.agency_id AND t.id = m.touchpoint_id AND m.state = 'planned'
  AND (NOT t.is_active
       OR (t.anchor = 'visit_day' AND NOT EXISTS (
              SELECT FROM visits v WHERE v.agency_id = m.agency_id AND v.patient_id = m.patient_id AND v.starts_on = m.occasion::date
              AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it'))
       OR (t.anchor = 'visit_day' AND GREATEST(m.send_at, :now) >= (
              SELECT min((v.starts_on + v.starts_local) AT TIME ZONE p.time_zone)
              FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
              WHERE v.agency_id = m.agency_id AND v.patient_id = m.patient_id AND v.starts_on = m.occasion::date
              AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it'))
       OR (t.anchor = 'visit_completed' AND NOT EXISTS (
              SELECT FROM visits v WHERE v.agency_id = m.agency_id AND v.id = m.visit_id AND v.status = 'completed')))
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What one run of the planner changed."""

    planned: int = 0
    moved: int = 0
    cancelled: int = 0


def plan(db: Database, now: datetime, horizon: timedelta = timedelta(hours=26)) -> Planned:
    """Plan every message whose time to leave is before `now` + `horizon` and which is still useful; idempotent."""
    with db.system_session("plan") as session:
        cancelled = session.execute(text(_CANCEL + " RETURNING m.id"), {"now": now}).all()
        is_new = [new for anchor in _PLANS for new in _insert(session, anchor, now, horizon)]
    return Planned(planned=sum(is_new), moved=len(is_new) - sum(is_new), cancelled=len(cancelled))


def _insert(session: Session, anchor: str, now: datetime, horizon: timedelta) -> list[bool]:
    """Two days on either side of the span hold every local date and offset in it; SQL then keeps what is due."""
    first_day, last_day = (now - timedelta(days=2)).date(), (now + horizon + timedelta(days=2)).date()
    values = {"anchor": anchor, "now": now, "until": now + horizon, "first_day": first_day, "last_day": last_day}
    return list(session.execute(text(_PLANS[anchor]), values).scalars())
