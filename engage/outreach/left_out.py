"""Why touchpoints are not for a patient on a day: a patient and days in, a sentence for each touchpoint and day out. Reads only.

The facts come from the planner's own SQL, the words from the rule in rules.groups.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.outreach.planning.groups import FACTS
from engage.outreach.rules.groups import Facts, read_group, read_taper, why_left_out

_FACTS_OF_DAYS = text(
    """
SELECT t.id AS touchpoint_id, day.on_day, t.for_whom, t.taper, COALESCE(own.is_off, false) AS is_off, p.tags, facts.*
FROM patients p
JOIN agencies a ON a.id = p.agency_id
JOIN touchpoints t ON t.agency_id = p.agency_id AND t.anchor <> 'score'
CROSS JOIN unnest(CAST(:days AS date[])) AS day(on_day)
LEFT JOIN programme_overrides own ON own.agency_id = p.agency_id AND own.touchpoint_id = t.id AND own.patient_id = p.id
{facts}
WHERE p.agency_id = :agency AND p.id = :patient AND (own.is_off OR t.for_whom <> jsonb_build_object() OR t.taper <> jsonb_build_array())
""".replace("{facts}", FACTS)
)


def left_out(session: Session, agency_id: int, patient_id: int, days: Sequence[date]) -> dict[tuple[int, date], str]:
    """By touchpoint and local day, why the programme leaves the patient out; who is in is not there."""
    values = {"agency": agency_id, "patient": patient_id, "days": list(days)}
    found = ((row, _why(row)) for row in session.execute(_FACTS_OF_DAYS, values))
    return {(row.touchpoint_id, row.on_day): why for row, why in found if why is not None}


def _why(row: Row[Any]) -> str | None:
    if row.is_off:
        return "it is switched off for this patient"
    group, taper = read_group(row.for_whom), read_taper(row.taper)
    if isinstance(group, str) or isinstance(taper, str):
        return "its rule cannot be read"
    known = Facts(row.line, _set(row.payers), _set(row.tags), _set(row.disciplines), row.care_day)
    return why_left_out(group, taper, known, row.on_day)


def _set(words: Sequence[str | None] | None) -> frozenset[str]:
    return frozenset(word for word in words or () if word is not None)
