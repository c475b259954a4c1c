"""Reads a patient's page: a patient's id in, everything of the story out. A fixed number of statements, whatever there is of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.console.opening import opened
from engage.console.rules.chart import Given
from engage.patients.rules.words import Category, ConsentKind
from engage.replies.rules.trends import LOOKS_BACK, level_of

_PATIENT = text("""
SELECT p.id, p.emr_id, p.mrn, p.first_name, p.last_name, p.born_on, p.language, p.time_zone, p.state, p.status, p.status_since,
       p.is_monitored, p.texts_after AS own_after, p.texts_until AS own_until, p.branch_id, b.name AS branch,
       k.first_name || ' ' || k.last_name AS nurse, a.texts_after, a.texts_until, a.healthcare_exemption, a.daily_cap, a.weekly_cap,
       l.baseline, l.alert_at_most, l.drop_by, l.threes_in_a_row, l.silent_after, l.snoozed_until,
       e.starts_on AS episode_starts_on, e.ends_on AS episode_ends_on, e.payer, e.referral,
       (SELECT max(t.alert_at_most) FROM touchpoints t WHERE t.agency_id = p.agency_id AND t.asks = 'score_1_5') AS low_of_5,
       (SELECT max(t.alert_at_most) FROM touchpoints t WHERE t.agency_id = p.agency_id AND t.asks = 'score_1_10') AS low_of_10
FROM patients p
JOIN agencies a ON a.id = p.agency_id
JOIN branches b ON b.agency_id = p.agency_id AND b.id = p.branch_id
LEFT JOIN clinicians k ON k.agency_id = p.agency_id AND k.id = p.case_manager_id
LEFT JOIN patient_levels l ON l.agency_id = p.agency_id AND l.patient_id = p.id
LEFT JOIN LATERAL (
    SELECT e.starts_on, e.ends_on, y.name AS payer, r.name AS referral FROM episodes e
    LEFT JOIN payers y ON y.agency_id = e.agency_id AND y.id = e.payer_id
    LEFT JOIN referral_sources r ON r.agency_id = e.agency_id AND r.id = e.referral_source_id
    WHERE e.agency_id = p.agency_id AND e.patient_id = p.id ORDER BY e.starts_on DESC, e.id DESC LIMIT 1) e ON true
WHERE p.agency_id = :agency AND p.id = :patient
""")
# The last word on each category of each phone, and of the phone itself; and whether the phone has written within a day.
_CONTACTS = text("""
SELECT c.id, c.relationship, c.name, c.phone, c.phone_kind, COALESCE(c.language, p.language) AS language, c.ended_at IS NOT NULL AS has_ended,
       word.kind AS phone_word, word.said_at AS word_said_at, said.consents,
       EXISTS (SELECT FROM replies r WHERE r.agency_id = c.agency_id AND r.phone_hash = c.phone_hash AND r.received_at > :day_ago) AS has_written,
       (SELECT count(*) FROM contacts o WHERE o.agency_id = c.agency_id AND o.phone_hash = c.phone_hash AND o.patient_id <> c.patient_id
        AND o.ended_at IS NULL) AS sharers,
       (SELECT max(m.planned_at) FROM messages m WHERE m.agency_id = c.agency_id AND m.contact_id = c.id AND m.kind = 'hand'
        AND m.planned_at > :hand_since AND m.state NOT IN ('suppressed', 'expired', 'cancelled', 'failed')) AS by_hand_at
FROM contacts c JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
LEFT JOIN LATERAL (
    SELECT e.kind, e.said_at FROM consent_events e
    WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL ORDER BY e.said_at DESC, e.id DESC LIMIT 1) word ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('category', l.category, 'kind', l.kind, 'source', l.source, 'on', l.said_at) ORDER BY l.category) AS consents
    FROM (SELECT DISTINCT ON (e.category) e.category, e.kind, e.source, e.said_at FROM consent_events e
          WHERE e.agency_id = c.agency_id AND e.contact_id = c.id ORDER BY e.category, e.said_at DESC, e.id DESC) l) said ON true
WHERE c.agency_id = :agency AND c.patient_id = :patient
ORDER BY c.ended_at IS NOT NULL, c.relationship = 'patient' DESC, c.id
""")
_SCORES = text("""
SELECT s.given_at, s.value, s.scale, s.relationship, s.superseded_by IS NOT NULL AS is_corrected FROM scores s
WHERE s.agency_id = :agency AND s.patient_id = :patient AND s.given_at > :since ORDER BY s.given_at, s.id
""")
_VISITS = text("""
SELECT v.id, v.task, v.discipline, v.starts_on, v.starts_local, v.ends_local, v.status, v.answer, v.answered_at, v.wanted,
       array_remove(array_agg(k.first_name || ' ' || k.last_name ORDER BY k.id), NULL) AS clinicians
FROM visits v
LEFT JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
LEFT JOIN clinicians k ON k.agency_id = vc.agency_id AND k.id = vc.clinician_id
WHERE v.agency_id = :agency AND v.patient_id = :patient AND v.starts_on BETWEEN :first AND :last
GROUP BY v.agency_id, v.id ORDER BY v.starts_on, v.starts_local NULLS LAST, v.id
""")

BACK, AHEAD = timedelta(days=14), timedelta(days=21)
SCORES_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Person:
    """The patient as the head of the page tells of her, with her own thresholds (None: the agency's).

    `low`: by scale, the highest score that calls a nurse by itself.
    """

    id: int
    emr_id: str
    name: str
    first_name: str
    born_on: date | None
    language: str
    zone: str
    state: str | None
    status: str
    status_since: datetime
    is_monitored: bool
    branch_id: int
    branch: str
    nurse: str | None
    hours: tuple[time, time]
    own_hours: tuple[time, time] | None
    has_exemption_only: bool
    baseline: int | None
    alert_at_most: int | None
    drop_by: int | None
    threes_in_a_row: int | None
    silent_after: int | None
    snoozed_until: datetime | None
    episode: tuple[date, date | None] | None
    payer: str | None
    referral: str | None
    low: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Consent:
    """The last word on one category."""

    category: Category
    is_granted: bool
    source: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Phone:
    """A contact with what may be sent to it. `sharers`: other patients on the same phone. `by_hand_at`: automation keeps quiet since."""

    id: int
    relationship: str
    name: str | None
    number: str
    kind: str
    language: str
    has_ended: bool
    word: ConsentKind | None
    consents: tuple[Consent, ...]
    has_written: bool
    sharers: int
    by_hand_at: datetime | None

    @property
    def granted(self) -> Category | None:
        """A category whose consent stands; as for a text by hand, health before a visit."""
        standing = sorted(consent.category for consent in self.consents if consent.is_granted)
        return standing[0] if standing else None


@dataclass(frozen=True, slots=True)
class Coming:
    """A visit of the last or the next weeks. `wanted`: the words in which another time was asked for."""

    id: int
    task: str
    on: date
    starts: time | None
    ends: time | None
    status: str
    answer: str | None
    wanted: str | None
    clinicians: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a scale, oldest first, and the patient's own level of it, where there is one."""

    given: tuple[Given, ...]
    level: int | None


def read_person(session: Session, agency_id: int, patient_id: int) -> Person | None:
    """The patient, or None where there is none; whether somebody may see them is asked elsewhere."""
    row = session.execute(_PATIENT, {"agency": agency_id, "patient": patient_id}).first()
    if row is None:
        return None
    return Person(
        id=row.id,
        emr_id=row.emr_id,
        name=f"{row.first_name} {row.last_name}",
        first_name=row.first_name,
        born_on=row.born_on,
        language=row.language,
        zone=row.time_zone,
        state=row.state,
        status=row.status,
        status_since=row.status_since,
        is_monitored=row.is_monitored,
        branch_id=row.branch_id,
        branch=row.branch,
        nurse=row.nurse,
        hours=(row.texts_after, row.texts_until),
        own_hours=(row.own_after, row.own_until) if row.own_after is not None else None,
        has_exemption_only=row.healthcare_exemption,
        baseline=row.baseline,
        alert_at_most=row.alert_at_most,
        drop_by=row.drop_by,
        threes_in_a_row=row.threes_in_a_row,
        silent_after=row.silent_after,
        snoozed_until=row.snoozed_until,
        episode=(row.episode_starts_on, row.episode_ends_on) if row.episode_starts_on else None,
        payer=row.payer,
        referral=row.referral,
        low={5: row.alert_at_most or row.low_of_5, 10: row.low_of_10},
    )


def read_phones(
    session: Session, agency_id: int, patient_id: int, hand_for: timedelta, now: datetime
) -> tuple[Phone, ...]:
    """The patient's contacts, those that hold first; a text by hand holds its thread for `hand_for`."""
    values = {
        "agency": agency_id,
        "patient": patient_id,
        "day_ago": now - timedelta(days=1),
        "hand_since": now - hand_for,
    }
    return tuple(_phone(row) for row in session.execute(_CONTACTS, values))


def _phone(row: Row[Any]) -> Phone:
    return Phone(
        id=row.id,
        relationship=row.relationship,
        name=row.name,
        number=opened(row.phone, "contacts.phone") or "",
        kind=row.phone_kind,
        language=row.language,
        has_ended=row.has_ended,
        word=ConsentKind(row.phone_word) if row.phone_word else None,
        consents=tuple(_consent(told) for told in row.consents or ()),
        has_written=row.has_written,
        sharers=row.sharers,
        by_hand_at=row.by_hand_at,
    )


def _consent(told: Mapping[str, str]) -> Consent:
    said_at = datetime.fromisoformat(told["on"])
    return Consent(Category(told["category"]), told["kind"] == ConsentKind.GRANTED, told["source"], said_at)


def read_scores(session: Session, person: Person, agency_id: int, now: datetime) -> dict[int, Scored]:
    """The scores of the last weeks by scale (5: check-ins, 10: surveys)."""
    values = {"agency": agency_id, "patient": person.id, "since": now - SCORES_BACK}
    rows: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(_SCORES, values):
        rows[row.scale].append(row)
    found = {scale: Scored(_given(of, person.low[scale] or 0), None) for scale, of in rows.items()}
    if 5 in found:
        lately = [s.value for s in found[5].given if not s.is_corrected and s.at > now - LOOKS_BACK]
        found[5] = Scored(found[5].given, level_of(lately, person.baseline))
    return found


def _given(rows: Sequence[Row[Any]], lowest: int) -> tuple[Given, ...]:
    return tuple(
        Given(row.given_at, row.value, row.relationship, row.value <= lowest, row.is_corrected) for row in rows
    )


def read_visits(session: Session, agency_id: int, patient_id: int, today: date) -> tuple[Coming, ...]:
    """The visits from two weeks ago to three weeks ahead."""
    values = {"agency": agency_id, "patient": patient_id, "first": today - BACK, "last": today + AHEAD}
    return tuple(
        Coming(
            id=row.id,
            task=row.task,
            on=row.starts_on,
            starts=row.starts_local,
            ends=row.ends_local,
            status=row.status,
            answer=row.answer,
            wanted=opened(row.wanted, "visits.wanted"),
            clinicians=tuple(row.clinicians),
        )
        for row in session.execute(_VISITS, values)
    )
