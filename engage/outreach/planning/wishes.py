"""New messages: slots, visits and readers in, planned rows out, each once. In steps: what is wished for, for whom, and the rows.

On a phone that several contacts have, one of them gets the text of an occasion: whoever has it already, else the lowest id.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.outreach.planning.groups import IS_IN, IS_THEIR_HOUR, PEOPLE_OF_SLOTS, PEOPLE_OF_WISHES, stage_exceptions
from engage.outreach.planning.readers import stage_readers
from engage.outreach.planning.slots import Asked
from engage.outreach.rules.spans import Span

FRACTION = "(({0} & 2147483647) * 2654435769 & 4294967295)::float8 / 4294967296::float8"
"""A contact's own part of every spread, 0 to 1: multiples of the golden ratio, so that neighbouring ids are far apart."""

# A day with visits: pulled forward if the first visit begins soon after, useless once it has begun.
_VISIT_DAYS = """
CREATE TEMP TABLE planning_wishes ON COMMIT DROP AS
SELECT s.agency_id, o.patient_id, s.touchpoint_id, s.category, s.priority, s.template, s.asks, o.day::text AS occasion,
       o.day AS on_day, s.own_time, NULL::bigint AS visit_id, begins_at, LEAST(useful_until, closes, first_start) AS ends_at, useful_until,
       LEAST(closes, first_start) AS stops_at, spread_seconds
FROM (
    SELECT v.agency_id, v.patient_id, v.starts_on AS day, p.time_zone, p.is_monitored,
           min((v.starts_on + v.starts_local) AT TIME ZONE p.time_zone) AS first_start
    FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id AND p.status = 'active'
    WHERE v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it' AND v.starts_on = ANY(CAST(:days AS date[]))
      AND v.agency_id = ANY(CAST(:agencies AS bigint[])) AND {narrow}
    GROUP BY v.agency_id, v.patient_id, v.starts_on, p.time_zone, p.is_monitored) AS o
JOIN planning_slots s ON s.anchor = 'visit_day' AND s.agency_id = o.agency_id AND s.zone = o.time_zone AND s.day = o.day
    AND (o.is_monitored OR NOT s.only_monitored)
CROSS JOIN LATERAL (SELECT
    CASE WHEN is_even THEN GREATEST(LEAST(base, first_start - interval '60 minutes'), opens) ELSE base END AS begins_at) AS start
WHERE begins_at < LEAST(useful_until, closes, first_start)
"""

# Each completed visit, some minutes later, moved into the patient's hours; those of the next day if the clock skips them.
# OFFSET 0 keeps the steps apart: written into each other they cost PostgreSQL more to plan than to run.
COMPLETED = """
CROSS JOIN LATERAL (SELECT v.completed_at + t.offset_minutes * interval '1 minute' AS raw_at) AS raw
CROSS JOIN LATERAL (SELECT raw_at AT TIME ZONE p.time_zone AS shown OFFSET 0) AS wall
CROSS JOIN LATERAL (SELECT (shown::time >= a.texts_after AND shown::time < a.texts_until) AS is_open,
    shown::date + CASE WHEN shown::time >= a.texts_until THEN 1 ELSE 0 END AS open_on) AS hours
CROSS JOIN LATERAL (SELECT (open_on + a.texts_after) AT TIME ZONE p.time_zone AS first_at,
    (open_on + 1 + a.texts_after) AT TIME ZONE p.time_zone AS second_at) AS opening
CROSS JOIN LATERAL (SELECT CASE WHEN is_open THEN raw_at
    WHEN (first_at AT TIME ZONE p.time_zone)::time >= a.texts_after AND (first_at AT TIME ZONE p.time_zone)::time < a.texts_until
    THEN first_at ELSE second_at END AS begins_at OFFSET 0) AS start
CROSS JOIN LATERAL (SELECT begins_at + t.useful_minutes * interval '1 minute' AS useful_until,
    ((begins_at AT TIME ZONE p.time_zone)::date + a.texts_until) AT TIME ZONE p.time_zone AS closes) AS bounds
CROSS JOIN LATERAL (SELECT
    CASE WHEN (closes AT TIME ZONE p.time_zone) - (begins_at AT TIME ZONE p.time_zone) = closes - begins_at
         THEN t.spread_minutes * 60 ELSE 0 END AS spread_seconds) AS verdict
"""
_COMPLETED_VISITS = f"""
CREATE TEMP TABLE planning_wishes ON COMMIT DROP AS
SELECT v.agency_id, v.patient_id, t.id AS touchpoint_id, t.category, t.priority, t.template, t.asks, 'visit:' || v.id AS occasion,
       v.starts_on AS on_day, NULL::time AS own_time, v.id AS visit_id, begins_at, LEAST(useful_until, closes) AS ends_at, useful_until, NULL::timestamptz AS stops_at, spread_seconds
FROM touchpoints t
JOIN agencies a ON a.id = t.agency_id AND a.is_active
JOIN visits v ON v.agency_id = t.agency_id AND v.status = 'completed' AND v.completed_at <= :until - t.offset_minutes * interval '1 minute'
    AND v.completed_at > COALESCE(:after, CAST(:now AS timestamptz) - (t.useful_minutes + 2880) * interval '1 minute')
        - t.offset_minutes * interval '1 minute'
    AND v.completed_at BETWEEN :first_at AND :last_at
JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id AND p.status = 'active' AND (p.is_monitored OR NOT t.only_monitored)
{COMPLETED}
WHERE t.is_active AND t.anchor = 'visit_completed' AND {{narrow}} AND useful_until > :now
"""  # noqa: S608 - no value of anybody's

# Each day of care. An episode that was discharged or has not begun stops them; a patient without episodes is in care.
_OUT_OF_CARE = """
CREATE TEMP TABLE planning_out_of_care ON COMMIT DROP AS
SELECT e.agency_id, e.patient_id, d.day
FROM episodes e CROSS JOIN unnest(CAST(:days AS date[])) AS d(day)
WHERE e.agency_id = ANY(CAST(:agencies AS bigint[])) AND {narrow}
GROUP BY e.agency_id, e.patient_id, d.day
HAVING NOT bool_or(e.starts_on <= d.day AND COALESCE(e.discharged_on, 'infinity') >= d.day)
"""
_DAYS = """
SELECT s.agency_id, s.touchpoint_id, s.priority, s.template, s.category, s.asks, s.day::text AS occasion, NULL::bigint AS visit_id,
       s.base AS begins_at, LEAST(s.useful_until, s.closes) AS ends_at, s.useful_until, s.closes AS stops_at, s.spread_seconds,
       r.patient_id, r.contact_id, r.shared_phone
FROM planning_slots s
JOIN planning_readers r ON r.agency_id = s.agency_id AND r.time_zone = s.zone AND r.category = s.category
    AND (r.is_monitored OR NOT s.only_monitored)
LEFT JOIN planning_exceptions x ON x.agency_id = r.agency_id AND x.touchpoint_id = s.touchpoint_id AND x.patient_id = r.patient_id
    AND x.on_day = s.day
WHERE s.anchor = 'every_day' AND {hour_of_slot} AND r.is_ours AND r.place = 1 AND {only} AND NOT EXISTS (
    SELECT FROM planning_out_of_care x WHERE x.agency_id = r.agency_id AND x.patient_id = r.patient_id AND x.day = s.day)
"""
_WISHES = """
SELECT w.*, r.contact_id, r.shared_phone
FROM planning_wishes w JOIN planning_readers r ON r.agency_id = w.agency_id AND r.patient_id = w.patient_id AND r.category = w.category
LEFT JOIN planning_exceptions x ON x.agency_id = w.agency_id AND x.touchpoint_id = w.touchpoint_id AND x.patient_id = w.patient_id
    AND x.on_day = w.on_day
WHERE r.is_ours AND {hour_of_wish} AND {only}
"""

# Whoever has the text of an occasion already keeps it for the phone; one that was suppressed never came.
_ONE_A_PHONE = """
SELECT DISTINCT ON (w.agency_id, w.touchpoint_id, w.occasion, w.shared_phone) w.*
FROM ({wanted}) AS w LEFT JOIN messages m ON m.agency_id = w.agency_id AND m.touchpoint_id = w.touchpoint_id
    AND m.contact_id = w.contact_id AND m.occasion = w.occasion AND m.state <> 'cancelled'
ORDER BY w.agency_id, w.touchpoint_id, w.occasion, w.shared_phone,
         CASE WHEN m.state IS NULL THEN 1 WHEN m.state = 'suppressed' THEN 2 ELSE 0 END, w.contact_id
"""

# The part of the spread that is a contact's own. Half of the time that is left is the most that a spread may take.
OWN = f"""
CROSS JOIN LATERAL (SELECT floor({FRACTION.format("{contact}")} * GREATEST(0, LEAST(spread_seconds,
    date_part('epoch', ends_at - begins_at) / 2))) * interval '1 second' AS shift) AS own
"""
_INSERT = f"""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, visit_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT w.agency_id, 'touchpoint', w.priority, w.touchpoint_id, w.occasion, w.patient_id, w.contact_id, w.visit_id, w.template,
       w.category, w.asks, :now, begins_at + shift, begins_at + shift, LEAST(useful_until + shift, stops_at)
FROM ({{wanted}}) AS w {OWN.format(contact="w.contact_id")}
WHERE LEAST(useful_until + shift, stops_at) > :now
ON CONFLICT DO NOTHING
"""  # noqa: S608

_HOURS = {
    "hour_of_slot": f"{IS_IN} AND {IS_THEIR_HOUR.format(moment='s', exception='x')}",
    "hour_of_wish": f"{IS_IN} AND {IS_THEIR_HOUR.format(moment='w', exception='x')}",
}
_STAGED = ("planning_wishes", "planning_readers", "planning_out_of_care", "planning_exceptions")


def plan_slots(session: Session, anchor: str, asked: Asked, span: Span, *, is_narrow: bool) -> int:
    """Insert what the slots of visit_day or every_day ask for and nobody has planned yet; how many rows."""
    values = {"days": list(asked.days), "agencies": list(asked.agencies)}
    if anchor == "visit_day":
        _stage(session, _VISIT_DAYS.format(narrow=_near("v", is_narrow)), "planning_wishes", values)
        stage_exceptions(session, PEOPLE_OF_WISHES, {})
        wanted = _WISHES
    else:
        _stage(session, _OUT_OF_CARE.format(narrow=_near("e", is_narrow)), "planning_out_of_care", values)
        stage_exceptions(session, PEOPLE_OF_SLOTS.format(narrow=_near_patient(is_narrow)), {})
        wanted = _DAYS
    stage_readers(session, anchor, asked.agencies, asked.categories, is_narrow=is_narrow)
    alone, together = (
        wanted.format(**_HOURS, only="r.shared_phone IS NULL"),
        wanted.format(**_HOURS, only="r.shared_phone IS NOT NULL"),
    )
    count = _insert(session, alone, span) + _insert(session, _ONE_A_PHONE.format(wanted=together), span)
    _forget(session)
    return count


def plan_completed(session: Session, span: Span, agencies: Collection[int] | None, *, is_narrow: bool) -> int:
    """Insert what follows completed visits; a phone that two patients share gets a text for each of their visits."""
    reach = session.execute(_REACH, {"agencies": None if agencies is None else list(agencies)}).one()
    if reach.agencies is None:
        return 0
    since = span.after or span.now - timedelta(days=2, minutes=reach.useful_minutes)
    bounds = {
        "first_at": since - timedelta(minutes=reach.most_minutes),
        "last_at": span.until - timedelta(minutes=reach.least_minutes),
    }
    values = {"now": span.now, "after": span.after, "until": span.until, **bounds}
    if not session.execute(_ANY_COMPLETED, bounds).scalar_one():
        return 0
    narrow = f"{_near('v', is_narrow)} AND v.agency_id = ANY(CAST(:agencies AS bigint[]))"
    if not _stage(
        session, _COMPLETED_VISITS.format(narrow=narrow), "planning_wishes", {**values, "agencies": reach.agencies}
    ):
        _forget(session)
        return 0
    stage_exceptions(session, PEOPLE_OF_WISHES, {})
    stage_readers(session, "visit_completed", reach.agencies, reach.categories, is_narrow=is_narrow)
    count = _insert(session, _WISHES.format(**_HOURS, only="r.place = 1"), span)
    _forget(session)
    return count


# How far back the touchpoints that follow a visit reach: bounds that an index can use.
_REACH = text("""
SELECT array_agg(DISTINCT agency_id) AS agencies, array_agg(DISTINCT category) AS categories, max(useful_minutes) AS useful_minutes,
       max(offset_minutes) AS most_minutes, min(offset_minutes) AS least_minutes
FROM touchpoints WHERE anchor = 'visit_completed' AND is_active AND (CAST(:agencies AS bigint[]) IS NULL OR agency_id = ANY(:agencies))
""")
_ANY_COMPLETED = text("""
SELECT EXISTS (SELECT FROM visits WHERE status = 'completed' AND completed_at BETWEEN :first_at AND :last_at)
""")


def _near(table: str, is_narrow: bool) -> str:
    near = f"({table}.agency_id, {table}.patient_id) IN (SELECT agency_id, patient_id FROM planning_near)"  # noqa: S608
    return near if is_narrow else "true"


def _near_patient(is_narrow: bool) -> str:
    near = "(p.agency_id, p.id) IN (SELECT agency_id, patient_id FROM planning_near)"
    return near if is_narrow else "true"


def _stage(session: Session, statement: str, table: str, values: Mapping[str, Any]) -> int:
    count = session.execute(text(statement), values).rowcount  # type: ignore[attr-defined]
    session.execute(text(f"ANALYZE {table}"))
    return int(count)


def _insert(session: Session, wanted: str, span: Span) -> int:
    return int(session.execute(text(_INSERT.format(wanted=wanted)), {"now": span.now}).rowcount)  # type: ignore[attr-defined]


def _forget(session: Session) -> None:
    for table in _STAGED:
        session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table}"))
