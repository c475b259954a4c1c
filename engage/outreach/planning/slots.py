"""The moments of touchpoints that hang on a day: touchpoint x zone x local date in, instants out. Rows of SQL; few of them.

A slot is worked out once for everybody in a zone (and once for each hour that patients of it have instead), not once a patient. It begins at the earliest instant at which anybody's
text of it may leave; the planner takes it up when that instant comes into the horizon.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.outreach.rules.spans import Span

# The hours of a touchpoint `t`: its own, and those that some patients have instead.
HOURS = """
CROSS JOIN LATERAL (
    SELECT t.local_time AS at, NULL::time AS own_time
    UNION SELECT o.local_time, o.local_time FROM programme_overrides o
    WHERE o.agency_id = t.agency_id AND o.touchpoint_id = t.id AND o.local_time IS NOT NULL) AS hour
"""
# What the hours of a local date `send_on` make of a touchpoint `t` of agency `a` in `zone`. Where clocks move within those
# hours, the arithmetic of instants is treacherous: nobody is spread or pulled forward then, and the base must itself show a
# time within the hours.
TIMES = """
CROSS JOIN LATERAL (SELECT
    (send_on + a.texts_after) AT TIME ZONE zone AS opens,
    (send_on + a.texts_until) AT TIME ZONE zone AS closes,
    (send_on + hour.at) AT TIME ZONE zone AS wanted_at) AS wall
CROSS JOIN LATERAL (SELECT
    GREATEST(wanted_at, opens) AS base,
    wanted_at + t.useful_minutes * interval '1 minute' AS useful_until,
    (closes AT TIME ZONE zone) - (opens AT TIME ZONE zone) = closes - opens AS is_even) AS moment
CROSS JOIN LATERAL (SELECT
    base < LEAST(useful_until, closes) AND (base AT TIME ZONE zone)::date = send_on
        AND (base AT TIME ZONE zone)::time >= a.texts_after AND (base AT TIME ZONE zone)::time < a.texts_until AS is_usable,
    CASE WHEN is_even THEN t.spread_minutes * 60 ELSE 0 END AS spread_seconds) AS verdict
"""

_NEXT_ZONE = """(SELECT p.time_zone FROM patients p WHERE p.status = 'active' AND p.agency_id = {agency} {after}
        ORDER BY p.time_zone LIMIT 1) AS zone"""
ZONES = f"""zones AS (
    SELECT a.id AS agency_id, {_NEXT_ZONE.format(agency="a.id", after="")} FROM agencies a
    UNION ALL
    SELECT z.agency_id, {_NEXT_ZONE.format(agency="z.agency_id", after="AND p.time_zone > z.zone")} FROM zones z WHERE z.zone IS NOT NULL
)"""  # noqa: S608 - no value of anybody's
"""The distinct zones of each agency's patients, by hopping through the index: a million patients have four. Recursive."""

# A reminder is pulled forward to an hour before the first visit, and that begins at midnight at the earliest.
_SLOTS = f"""
WITH RECURSIVE {ZONES}
SELECT t.agency_id, t.id AS touchpoint_id, t.anchor, t.category, t.only_monitored, t.priority, t.template, t.asks,
       own_time, zone, send_on - t.offset_days AS day, opens, base, closes, useful_until, is_even, spread_seconds
FROM touchpoints t
JOIN agencies a ON a.id = t.agency_id AND a.is_active
JOIN zones z ON z.agency_id = t.agency_id
CROSS JOIN (SELECT d::date AS send_on FROM generate_series(CAST(:first_day AS date), CAST(:last_day AS date), interval '1 day') AS d) AS days
{HOURS} {TIMES}
CROSS JOIN LATERAL (SELECT CASE
    WHEN t.anchor = 'visit_day' AND is_even
    THEN LEAST(base, GREATEST(opens, (send_on - t.offset_days)::timestamp AT TIME ZONE zone - interval '60 minutes'))
    ELSE base END AS begins_at) AS start
WHERE t.is_active AND t.local_time IS NOT NULL AND is_usable AND closes > :now
  AND begins_at <= :until AND (CAST(:after AS timestamptz) IS NULL OR begins_at > :after)
  AND (CAST(:agencies AS bigint[]) IS NULL OR t.agency_id = ANY(:agencies))
"""  # noqa: S608 - no value of anybody's
_ASKED = text(f"SELECT DISTINCT anchor, agency_id, category, day FROM ({_SLOTS}) AS s")  # noqa: S608
_STAGE = text(f"CREATE TEMP TABLE planning_slots ON COMMIT DROP AS {_SLOTS}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the slots of one anchor ask for: of which agencies, in which categories, about which local days."""

    agencies: tuple[int, ...]
    categories: tuple[str, ...]
    days: tuple[date, ...]


def stage_slots(session: Session, span: Span, agencies: Collection[int] | None) -> dict[str, Asked]:
    """Put the slots that begin within `span` into the temporary table planning_slots; says by anchor what they ask for.

    Without any there is no table either: most minutes have none. `agencies` None: of all.
    """
    values = {
        "now": span.now,
        "after": span.after,
        "until": span.until,
        "agencies": None if agencies is None else sorted(agencies),
        # Nowhere is the local date more than one away from UTC's.
        "first_day": (max(span.now, span.after or span.now) - timedelta(days=1)).date(),
        "last_day": (span.until + timedelta(days=1)).date(),
    }
    found = session.execute(_ASKED, values).all()
    if found:
        session.execute(_STAGE, values)
        session.execute(text("ANALYZE planning_slots"))
    return {
        anchor: Asked(
            tuple(sorted({row.agency_id for row in found if row.anchor == anchor})),
            tuple(sorted({row.category for row in found if row.anchor == anchor})),
            tuple(sorted({row.day for row in found if row.anchor == anchor})),
        )
        for anchor in {row.anchor for row in found}
    }


def forget_slots(session: Session) -> None:
    """Make room for the slots of another span."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.planning_slots"))
