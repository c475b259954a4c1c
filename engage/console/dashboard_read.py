"""Reads the dashboard: a span of days in, counts by day and branch out. Four statements for any span."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from engage.console.rules.rates import Counts, Row
from engage.patients.rules.window import instant

# Days are those of the agency's calendar; a visit's is that of its own.
_VISITS = text("""
SELECT v.starts_on AS day, p.branch_id, count(*) FILTER (WHERE v.status <> 'cancelled') AS visits,
       count(*) FILTER (WHERE v.status = 'completed') AS completed, count(*) FILTER (WHERE v.status = 'missed') AS missed,
       count(*) FILTER (WHERE v.status <> 'cancelled' AND v.answer = 'confirmed') AS confirmed
FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
WHERE v.agency_id = :agency AND v.starts_on BETWEEN :first AND :last GROUP BY 1, 2
""")
_ASKED = text("""
SELECT (m.claimed_at AT TIME ZONE :zone)::date AS day, p.branch_id, count(*) AS asked
FROM messages m JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
WHERE m.agency_id = :agency AND m.asks = 'score_1_5' AND m.kind = 'touchpoint' AND m.state = 'delivered'
  AND m.claimed_at >= :since AND m.claimed_at < :until GROUP BY 1, 2
""")
_SCORES = text("""
SELECT (s.given_at AT TIME ZONE :zone)::date AS day, p.branch_id, count(*) AS answered, sum(s.value)::bigint AS score_sum,
       count(*) FILTER (WHERE s.value <= 2) AS low
FROM scores s JOIN patients p ON p.agency_id = s.agency_id AND p.id = s.patient_id
WHERE s.agency_id = :agency AND s.scale = 5 AND s.superseded_by IS NULL AND s.given_at >= :since AND s.given_at < :until GROUP BY 1, 2
""")
_ALERTS = text("""
SELECT (a.opened_at AT TIME ZONE :zone)::date AS day, a.branch_id, count(*) AS alerts, count(f.at) AS taken,
       COALESCE(sum(EXTRACT(epoch FROM f.at - a.opened_at)), 0)::float AS waited_s
FROM alerts a
LEFT JOIN LATERAL (
    SELECT min(e.at) AS at FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind IN ('acknowledged', 'resolved')) f ON true
WHERE a.agency_id = :agency AND a.opened_at >= :since AND a.opened_at < :until AND a.branch_id IS NOT NULL GROUP BY 1, 2
""")
_BRANCHES = text("SELECT id, name FROM branches WHERE agency_id = :agency")


def read_days(
    session: Session, agency_id: int, zone: str, branch_ids: frozenset[int] | None, first: date, last: date
) -> Sequence[Row]:
    """The counts of each day and branch that had any, of the branches that the account may see."""
    values: dict[str, Any] = {"agency": agency_id, "zone": zone, "first": first, "last": last}
    values["since"], values["until"] = _at(first, zone), _at(last + timedelta(days=1), zone)
    counted: dict[tuple[date, int], dict[str, Any]] = defaultdict(dict)
    for query in (_VISITS, _ASKED, _SCORES, _ALERTS):
        for row in session.execute(query, values).mappings():
            counted[row["day"], row["branch_id"]] |= _of(row)
    names: dict[int, str] = {row.id: row.name for row in session.execute(_BRANCHES, {"agency": agency_id})}
    return [
        Row(day, branch, names[branch], Counts(**counts))
        for (day, branch), counts in sorted(counted.items())
        if branch_ids is None or branch in branch_ids
    ]


def _of(row: RowMapping) -> dict[str, Any]:
    return {name: value or 0 for name, value in row.items() if name not in {"day", "branch_id"}}


def _at(day: date, zone: str) -> datetime:
    return instant(day, time(), zone)
