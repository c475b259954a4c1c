"""What a programme would do to an agency's own census before it is switched on: a file or the agency as it is in; texts a day,
nurses' load and cost out. The planner itself runs ahead, and everything is rolled back: nothing is kept, nothing is sent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Agency
from engage.db import Database
from engage.errors import NotFound
from engage.onboarding.census import segments_of
from engage.onboarding.importing import make_so
from engage.onboarding.rules.document import AgencyDocument
from engage.onboarding.wordings import read_wordings
from engage.outreach.plan import plan_ahead
from engage.outreach.planning.wishes import plan_completed
from engage.outreach.preview import undone
from engage.outreach.rules.checks import Prices
from engage.outreach.rules.checks.costs import Bill, Load, bill
from engage.outreach.rules.spans import Span

DAYS = 7
_A_MONTH = Decimal(365) / 12 / DAYS
ANSWERED, ALERTING = 0.5, 0.1
"""Where there is no past to go by: half of what is asked is answered, one answer in ten calls a nurse. Ours to start from; a year of
your own answers is better."""
SHIFTS = 2.0
_ENOUGH = 50  # fewer answers say nothing

# A visit that stands in the schedule is taken for done an hour after it began, so that what follows visits is counted too.
_DONE = text("""
UPDATE visits v SET status = 'completed', completed_at = (v.starts_on + COALESCE(v.starts_local, TIME '12:00')) AT TIME ZONE p.time_zone + interval '1 hour'
FROM patients p
WHERE v.agency_id = :agency AND p.agency_id = v.agency_id AND p.id = v.patient_id AND v.status = 'scheduled'
  AND v.starts_on BETWEEN CAST(:first AS date) AND CAST(:last AS date)
""")
_TEXTS = text("""
SELECT (m.send_at AT TIME ZONE p.time_zone)::date AS on_day, t.key, m.template, m.asks, t.alert_at_most,
       COALESCE(c.language, p.language, 'en') AS language, count(*) AS texts
FROM messages m
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
WHERE m.agency_id = :agency AND m.kind = 'touchpoint' AND m.state = 'planned'
  AND (m.send_at AT TIME ZONE p.time_zone)::date BETWEEN CAST(:first AS date) AND CAST(:last AS date)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2
""")
_ABOVE_CAP = text("""
SELECT COALESCE(sum(GREATEST(0, n - a.daily_cap)), 0) FROM agencies a, LATERAL (
    SELECT count(*) AS n FROM messages m
    JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
    JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
    WHERE m.agency_id = a.id AND m.kind = 'touchpoint' AND m.state = 'planned'
      AND (m.send_at AT TIME ZONE p.time_zone)::date BETWEEN CAST(:first AS date) AND CAST(:last AS date)
    GROUP BY c.phone_hash, (m.send_at AT TIME ZONE p.time_zone)::date) AS phones
WHERE a.id = :agency
""")
_PAST = text("""
SELECT (SELECT count(*) FROM messages m WHERE m.agency_id = :agency AND m.kind = 'touchpoint' AND m.asks IN ('score_1_5', 'score_1_10')
        AND m.claimed_at > :since AND m.state IN ('accepted', 'sent', 'delivered')) AS asked,
       (SELECT count(DISTINCT (s.message_id, s.patient_id)) FROM scores s WHERE s.agency_id = :agency AND s.given_at > :since) AS answered,
       (SELECT count(DISTINCT e.alert_id) FROM alert_events e JOIN scores s ON s.agency_id = e.agency_id AND s.reply_id = e.reply_id
        WHERE e.agency_id = :agency AND e.kind IN ('opened', 'evidence') AND e.at > :since) AS alerting,
       (SELECT sum(cardinality(h.weekdays)) / 7.0 FROM shifts h WHERE h.agency_id = :agency AND h.duty = 'on_call') AS shifts
""")
_PATIENTS = text("SELECT count(*) FROM patients WHERE agency_id = :agency AND status = 'active'")


@dataclass(frozen=True, slots=True)
class Trial:
    """A week of a programme, and what it would cost a month. `assumed`: there was too little past, so the shares are ours."""

    patients: int
    days: dict[date, dict[str, int]]
    above_cap: int
    answered: float
    alerting: float
    assumed: bool
    shifts: float
    shifts_assumed: bool
    pages_a_shift: float
    bill: Bill

    @property
    def texts_a_day(self) -> float:
        """On average."""
        return sum(sum(texts.values()) for texts in self.days.values()) / DAYS


def dry_run(db: Database, slug: str, document: AgencyDocument | None, prices: Prices, now: datetime) -> Trial:
    """The seven days from tomorrow on, as `document` would have them, or as the agency is. Nothing of it is kept.

    Raises NotFound for an agency that is not there: a programme without patients says nothing. BadInput for a file that cannot be
    imported.
    """
    first, last = (now + timedelta(days=1)).date(), (now + timedelta(days=DAYS)).date()
    with undone(db, "dry run of a programme") as session:
        agency = session.scalars(select(Agency).where(Agency.slug == slug)).first()
        if agency is None:
            raise NotFound(
                f"There is no agency {slug!r} with patients to try it on: import the file first, with is_active = false."
            )
        if document is not None:
            make_so(session, document, now)
        names = {"agency": agency.id, "first": first, "last": last}
        until = now + timedelta(days=DAYS + 2)
        plan_ahead(session, now, until, {agency.id})
        session.execute(_DONE, names)
        plan_completed(session, Span(now, None, until), {agency.id}, is_narrow=False)
        return _weighed(session, agency.id, names, prices, now)
    raise AssertionError("what is undone has returned")


def _weighed(session: Session, agency_id: int, names: dict[str, object], prices: Prices, now: datetime) -> Trial:
    texts = session.execute(_TEXTS, names).all()
    past = session.execute(_PAST, {"agency": agency_id, "since": now - timedelta(days=28)}).one()
    assumed = past.answered < _ENOUGH
    answered = ANSWERED if assumed else min(1.0, past.answered / max(1, past.asked))
    alerting = ALERTING if assumed else past.alerting / past.answered
    asked = sum(row.texts for row in texts if row.asks in {"score_1_5", "score_1_10"} and row.alert_at_most is not None)
    shifts = float(past.shifts or 0)
    days: dict[date, dict[str, int]] = {}
    for row in texts:
        of_day = days.setdefault(row.on_day, {})
        of_day[row.key] = of_day.get(row.key, 0) + row.texts
    wordings = read_wordings(session, agency_id)
    loads = []
    for row in texts:
        language, segments = segments_of(wordings, row.template, row.language)
        loads.append(Load(row.template, language, row.texts * _A_MONTH, segments, row.asks != "nothing"))
    patients = int(session.execute(_PATIENTS, {"agency": agency_id}).scalar_one())
    return Trial(
        patients=patients,
        days=days,
        above_cap=int(session.execute(_ABOVE_CAP, names).scalar_one()),
        answered=answered,
        alerting=alerting,
        assumed=assumed,
        shifts=shifts or SHIFTS,
        shifts_assumed=not shifts,
        pages_a_shift=asked / DAYS * answered * alerting / (shifts or SHIFTS),
        bill=bill(loads, patients, prices),
    )
