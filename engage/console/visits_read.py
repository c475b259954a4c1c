"""Reads the visits board: a span of days in, visits with their standing out. One statement, and one for the choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.console.opening import opened
from engage.console.rules.board import Reminders, Standing, standing
from engage.visits.rules.words import VisitAnswer, VisitStatus

# The reminders of a visit are those of the patient's day: several visits of one day share one. `occasion` begins with the day.
_VISITS = text("""
SELECT v.id, v.patient_id, v.first_name, v.last_name, v.branch_id, v.branch, v.task, v.discipline, v.starts_on, v.starts_local, v.ends_local,
       v.status, v.answer, v.answered_at, v.wanted, v.language, who.names, COALESCE(r.arrived, 0) AS arrived, COALESCE(r.lost, 0) AS lost, COALESCE(r.waiting, 0) AS waiting,
       (SELECT a.id FROM alerts a WHERE a.agency_id = v.agency_id AND a.patient_id = v.patient_id AND a.state <> 'resolved'
        AND a.kind IN ('reschedule', 'cancel_visit', 'undeliverable') ORDER BY a.id LIMIT 1) AS alert_id
FROM (
    SELECT v.*, p.first_name, p.last_name, p.branch_id, p.language, p.time_zone, b.name AS branch
    FROM visits v
    JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
    JOIN branches b ON b.agency_id = p.agency_id AND b.id = p.branch_id
    WHERE v.agency_id = :agency AND v.starts_on BETWEEN :first AND :last
      AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
      AND (CAST(:branch AS bigint) IS NULL OR p.branch_id = :branch)
      AND (CAST(:clinician AS bigint) IS NULL OR EXISTS (
          SELECT FROM visit_clinicians c WHERE c.agency_id = v.agency_id AND c.visit_id = v.id AND c.clinician_id = :clinician))
    ORDER BY v.starts_on, b.name, v.starts_local NULLS LAST, p.last_name, v.id LIMIT :most) v
LEFT JOIN LATERAL (
    SELECT array_agg(k.first_name || ' ' || k.last_name ORDER BY k.last_name, k.id) AS names
    FROM visit_clinicians vc JOIN clinicians k ON k.agency_id = vc.agency_id AND k.id = vc.clinician_id
    WHERE vc.agency_id = v.agency_id AND vc.visit_id = v.id) who ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered')) AS arrived,
           count(*) FILTER (WHERE m.state IN ('failed', 'undelivered', 'suppressed', 'expired')) AS lost,
           count(*) FILTER (WHERE m.state = 'planned') AS waiting
    FROM messages m
    WHERE m.agency_id = v.agency_id AND m.patient_id = v.patient_id AND m.asks = 'confirm' AND m.kind = 'touchpoint'
      AND m.send_at >= CAST(v.starts_on - 8 AS timestamp) AT TIME ZONE v.time_zone AND m.send_at < CAST(v.starts_on + 1 AS timestamp) AT TIME ZONE v.time_zone
      AND m.occasion LIKE to_char(v.starts_on, 'YYYY-MM-DD') || '%') r ON true
ORDER BY v.starts_on, v.branch, v.starts_local NULLS LAST, v.last_name, v.id
""")
_CHOICES = text("""
SELECT 'branch' AS kind, b.id, b.name FROM branches b
WHERE b.agency_id = :agency AND (CAST(:branches AS bigint[]) IS NULL OR b.id = ANY(CAST(:branches AS bigint[])))
UNION ALL
SELECT 'clinician', k.id, k.first_name || ' ' || k.last_name FROM clinicians k
WHERE k.agency_id = :agency AND k.role IN ('nurse', 'therapist', 'aide') AND (k.left_on IS NULL OR k.left_on > :today)
  AND (CAST(:branches AS bigint[]) IS NULL OR k.branch_id IS NULL OR k.branch_id = ANY(CAST(:branches AS bigint[])))
ORDER BY 1, 3
""")
MOST_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Planned:
    """One visit of the board. `wanted`: the words in which the patient asked for another time, in her `language`; `alert_id`: the alert about it."""

    id: int
    patient_id: int
    patient: str
    branch: str
    task: str
    discipline: str | None
    on: date
    starts: time | None
    clinicians: tuple[str, ...]
    standing: Standing
    wanted: str | None
    language: str
    alert_id: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A branch or a clinician that the board can be narrowed to."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is looked at: days, and perhaps one branch or clinician of those that the account may see."""

    agency_id: int
    branch_ids: frozenset[int] | None
    first: date
    last: date
    branch: int | None = None
    clinician: int | None = None


def read_board(session: Session, looked_at: Narrowed) -> Sequence[Planned]:
    """The visits of the days, in order of day, branch and hour."""
    return [_planned(row) for row in session.execute(_VISITS, _values(looked_at) | {"most": MOST_SHOWN})]


def read_choices(session: Session, looked_at: Narrowed) -> tuple[list[Choice], list[Choice]]:
    """The branches and the clinicians to choose from."""
    rows = session.execute(_CHOICES, {**_values(looked_at), "today": looked_at.first}).all()
    return tuple([Choice(row.id, row.name) for row in rows if row.kind == kind] for kind in ("branch", "clinician"))  # type: ignore[return-value]


def _values(looked_at: Narrowed) -> dict[str, Any]:
    return {
        "agency": looked_at.agency_id,
        "branches": None if looked_at.branch_ids is None else sorted(looked_at.branch_ids),
        "first": looked_at.first,
        "last": looked_at.last,
        "branch": looked_at.branch,
        "clinician": looked_at.clinician,
    }


def _planned(row: Row[Any]) -> Planned:
    answer = VisitAnswer(row.answer) if row.answer else None
    return Planned(
        id=row.id,
        patient_id=row.patient_id,
        patient=f"{row.first_name} {row.last_name}",
        branch=row.branch,
        task=row.task,
        discipline=row.discipline,
        on=row.starts_on,
        starts=row.starts_local,
        clinicians=tuple(row.names or ()),
        standing=standing(VisitStatus(row.status), answer, Reminders(row.arrived, row.lost, row.waiting)),
        wanted=opened(row.wanted, "visits.wanted"),
        language=row.language,
        alert_id=row.alert_id,
    )
