"""How many texts an agency's programme makes in a month, counted from its patients and visits: an id in, loads out. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from engage.onboarding.wordings import Wordings
from engage.outreach.model import Touchpoint
from engage.outreach.rules.checks.costs import Load
from engage.outreach.rules.checks.lengths import dearest, usual_values
from engage.outreach.rules.grammar import Fault, read_wording
from engage.outreach.rules.words import Anchor, Asks

_DAYS = 28
_A_MONTH = Decimal(365) / 12

# A patient with a contact that may be texted, by language: visit days and visits of the last four weeks, and whether monitored.
# Consent is counted per category; a patient is texted on one phone (a second one with consent gets reminders too, and is not counted).
_COUNTS = text("""
WITH reached AS (
    SELECT DISTINCT ON (p.id, e.category) p.id, e.category, COALESCE(c.language, p.language, 'en') AS language, p.is_monitored
    FROM patients p
    JOIN contacts c ON c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL AND c.phone_kind IN ('unknown', 'mobile')
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (said.category) said.category, said.kind FROM consent_events said
        WHERE said.agency_id = c.agency_id AND said.contact_id = c.id AND said.category IS NOT NULL
        ORDER BY said.category, said.said_at DESC, said.id DESC) e
    WHERE p.agency_id = :agency AND p.status = 'active' AND e.kind = 'granted'
    ORDER BY p.id, e.category, c.relationship = 'patient' DESC, c.id
), visited AS (
    SELECT v.patient_id, count(DISTINCT v.starts_on) AS days, count(*) AS visits FROM visits v
    WHERE v.agency_id = :agency AND v.status IN ('scheduled', 'completed') AND v.starts_on > :since AND v.starts_on <= :until
    GROUP BY v.patient_id
)
SELECT r.category, r.language, count(*) AS patients, count(*) FILTER (WHERE r.is_monitored) AS monitored,
       COALESCE(sum(v.days), 0) AS visit_days, COALESCE(sum(v.visits), 0) AS visits,
       COALESCE(sum(v.days) FILTER (WHERE r.is_monitored), 0) AS monitored_days,
       COALESCE(sum(v.visits) FILTER (WHERE r.is_monitored), 0) AS monitored_visits
FROM reached r LEFT JOIN visited v ON v.patient_id = r.id
GROUP BY r.category, r.language ORDER BY r.category, r.language
""")
_PATIENTS = text("SELECT count(*) FROM patients WHERE agency_id = :agency AND status = 'active'")


@dataclass(frozen=True, slots=True)
class Census:
    """A month of an agency: how many active patients, and each kind of text that leaves."""

    patients: int
    loads: tuple[Load, ...]


def month_of(session: Session, agency_id: int, wordings: Wordings, today: date) -> Census:
    """The texts of an average month, by the visits of the four weeks around `today` (two back, two ahead)."""
    half = timedelta(days=_DAYS // 2)
    values = {"agency": agency_id, "since": today - half, "until": today + half}
    touchpoints = session.scalars(
        select(Touchpoint).where(Touchpoint.agency_id == agency_id, Touchpoint.is_active).order_by(Touchpoint.id)
    ).all()
    counts = session.execute(_COUNTS, values).all()
    patients = session.execute(_PATIENTS, values).scalar_one()
    return Census(int(patients), tuple(_loads(wordings, touchpoints, counts)))


def _loads(wordings: Wordings, touchpoints: Sequence[Touchpoint], counts: Sequence[Row[Any]]) -> Iterator[Load]:
    for touchpoint in touchpoints:
        for row in counts:
            if (
                row.category != touchpoint.category or touchpoint.anchor == Anchor.SCORE
            ):  # few, and nobody knows how few
                continue
            by_anchor = {
                Anchor.VISIT_DAY: (row.visit_days, row.monitored_days),
                Anchor.VISIT_COMPLETED: (row.visits, row.monitored_visits),
                Anchor.EVERY_DAY: (row.patients * _DAYS, row.monitored * _DAYS),
            }
            everybody, monitored = by_anchor[Anchor(touchpoint.anchor)]
            number = Decimal(monitored if touchpoint.only_monitored else everybody) / _DAYS * _A_MONTH
            language, segments = segments_of(wordings, touchpoint.template, row.language)
            yield Load(touchpoint.template, language, number, segments, touchpoint.asks != Asks.NOTHING)


def segments_of(wordings: Wordings, template: str, language: str) -> tuple[str, int]:
    """The language a reader gets the text in, and the segments it usually takes; none, if it has no wording at all."""
    for spoken in dict.fromkeys((language, "en")):
        row = wordings.in_force(template, spoken)
        grammar = read_wording(row.wording) if row is not None else None
        if grammar is not None and not isinstance(grammar, Fault):
            return spoken, dearest(grammar, usual_values(wordings.house, spoken))[1].segments
    return language, 0
