"""Reads the dashboard: a span of days in, figures by day, branch, clinician, payer or referral source out, and the people behind one.

A handful of statements for any span and any number of people. Days are those of the agency's calendar; a visit's is its own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

from engage.console.rules.rates import Behind, By, Counts, Figures, Key, Measure, Row, ordered, total
from engage.patients.rules.window import instant

# What is counted, of each family: its facts, a day and a patient each; and the sums over them. `begins` are the instants at which
# the days begin: to find an instant's place among them is ten times as quick as to turn each into a wall clock.
_FACTS = {
    "visits": """
SELECT v.starts_on AS day, v.patient_id, v.id, v.status, v.answer FROM visits v
WHERE v.agency_id = :agency AND v.starts_on BETWEEN :first AND :last AND v.status <> 'cancelled'
""",
    "asked": """
SELECT CAST(:first AS date) + width_bucket(m.claimed_at, CAST(:begins AS timestamptz[])) - 1 AS day, m.patient_id,
       answered.message_id IS NOT NULL AS is_answered
FROM messages m
LEFT JOIN (SELECT DISTINCT s.message_id FROM scores s WHERE s.agency_id = :agency AND s.given_at >= :since) answered
    ON answered.message_id = m.id
WHERE m.agency_id = :agency AND m.asks = 'score_1_5' AND m.kind = 'touchpoint' AND m.state = 'delivered'
  AND m.claimed_at >= :since AND m.claimed_at < :until
""",
    "scores": """
SELECT CAST(:first AS date) + width_bucket(s.given_at, CAST(:begins AS timestamptz[])) - 1 AS day, s.patient_id, s.value FROM scores s
WHERE s.agency_id = :agency AND s.scale = 5 AND s.superseded_by IS NULL AND s.given_at >= :since AND s.given_at < :until
""",
    "alerts": """
SELECT CAST(:first AS date) + width_bucket(a.opened_at, CAST(:begins AS timestamptz[])) - 1 AS day, a.patient_id, (
           SELECT EXTRACT(epoch FROM min(e.at) - a.opened_at)::float FROM alert_events e
           WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind IN ('acknowledged', 'resolved')) AS waited
FROM alerts a
WHERE a.agency_id = :agency AND a.patient_id IS NOT NULL AND a.opened_at >= :since AND a.opened_at < :until
""",
}
_SUMS = {
    "visits": """count(*) AS visits, count(*) FILTER (WHERE f.status = 'completed') AS completed,
        count(*) FILTER (WHERE f.status = 'missed') AS missed, count(*) FILTER (WHERE f.answer = 'confirmed') AS confirmed""",
    "asked": "count(*) AS asked, count(*) FILTER (WHERE f.is_answered) AS answered",
    "scores": "count(*) AS scores, sum(f.value)::bigint AS score_sum, count(*) FILTER (WHERE f.value <= 2) AS low",
    "alerts": "count(*) AS alerts, array_agg(f.waited) FILTER (WHERE f.waited IS NOT NULL) AS waits",
}
_FAMILY_OF = {
    Measure.VISITS: "visits",
    Measure.CONFIRMED: "visits",
    Measure.MISSED: "visits",
    Measure.ANSWERED: "asked",
    Measure.SCORES: "scores",
    Measure.LOW: "scores",
    Measure.ALERTS: "alerts",
    Measure.WAIT: "alerts",
}
# Which of the facts of a family a figure is about, where not of all: the last day is that of one of them.
_ONLY = {Measure.MISSED: "f.status = 'missed'", Measure.LOW: "f.value <= 2", Measure.WAIT: "f.waited IS NOT NULL"}
# The episode of a day is the last one that had begun by then; an episode that begins on the same day as the next holds no day.
_CARE = """
LEFT JOIN (SELECT e.patient_id, e.payer_id, e.referral_source_id, e.starts_on,
                  lead(e.starts_on) OVER (PARTITION BY e.patient_id ORDER BY e.starts_on, e.id) AS next_on
           FROM episodes e WHERE e.agency_id = :agency) care
ON care.patient_id = f.patient_id AND f.day >= care.starts_on AND (care.next_on IS NULL OR f.day < care.next_on)
"""
_CAME = "LEFT JOIN visit_clinicians vc ON vc.agency_id = :agency AND vc.visit_id = f.id"
_NAMES = {
    By.BRANCH: text("SELECT id, name FROM branches WHERE agency_id = :agency"),
    By.CLINICIAN: text("SELECT id, first_name || ' ' || last_name AS name FROM clinicians WHERE agency_id = :agency"),
    By.PAYER: text("SELECT id, name FROM payers WHERE agency_id = :agency"),
    By.REFERRAL: text("SELECT id, name FROM referral_sources WHERE agency_id = :agency"),
}
_PEOPLE = text("""
SELECT p.id, p.emr_id, p.first_name, p.last_name, b.name AS branch
FROM patients p JOIN branches b ON b.agency_id = p.agency_id AND b.id = p.branch_id
WHERE p.agency_id = :agency AND p.id = ANY(CAST(:ids AS bigint[]))
""")


@dataclass(frozen=True, slots=True)
class Span:
    """What is looked at: whose patients, in which days (both included) of which zone's calendar."""

    agency_id: int
    branch_ids: frozenset[int] | None
    zone: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Named:
    """A patient behind a figure, with the name."""

    behind: Behind
    emr_id: str
    name: str
    branch: str


def read_figures(session: Session, span: Span, by: By) -> Figures:
    """The figures of each day, branch, clinician, payer or referral source that had any, and of all together."""
    counted: dict[Key, dict[str, Any]] = defaultdict(dict)
    for family in _FACTS:
        for row in session.execute(_statement(span, family, by), _values(span)).mappings():
            counted[row["key"]] |= _sums(row)
    names = _names(session, span, by)
    rows = ordered(Row(key, names.get(key, ""), Counts(**sums)) for key, sums in counted.items())
    return Figures(rows, _total(session, span, by, rows))


def read_behind(session: Session, span: Span, measure: Measure, by: By | None = None, key: Key = None) -> list[Behind]:
    """Each patient with any of what `measure` counts; of all, or of one day, branch, clinician, payer or referral source."""
    if by is By.DAY:
        if not isinstance(key, date) or not span.first <= key <= span.last:
            return []
        span, by, key = replace(span, first=key, last=key), None, None
    statement = _statement(span, _FAMILY_OF[measure], "patient", by, _ONLY.get(measure, "true"))
    found = session.execute(statement, _values(span) | {"key": key}).mappings()
    return [Behind(row["key"], Counts(**_sums(row)), row["last"]) for row in found]


def read_people(session: Session, span: Span, people: Sequence[Behind]) -> list[Named]:
    """The names of `people`, in their order."""
    found = session.execute(_PEOPLE, {"agency": span.agency_id, "ids": [each.patient_id for each in people]})
    named = {row.id: row for row in found}
    return [
        Named(each, row.emr_id, f"{row.first_name} {row.last_name}", row.branch)
        for each in people
        if (row := named.get(each.patient_id)) is not None
    ]


def read_name(session: Session, span: Span, by: By, key: Key) -> str | None:
    """The name of one branch, clinician, payer or referral source; None where the agency has none with this id."""
    return _names(session, span, by).get(key)


def _statement(span: Span, family: str, key: By | str, only: By | None = None, about: str = "true") -> TextClause:
    is_scoped = span.branch_ids is not None
    columns = {
        By.DAY: "f.day",
        By.BRANCH: "p.branch_id",
        By.PAYER: "care.payer_id",
        By.REFERRAL: "care.referral_source_id",
    }
    columns |= {By.CLINICIAN: "vc.clinician_id" if family == "visits" else "p.case_manager_id"}
    asked = {key, only}
    needs_patient = is_scoped or By.BRANCH in asked or (By.CLINICIAN in asked and family != "visits")
    joins = "JOIN patients p ON p.agency_id = :agency AND p.id = f.patient_id " if needs_patient else ""
    joins += _CARE if asked & {By.PAYER, By.REFERRAL} else ""
    joins += _CAME if By.CLINICIAN in asked and family == "visits" else ""
    grouped = columns[key] if isinstance(key, By) else "f.patient_id" if key == "patient" else "NULL::bigint"
    narrowed = f"AND {columns[only]} IS NOT DISTINCT FROM CAST(:key AS bigint)" if only is not None else ""
    return text(
        f"SELECT {grouped} AS key, {_SUMS[family]}, max(f.day) FILTER (WHERE {about}) AS last FROM ({_FACTS[family]}) f"  # noqa: S608 - parts of our own
        f" {joins} WHERE {'p.branch_id = ANY(CAST(:branches AS bigint[]))' if is_scoped else 'true'} {narrowed} GROUP BY 1"
    )


def _total(session: Session, span: Span, by: By, rows: Sequence[Row]) -> Counts:
    """The sum of the rows; a visit to which two clinicians come is in two rows, and one visit."""
    whole = total(rows)
    if by is not By.CLINICIAN:
        return whole
    visits = session.execute(_statement(span, "visits", "all"), _values(span)).mappings().first()
    return replace(whole, **(_sums(visits) if visits is not None else {}))


def _names(session: Session, span: Span, by: By) -> Mapping[Key, str]:
    if by is By.DAY:
        return {}
    return {row.id: row.name for row in session.execute(_NAMES[by], {"agency": span.agency_id})}


def _values(span: Span) -> dict[str, Any]:
    begins = [
        _at(span.first + timedelta(days=number), span.zone) for number in range((span.last - span.first).days + 2)
    ]
    return {
        "agency": span.agency_id,
        "branches": None if span.branch_ids is None else sorted(span.branch_ids),
        "first": span.first,
        "last": span.last,
        "begins": begins[:-1],
        "since": begins[0],
        "until": begins[-1],
    }


def _sums(row: RowMapping) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in {"key", "last"}}
    return {name: tuple(value or ()) if name == "waits" else value or 0 for name, value in told.items()}


def _at(day: date, zone: str) -> datetime:
    return instant(day, time(), zone)
