"""Gathers every fact that the sending of claimed messages depends on: ids in, drafts out. Four queries for any number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage import log
from engage.db import encryption
from engage.outreach.rules.draft import Clinician, Draft
from engage.outreach.rules.wording import LANGUAGES, PlannedVisit
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.permission import Reader
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind
from engage.sms.texts import Sender

# Days and weeks of the caps are those of the patient's own calendar; a text that did not arrive has bothered nobody, a call has
# rung. The senders of a branch come before the agency's, and
# pages leave from the patients' number only where there is none of their own.
_FACTS = text("""
SELECT m.id, m.agency_id, m.kind, m.channel, m.template, m.params, m.occasion, m.expires_at, m.patient_id, m.contact_id, m.visit_id,
       a.short_name, COALESCE(b.phone, a.phone) AS office_phone, a.texts_after, a.texts_until, a.daily_cap, a.weekly_cap, a.voice_reminders,
       COALESCE(p.time_zone, b.time_zone, a.time_zone) AS zone, p.status, p.first_name, COALESCE(c.language, p.language, 'en') AS language,
       c.phone AS contact_phone, c.phone_kind, c.ended_at IS NOT NULL AS has_ended,
       consent.kind AS consent, word.kind AS phone_word, COALESCE(sent.today, 0) AS today, COALESCE(sent.week, 0) AS week,
       k.phone AS clinician_phone, k.texts_stopped_at IS NOT NULL AS has_stopped, COALESCE(k.left_on <= :today, false) AS has_left,
       t.anchor, v.starts_on AS visited_on, s.id AS sender_id, s.phone AS sender_phone, s.messaging_service_sid,
       EXISTS (SELECT FROM alerts al WHERE al.agency_id = m.agency_id AND al.id = m.alert_id AND al.state = 'open') AS alert_is_open
FROM messages m
JOIN agencies a ON a.id = m.agency_id
LEFT JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
LEFT JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
LEFT JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id
LEFT JOIN branches b ON b.agency_id = m.agency_id AND b.id = COALESCE(p.branch_id, k.branch_id)
LEFT JOIN visits v ON v.agency_id = m.agency_id AND v.id = m.visit_id
LEFT JOIN LATERAL (
    SELECT e.kind FROM consent_events e
    WHERE e.agency_id = m.agency_id AND e.contact_id = m.contact_id AND e.category = m.category
    ORDER BY e.said_at DESC, e.id DESC LIMIT 1) consent ON true
LEFT JOIN LATERAL (
    SELECT e.kind FROM consent_events e
    WHERE e.agency_id = m.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL
    ORDER BY e.said_at DESC, e.id DESC LIMIT 1) word ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.claimed_at >= date_trunc('day', :now AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone) AS today,
           count(*) AS week
    FROM messages o
    WHERE m.kind = 'touchpoint' AND o.agency_id = m.agency_id AND o.contact_id = m.contact_id AND o.kind = 'touchpoint'
      AND o.claimed_at >= (date_trunc('day', :now AT TIME ZONE p.time_zone) - interval '6 days') AT TIME ZONE p.time_zone
      AND o.state NOT IN ('planned', 'expired', 'cancelled', 'suppressed', 'failed')
      AND NOT (o.state = 'undelivered' AND o.channel = 'sms')) sent ON true
LEFT JOIN LATERAL (
    SELECT s.* FROM senders s
    WHERE s.agency_id = m.agency_id AND s.purpose IN ('patients', CASE WHEN m.clinician_id IS NULL THEN 'patients' ELSE 'pages' END)
      AND (s.branch_id IS NULL OR s.branch_id = b.id)
    ORDER BY s.purpose = CASE WHEN m.clinician_id IS NULL THEN 'patients' ELSE 'pages' END DESC, s.branch_id NULLS LAST, s.id
    LIMIT 1) s ON true
WHERE m.id = ANY(:ids)
""")

_VISITS = text("""
SELECT v.agency_id, v.patient_id, v.starts_on, v.starts_local,
       array_remove(array_agg(k.first_name ORDER BY k.id), NULL) AS clinicians
FROM unnest(CAST(:agencies AS bigint[]), CAST(:patients AS bigint[]), CAST(:days AS date[])) AS w(agency_id, patient_id, day)
JOIN visits v ON v.agency_id = w.agency_id AND v.patient_id = w.patient_id AND v.starts_on = w.day
    AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it'
LEFT JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
LEFT JOIN clinicians k ON k.agency_id = vc.agency_id AND k.id = vc.clinician_id
GROUP BY v.agency_id, v.patient_id, v.starts_on, v.starts_local, v.id
""")

# The newest wording that somebody has reviewed; an unreviewed language is not sent (45 CFR 92, Section 1557).
_WORDINGS = text("""
SELECT DISTINCT ON (agency_id, key, language) agency_id, key, language, wording FROM templates
WHERE agency_id = ANY(:agencies) AND reviewed_at IS NOT NULL
ORDER BY agency_id, key, language, version DESC
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this transaction holds, and what is needed to send it."""

    id: int
    agency_id: int
    contact_id: int | None
    draft: Draft
    sender_id: int | None
    sender: Sender | None


def gather(session: Session, ids: Sequence[int], now: datetime) -> tuple[list[Claimed], list[int]]:
    """Drafts of the messages `ids`, in their order of priority as given; and the ids whose facts cannot be read."""
    rows = session.execute(_FACTS, {"ids": list(ids), "now": now, "today": now.date()}).all()
    visits = _visits(session, rows)
    wordings = _wordings(session, {row.agency_id for row in rows})
    place = {message_id: index for index, message_id in enumerate(ids)}
    claimed: list[Claimed] = []
    unreadable: list[int] = []
    for row in sorted(rows, key=lambda row: place[row.id]):
        try:
            claimed.append(_claimed(row, visits, wordings))
        except Exception:  # noqa: BLE001 - a phone whose key is missing, a word nobody knows: the others must leave
            log.get().exception("the facts of a message cannot be read", agency=row.agency_id, message=row.id)
            unreadable.append(row.id)
    return claimed, unreadable


def _visits(session: Session, rows: Sequence[Row[Any]]) -> dict[tuple[int, int, date], list[PlannedVisit]]:
    wanted = {(row.agency_id, row.patient_id, _day(row)) for row in rows if _day(row) is not None}
    found: dict[tuple[int, int, date], list[PlannedVisit]] = {}
    if wanted:
        agencies, patients, days = (list(column) for column in zip(*wanted, strict=True))
        for visit in session.execute(_VISITS, {"agencies": agencies, "patients": patients, "days": days}):
            key = (visit.agency_id, visit.patient_id, visit.starts_on)
            found.setdefault(key, []).append(PlannedVisit(visit.starts_local, tuple(visit.clinicians)))
    return found


def _wordings(session: Session, agencies: Iterable[int]) -> dict[tuple[int, str, str], str]:
    rows = session.execute(_WORDINGS, {"agencies": list(agencies)})
    return {(row.agency_id, row.key, row.language): row.wording for row in rows}


def _day(row: Row[Any]) -> date | None:
    return date.fromisoformat(row.occasion) if row.anchor == "visit_day" else None


def _claimed(
    row: Row[Any],
    visits: Mapping[tuple[int, int, date], list[PlannedVisit]],
    wordings: Mapping[tuple[int, str, str], str],
) -> Claimed:
    day = _day(row)
    language = (
        row.language if (row.agency_id, row.template, row.language) in wordings and row.language in LANGUAGES else "en"
    )
    draft = Draft(
        kind=Kind(row.kind),
        template=row.template,
        wording=wordings.get((row.agency_id, row.template, language)),
        language=language,
        reader=_reader(row) if row.contact_id is not None else None,
        clinician=Clinician(row.has_left, row.has_stopped) if row.contact_id is None else None,
        to=_opened(row.contact_phone, "contacts.phone") or _opened(row.clinician_phone, "clinicians.phone"),
        has_sender=row.sender_id is not None,
        agency=row.short_name,
        office_phone=row.office_phone,
        patient=row.first_name or "",
        zone=row.zone,
        params=row.params,
        occasion_on=day,
        visits=tuple(visits.get((row.agency_id, row.patient_id, day), ())) if day else (),
        visited_on=row.visited_on,
        alert_is_open=row.alert_is_open,
        expires_at=row.expires_at,
        channel=Channel(row.channel),
        may_call=row.voice_reminders,
    )
    return Claimed(row.id, row.agency_id, row.contact_id, draft, row.sender_id, _sender(row))


def _sender(row: Row[Any]) -> Sender | None:
    if row.sender_id is None:
        return None
    service = row.messaging_service_sid if row.channel == Channel.SMS else None  # only a number can call
    return Sender(messaging_service_sid=service) if service else Sender(row.sender_phone)


def _reader(row: Row[Any]) -> Reader:
    return Reader(
        status=PatientStatus(row.status),
        phone_kind=PhoneKind(row.phone_kind),
        has_ended=row.has_ended,
        consent=ConsentKind(row.consent) if row.consent else None,
        phone_word=ConsentKind(row.phone_word) if row.phone_word else None,
        zone=row.zone,
        texts_after=row.texts_after,
        texts_until=row.texts_until,
        sent_today=row.today,
        sent_this_week=row.week,
        daily_cap=row.daily_cap,
        weekly_cap=row.weekly_cap,
    )


def _opened(sealed: bytes | None, column: str) -> str | None:
    return None if sealed is None else encryption.ring().open(bytes(sealed), column)
