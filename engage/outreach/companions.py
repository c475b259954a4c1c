"""Who else a text to a shared phone is about: messages in; the other patients of each, with their first names, out. Reads only."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.outreach.planning.groups import FACTS, IS_IN_GROUP

Others = dict[int, list[tuple[int, str]]]
"""By message: the other patients on its phone, with their first names."""

# The others on the phone who would have this touchpoint on this day too: the planner's conditions, asked of each patient.
# Check-ins go to one phone of a patient, so only to this one if it is theirs in the first place.
_COMPANIONS = text(
    """
SELECT w.id, p.id AS patient_id, p.first_name
FROM unnest(CAST(:ids AS bigint[]), CAST(:days AS date[])) AS w(id, day)
JOIN messages m ON m.id = w.id
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
JOIN contacts other ON other.agency_id = c.agency_id AND other.phone_hash = c.phone_hash AND other.patient_id <> m.patient_id
    AND other.ended_at IS NULL AND other.phone_kind IN ('unknown', 'mobile')
    AND (other.may_see = 'scores' OR m.category = 'visits')
JOIN patients p ON p.agency_id = other.agency_id AND p.id = other.patient_id AND p.status = 'active'
    AND (p.is_monitored OR NOT t.only_monitored)
JOIN agencies a ON a.id = p.agency_id
CROSS JOIN LATERAL (SELECT w.day AS on_day) its_day
{facts}
WHERE {is_in_group}
  AND NOT EXISTS (SELECT FROM programme_overrides own WHERE own.agency_id = p.agency_id AND own.touchpoint_id = t.id
                  AND own.patient_id = p.id AND (own.is_off OR own.local_time IS DISTINCT FROM (
                      SELECT mine.local_time FROM programme_overrides mine WHERE mine.agency_id = p.agency_id
                          AND mine.touchpoint_id = t.id AND mine.patient_id = m.patient_id)))
  AND (SELECT e.kind FROM consent_events e
       WHERE e.agency_id = other.agency_id AND e.contact_id = other.id AND e.category = m.category
       ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'granted'
  AND CASE t.anchor WHEN 'visit_day' THEN
        EXISTS (SELECT FROM visits v WHERE v.agency_id = p.agency_id AND v.patient_id = p.id AND v.starts_on = w.day
                AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it')
      ELSE
        (EXISTS (SELECT FROM episodes e WHERE e.agency_id = p.agency_id AND e.patient_id = p.id
                 AND e.starts_on <= w.day AND COALESCE(e.discharged_on, 'infinity') >= w.day)
         OR NOT EXISTS (SELECT FROM episodes e WHERE e.agency_id = p.agency_id AND e.patient_id = p.id))
        AND other.id = (
            SELECT mine.id FROM contacts mine
            WHERE mine.agency_id = p.agency_id AND mine.patient_id = p.id AND mine.ended_at IS NULL
              AND mine.phone_kind IN ('unknown', 'mobile') AND (mine.may_see = 'scores' OR m.category = 'visits')
              AND (SELECT e.kind FROM consent_events e
                   WHERE e.agency_id = mine.agency_id AND e.contact_id = mine.id AND e.category = m.category
                   ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'granted'
              AND (SELECT e.kind FROM consent_events e
                   WHERE e.agency_id = mine.agency_id AND e.phone_hash = mine.phone_hash AND e.contact_id IS NULL
                   ORDER BY e.said_at DESC, e.id DESC LIMIT 1) IS DISTINCT FROM 'opted_out'
            ORDER BY mine.relationship = 'patient' DESC, mine.id LIMIT 1)
      END
ORDER BY w.id, other.id
""".replace("{facts}", FACTS).replace("{is_in_group}", IS_IN_GROUP)
)

# Whom an answer names beside its own patient.
_NAMED = text("""
SELECT m.id, p.id AS patient_id, p.first_name FROM messages m
JOIN patients p ON p.agency_id = m.agency_id AND p.id = ANY(m.also_for)
WHERE m.id = ANY(:ids) ORDER BY m.id, p.id
""")


def find_companions(session: Session, shared: Sequence[tuple[int, date]]) -> Others:
    """Of touchpoints (message, the local day it is about) that a phone gets once for all its patients."""
    found: Others = {}
    if shared:
        ids, days = (list(column) for column in zip(*shared, strict=True))
        for other in session.execute(_COMPANIONS, {"ids": ids, "days": days}):
            found.setdefault(other.id, []).append((other.patient_id, other.first_name))
    return found


def find_named(session: Session, ids: Sequence[int]) -> Others:
    """Of answers that name several."""
    found: Others = {}
    for other in session.execute(_NAMED, {"ids": list(ids)}) if ids else ():
        found.setdefault(other.id, []).append((other.patient_id, other.first_name))
    return found
