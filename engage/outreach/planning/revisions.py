"""Planned messages whose reason or time has changed: rows in, moved or cancelled rows out. Inserts none.

Second tries and calls to landlines have times of their own (`tries`, `call_instead`): those are cancelled here, never moved.

A contact who may no longer be texted keeps the row: the dispatcher suppresses it with the reason (docs/decisions/0009).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.outreach.planning.groups import IS_THEIR_HOUR, PEOPLE_OF_MESSAGES, stage_exceptions
from engage.outreach.planning.slots import HOURS, TIMES, ZONES
from engage.outreach.planning.wishes import COMPLETED, OWN
from engage.outreach.rules.spans import Span

# What is planned and not over: an expired row is the dispatcher's to end. Nothing is useful for longer than a week, so an
# index by patient and time need not be read further back than that.
_ROWS = """m.state = 'planned' AND m.kind = 'touchpoint' AND m.expires_at > :now AND m.send_at > CAST(:now AS timestamptz) - interval '9 days'"""

# The moment of each touchpoint and occasion that is planned, in each zone, as the programme says today.
_MOMENTS = f"""
CREATE TEMP TABLE planning_moments ON COMMIT DROP AS
WITH RECURSIVE {ZONES},
planned AS (SELECT DISTINCT m.agency_id, m.touchpoint_id, m.occasion FROM messages m WHERE {_ROWS} AND {{narrow}})
SELECT k.agency_id, k.touchpoint_id, k.occasion, t.anchor, t.only_monitored, t.priority, t.template, t.category, t.asks,
       a.is_active AS has_agency, t.is_active, own_time, zone, day, opens, base, closes, useful_until, is_even, spread_seconds, is_usable
FROM planned k
JOIN touchpoints t ON t.agency_id = k.agency_id AND t.id = k.touchpoint_id AND t.local_time IS NOT NULL
JOIN agencies a ON a.id = t.agency_id
JOIN zones z ON z.agency_id = t.agency_id
CROSS JOIN LATERAL (SELECT k.occasion::date AS day, k.occasion::date + t.offset_days AS send_on) AS days
{HOURS} {TIMES}
"""  # noqa: S608 - no value of anybody's

_VISITED = """
CREATE TEMP TABLE planning_visited ON COMMIT DROP AS
SELECT v.agency_id, v.patient_id, v.starts_on::text AS occasion, min((v.starts_on + v.starts_local) AT TIME ZONE p.time_zone) AS first_start
FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
WHERE v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it' AND {narrow}
  AND v.starts_on = ANY(ARRAY(SELECT DISTINCT day FROM planning_moments WHERE anchor = 'visit_day'))
GROUP BY v.agency_id, v.patient_id, v.starts_on
"""
_OUT_OF_CARE = """
CREATE TEMP TABLE planning_out_of_care ON COMMIT DROP AS
SELECT e.agency_id, e.patient_id, d.day::text AS occasion
FROM episodes e CROSS JOIN (SELECT DISTINCT day FROM planning_moments WHERE anchor = 'every_day') AS d
WHERE {narrow}
GROUP BY e.agency_id, e.patient_id, d.day
HAVING NOT bool_or(e.starts_on <= d.day AND COALESCE(e.discharged_on, 'infinity') >= d.day)
"""

_OWN_TIME = """
CROSS JOIN LATERAL (SELECT m.channel = 'sms' AND m.retry_of IS NULL AS is_ours) AS origin
"""
_DIFFERS = """(why IS NOT NULL OR is_ours AND (m.send_at, m.expires_at, m.priority, m.template, m.category, m.asks)
    IS DISTINCT FROM (wanted_at, wanted_until, w.priority, w.template, w.category, w.asks))"""
_WANTED = """
CROSS JOIN LATERAL (SELECT begins_at + shift AS wanted_at, LEAST(useful_until + shift, stops_at) AS wanted_until) AS now_wanted
"""
_OF_DAYS = f"""
CREATE TEMP TABLE planning_revisions ON COMMIT DROP AS
SELECT m.agency_id, m.id, why, wanted_at, wanted_until, w.priority, w.template, w.category, w.asks
FROM messages m
JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN planning_exceptions e ON e.agency_id = m.agency_id AND e.touchpoint_id = m.touchpoint_id AND e.patient_id = m.patient_id
    AND e.on_day::text = m.occasion
JOIN planning_moments w ON w.agency_id = m.agency_id AND w.touchpoint_id = m.touchpoint_id AND w.occasion = m.occasion AND w.zone = p.time_zone
    AND {IS_THEIR_HOUR.format(moment="w", exception="e")}
LEFT JOIN planning_visited o ON w.anchor = 'visit_day' AND o.agency_id = m.agency_id AND o.patient_id = m.patient_id AND o.occasion = m.occasion
LEFT JOIN planning_out_of_care x ON w.anchor = 'every_day' AND x.agency_id = m.agency_id AND x.patient_id = m.patient_id AND x.occasion = m.occasion
CROSS JOIN LATERAL (SELECT CASE WHEN is_even AND w.anchor = 'visit_day'
    THEN GREATEST(LEAST(base, first_start - interval '60 minutes'), opens) ELSE base END AS begins_at, LEAST(closes, first_start) AS stops_at) AS start
CROSS JOIN LATERAL (SELECT LEAST(useful_until, stops_at) AS ends_at) AS bounds
{OWN.format(contact="m.contact_id")} {_WANTED} {_OWN_TIME}
CROSS JOIN LATERAL (SELECT CASE
    WHEN NOT w.has_agency THEN 'agency_off'
    WHEN NOT w.is_active THEN 'touchpoint_off'
    WHEN w.anchor = 'visit_day' AND (o.occasion IS NULL OR first_start <= GREATEST(CASE WHEN is_ours THEN begins_at ELSE m.send_at END, :now)) THEN 'visit_changed'
    WHEN w.only_monitored AND NOT p.is_monitored THEN 'not_monitored'
    WHEN x.occasion IS NOT NULL THEN 'out_of_care'
    WHEN e.kept_out = 'override_off' THEN 'override_off'
    WHEN e.kept_out IS NOT NULL THEN 'not_in_group'
    WHEN is_ours AND (NOT is_usable OR begins_at >= ends_at OR wanted_until <= :now) THEN 'no_time' END AS why) AS decision
WHERE {_ROWS} AND {{narrow}} AND {_DIFFERS}
"""  # noqa: S608
_OF_VISITS = f"""
CREATE TEMP TABLE planning_revisions ON COMMIT DROP AS
SELECT m.agency_id, m.id, why, wanted_at, wanted_until, w.priority, w.template, w.category, w.asks
FROM messages m
JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id AND t.anchor = 'visit_completed'
CROSS JOIN LATERAL (SELECT t.priority, t.template, t.category, t.asks, t.only_monitored, t.is_active) AS w
JOIN agencies a ON a.id = m.agency_id
LEFT JOIN visits v ON v.agency_id = m.agency_id AND v.id = m.visit_id AND v.status = 'completed'
LEFT JOIN planning_exceptions e ON e.agency_id = m.agency_id AND e.touchpoint_id = m.touchpoint_id AND e.patient_id = m.patient_id
    AND e.on_day = v.starts_on
{COMPLETED}
CROSS JOIN LATERAL (SELECT NULL::timestamptz AS stops_at, LEAST(useful_until, closes) AS ends_at) AS ends
{OWN.format(contact="m.contact_id")} {_WANTED} {_OWN_TIME}
CROSS JOIN LATERAL (SELECT CASE
    WHEN NOT a.is_active THEN 'agency_off'
    WHEN NOT w.is_active THEN 'touchpoint_off'
    WHEN v.id IS NULL THEN 'visit_changed'
    WHEN w.only_monitored AND NOT p.is_monitored THEN 'not_monitored'
    WHEN e.kept_out = 'override_off' THEN 'override_off'
    WHEN e.kept_out IS NOT NULL THEN 'not_in_group'
    WHEN is_ours AND wanted_until <= :now THEN 'no_time' END AS why) AS decision
WHERE {_ROWS} AND {{narrow}} AND {_DIFFERS}
"""  # noqa: S608

# The state is asked once more: a worker may have claimed the row while this waited for it.
_CANCEL = text("""
UPDATE messages m SET state = 'cancelled', reason = r.why, ended_at = :now
FROM planning_revisions r WHERE m.agency_id = r.agency_id AND m.id = r.id AND m.state = 'planned' AND r.why IS NOT NULL
""")
_MOVE = text("""
UPDATE messages m SET send_at = wanted_at, due_at = wanted_at, expires_at = wanted_until, priority = r.priority, template = r.template,
    category = r.category, asks = r.asks
FROM planning_revisions r WHERE m.agency_id = r.agency_id AND m.id = r.id AND m.state = 'planned' AND r.why IS NULL
""")


def revise(session: Session, span: Span, agencies: Collection[int] | None, *, is_narrow: bool) -> tuple[int, int]:
    """Bring what is planned up to date: of `agencies` (None: of all), narrow: of the people in planning_near; (moved, cancelled)."""
    values = {"now": span.now} | ({} if agencies is None else {"agencies": list(agencies)})
    moved = cancelled = 0
    stage_exceptions(
        session, PEOPLE_OF_MESSAGES.format(rows=_ROWS, narrow=_narrow("m", agencies, is_narrow=is_narrow)), values
    )
    for steps in (
        (("planning_moments", _MOMENTS), ("planning_visited", _VISITED), ("planning_out_of_care", _OUT_OF_CARE), ("planning_revisions", _OF_DAYS)),
        (("planning_revisions", _OF_VISITS),),
    ):  # fmt: skip
        for table, statement in steps:
            _stage(session, table, statement, values, agencies, is_narrow=is_narrow)
        cancelled += _count(session, _CANCEL, {"now": span.now})
        moved += _count(session, _MOVE, {})
        for table, _ in steps:
            session.execute(text(f"DROP TABLE {table}"))
    session.execute(text("DROP TABLE planning_exceptions"))
    return moved, cancelled


def _narrow(of: str, agencies: Collection[int] | None, *, is_narrow: bool) -> str:
    if is_narrow:
        return f"({of}.agency_id, {of}.patient_id) IN (SELECT agency_id, patient_id FROM planning_near)"  # noqa: S608
    return "true" if agencies is None else f"{of}.agency_id = ANY(CAST(:agencies AS bigint[]))"


def _stage(
    session: Session, table: str, statement: str, values: Any, agencies: Collection[int] | None, *, is_narrow: bool
) -> None:
    of = {"planning_visited": "v", "planning_out_of_care": "e"}.get(table, "m")
    narrow = _narrow(of, agencies, is_narrow=is_narrow)
    names = {name: value for name, value in values.items() if f":{name}" in statement or name in narrow}
    session.execute(text(statement.format(narrow=narrow)), names)
    session.execute(text(f"ANALYZE {table}"))


def _count(session: Session, statement: Any, values: Any) -> int:
    return int(session.execute(statement, values).rowcount)  # type: ignore[attr-defined]
