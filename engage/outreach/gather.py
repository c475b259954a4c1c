"""Gathers every fact that the sending of claimed messages depends on: ids in, drafts out. Four queries for any number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage import log
from engage.db import encryption
from engage.outreach.companions import Others as _Others
from engage.outreach.companions import find_companions, find_named
from engage.outreach.heard import IS_STALE
from engage.outreach.links import take_link
from engage.outreach.rules.draft import Clinician, Companion, Draft, Occasion, Phone
from engage.outreach.rules.paging import Limit, Pager, Quiet, named, spoken
from engage.outreach.rules.wording import LANGUAGES, PlannedVisit
from engage.outreach.rules.words import Anchor, Channel, Kind
from engage.patients.rules.hours import Hours
from engage.patients.rules.loops import LONG, SHORT, Answered
from engage.patients.rules.permission import Reader
from engage.patients.rules.states import StateTable
from engage.patients.rules.words import Category, ConsentKind, MaySee, PatientStatus, PhoneKind
from engage.sms.texts import Sender

# Days and weeks of the caps are those of the patient's own calendar; caps, answers and what a phone was told count by phone,
# whoever's it is; a text that did not arrive has bothered nobody, a call has rung. Nobody plans a text for the same day a week apart, so eight days hold all that was told of an occasion.
# The senders of a branch come before the agency's, and pages leave from the patients' number only where there is none of
# their own. A page is about every alert of its bundle that is still open and that its reader has neither taken nor passed on.
_FACTS = text(
    """
SELECT m.id, m.agency_id, m.kind, m.priority, m.channel, m.template, m.params, m.category, m.occasion, m.touchpoint_id, m.expires_at, m.patient_id,
       m.contact_id, m.visit_id, m.also_for, CASE WHEN m.kind = 'hand' OR m.template = 'trial' THEN m.body END AS by_hand,
       m.kind = 'hand' AND EXISTS (SELECT FROM replies r WHERE r.agency_id = m.agency_id AND r.phone_hash = c.phone_hash
           AND r.received_at > :long_ago) AS has_written,
       CASE WHEN k.id IS NULL THEN COALESCE(a.alias, a.short_name) ELSE a.short_name END AS short_name,
       CASE WHEN k.id IS NULL THEN COALESCE(a.alias, a.name) ELSE a.name END AS agency_name, COALESCE(b.phone, a.phone) AS office_phone, a.texts_after, a.texts_until, a.daily_cap, a.weekly_cap,
       a.healthcare_exemption, a.voice_reminders, COALESCE(c.texts_after, p.texts_after) AS own_after,
       COALESCE(c.texts_until, p.texts_until) AS own_until, p.state, c.may_see, COALESCE(heard.is_stale, false) AS is_stale,
       COALESCE(p.time_zone, b.time_zone, a.time_zone) AS zone, p.status, p.first_name, COALESCE(c.language, p.language, 'en') AS language,
       c.phone AS contact_phone, c.phone_kind, c.ended_at IS NOT NULL AS has_ended, COALESCE(c.phone_hash, k.phone_hash) AS phone_hash,
       consent.kind AS consent, word.kind AS phone_word, COALESCE(sent.today, 0) AS today, COALESCE(sent.week, 0) AS week,
       COALESCE(sent.is_told, false) AS is_told, COALESCE(answered.lately, 0) AS lately, COALESCE(answered.in_a_day, 0) AS in_a_day,
       k.phone AS clinician_phone, k.texts_stopped_at IS NOT NULL AS has_stopped, COALESCE(k.left_on <= :today, false) AS has_left,
       t.anchor, EXISTS (SELECT FROM contacts o WHERE o.agency_id = m.agency_id AND o.phone_hash = c.phone_hash AND o.id <> c.id) AS is_shared,
       v.starts_on AS visited_on, s.id AS sender_id, s.phone AS sender_phone, s.messaging_service_sid,
       k.email AS clinician_email, k.quiet_from, k.quiet_until, paged.codes, paged.severity, paged.is_on_call, paged.sent
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
    SELECT count(*) FILTER (WHERE has_bothered AND o.claimed_at >= date_trunc('day', :now AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone) AS today,
           count(*) FILTER (WHERE has_bothered
               AND o.claimed_at >= (date_trunc('day', :now AT TIME ZONE p.time_zone) - interval '6 days') AT TIME ZONE p.time_zone) AS week,
           bool_or(o.touchpoint_id = m.touchpoint_id AND o.occasion = m.occasion AND o.patient_id <> m.patient_id) AS is_told
    FROM contacts same JOIN messages o ON o.agency_id = same.agency_id AND o.contact_id = same.id
    CROSS JOIN LATERAL (SELECT NOT (o.state = 'undelivered' AND o.channel = 'sms') AS has_bothered) AS felt
    WHERE m.kind IN ('touchpoint', 'enrolment') AND same.agency_id = m.agency_id AND same.phone_hash = c.phone_hash
      AND o.kind IN ('touchpoint', 'enrolment') AND o.claimed_at >= :now - interval '8 days' AND o.state NOT IN ('planned', 'expired', 'cancelled', 'suppressed', 'failed')) sent ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.claimed_at > :short_ago) AS lately, count(*) AS in_a_day
    FROM (
        SELECT o.claimed_at, o.kind, o.state FROM contacts same
        JOIN messages o ON o.agency_id = same.agency_id AND o.contact_id = same.id AND o.claimed_at > :long_ago
        WHERE m.kind IN ('answer', 'opt_out_confirmation') AND same.agency_id = m.agency_id AND same.phone_hash = c.phone_hash
        UNION ALL
        SELECT o.claimed_at, o.kind, o.state FROM clinicians same
        JOIN messages o ON o.agency_id = same.agency_id AND o.clinician_id = same.id AND o.claimed_at > :long_ago
        WHERE m.kind = 'note' AND same.agency_id = m.agency_id AND same.phone_hash = k.phone_hash) o
    WHERE o.kind IN ('answer', 'opt_out_confirmation', 'note') AND o.state NOT IN ('planned', 'expired', 'cancelled', 'suppressed', 'failed')) answered ON true
LEFT JOIN LATERAL (SELECT {is_stale} AS is_stale) heard ON m.kind = 'touchpoint' OR m.kind = 'hand'
LEFT JOIN LATERAL (
    SELECT s.* FROM senders s
    WHERE s.agency_id = m.agency_id AND s.purpose IN ('patients', CASE WHEN m.clinician_id IS NULL THEN 'patients' ELSE 'pages' END)
      AND (s.branch_id IS NULL OR s.branch_id = b.id)
    ORDER BY s.purpose = CASE WHEN m.clinician_id IS NULL THEN 'patients' ELSE 'pages' END DESC, s.branch_id NULLS LAST, s.id
    LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT array_agg(al.code ORDER BY al.severity DESC, al.id) AS codes, max(al.severity) AS severity, bool_or(page.paged_as = 'on_call') AS is_on_call,
           (SELECT array_agg(o.claimed_at) FROM messages o
            WHERE o.agency_id = m.agency_id AND o.clinician_id = m.clinician_id AND o.claimed_at > :page_ago AND o.kind = 'page'
              AND o.channel = m.channel AND o.state NOT IN ('planned', 'expired', 'cancelled', 'suppressed', 'failed')) AS sent
    FROM (SELECT m.agency_id, m.alert_id, m.params ->> 'paged_as' AS paged_as, m.clinician_id, m.planned_at
          UNION ALL
          SELECT b.agency_id, b.alert_id, b.params ->> 'paged_as', b.clinician_id, b.planned_at FROM messages b
          WHERE b.agency_id = m.agency_id AND b.bundle_id = m.id) page
    JOIN alerts al ON al.agency_id = page.agency_id AND al.id = page.alert_id AND al.state = 'open'
        AND NOT EXISTS (SELECT FROM alert_events e
                        WHERE e.agency_id = al.agency_id AND e.alert_id = al.id AND e.kind IN ('passed_on', 'acknowledged')
                          AND e.clinician_id = page.clinician_id AND e.at > page.planned_at)
    WHERE m.kind = 'page') paged ON true
WHERE m.id = ANY(:ids)
""".replace("{is_stale}", IS_STALE)
)

_VISITS = text("""
SELECT v.agency_id, v.patient_id, v.starts_on, v.starts_local, v.discipline,
       array_remove(array_agg(k.first_name ORDER BY k.id), NULL) AS clinicians
FROM unnest(CAST(:agencies AS bigint[]), CAST(:patients AS bigint[]), CAST(:days AS date[])) AS w(agency_id, patient_id, day)
JOIN visits v ON v.agency_id = w.agency_id AND v.patient_id = w.patient_id AND v.starts_on = w.day
    AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it'
LEFT JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
LEFT JOIN clinicians k ON k.agency_id = vc.agency_id AND k.id = vc.clinician_id
GROUP BY v.agency_id, v.patient_id, v.starts_on, v.starts_local, v.discipline, v.id
""")

# The newest wording that somebody has reviewed; an unreviewed language is not sent (45 CFR 92, Section 1557).
_WORDINGS = text("""
SELECT DISTINCT ON (agency_id, key, language) agency_id, key, language, wording FROM templates
WHERE agency_id = ANY(:agencies) AND reviewed_at IS NOT NULL AND retired_at IS NULL
ORDER BY agency_id, key, language, version DESC
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this transaction holds, and what is needed to send it."""

    id: int
    agency_id: int
    priority: int
    contact_id: int | None
    draft: Draft
    sender_id: int | None
    sender: Sender | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What sending depends on besides the rows: the states' hours, the limits of pages, our address, whether mail can leave."""

    states: StateTable = field(default_factory=StateTable)
    page_limits: tuple[Limit, ...] = ()
    public_url: str = ""
    has_mail: bool = False


def gather(session: Session, ids: Sequence[int], now: datetime, terms: Terms) -> tuple[list[Claimed], list[int]]:
    """Drafts of the messages `ids`, in their order of priority as given; and the ids whose facts cannot be read."""
    span = max((limit.span for limit in terms.page_limits), default=timedelta(0))
    ago = {"short_ago": now - SHORT, "long_ago": now - LONG, "page_ago": now - span}
    rows = session.execute(_FACTS, {"ids": list(ids), "now": now, "today": now.date()} | ago).all()
    others = _companions(session, rows)
    found = _Found(
        others, _visits(session, rows, others), _wordings(session, {row.agency_id for row in rows}), terms, now
    )
    place = {message_id: index for index, message_id in enumerate(ids)}
    claimed: list[Claimed] = []
    unreadable: list[int] = []
    for row in sorted(rows, key=lambda row: place[row.id]):
        try:
            claimed.append(_claimed(row, found))
        except Exception:  # noqa: BLE001 - a phone whose key is missing, a word nobody knows: the others must leave
            log.get().exception("the facts of a message cannot be read", agency=row.agency_id, message=row.id)
            unreadable.append(row.id)
    return claimed, unreadable


_Visits = dict[tuple[int, int, date], list[PlannedVisit]]
"""By agency, patient and day."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known besides the rows of the messages themselves."""

    others: _Others
    visits: _Visits
    wordings: Mapping[tuple[int, str, str], str]
    terms: Terms
    now: datetime


def _companions(session: Session, rows: Sequence[Row[Any]]) -> _Others:
    shared = [(row.id, day) for row in rows if row.is_shared and _is_for_all(row) and (day := _day(row)) is not None]
    naming = [row.id for row in rows if row.also_for and not _is_for_all(row)]
    return find_companions(session, shared) | find_named(session, naming)


def _visits(session: Session, rows: Sequence[Row[Any]], others: _Others) -> _Visits:
    wanted = {
        (row.agency_id, patient, day)
        for row in rows
        if row.anchor == Anchor.VISIT_DAY and (day := _day(row)) is not None
        for patient in (row.patient_id, *(other for other, _ in others.get(row.id, ())))
    }
    found: _Visits = {}
    if wanted:
        agencies, patients, days = (list(column) for column in zip(*wanted, strict=True))
        for visit in session.execute(_VISITS, {"agencies": agencies, "patients": patients, "days": days}):
            key = (visit.agency_id, visit.patient_id, visit.starts_on)
            found.setdefault(key, []).append(
                PlannedVisit(visit.starts_local, tuple(visit.clinicians), visit.discipline)
            )
    return found


def _wordings(session: Session, agencies: Iterable[int]) -> dict[tuple[int, str, str], str]:
    rows = session.execute(_WORDINGS, {"agencies": list(agencies)})
    return {(row.agency_id, row.key, row.language): row.wording for row in rows}


def _day(row: Row[Any]) -> date | None:
    """The local day that a touchpoint of a day is about; None for any other message, and for a day nobody can read."""
    if row.anchor not in {Anchor.VISIT_DAY, Anchor.EVERY_DAY}:
        return None
    try:
        return date.fromisoformat(row.occasion)
    except ValueError:
        return None


def _claimed(row: Row[Any], found: _Found) -> Claimed:
    is_mail = row.channel == Channel.EMAIL
    template = _template(row)
    has_wording = (row.agency_id, template, row.language) in found.wordings and row.language in LANGUAGES
    language = row.language if has_wording else "en"
    day = date.fromisoformat(row.occasion) if row.anchor == Anchor.VISIT_DAY else None
    draft = Draft(
        kind=Kind(row.kind),
        template=template,
        wording=found.wordings.get((row.agency_id, template, language)),
        language=language,
        reader=_reader(row, found.terms.states) if row.contact_id is not None else None,
        clinician=Clinician(row.has_left, row.has_stopped, _answered(row)) if row.contact_id is None else None,
        to=_opened(row.clinician_email, "clinicians.email") if is_mail else _phone(row),
        has_sender=found.terms.has_mail if is_mail else row.sender_id is not None,
        agency=row.short_name,
        agency_name=row.agency_name,
        office_phone=row.office_phone,
        patient=row.first_name or "",
        zone=row.zone,
        params=row.params if row.kind != Kind.PAGE else row.params | _page_values(row, found),
        occasion_on=day,
        visits=_visits_of(row, row.patient_id, day, found.visits),
        visited_on=row.visited_on,
        pager=_pager(row) if row.kind == Kind.PAGE else None,
        page_limits=found.terms.page_limits,
        expires_at=row.expires_at,
        phone=Phone(row.agency_id, bytes(row.phone_hash)) if row.phone_hash is not None else None,
        occasion=Occasion(row.touchpoint_id, row.occasion) if _is_for_all(row) else None,
        companions=tuple(
            Companion(name, _visits_of(row, patient, day, found.visits), patient)
            for patient, name in found.others.get(row.id, ())
        ),
        channel=Channel(row.channel),
        may_call=row.voice_reminders,
        words=_opened(row.by_hand, "messages.body"),
        has_written=row.has_written,
    )
    if is_mail:
        return Claimed(row.id, row.agency_id, row.priority, row.contact_id, draft, None, None)
    return Claimed(row.id, row.agency_id, row.priority, row.contact_id, draft, row.sender_id, _sender(row))


def _phone(row: Row[Any]) -> str | None:
    return _opened(row.contact_phone, "contacts.phone") or _opened(row.clinician_phone, "clinicians.phone")


_CHANNEL_TEMPLATE = {Channel.VOICE: "call-page", Channel.EMAIL: "mail-page"}


def _template(row: Row[Any]) -> str:
    """What a page says depends on how it goes and on how many alerts are still open when it leaves."""
    if row.kind != Kind.PAGE:
        return str(row.template)
    several = "page-many" if len(row.codes or ()) > 1 else str(row.template)
    return _CHANNEL_TEMPLATE.get(Channel(row.channel), several)


def _pager(row: Row[Any]) -> Pager:
    quiet = Quiet(row.quiet_from, row.quiet_until, row.zone) if row.quiet_from is not None else None
    return Pager(tuple(row.codes or ()), row.severity or 0, tuple(row.sent or ()), quiet, bool(row.is_on_call))


def _page_values(row: Row[Any], found: _Found) -> dict[str, object]:
    codes = row.codes or [row.params.get("code", "")]
    return {
        "code": codes[0],
        "codes": named(codes),
        "spoken": spoken(codes),
        "count": len(codes),
        "severity": row.severity or row.params.get("severity"),
        "link": take_link(found.terms.public_url, row.agency_id, row.id, found.now),
    }


def _is_for_all(row: Row[Any]) -> bool:
    """Whether a phone gets this touchpoint once for all its patients: a day is common to them, a visit is not.

    A call is for one patient, because the key that is pressed answers for one.
    """
    return row.channel == Channel.SMS and row.anchor in {Anchor.VISIT_DAY, Anchor.EVERY_DAY}


def _visits_of(row: Row[Any], patient: int, day: date | None, visits: _Visits) -> tuple[PlannedVisit, ...]:
    return tuple(visits.get((row.agency_id, patient, day), ())) if day else ()


def _sender(row: Row[Any]) -> Sender | None:
    if row.sender_id is None:
        return None
    service = row.messaging_service_sid if row.channel == Channel.SMS else None  # only a number can call
    return Sender(messaging_service_sid=service) if service else Sender(row.sender_phone)


def _reader(row: Row[Any], states: StateTable) -> Reader:
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
        own_hours=Hours(row.own_after, row.own_until) if row.own_after is not None else None,
        state_week=states.week(row.state),
        category=Category(row.category) if row.category else None,
        has_exemption_only=row.healthcare_exemption,
        is_told=row.is_told and _is_for_all(row),
        answered=_answered(row),
        may_see=MaySee(row.may_see),
        is_stale=row.is_stale,
    )


def _answered(row: Row[Any]) -> Answered:
    return Answered(row.lately, row.in_a_day)


def _opened(sealed: bytes | None, column: str) -> str | None:
    return None if sealed is None else encryption.ring().open(bytes(sealed), column)
