"""Gathers a patient's local day: the messages of that day, and for every touchpoint without one the facts that tell why.

A patient and a date in; facts and causes out. A fixed number of queries. The look is put on record; nothing else changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.db import Database
from engage.errors import BadInput
from engage.outreach.left_out import left_out
from engage.outreach.rules.words import Anchor
from engage.patients.rules.window import instant
from engage.patients.rules.words import Category, ConsentKind, ConsentSource, PatientStatus, PhoneKind
from engage.reports.rules.absence import NotSent, why_not
from engage.reports.rules.facts import MessageFacts, Said, Whom
from engage.reports.rules.missing import Candidate, Missing, PatientThen, VisitThen
from engage.reports.rules.occasions import Hours, Span, after_visit, on_day
from engage.reports.why import Asking, first_name, messages, phone_ends, record_look
from engage.sms.rules.codes import CodeTable
from engage.visits.rules.words import VisitAnswer, VisitStatus

_PATIENT = text("""
SELECT p.*, a.is_active AS agency_is_active, a.texts_after, a.texts_until
FROM patients p JOIN agencies a ON a.id = p.agency_id
WHERE p.emr_id = :named OR p.mrn = :named ORDER BY p.emr_id = :named DESC, p.id
""")
# A question that follows a score hangs on no day: the story of the reply tells of it.
_TOUCHPOINTS = text("SELECT * FROM touchpoints WHERE anchor <> 'score' ORDER BY local_time NULLS LAST, id")
_CONTACTS = text("SELECT * FROM contacts WHERE patient_id = :patient ORDER BY relationship = 'patient' DESC, id")
_SAID = text("""
SELECT e.contact_id, e.phone_hash, e.category, e.kind, e.source, e.said_at, e.recorded_at, e.proof IS NOT NULL AS has_proof
FROM consent_events e
WHERE e.contact_id = ANY(:contacts) OR (e.contact_id IS NULL AND e.phone_hash = ANY(:phones))
ORDER BY e.said_at, e.id
""")
_VISITS = text("""
SELECT id, starts_on, starts_local, status, answer, answered_at, changed_at, completed_at FROM visits
WHERE patient_id = :patient AND (starts_on = ANY(:days) OR completed_at BETWEEN :since AND :until) ORDER BY starts_on, id
""")
_EPISODES = text(
    "SELECT starts_on, COALESCE(discharged_on, ends_on) AS ended_on, discharged_on FROM episodes WHERE patient_id = :patient"
)
# Those of the day, and those that hold the place of an occasion wherever they stand.
_MESSAGES = text("""
SELECT m.id, m.touchpoint_id, m.contact_id, m.occasion, of_day.it AS is_of_day
FROM messages m, LATERAL (SELECT COALESCE((m.send_at AT TIME ZONE :zone)::date = :on OR (m.claimed_at AT TIME ZONE :zone)::date = :on, false) AS it) of_day
WHERE m.patient_id = :patient AND (of_day.it OR (m.occasion = ANY(:occasions) AND m.state <> 'cancelled'))
""")
# One phone, two patients: the text for one of them is told to both.
_TOGETHER = text("""
SELECT m.touchpoint_id, m.occasion, (m.send_at AT TIME ZONE :zone)::date = :on AS is_of_day, c.phone_hash, p.first_name
FROM contacts c
JOIN messages m ON m.agency_id = c.agency_id AND m.contact_id = c.id AND m.kind = 'touchpoint' AND m.state <> 'cancelled'
JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
WHERE c.phone_hash = ANY(:phones) AND c.patient_id <> :patient
  AND (m.occasion = ANY(:occasions) OR (m.send_at AT TIME ZONE :zone)::date = :on)
""")


@dataclass(frozen=True, slots=True)
class PatientDay:
    """What a patient was sent on a local day, and what not."""

    emr_id: str
    first_name: str
    status: PatientStatus
    on: date
    zone: str
    messages: tuple[MessageFacts, ...]
    not_sent: tuple[NotSent, ...]


@dataclass(frozen=True, slots=True)
class _Occasion:
    """One occasion of a touchpoint on the day: its key in `messages.occasion`, the day it is about, its time, its visits."""

    touchpoint: Row[Any]
    key: str | None
    on: date
    span: Span
    visits: tuple[Row[Any], ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Everything that was read about the day."""

    patient: Row[Any]
    contacts: Sequence[Row[Any]]
    said: Sequence[Row[Any]]
    episodes: Sequence[Row[Any]]
    taken: Sequence[Row[Any]]
    together: Sequence[Row[Any]]
    outside: dict[tuple[int, date], str]


def why_on(
    db: Database, codes: CodeTable, agency_id: int, named: str, on: date, horizon: timedelta, asking: Asking
) -> PatientDay:
    """The day `on`, local to the patient whose EMR id or MRN is `named`; `horizon` is how far ahead the planner plans.

    Raises BadInput when there is no such patient, or an MRN means several.
    """
    with db.agency_session(agency_id) as session:
        patient = _patient(session, named)
        occasions, rows = _gather(session, patient, on)
        facts = messages(session, codes, [row.id for row in rows.taken if row.is_of_day], asking)
        record_look(session, agency_id, asking, "patient", patient.id, on)
    found = [why_not(_missing(occasion, rows, horizon, asking.now)) for occasion in occasions]
    return PatientDay(
        patient.emr_id,
        patient.first_name,
        PatientStatus(patient.status),
        on,
        patient.time_zone,
        tuple(facts),
        tuple(not_sent for not_sent in found if not_sent is not None),
    )


def _patient(session: Session, named: str) -> Row[Any]:
    found = session.execute(_PATIENT, {"named": named}).all()
    if not found:
        raise BadInput(f"No patient of this agency has the EMR id or MRN {named!r}.")
    if len(found) > 1 and found[0].emr_id != named:
        raise BadInput(f"{len(found)} patients have the MRN {named!r}: give the EMR id of the one you mean.")
    return found[0]


def _gather(session: Session, patient: Row[Any], on: date) -> tuple[list[_Occasion], _Rows]:
    touchpoints = session.execute(_TOUCHPOINTS).all()
    days = {on, *(on - timedelta(days=touchpoint.offset_days) for touchpoint in touchpoints)}
    noon = instant(on, patient.texts_after, patient.time_zone)
    around = {"since": noon - timedelta(days=9), "until": noon + timedelta(days=2)}  # an offset is a week at most
    visits = session.execute(_VISITS, {"patient": patient.id, "days": sorted(days), **around}).all()
    occasions = [found for touchpoint in touchpoints for found in _occasions(touchpoint, patient, on, visits)]
    contacts = session.execute(_CONTACTS, {"patient": patient.id}).all()
    phones = [contact.phone_hash for contact in contacts]
    keys = sorted({occasion.key for occasion in occasions if occasion.key})
    place = {"patient": patient.id, "zone": patient.time_zone, "on": on, "occasions": keys}
    return occasions, _Rows(
        patient,
        contacts,
        session.execute(_SAID, {"contacts": [contact.id for contact in contacts], "phones": phones}).all(),
        session.execute(_EPISODES, {"patient": patient.id}).all(),
        session.execute(_MESSAGES, place).all(),
        session.execute(_TOGETHER, {**place, "phones": phones}).all(),
        left_out(session, patient.agency_id, patient.id, sorted(days)),
    )


def _occasions(touchpoint: Row[Any], patient: Row[Any], on: date, visits: Sequence[Row[Any]]) -> list[_Occasion]:
    """What the touchpoint would have been about on that day; one about completed visits may have none or several."""
    hours = Hours(patient.time_zone, patient.texts_after, patient.texts_until)
    useful = timedelta(minutes=touchpoint.useful_minutes)
    if touchpoint.anchor == Anchor.VISIT_COMPLETED:
        offset = timedelta(minutes=touchpoint.offset_minutes)
        spans = [(v, after_visit(v.completed_at, offset, useful, hours)) for v in visits if v.completed_at is not None]
        zone = ZoneInfo(hours.zone)
        found = [(v, span) for v, span in spans if span.send_at.astimezone(zone).date() == on]
        if found:
            return [_Occasion(touchpoint, f"visit:{v.id}", v.starts_on, span, (v,)) for v, span in found]
        end = instant(on, hours.until, hours.zone)
        unfinished = tuple(visit for visit in visits if visit.starts_on == on and visit.completed_at is None)
        return [_Occasion(touchpoint, None, on, Span(end, end + useful), unfinished)]
    about = on - timedelta(days=touchpoint.offset_days)
    its_visits = tuple(v for v in visits if v.starts_on == about) if touchpoint.anchor == Anchor.VISIT_DAY else ()
    starts = [visit.starts_local for visit in its_visits if visit.status != VisitStatus.CANCELLED]
    span = on_day(on, touchpoint.local_time, useful, hours, starts, about)
    return [_Occasion(touchpoint, about.isoformat(), about, span, its_visits)]


def _missing(occasion: _Occasion, rows: _Rows, horizon: timedelta, now: datetime) -> Missing:
    touchpoint, moment = occasion.touchpoint, min(occasion.span.send_at, now)
    return Missing(
        key=touchpoint.key,
        category=Category(touchpoint.category),
        anchor=Anchor(touchpoint.anchor),
        is_active=touchpoint.is_active,
        only_monitored=touchpoint.only_monitored,
        agency_is_active=rows.patient.agency_is_active,
        occasion_on=occasion.on,
        send_at=occasion.span.send_at,
        expires_at=occasion.span.expires_at,
        moment=moment,
        now=now,
        horizon=horizon,
        zone=rows.patient.time_zone,
        patient=_patient_then(rows, occasion.on),
        visits=tuple(_visit_then(visit) for visit in occasion.visits),
        candidates=_candidates(occasion, rows, moment),
        left_out=rows.outside.get((touchpoint.id, occasion.on)),
    )


def _patient_then(rows: _Rows, on: date) -> PatientThen:
    """A patient without episodes is in care (as the planner says)."""
    patient, episodes = rows.patient, rows.episodes
    is_covered = any(e.starts_on <= on and (e.discharged_on is None or e.discharged_on >= on) for e in episodes)
    ended = [e.ended_on for e in episodes if e.ended_on is not None and e.ended_on < on]
    return PatientThen(
        patient.first_name,
        PatientStatus(patient.status),
        patient.status_since,
        patient.is_monitored,
        is_covered or not episodes,
        max(ended, default=None),
    )


def _visit_then(visit: Row[Any]) -> VisitThen:
    answer = VisitAnswer(visit.answer) if visit.answer else None
    return VisitThen(visit.starts_local, VisitStatus(visit.status), answer, visit.answered_at, visit.changed_at)


def _candidates(occasion: _Occasion, rows: _Rows, moment: datetime) -> tuple[Candidate, ...]:
    def is_same(row: Row[Any]) -> bool:
        """Another patient's completed visit has another key, and a day without one has none: then the day decides."""
        is_of_day = row.is_of_day and (occasion.key is None or occasion.key.startswith("visit:"))
        return row.touchpoint_id == occasion.touchpoint.id and (row.occasion == occasion.key or is_of_day)

    texted = {row.contact_id for row in rows.taken if is_same(row)}
    together = {row.phone_hash: row.first_name for row in rows.together if is_same(row)}
    return tuple(
        Candidate(
            contact_id=contact.id,
            whom=_whom(contact, rows.patient),
            phone_kind=PhoneKind(contact.phone_kind),
            ended_at=contact.ended_at,
            consent=_last([e for e in _consents(rows, contact, occasion) if e.recorded_at <= moment]),
            phone_word=_last([e for e in _words(rows, contact) if e.recorded_at <= moment]),
            granted_later_at=_granted_after(_consents(rows, contact, occasion), moment),
            told_with=together.get(contact.phone_hash),
            has_message=contact.id in texted,
        )
        for contact in rows.contacts
    )


def _whom(contact: Row[Any], patient: Row[Any]) -> Whom:
    ends = phone_ends(contact.phone, "contacts.phone")
    return Whom(first_name(contact.name), contact.relationship, patient.first_name, is_clinician=False, phone_ends=ends)


def _consents(rows: _Rows, contact: Row[Any], occasion: _Occasion) -> list[Said]:
    """What was said about this kind of text to this contact, in the order in which it was said."""
    category = occasion.touchpoint.category
    return [_said(e) for e in rows.said if e.contact_id == contact.id and e.category == category]


def _words(rows: _Rows, contact: Row[Any]) -> list[Said]:
    """What the phone itself said."""
    return [_said(e) for e in rows.said if e.contact_id is None and e.phone_hash == contact.phone_hash]


def _said(event: Row[Any]) -> Said:
    source = ConsentSource(event.source)
    return Said(ConsentKind(event.kind), source, event.said_at, event.recorded_at, event.has_proof)


def _last(said: Sequence[Said]) -> Said | None:
    return said[-1] if said else None


def _granted_after(said: Sequence[Said], moment: datetime) -> datetime | None:
    later = [e.recorded_at for e in said if e.kind is ConsentKind.GRANTED and e.recorded_at > moment]
    return min(later, default=None)
