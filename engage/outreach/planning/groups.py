"""Whom the programme leaves out, and who has an hour of their own: people and days in, exceptions in a temporary table out. SQL only.

The same rule as rules.groups, which tells it in words; a test asks both of the same patients. Only touchpoints with a group or a
taper, and patients with an override, make rows: where there are none, nothing is looked at.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.outreach.rules.groups import LOOKS_AHEAD

# What is known of the patient `p` of agency `a` on the local date `on_day`, as far as touchpoint `t` asks.
FACTS = f"""
LEFT JOIN LATERAL (
    SELECT e.line, e.payer_id, COALESCE(e.start_of_care_on, e.starts_on) AS began FROM episodes e
    WHERE e.agency_id = p.agency_id AND e.patient_id = p.id AND e.starts_on <= on_day AND COALESCE(e.discharged_on, 'infinity') >= on_day
    ORDER BY e.starts_on DESC, e.id DESC LIMIT 1) episode ON true
LEFT JOIN payers payer ON payer.agency_id = p.agency_id AND payer.id = episode.payer_id
CROSS JOIN LATERAL (SELECT COALESCE(episode.line, a.line) AS line, GREATEST(COALESCE(on_day - episode.began + 1, 1), 1) AS care_day,
    ARRAY[lower(payer.payer_class), lower(payer.emr_id)] AS payers,
    CASE WHEN t.for_whom ? 'disciplines' THEN ARRAY(
        SELECT upper(v.discipline) FROM visits v
        WHERE v.agency_id = p.agency_id AND v.patient_id = p.id AND v.status IN ('scheduled', 'completed')
          AND v.starts_on BETWEEN on_day AND on_day + {LOOKS_AHEAD}) END AS disciplines) AS facts
"""  # noqa: S608 - no value of anybody's
IS_IN_GROUP = """COALESCE((NOT t.for_whom ? 'lines' OR t.for_whom -> 'lines' ? facts.line)
    AND (NOT t.for_whom ? 'payers' OR t.for_whom -> 'payers' ?| array_remove(facts.payers, NULL))
    AND (NOT t.for_whom ? 'tags' OR t.for_whom -> 'tags' ?| p.tags)
    AND NOT (t.for_whom ? 'without_tags' AND t.for_whom -> 'without_tags' ?| p.tags)
    AND (NOT t.for_whom ? 'disciplines' OR t.for_whom -> 'disciplines' ?| array_remove(facts.disciplines, NULL))
    AND facts.care_day >= COALESCE((t.for_whom ->> 'from_day')::int, 1)
    AND facts.care_day <= COALESCE((t.for_whom ->> 'until_day')::int, facts.care_day)
    AND (t.taper = jsonb_build_array() OR COALESCE((
        SELECT NOT step.it ? 'days' OR step.it -> 'days' ? lower(to_char(on_day, 'Dy'))
        FROM jsonb_array_elements(t.taper) WITH ORDINALITY AS step(it, place)
        WHERE COALESCE((step.it ->> 'until_day')::int, facts.care_day) >= facts.care_day ORDER BY step.place LIMIT 1), false)), false)"""
HAS_RULE = "(t.for_whom <> jsonb_build_object() OR t.taper <> jsonb_build_array())"

# PostgreSQL guesses that one row in 200 passes an IS NULL or an IS NOT DISTINCT FROM of a table it knows nothing of, and joins tens of
# thousands of rows as if they were a few; of a CASE it guesses half.
IS_IN = "CASE WHEN x.kept_out IS NULL THEN true ELSE false END"
IS_THEIR_HOUR = "CASE WHEN {exception}.own_time IS NULL THEN {moment}.own_time IS NULL ELSE {moment}.own_time = {exception}.own_time END"

# `people` gives agency_id, touchpoint_id, patient_id and on_day. First whom a rule leaves out, then whoever has an override.
_EXCEPTIONS = f"""
CREATE TEMP TABLE planning_exceptions ON COMMIT DROP AS
WITH people AS MATERIALIZED (
    SELECT DISTINCT agency_id, touchpoint_id, patient_id, on_day FROM ({{people}}) AS some_people
), own AS (
    SELECT w.*, o.is_off, o.local_time FROM people w
    JOIN programme_overrides o ON o.agency_id = w.agency_id AND o.touchpoint_id = w.touchpoint_id AND o.patient_id = w.patient_id
), outside AS (
    SELECT w.* FROM people w
    JOIN touchpoints t ON t.agency_id = w.agency_id AND t.id = w.touchpoint_id AND {HAS_RULE}
    JOIN agencies a ON a.id = t.agency_id
    JOIN patients p ON p.agency_id = w.agency_id AND p.id = w.patient_id
    {FACTS} WHERE NOT {IS_IN_GROUP}
)
SELECT agency_id, touchpoint_id, patient_id, on_day, max(kept_out) AS kept_out, max(own_time) AS own_time FROM (
    SELECT agency_id, touchpoint_id, patient_id, on_day, 'not_in_group' AS kept_out, NULL::time AS own_time FROM outside
    UNION ALL
    SELECT agency_id, touchpoint_id, patient_id, on_day, CASE WHEN is_off THEN 'override_off' END, local_time FROM own) AS found
GROUP BY agency_id, touchpoint_id, patient_id, on_day
"""  # noqa: S608

_ANY = text(f"""
SELECT EXISTS (SELECT FROM touchpoints t WHERE t.is_active AND {HAS_RULE}) OR EXISTS (SELECT FROM programme_overrides)
""")  # noqa: S608
_NONE = "SELECT NULL::bigint AS agency_id, NULL::bigint AS touchpoint_id, NULL::bigint AS patient_id, NULL::date AS on_day WHERE false"
_WITH_OWN = f"""(SELECT t.agency_id, t.id FROM touchpoints t WHERE {HAS_RULE}
    UNION SELECT o.agency_id, o.touchpoint_id FROM programme_overrides o)"""  # noqa: S608
PEOPLE_OF_SLOTS = f"""
    SELECT s.agency_id, s.touchpoint_id, p.id AS patient_id, s.day AS on_day
    FROM (SELECT DISTINCT agency_id, touchpoint_id, zone, day FROM planning_slots WHERE anchor = 'every_day') s
    JOIN {_WITH_OWN} special ON special.agency_id = s.agency_id AND special.id = s.touchpoint_id
    JOIN patients p ON p.agency_id = s.agency_id AND p.time_zone = s.zone AND p.status = 'active'
    WHERE {{narrow}}"""  # noqa: S608
PEOPLE_OF_WISHES = f"""
    SELECT w.agency_id, w.touchpoint_id, w.patient_id, w.on_day FROM planning_wishes w
    JOIN {_WITH_OWN} special ON special.agency_id = w.agency_id AND special.id = w.touchpoint_id"""  # noqa: S608
PEOPLE_OF_MESSAGES = f"""
    SELECT m.agency_id, m.touchpoint_id, m.patient_id,
           CASE WHEN m.occasion LIKE 'visit:%' THEN v.starts_on ELSE NULLIF(m.occasion, '')::date END AS on_day
    FROM messages m
    JOIN {_WITH_OWN} special ON special.agency_id = m.agency_id AND special.id = m.touchpoint_id
    LEFT JOIN visits v ON v.agency_id = m.agency_id AND v.id = m.visit_id
    WHERE {{rows}} AND {{narrow}}"""  # noqa: S608


def stage_exceptions(session: Session, people: str, values: Mapping[str, object]) -> None:
    """Put whoever is left out, or has another hour, into planning_exceptions; an empty table where the programme has neither."""
    is_any = session.execute(_ANY).scalar_one()
    statement = _EXCEPTIONS.replace("{people}", people if is_any else _NONE)
    session.execute(
        text(statement), {name: value for name, value in values.items() if is_any and f":{name}" in statement}
    )
    session.execute(text("ANALYZE planning_exceptions"))
